import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { IntMap, IntMapNode } from '../../src/base/int-map.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { ARCH, machineConfig } from '../../src/loader/launch.js';
import type { Happened } from '../../src/machine/machine.js';
import { AFTER_EVERYTHING, comparePositions, formatPosition } from '../../src/machine/position.js';
import { Page, ZERO_PAGE } from '../../src/memory/page.js';
import { stateIn } from '../../src/recording/checkpoints/state-check.js';
import { decodeState, encodeState } from '../../src/recording/checkpoints/state-codec.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { ByteReader } from '../../src/recording/format/bytes.js';
import { KINDS } from '../../src/recording/format/kinds.js';
import { HEAD_BYTES } from '../../src/recording/format/layout.js';
import { Recording } from '../../src/recording/format/reader.js';
import { PayloadError, RecordingError } from '../../src/recording/format/recording-error.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { Player } from '../../src/recording/player.js';
import { expand } from '../../src/timeline/expand.js';
import { Names } from '../../src/timeline/names.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { eachWriter, type MemoryWrite } from '../../src/timeline/writes.js';
import { anyRun, anyShare, positionAt, recordRun, spanSteps, specOf } from './runs.js';
import { checkpointFile, fileOf, openStored } from './stored.js';

const DENSE = { steps: 500, events: 20 };

/** A state through its bytes, and its pages through copies. */
function throughBytes(state: KernelState): KernelState {
  const tables: IntMapNode[] = [];
  let objects = 0;
  const bytes = encodeState(state, { table: (leaf) => tables.push(leaf), object: () => objects++ });
  return decodeState(new ByteReader(bytes), ARCH, {
    table: () => {
      const { bitmap, slots } = tables.shift()!;
      const copies = (slots as Page[]).map((page) =>
        page === ZERO_PAGE ? page : new Page(page.bytes.slice(), null),
      );
      return new IntMapNode(0, bitmap, copies, null);
    },
    object: (_, object) => object,
  }) as KernelState;
}

test('a state comes back from its bytes, and runs on to the same states and events', (t) => {
  fc.assert(
    fc.property(anyRun, fc.nat(400), ({ guest, ...options }, commands) => {
      const spec = specOf(guest, options);
      const recording = recordRun(spec);
      const player = new Player(recording);
      for (let i = 0; i < commands && !player.atEnd; i++) player.command();
      const checkpoint = player.checkpoint();
      const state = throughBytes(checkpoint.state);
      assert.equal(stateHash(state), stateHash(checkpoint.state));
      assert.equal(stateIn(state, machineConfig(spec)), state);
      const other = new Player(recording);
      other.restore({ ...checkpoint, state });
      // The first player compares events with nothing, the second has its hash to compare.
      while (!player.atEnd) {
        player.command();
        other.command();
        assert.deepEqual(other.machine.position, player.machine.position);
        assert.equal(other.machine.eventHash(), player.machine.eventHash());
      }
      assert.equal(stateHash(other.machine.k.snapshot()), stateHash(player.machine.k.snapshot()));
    }),
    { numRuns: 40 },
  );
  t.pass();
});

/** Names that objects have of their own are refused. */
const fieldName = fc
  .stringMatching(/^[a-z]{1,9}$/)
  .filter((name) => !/^(?:constructor|prototype)$/.test(name));

