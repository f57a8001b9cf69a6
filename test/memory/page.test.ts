import test from 'ava';
import fc from 'fast-check';
import { digestWords, Hasher, PlacedDigests } from '../../src/base/digest.js';
import { createMemory, growMemory } from '../../src/cpu/wasm/web-assembly.js';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';
import { SmallMemory } from './small-memory.js';

const SLOTS = 8;

type Action = {
  readonly kind: 'new' | 'elsewhere' | 'copy' | 'write' | 'bring' | 'replace';
  readonly which: number;
};

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('new', 'elsewhere', 'copy', 'write', 'bring', 'replace'),
  which: fc.nat(1000),
});

test('pages keep their bytes wherever they are, and new ones are zero', (t) => {
  let grew = 0;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: 'max' }), fc.nat(SLOTS - 1), (actions, slots) => {
      const memory = new SmallMemory((slots + 1) * PAGE_SIZE, (SLOTS + 1) * PAGE_SIZE);
      const pool = new PagePool(memory.bytes.buffer, PAGE_SIZE, SLOTS, null, memory.grow);
      const owner = {};
      const pages = [Page.zeroed(owner)];
      const model = [0];
      actions.forEach(({ kind, which }, i) => {
        const at = which % pages.length;
        const page = pages[at];
        if (kind === 'new') {
          pages.push(Page.zeroed(owner));
          model.push(0);
        } else if (kind === 'elsewhere') {
          const bytes = new Uint8Array(PAGE_SIZE).fill(i);
          const digest = Int32Array.from(digestWords(new Hasher().bytes(bytes).value()));
          pages.push(Page.elsewhere({ read: (to) => to.set(bytes) }, 0, digest));
          model.push(i & 0xff);
        } else if (kind === 'copy' || kind === 'replace') {
          const copy = page.copy(owner);
          if (kind === 'replace') pool.replace(page, copy);
          pages.push(copy);
          model.push(model[at]);
        } else if (kind === 'write') {
          // Those of a file are nobody's to write.
          if (page.owner === null) return;
          page.bytes.fill(i);
          model[at] = i & 0xff;
        } else {
          const address = pool.addressOf(page);
          if (pool.pageAt(address) !== page) throw new Error('another page is there');
          if (memory.bytes[address] !== model[at]) throw new Error('other bytes are there');
        }
        // It has views of where it is before that grows.
        if (page.bytes[0] !== model[at] || page.view.getUint8(1) !== model[at])
          throw new Error('other bytes');
      });
      if (memory.grew) grew++;
      return pages.every((page, i) => {
        const same = page.bytes.every((byte) => byte === model[i]) && page.view.getUint8(7) === model[i];
        return same && pages.every((other, j) => page.hasBytesOf(other) === (model[i] === model[j]));
      });
    }),
    { numRuns: 200 },
  );
  t.true(grew > 50, `${grew}`);
});

test('a page of which the bytes cannot be had says so each time, and leaves the pool as it was', (t) => {
  const pool = new PagePool(new ArrayBuffer((SLOTS + 1) * PAGE_SIZE), PAGE_SIZE, SLOTS);
  const bad = Page.elsewhere({
    read: () => {
      throw new RangeError('gone');
    },
  });
  const copy = bad.copy({});
  for (let i = 0; i < 3 * SLOTS; i++) {
    for (const page of [bad, copy]) {
      t.throws(() => page.bytes, { message: 'gone' });
      t.throws(() => pool.addressOf(page), { message: 'gone' });
    }
    const good = Page.zeroed({});
    good.bytes.fill(i);
    t.is(pool.pageAt(pool.addressOf(good)), good);
    t.true(good.bytes.every((byte) => byte === i));
  }
});

test('pages in the pool have their digests whether these are made together or not, and however often one is there', (t) => {
  const memory = createMemory(8 * 65536);
  const pool = new PagePool(memory.buffer, 65536, 100, new PlacedDigests(memory, 0, PAGE_SIZE));
  const owner = {};
  const pages = Array.from({ length: 70 }, (_, i) => {
    const page = Page.zeroed(owner);
    page.bytes.fill(i);
    if (i % 5 > 0) pool.addressOf(page);
    return page;
  });
  const digests = pages.map(({ bytes }) => digestWords(new Hasher().bytes(bytes).value()));
  fc.assert(
    fc.property(fc.array(fc.nat(69), { maxLength: 50 }), (some) => {
      const copies = some.map((i) => pages[i]);
      const to = new Int32Array(5 * some.length + 1);
      Page.putDigests(copies, to, 1, 5);
      t.deepEqual(
        some.map((_, at) => [...to.subarray(5 * at + 1, 5 * at + 5)]),
        some.map((i) => [...digests[i]]),
      );
    }),
  );
});

class CountedDigests extends PlacedDigests {
  times = 0;

  override put(starts: ArrayLike<number>, count: number): number {
    this.times++;
    return super.put(starts, count);
  }
}

test('digests are made where pages are, before the memory of the pool grows and afterwards', (t) => {
  const memory = createMemory(2 * 65536, 3 * 65536);
  const digests = new CountedDigests(memory, 0, PAGE_SIZE);
  const grow = () => (growMemory(memory, 3 * 65536) ? memory.buffer : null);
  const pool = new PagePool(memory.buffer, 65536, 32, digests, grow);
  for (let round = 1; round <= 2; round++) {
    const pages = Array.from({ length: 16 }, (_, i) => {
      const page = Page.zeroed({});
      page.bytes.fill(16 * round + i);
      pool.addressOf(page);
      return page;
    });
    t.is(memory.buffer.byteLength, (round + 1) * 65536);
    const to = new Int32Array(4 * pages.length);
    Page.putDigests(pages, to, 0, 4);
    t.deepEqual(
      [...to],
      pages.flatMap(({ bytes }) => [...digestWords(new Hasher().bytes(bytes).value())]),
    );
    t.is(digests.times, round);
  }
});
