import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { Hasher } from '../../src/base/digest.js';
import { IntMap, LEAF_KEYS } from '../../src/base/int-map.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import type { LatePages } from '../../src/memory/late-pages.js';
import { PAGE_SIZE, Page, ZERO_PAGE } from '../../src/memory/page.js';
import { makeDeltaCode } from '../../src/recording/checkpoints/delta-code.js';
import { DeltaWriter, DIGEST_BYTES } from '../../src/recording/checkpoints/delta-writer.js';
import { MAX_DELTAS, MemoryLog, type PageTable } from '../../src/recording/checkpoints/memory-log.js';
import {
  applyDelta,
  MAX_DELTA_BYTES,
  wordsOf,
  writeDelta,
} from '../../src/recording/checkpoints/page-delta.js';
import {
  MemoryWriter,
  StoredMemory,
  StoredPages,
  sortedPlaces,
} from '../../src/recording/checkpoints/stored-memory.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { PayloadError, RecordingError } from '../../src/recording/format/recording-error.js';
import { END, record } from './sample.js';

const WORDS = PAGE_SIZE / 4;
const ZEROS = new Int32Array(WORDS);

/** Pages of which much is zero, or nothing is. */
const anyWords = fc.oneof(
  fc
    .array(fc.tuple(fc.nat(WORDS - 1), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), { maxLength: 60 })
    .map((words) => {
      const page = new Int32Array(WORDS);
      for (const [at, word] of words) page[at] = word;
      return page;
    }),
  fc
    .integer({ min: 1 })
    .map((seed) => Int32Array.from({ length: WORDS }, (_, i) => Math.imul(seed, i + 1) | 1)),
);

test('a page comes back from what it differs in from another', (t) => {
  fc.assert(
    fc.property(anyWords, anyWords, (page, other) => {
      const to = wordsOf(new Uint8Array(MAX_DELTA_BYTES));
      const length = writeDelta(page, other, to);
      const back = other.slice();
      applyDelta(to, 0, back);
      return length <= MAX_DELTA_BYTES && back.every((word, i) => word === page[i]);
    }),
  );
  t.is(writeDelta(ZEROS, ZEROS, wordsOf(new Uint8Array(MAX_DELTA_BYTES))), 4);
});

test('any bytes change a page or are too few', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(120), (bytes, start) => {
      const padded = new Uint8Array((bytes.length + 3) & ~3);
      padded.set(bytes);
      try {
        applyDelta(wordsOf(padded), start, new Int32Array(WORDS));
      } catch (reason) {
        assert(reason instanceof RangeError, String(reason));
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('code made for it changes a page as applyDelta does, and nothing else whatever it is given', (t) => {
  const PAGE_AT = 65536;
  const bits = { pageBits: 12, blockBits: 16, mostDeltas: MAX_DELTAS };
  const layout = { list: 0, missing: 0, pages: PAGE_AT, blocks: 0, ...bits };
  const { memory, apply } = makeDeltaCode(2 * 65536, layout);
  const bytes = new Uint8Array(memory.buffer);
  const page = new Int32Array(bytes.buffer, PAGE_AT, WORDS);
  fc.assert(
    fc.property(anyWords, anyWords, (from, other) => {
      const delta = new Uint8Array(MAX_DELTA_BYTES);
      const length = writeDelta(from, other, wordsOf(delta));
      bytes.set(delta.subarray(0, length));
      page.set(other);
      apply(0, PAGE_AT);
      return page.every((word, i) => word === from[i]);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 8192 }), fc.nat(3), (any, start) => {
      bytes.fill(0xff).set(any);
      const before = bytes.slice();
      apply(start, PAGE_AT);
      before.set(bytes.subarray(PAGE_AT, PAGE_AT + 4096), PAGE_AT);
      t.deepEqual(bytes, before);
    }),
    { numRuns: 50 },
  );
});

/** One as it is where the host has no vectors. */
function writerByWords(): DeltaWriter {
  const { WebAssembly: host } = globalThis as unknown as { WebAssembly: { Module: unknown } };
  const { Module } = host;
  host.Module = undefined;
  try {
    return new DeltaWriter();
  } finally {
    host.Module = Module;
  }
}

test('pages are told together as each is by writeDelta, from zeros where more than half of it would be told', (t) => {
  const writers = [new DeltaWriter(), writerByWords()];
  const pageOf = (words: Int32Array): Page => {
    const page = Page.zeroed({});
    page.words().set(words);
    return page;
  };
  let [based, long] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyWords, fc.option(anyWords), fc.boolean()), { minLength: 1, maxLength: LEAF_KEYS }),
      fc.constantFrom(...writers),
      (some, writer) => {
        const others = some.map(([words, other, isLike]) => (isLike ? words.with(9, 1) : other));
        const pages = some.map(([words]) => pageOf(words));
        const told = writer
          .tell(
            pages,
            others.map((other) => other && pageOf(other)),
          )
          .slice();
        let at = 0;
        for (const [i, [words]] of some.entries()) {
          const to = new Uint8Array(MAX_DELTA_BYTES);
          let length = others[i] === null ? PAGE_SIZE : writeDelta(words, others[i], wordsOf(to));
          const isLong = length >= PAGE_SIZE / 2;
          if (isLong) length = writeDelta(words, ZEROS, wordsOf(to));
          assert.equal(writer.based[i], isLong ? 0 : 1);
          const end = at + DIGEST_BYTES + length;
          assert.equal(writer.ends[i], end);
          assert.deepEqual(
            told.slice(at, at + DIGEST_BYTES),
            new Uint8Array(Int32Array.from(pages[i].digestWords()).buffer),
          );
          assert.deepEqual(told.slice(at + DIGEST_BYTES, end), to.slice(0, length));
          at = end;
          if (!isLong) based++;
          else if (others[i] !== null) long++;
        }
        assert.equal(told.length, at);
      },
    ),
  );
  t.true(based > 50 && long > 50, `${based} ${long}`);
});