test('any plain value comes back from its bytes', (t) => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 64n) + 1n, max: 2n ** 64n - 1n }),
      fc.string({ unit: 'binary' }),
      fc.constant('\ud800'),
      fc.boolean(),
      fc.constantFrom(null, undefined, ZERO_PAGE),
      fc.uint8Array(),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fieldName, tie('any'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(fc.maxSafeInteger().map(Math.abs), tie('any')), { maxLength: 4 }).map((entries) =>
        // Maps have pages or something else.
        IntMap.from(entries.filter(([, item]) => item !== undefined && item !== ZERO_PAGE)),
      ),
      fc
        .uniqueArray(fc.maxSafeInteger().map(Math.abs))
        .map((keys) => IntMap.from(keys.map((key) => [key, ZERO_PAGE]))),
    ),
  })).any;
  fc.assert(
    fc.property(value, (original) => {
      const back = throughBytes(original as unknown as KernelState) as unknown;
      assert.deepEqual(plain(back), plain(original));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

/** Maps as lists of their entries; -0, which no state has, as 0. */
function plain(value: unknown): unknown {
  if (value instanceof IntMap) return { map: [...value].map(([key, item]) => [key, plain(item)]) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Page)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

test('with stored checkpoints every position is the same as without', (t) => {
  fc.assert(
    fc.property(
      anyRun,
      fc.array(anyShare, { minLength: 1, maxLength: 8 }),
      ({ guest, ...options }, shares) => {
        const spec = specOf(guest, options);
        const steps = spanSteps(recordRun(spec, 'full'));
        const recording = recordRun(spec);
        const stored = openStored(checkpointFile(recording, DENSE), recording);
        assert(stored.count > 2);
        const without = new Timeline(recording);
        const timeline = new Timeline(recording, stored);
        for (const share of shares) {
          const position = positionAt(recording, steps, share);
          const here = timeline.seek(position);
          const there = without.seek(position);
          const where = formatPosition(position);
          assert.equal(stateHash(here.k.snapshot()), stateHash(there.k.snapshot()), where);
          assert.equal(here.eventHash(), there.eventHash(), where);
        }
        const end = timeline.seek(timeline.end);
        assert.equal(end.eventHash(), recording.end!.eventHash);
        assert.equal(stateHash(end.k.snapshot()), recording.end!.stateHash);
      },
    ),
    { numRuns: 30 },
  );
  t.pass();
});

test('checkpoints that are left when others went are what they were', (t) => {
  const recording = recordRun(specOf('heap-sort', { args: ['3000'] }));
  const end = { seq: recording.end!.events, step: 0 };
  const { config, arch } = new Timeline(recording).machine.k;
  const every = { steps: 4000, events: 50 };
  const all = openStored(checkpointFile(recording, every), recording);
  const hashes = new Map([...all.outlines(end, config, arch)].map((state) => [formatPosition(state), '']));
  for (const limits of [
    { count: 7, memoryBytes: 1 << 28 },
    { count: 200, memoryBytes: Math.floor(all.sizeBytes * 0.4) },
  ]) {
    const few = openStored(checkpointFile(recording, every, limits), recording);
    t.true(few.count > 2 && few.count * 2 < all.count, `${few.count} of ${all.count}`);
    for (const { seq, step } of few.outlines(end, config, arch)) {
      const position = { seq, step };
      const [one, other] = [few, all].map((stored) => stored.before(position, config, arch)!.state);
      t.is(stateHash(one), stateHash(new Timeline(recording).seek(position).k.snapshot()));
      t.true(hashes.has(formatPosition(one)) && formatPosition(one) === formatPosition(other));
      for (const object of one.objects.values()) {
        if (object.kind !== 'vmo') continue;
        const same = other.objects.get(object.koid);
        assert(same?.kind === 'vmo');
        for (const [number, page] of object.pages) t.deepEqual(page.bytes, same.pages.get(number)!.bytes);
      }
    }
  }
});

test('a run that goes on for long after a checkpoint is the recorded one, compiled or not', (t) => {
  const recording = recordRun(specOf('spin', { args: ['1500000'] }));
  const { steps, events } = recording.end!;
  t.true(steps > 5_000_000, `${steps}`);
  const stored = openStored(checkpointFile(recording, { steps: 4_000_000, events: 1 << 20 }), recording);
  const timeline = new Timeline(recording, stored);
  const without = new Timeline(recording);
  for (const share of [0.95, 0.3, 1]) {
    const position = { seq: Math.floor(events * share), step: 0 };
    const [here, there] = [timeline, without].map((one) => stateHash(one.seek(position).k.snapshot()));
    t.is(here, there);
  }
});

/** A file of checkpoints whose first pages are not what they were. */
function withDamagedPages(): Uint8Array {
  const file = Recording.open(bytesSource(SMALL_FILE));
  const chunks = Array.from({ length: file.chunkCount }, (_, i) => file.chunk(i));
  const [pages] = chunks.filter(({ kind }) => kind === KINDS.memory.number);
  const damaged = SMALL_FILE.slice();
  // Behind the first page's head and bits: the others have theirs, too.
  for (let at = HEAD_BYTES + 200; at < HEAD_BYTES + pages.storedLength; at += 64)
    damaged[pages.offset + at] ^= 1;
  return damaged;
}

test('a page that is damaged is told of when it is touched, and the run is gone through from further back', (t) => {
  const damaged = withDamagedPages();
  const problems: RecordingError[] = [];
  const stored = openStored(damaged, SMALL, (problem) => problems.push(problem));
  const { count } = stored;
  const timeline = new Timeline(SMALL, stored);
  t.is(problems.length, 0);
  for (const [seq, hash] of SMALL_HASHES) {
    t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hash);
    t.is(timeline.machine.eventHash(), new Timeline(SMALL).seek({ seq, step: 0 }).eventHash());
  }
  t.is(problems.length, 1);
  t.regex(problems[0].message, /^a page of a checkpoint cannot be used: [^\n]+$/);
  t.true(stored.count < count);
});

test('what is told of a stretch, or seen in memory, does not depend on pages that are damaged', (t) => {
  const from = openStored(SMALL_FILE, SMALL).positionBefore({ seq: SMALL.end!.events - 1, step: 0 })!;
  const damaged = withDamagedPages();
  const seen = [damaged, null].map((file) => {
    const problems: RecordingError[] = [];
    const open = () => file && openStored(file, SMALL, (problem) => problems.push(problem));
    const timeline = new Timeline(SMALL, open());
    const told: string[] = [];
    const note = ({ seq, event }: Happened) => told.push(`${seq} ${event.type}`);
    expand(timeline, from, timeline.end, note, ({ pc }) => told.push(String(pc)));
    t.is(problems.length, file === null ? 0 : 1);
    const bytesOf = ({ objects }: KernelState) =>
      [...objects.values()]
        .filter((object) => object.kind === 'vmo')
        .flatMap(({ pages }) => [...pages.values()].map((page) => Buffer.from(page.bytes).toString('hex')));
    const another = new Timeline(SMALL, open());
    const bytes = another.look(() => bytesOf(another.seek(from).k.state));
    t.is(problems.length, file === null ? 0 : 2);
    t.deepEqual(bytesOf(new Timeline(SMALL, open()).stateAt(from)), bytes);
    t.is(problems.length, file === null ? 0 : 3);
    return { told, bytes };
  });
  t.true(seen[0].told.length > 100 && seen[0].bytes.length > 10);
  t.deepEqual(seen[0], seen[1]);
});

test('checkpoints of another version are refused', (t) => {
  const parts: Uint8Array[] = [];
  const header = { ...SMALL.header, checkpointsOf: SMALL.lastDigest };
  const writer = new RecordingWriter({ write: (bytes) => parts.push(bytes.slice()) }, header);
  writer.end({ ...SMALL.end!, checkpoints: new Uint8Array(0), slices: Uint8Array.of(0) });
  const error = t.throws(() => openStored(new Uint8Array(Buffer.concat(parts)), SMALL));
  t.regex(error.message, /^the checkpoints are of another version of Jacinth, [^\n]+$/);
});

test('a look with stored checkpoints runs no more than what is between two of them', (t) => {
  const recording = recordRun(specOf('lost-update', { cores: 2, seed: 2, quantumSteps: 1000 }));
  const file = checkpointFile(recording, { steps: 10_000, events: 1 << 20 });
  const { steps } = recording.end!;
  for (const share of [0.2, 0.5, 0.99]) {
    const timeline = new Timeline(recording, openStored(file, recording));
    let ran = 0;
    timeline.machine.happened.subscribe(({ event }) => {
      ran += event.type === 'span' ? event.steps : 0;
    });
    const seq = Math.floor(recording.end!.events * share);
    const machine = timeline.seek({ seq, step: 0 });
    t.true(machine.k.state.steps > 10_000 && ran <= 12_000, `ran ${ran} of ${steps} steps`);
  }
});

test('who wrote where is the same with stored checkpoints as without', (t) => {
  const spec = specOf('lost-update', { cores: 2, seed: 2, maxSteps: 60_000 });
  const recording = recordRun(spec);
  const all = (timeline: Timeline): MemoryWrite[] => {
    const list: MemoryWrite[] = [];
    const { k } = timeline.seek(timeline.end);
    const { mainProcess } = k.state;
    const { address, sizeBytes } = new Names(k, spec.program).find(mainProcess, 'balance')!;
    eachWriter(timeline, mainProcess, address, sizeBytes, timeline.end, (write) => list.push(write));
    return list;
  };
  const stored = openStored(checkpointFile(recording, { steps: 3000, events: 50 }), recording);
  const without = all(new Timeline(recording));
  t.true(without.length > 20, `${without.length}`);
  t.deepEqual(all(new Timeline(recording, stored)), without);
});

test('what a file of checkpoints takes grows with what changed, and pages are stored once', (t) => {
  // After its start-up it changes a page of data, and one of stack for each of four threads.
  const recording = recordRun(specOf('lost-update', { cores: 2, seed: 2, quantumSteps: 1000 }));
  const few = checkpointFile(recording, { steps: 200_000, events: 1 << 20 });
  const many = checkpointFile(recording, { steps: 5000, events: 1 << 20 });
  const [one, other] = [few, many].map((file) => openStored(file, recording));
  t.true(other.count > one.count + 40, `${one.count}, ${other.count}`);
  const each = (many.length - few.length) / (other.count - one.count);
  // A state of some 30 objects, and what little is not zero in those pages: all pages are 80 KB.
  t.true(each < 8000, `${each} bytes a checkpoint`);
  t.true(few.length > 20_000);
});

test('checkpoints of another run are not used', (t) => {
  const recording = recordRun(specOf('hello'));
  const other = recordRun(specOf('hello', { seed: 1 }));
  const error = t.throws(() => openStored(checkpointFile(other, DENSE), recording), {
    instanceOf: RecordingError,
  });
  t.regex(error.message, /of another recording/);
});

/** Seeks to some places with a file that is not as it was; whatever it is, states are right or it is refused. */
function lookAround(t: import('ava').ExecutionContext, file: Uint8Array, what: string): void {
  let problems = 0;
  try {
    const timeline = new Timeline(
      SMALL,
      openStored(file, SMALL, () => problems++),
    );
    for (const [seq, hash] of SMALL_HASHES) {
      t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hash, what);
    }
    t.true(problems <= 1);
  } catch (reason) {
    t.true(reason instanceof RecordingError, `${what}: ${String(reason)}`);
  }
}

const SMALL = recordRun(specOf('hello'));
const SMALL_FILE = checkpointFile(SMALL, { steps: 1 << 20, events: 60 });
const SMALL_HASHES = [0.3, 0.6, 1].map((share) => {
  const seq = Math.floor(SMALL.end!.events * share);
  return [seq, stateHash(new Timeline(SMALL).seek({ seq, step: 0 }).k.snapshot())] as const;
});

test('cut anywhere, a file of checkpoints is refused and the run is gone through without', (t) => {
  for (let length = 0; length < SMALL_FILE.length; length += length < 600 ? 1 : 397)
    lookAround(t, SMALL_FILE.slice(0, length), `cut at ${length}`);
});

test('with any byte changed, checkpoints are right or not used', (t) => {
  lookAround(t, SMALL_FILE, 'whole');
  fc.assert(
    fc.property(fc.nat(SMALL_FILE.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const file = SMALL_FILE.slice();
      file[at] ^= change;
      lookAround(t, file, `byte ${at} ^ ${change}`);
    }),
    { numRuns: 300 },
  );
});

test('bytes that somebody made up are a state or a PayloadError', (t) => {
  const timeline = new Timeline(recordRun(specOf('channel-ping-pong', { maxSteps: 3000 })));
  const state = timeline.seek(timeline.end).k.snapshot();
  const { config } = timeline.machine.k;
  const good = encodeState(state, { table: () => {}, object: () => 0 });
  const table = () => new IntMapNode(0, 1, [ZERO_PAGE], null);
  const parts = { table, object: (_: number, object: never) => object };
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(good.length)),
      (changes, length) => {
        const bytes = good.slice(0, length ?? good.length);
        for (const [at, to] of changes) bytes[at] = to;
        try {
          stateIn(decodeState(new ByteReader(bytes), ARCH, parts), config);
        } catch (reason) {
          refused++;
          assert(reason instanceof PayloadError, String(reason));
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.true(refused > 500);
  t.is(({} as Record<string, unknown>).polluted, undefined);
});

test('fields that would change what all objects are, are refused', (t) => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const record = Object.defineProperty({}, name, { value: { polluted: 1 }, enumerable: true });
    const bytes = encodeState(record as KernelState, { table: () => {}, object: () => 0 });
    const table = () => new IntMapNode(0, 1, [ZERO_PAGE], null);
    const parts = { table, object: (_: number, object: never) => object };
    t.throws(() => decodeState(new ByteReader(bytes), ARCH, parts), { instanceOf: PayloadError });
  }
});

test('checkpoints share their pages when they are loaded one after the other', (t) => {
  const recording = recordRun(specOf('lost-update', { cores: 2, seed: 2, quantumSteps: 1000 }));
  const stored = openStored(checkpointFile(recording, { steps: 20_000, events: 1 << 20 }), recording);
  const { config, arch } = new Timeline(recording).machine.k;
  const states = [
    ...stored.outlines(
      recording.end === null ? { seq: 0, step: 0 } : { seq: recording.end.events, step: 0 },
      config,
      arch,
    ),
  ];
  t.is(states.length, stored.count);
  const pages = new Set<Page>();
  let named = 0;
  for (const { objects } of states) {
    for (const object of objects.values()) {
      if (object.kind !== 'vmo') continue;
      for (const page of object.pages.values()) {
        named++;
        pages.add(page);
      }
    }
  }
  t.true(pages.size * 3 < named, `${pages.size} of ${named}`);
  t.true(comparePositions(states[0], states[1]) < 0);
});

test('a page that was written and has its old bytes again is another version, stored once', (t) => {
  const spec = specOf('spin', { args: ['1000'] });
  const recording = recordRun(spec);
  const player = new Player(recording);
  while (player.machine.k.state.mainProcess === 0) player.command();
  const first = player.checkpoint();
  while (player.machine.k.state.seq < first.state.seq + 3) player.command();
  const second = player.checkpoint();
  const [, vmo] = [...second.state.objects].find(([, o]) => o.kind === 'vmo' && o.pages.size > 0)!;
  assert(vmo.kind === 'vmo');
  const [[number, page]] = vmo.pages;
  const again = new Page(page.bytes.slice(), null);
  const written = { ...vmo, pages: vmo.pages.set(number, again) };
  const state = { ...second.state, objects: second.state.objects.set(vmo.koid, written) };
  const [same, rewritten] = [
    [first, second],
    [first, { ...second, state }],
  ].map((checkpoints) => fileOf(recording, checkpoints));
  // What does not differ takes a few bytes; a table names it.
  t.true(rewritten.length < same.length + 500, `${rewritten.length} after ${same.length}`);
  const pages = (file: Uint8Array): unknown[] => {
    const { config, arch } = player.machine.k;
    return [...openStored(file, recording).outlines(AFTER_EVERYTHING, config, arch)].map(({ objects }) => {
      const object = objects.get(vmo.koid);
      return object?.kind === 'vmo' ? object.pages.get(number) : undefined;
    });
  };
  const [a, b] = pages(same);
  t.is(a, b);
  const [c, d] = pages(rewritten);
  t.true(c !== undefined && d !== undefined && c !== d);
});

test('many looks, each with a file of its own and two by turns, do not keep a memory each', (t) => {
  const seqs = SMALL_HASHES.map(([seq]) => seq);
  const look = (timelines: readonly Timeline[]) => {
    for (const seq of seqs) {
      for (const timeline of timelines) {
        const hash = SMALL_HASHES.find(([at]) => at === seq)![1];
        t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hash);
      }
    }
  };
  const anew = () => new Timeline(SMALL, openStored(SMALL_FILE, SMALL));
  look([anew(), anew(), anew()]);
  const before = process.memoryUsage().external;
  for (let i = 0; i < 60; i++) look([anew(), anew()]);
  // Each would take 3 MiB.
  const more = (process.memoryUsage().external - before) / 2 ** 20;
  t.true(more < 100, `${more} MiB`);
});