/** A state that has nothing but a VMO with these pages. */
function stateWith(pages: IntMap<Page>): KernelState {
  return { objects: IntMap.from([[1, { kind: 'vmo', koid: 1, pages }]]) } as unknown as KernelState;
}

interface Change {
  readonly page: number;
  readonly at: number;
  /** Null: the page goes; 0: it becomes one that nobody owns. */
  readonly word: number | null;
}

const anyChanges: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    page: fc.oneof(fc.nat(40), fc.constantFrom(5000, 2 ** 40)),
    at: fc.nat(WORDS - 1),
    word: fc.option(fc.nat(5)),
  }),
  { maxLength: 12 },
);

/** States of which each has changes to the one before. */
function statesAfter(changes: readonly (readonly Change[])[]): IntMap<Page>[] {
  let pages = IntMap.empty<Page>();
  return changes.map((some) => {
    for (const { page, at, word } of some) {
      if (word === null) pages = pages.delete(page);
      else if (word === 0) pages = pages.set(page, ZERO_PAGE);
      else {
        const next = (pages.get(page) ?? ZERO_PAGE).copy({});
        next.words()[at] += word;
        pages = pages.set(page, next);
      }
    }
    return pages;
  });
}

function write(
  log: MemoryLog,
  tables: readonly (readonly PageTable[])[],
): { bytes: Uint8Array; places: number[][] } {
  let places: number[][] = [];
  const bytes = record((writer) => {
    const memory = new MemoryWriter(writer, log);
    memory.writeUpTo(Number.POSITIVE_INFINITY, 0);
    places = tables.map((some) => some.map(({ place }) => place));
    writer.end(END);
  });
  return { bytes, places };
}

const unusable = (why: string): Error => new PayloadError(why);

function open(bytes: Uint8Array): StoredMemory {
  return new StoredMemory(Recording.openIndexed(bytesSource(bytes)));
}

/** The pages of a state as they are read. */
function pagesAt(memory: StoredMemory, places: readonly number[]): Page[] {
  const pages = new StoredPages(memory, memory.tablesAt(places, 5000), 5000, unusable);
  return places.flatMap((_, i) => pages.leaf(i).slots as Page[]);
}

test('the memory of states comes back, whichever of them are kept, in any order', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyChanges, { minLength: 1, maxLength: 30 }),
      fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
      fc.nat(30),
      (changes, isKept, thinnedAt) => {
        const log = new MemoryLog();
        let kept: { pages: IntMap<Page>; tables: PageTable[] }[] = [];
        for (const [i, pages] of statesAfter(changes).entries()) {
          log.add(stateWith(pages));
          kept.push({ pages, tables: pages.leaves().map(([, leaf]) => log.table(leaf)) });
          if (i !== thinnedAt) continue;
          kept = kept.filter((_, j) => j === i || isKept[j]);
          log.keepOnly(kept.flatMap(({ tables }) => tables));
        }
        const { bytes, places } = write(
          log,
          kept.map(({ tables }) => tables),
        );
        const memory = open(bytes);
        for (const [i, { pages }] of [...kept.entries()].reverse()) {
          const back = pagesAt(memory, places[i]);
          const wanted = [...pages.values()];
          assert.equal(back.length, wanted.length);
          for (const [j, page] of wanted.entries()) {
            assert.equal(back[j].digest(), page.digest());
            assert.deepEqual(back[j].bytes.slice(), page.bytes.slice());
          }
        }
      },
    ),
    { numRuns: 100 },
  );
  t.pass();
});