test('a damaged page that all have does not make a look run through the rest once for each', (t) => {
  const recording = recordRun(specOf('channel-ping-pong'));
  const file = checkpointFile(recording, { steps: 3000, events: 40 });
  const whole = Recording.open(bytesSource(file));
  const chunks = Array.from({ length: whole.chunkCount }, (_, i) => whole.chunk(i));
  // Pages come first, then tables, which have checksums.
  for (const [i, { kind, offset, storedLength }] of chunks.entries())
    if (kind === KINDS.memory.number && chunks[i - 1].kind !== kind)
      for (let at = HEAD_BYTES + 200; at < HEAD_BYTES + storedLength; at += 64) file[offset + at] ^= 1;
  const problems: RecordingError[] = [];
  const stored = openStored(file, recording, (problem) => problems.push(problem));
  const { count } = stored;
  const timeline = new Timeline(recording, stored);
  let loads = 0;
  const { before } = stored;
  stored.before = (...args) => {
    loads++;
    return before.apply(stored, args);
  };
  const position = { seq: recording.end!.events - 10, step: 0 };
  const machine = timeline.seek(position);
  t.is(stateHash(machine.k.snapshot()), stateHash(new Timeline(recording).seek(position).k.snapshot()));
  t.is(problems.length, 1);
  t.true(count > 40 && loads > 2 && loads < 12, `${loads} for ${count}`);
});