/** One page of 256 words that changes in one word, beside one that does not. */
function countingStates(count: number): { log: MemoryLog; tables: PageTable[][] } {
  const log = new MemoryLog();
  let page = Page.zeroed({});
  page.words().fill(7, 0, 256);
  const tables: PageTable[][] = [];
  for (let i = 0; i < count; i++) {
    page = page.copy({});
    page.words()[3] = i;
    const pages = IntMap.from([
      [4, page],
      [5, ZERO_PAGE],
    ]);
    log.add(stateWith(pages));
    tables.push(pages.leaves().map(([, leaf]) => log.table(leaf)));
  }
  return { log, tables };
}

test('what is logged of a page is what changed in it, and a whole one now and then', (t) => {
  const { log } = countingStates(80);
  t.is(log.versions.length, 80);
  const whole = 80 / MAX_DELTAS;
  t.true(log.sizeBytes < 80 * 40 + whole * 1200, `${log.sizeBytes} bytes`);
  t.is(log.versions.filter(({ base }) => base === null).length, whole);
});

test('with any byte of pages and tables changed, a page has its bytes or one clear error', (t) => {
  const { log, tables } = countingStates(9);
  const { bytes, places } = write(log, tables);
  const good = pagesAt(open(bytes), places[8]).map((page) => page.digest());
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << (at % 8);
    try {
      const memory = open(changed);
      for (const [i, page] of pagesAt(memory, places[8]).entries()) {
        const { bytes } = page;
        t.is(new Hasher().bytes(bytes).value(), page.digest());
        // A table is held against its checksum, and so are the digests in it.
        t.is(page.digest(), good[i]);
      }
    } catch (reason) {
      refused++;
      t.true(reason instanceof RecordingError || reason instanceof PayloadError, String(reason));
      t.false((reason as Error).message.includes('\n'));
    }
  }
  t.true(refused > 500, `${refused} of ${bytes.length}`);
});

test('places that somebody made up are no pages', (t) => {
  const { log, tables } = countingStates(9);
  const { bytes } = write(log, tables);
  const memory = open(bytes);
  fc.assert(
    fc.property(fc.oneof(fc.nat(400_000), fc.maxSafeInteger().map(Math.abs)), (place) => {
      for (const read of [
        () => memory.read([place]),
        () => pagesAt(memory, [place]).map((page) => page.bytes),
      ]) {
        try {
          read();
        } catch (reason) {
          assert(reason instanceof PayloadError || reason instanceof RecordingError, String(reason));
        }
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('all tables of a state have no more pages than it can have', (t) => {
  const pages = IntMap.from(
    Array.from({ length: 20 }, (_, i): [number, Page] => [i, Page.zeroed({}).copy({})]),
  );
  for (const [i, page] of pages.entries()) page.words()[0] = i + 1;
  const log = new MemoryLog();
  log.add(stateWith(pages));
  const { bytes, places } = write(log, [pages.leaves().map(([, leaf]) => log.table(leaf))]);
  const memory = open(bytes);
  const tables = memory.tablesAt(places[0], 20);
  t.is(sortedPlaces(tables).length, 20);
  t.throws(() => memory.tablesAt(places[0], 19), { instanceOf: PayloadError });
  t.notThrows(() => new StoredPages(memory, tables, 20, unusable));
  t.throws(() => new StoredPages(memory, tables, 19, unusable), { instanceOf: PayloadError });
});

test('a page that is at two places of a state is one, and has one digest', (t) => {
  const page = Page.elsewhere({ read: (to) => to.fill(3) });
  const other = Page.elsewhere({ read: (to) => to.fill(4) });
  const pages = IntMap.from<Page>([
    [1, page],
    [2, other],
    [70, page],
  ]);
  const log = new MemoryLog();
  log.add(stateWith(pages));
  const { bytes, places } = write(log, [pages.leaves().map(([, leaf]) => log.table(leaf))]);
  const back = pagesAt(open(bytes), places[0]);
  t.is(back[0], back[2]);
  t.deepEqual(
    back.map(({ exclusive }) => exclusive),
    [false, true, false],
  );
  const memory = open(bytes);
  const tables = memory.tablesAt(places[0], 3);
  tables[1][2] ^= 1;
  const stored = new StoredPages(memory, tables, 3, unusable);
  stored.leaf(0);
  t.throws(() => stored.leaf(1), { message: 'a page has two digests' });
});

/** Tables of a state that is stored, and another one behind it. */
function leavesOf(before: IntMap<Page>, after: IntMap<Page>): LatePages[] {
  const log = new MemoryLog();
  const tables = [before, after].map((pages) => {
    log.add(stateWith(pages));
    return pages.leaves().map(([, leaf]) => log.table(leaf));
  });
  const { bytes, places } = write(log, tables);
  const memory = open(bytes);
  const [tablesBefore, tablesAfter] = places.map((some) => memory.tablesAt(some, 200));
  const stored = new StoredPages(memory, tablesBefore, 200, unusable, () => sortedPlaces(tablesAfter));
  return tablesBefore.map((_, i) => stored.leaf(i) as LatePages);
}

test('pages that the next state has are not awaited, others are once many are read', (t) => {
  const noise = (i: number) => Page.elsewhere({ read: (to) => to.fill(i) });
  const before = Array.from({ length: 200 }, (_, i): [number, Page] => [i, noise((i % 250) + 1)]);
  const after = before.map(([i, page]): [number, Page] => [i, i % 3 === 0 ? noise(255) : page]);
  const leaves = leavesOf(IntMap.from(before), IntMap.from(after));
  const pages = leaves.flatMap(({ slots }) => slots);
  t.false(pages.some(({ awaitsStore }) => awaitsStore));
  for (const page of pages.slice(0, 100)) t.is(page.bytes.length, PAGE_SIZE);
  for (const [i, page] of pages.entries()) t.is(page.awaitsStore, i % 3 === 0);
});

test('pages that nobody asked for have their digests, and are renewed together where all are awaited', (t) => {
  const noise = (i: number) => Page.elsewhere({ read: (to) => to.fill(i) });
  const before = Array.from({ length: 160 }, (_, i): [number, Page] => [i, noise((i % 250) + 1)]);
  // Of the second table of the last three one page stays, and one is nobody's.
  const after = before.map(([i, page]): [number, Page] => [i, i < 32 || i === 70 ? page : noise(255)]);
  before[100] = [100, ZERO_PAGE];
  const pagesBefore = IntMap.from(before);
  const leaves = leavesOf(pagesBefore, IntMap.from(after));
  const late = IntMap.fromLeaves<Page>(leaves.map((leaf, i) => [i * LEAF_KEYS, leaf] as const));
  t.is(stateHash(stateWith(late)), stateHash(stateWith(pagesBefore)));
  t.false(leaves.some(({ isMade }) => isMade));
  const owner = {};
  const areRenewed = () => leaves.map((leaf) => leaf.renewed(owner) !== null);
  // So few are read that nobody is expected to go on.
  t.deepEqual(areRenewed(), [false, false, false, false, false]);
  for (const page of leaves[0].slots) t.is(page.bytes.length, PAGE_SIZE);
  t.deepEqual(areRenewed(), [false, true, false, false, true]);
  for (const [i, page] of leaves[1].renewed(owner)!.entries()) {
    t.is(page.owner, owner);
    t.true(page.exclusive);
    t.deepEqual(page.bytes, before[LEAF_KEYS + i][1].bytes);
  }
  t.is(leaves[1].slots.length, LEAF_KEYS);
  t.deepEqual(areRenewed(), [false, false, false, false, true]);
});

test('pages in any order, from more of a file than is kept of it, into rooms that are used again', (t) => {
  const COUNT = 2200;
  const log = new MemoryLog();
  const noise = (i: number) =>
    Int32Array.from({ length: WORDS }, (_, at) => Math.imul(i + 1, at + 0x9e3779b1) | 1);
  const pages = IntMap.from(
    Array.from({ length: COUNT }, (_, i): [number, Page] => {
      const page = Page.zeroed({});
      page.words().set(noise(i));
      return [i, page];
    }),
  );
  log.add(stateWith(pages));
  const { bytes, places } = write(log, [pages.leaves().map(([, leaf]) => log.table(leaf))]);
  let roomsGiven = 0;
  const rooms = new Set<ArrayBufferLike>();
  const source = {
    sizeBytes: bytes.length,
    read: (offset: number, length: number, room?: Uint8Array): Uint8Array => {
      const part = bytes.subarray(offset, offset + length);
      if (room === undefined) return part.slice();
      roomsGiven++;
      rooms.add(room.buffer);
      room.set(part);
      return room.subarray(0, part.length);
    },
  };
  const memory = new StoredMemory(Recording.openIndexed(source));
  const stored = pagesAt(memory, places[0]);
  t.is(stored.length, COUNT);
  // 1009 has no divisor in common with their number.
  for (let i = 0, at = 0; i < COUNT; i++, at = (at + 1009) % COUNT) {
    assert.deepEqual(stored[at].words().slice(), noise(at));
    // What cannot be read takes no room from what can.
    if (i % 100 === 0) t.throws(() => memory.read([2 ** 32 - 1]), { instanceOf: RecordingError });
  }
  t.true(rooms.size < roomsGiven / 2, `${rooms.size} rooms for ${roomsGiven} chunks`);
});
