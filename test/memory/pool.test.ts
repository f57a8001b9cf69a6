import assert from 'node:assert/strict';
import { fc } from '@fast-check/ava';
import test from 'ava';
import { PAGE_SIZE, Page, type PageOrigin, type PageSource } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';
import { SmallMemory } from './small-memory.js';

const SLOTS = 16;

/** How many slots there are before the memory grows, if it does. */
const first = fc.record({ slots: fc.constantFrom(1, 2, 5, SLOTS - 1, SLOTS), refuses: fc.boolean() });

/** A pool of SLOTS slots, unless its memory cannot grow. */
function newPool({ slots, refuses }: { readonly slots: number; readonly refuses: boolean }) {
  const memory = new SmallMemory((slots + 1) * PAGE_SIZE, (SLOTS + 1) * PAGE_SIZE, refuses);
  const grow = slots < SLOTS ? memory.grow : null;
  return { memory, pool: new PagePool(memory.bytes.buffer, PAGE_SIZE, SLOTS, null, grow) };
}

/** Pages of one value each, which is their key; a negative one cannot be read. */
class Values implements PageSource {
  private readonly origin: PageOrigin = { source: this, read: (to, key) => fill(to, key) };

  page(value: number): Page {
    return Page.elsewhere(this.origin, value);
  }

  readAll(pages: readonly Page[], to: Uint8Array): void {
    for (const [i, { key }] of pages.entries()) fill(to.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE), key);
  }
}

function fill(to: Uint8Array, value: number): void {
  // As if it were found out when some bytes are there.
  to.fill(Math.abs(value));
  if (value < 0) throw new RangeError('cannot be read');
}

test('pages that are brought together are what they are one by one, and stay so when one cannot be read', (t) => {
  // 0 is a page of zeros, others of one of two sources, copied or not.
  const kind = fc.record({ value: fc.integer({ min: -1, max: 9 }), source: fc.nat(1), isCopy: fc.boolean() });
  const batches = fc.array(fc.array(kind, { maxLength: SLOTS / 2 }), { maxLength: 12 });
  fc.assert(
    fc.property(batches, first, (kinds, its) => {
      const { memory, pool } = newPool(its);
      const sources = [new Values(), new Values()];
      const owner = {};
      const made: { readonly page: Page; readonly value: number }[] = [];
      for (const batch of kinds) {
        const some = batch.map(({ value, source, isCopy }) => {
          const page = value === 0 ? Page.zeroed(null) : sources[source].page(value);
          return { page: isCopy ? page.copy(owner) : page, value };
        });
        const fails = some.some(({ value }) => value < 0);
        const bring = () => pool.bringAll(some.map(({ page }) => page));
        if (fails) t.throws(bring, { instanceOf: RangeError });
        else bring();
        made.push(...some);
        for (const { page, value } of made) {
          if (value < 0) continue;
          const at = pool.addressOf(page);
          const bytes = memory.bytes.subarray(at, at + PAGE_SIZE);
          t.true(bytes.every((byte) => byte === value));
          t.true(page.bytes.every((byte) => byte === value));
        }
      }
    }),
  );
});

test('rooms are for one page at a time, whatever leaves and moves out', (t) => {
  const action = fc.record({
    what: fc.constantFrom('bring', 'take', 'take', 'split', 'split', 'release', 'read'),
    which: fc.nat(1000),
  });
  let movedOut = 0;
  let again = 0;
  let grew = 0;
  let early = 0;
  const actions = fc.array(action, { minLength: 20, maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(actions, first, (actions, its) => {
      const { memory, pool } = newPool(its);
      const owner = {};
      const values = new Map<Page, number>();
      const left = new Set<Page>();
      const known = new Set<number>();
      let rooms: number[] = [];
      let value = 0;
      const inPool = () => [...values.keys()].filter(({ slot }) => slot >= 0);
      for (const { what, which } of actions) {
        const some = inPool();
        const page = some[which % some.length];
        if (what === 'bring') {
          const fresh = Page.zeroed(owner);
          const place = pool.addressOf(fresh);
          memory.bytes.fill(++value, place, place + PAGE_SIZE);
          values.set(fresh, value);
        } else if (what === 'take') {
          const room = pool.takeRoom();
          if (room === null) continue;
          if (!memory.grew) early++;
          assert.ok(!rooms.includes(room));
          if (known.has(room)) again++;
          known.add(room);
          // Nobody's bytes are there, and whoever has it may write.
          memory.bytes.fill(0xee, room, room + PAGE_SIZE);
          rooms.push(room);
        } else if (what === 'split' && page !== undefined && rooms.length > 0) {
          const room = rooms[which % rooms.length];
          rooms = rooms.filter((other) => other !== room);
          const place = pool.addressOf(page);
          memory.bytes.copyWithin(room, place, place + PAGE_SIZE);
          const copy = page.leaveFor(room, owner);
          pool.split([page], [copy], [room]);
          left.add(page);
          memory.bytes.fill(++value, place, place + PAGE_SIZE);
          values.set(copy, value);
        } else if (what === 'release' && left.size > 0) {
          const one = [...left][which % left.size];
          left.delete(one);
          if (one.slot >= 0) continue;
          values.delete(one);
          one.release();
        } else if (what === 'read' && page !== undefined) pool.addressOf(page);
        for (const [one, byte] of values)
          for (const at of [0, PAGE_SIZE / 2, PAGE_SIZE - 1])
            assert.deepEqual([one.bytes[at], one.view.getUint8(at)], [byte & 0xff, byte & 0xff]);
        // Pages leave only what cannot be larger.
        const mayGrow = its.slots < SLOTS && !its.refuses && !memory.grew;
        if (mayGrow) for (const { bytes } of values.keys()) assert.equal(bytes.buffer, memory.bytes.buffer);
      }
      if (memory.grew && its.slots < SLOTS) grew++;
      const { buffer } = memory.bytes;
      movedOut += [...left].filter(({ bytes, slot }) => slot < 0 && bytes.buffer !== buffer).length;
    }),
    { numRuns: 200 },
  );
  t.true(movedOut > 50 && again > 200 && grew > 40 && early > 200, `${movedOut} ${again} ${grew} ${early}`);
});

test('where more pages come together than the memory has places, it grows before the first', (t) => {
  const { memory, pool } = newPool({ slots: 5, refuses: false });
  const values = new Values();
  const pages = Array.from({ length: 6 }, (_, i) => values.page(i + 1));
  pool.bringAll(pages.slice(0, 4));
  t.false(memory.grew);
  pool.bringAll(pages.slice(4));
  t.true(memory.grew);
  t.deepEqual(
    pages.map((page) => pool.addressOf(page)),
    pages.map((_, i) => (i + 1) * PAGE_SIZE),
  );
  for (const [i, page] of pages.entries()) t.true(page.bytes.every((byte) => byte === i + 1));
});

test('before more than a few places are used, somebody is told, once', (t) => {
  const memory = new ArrayBuffer(600 * PAGE_SIZE);
  let told = 0;
  const pool = new PagePool(memory, 0, 600, null, null, () => {
    told++;
    for (let at = pool.unusedAddress; at < memory.byteLength; at += PAGE_SIZE) t.is(bytes[at], 0);
  });
  const bytes = new Uint8Array(memory);
  let used = 0;
  for (; told === 0; used++) {
    t.is(pool.unusedAddress, used * PAGE_SIZE);
    t.true(pool.unused <= 256 - used);
    bytes[pool.addressOf(Page.zeroed({}))] = 1;
  }
  t.is(used, 257);
  t.is(pool.unused, 600 - used);
  for (; used < 600; used++) pool.addressOf(Page.zeroed({}));
  t.is(told, 1);
});

test('without memory to grow into, pages leave for others, and no more is set aside', (t) => {
  const { pool } = newPool({ slots: 5, refuses: true });
  const rooms = [pool.takeRoom(), pool.takeRoom()];
  t.deepEqual(rooms, [5 * PAGE_SIZE, 4 * PAGE_SIZE]);
  const pages = Array.from({ length: 3 * SLOTS }, (_, i) => {
    const page = Page.zeroed({});
    pool.addressOf(page);
    page.bytes.fill(i);
    t.is(pool.takeRoom(), null);
    return page;
  });
  for (const [i, page] of pages.entries()) t.true(page.bytes.every((byte) => byte === i));
  t.is(pages.filter(({ slot }) => slot >= 0).length, 3);
  t.is(pool.unused, 0);
});

test('a smaller memory has rooms until all of them have pages, which stay where they are when it grows', (t) => {
  const { memory, pool } = newPool({ slots: 5, refuses: false });
  const owner = {};
  let page = Page.zeroed(owner);
  const place = pool.addressOf(page);
  const left: Page[] = [];
  const split = (room: number): void => {
    memory.bytes.copyWithin(room, place, place + PAGE_SIZE);
    left.push(page);
    page = page.leaveFor(room, owner);
    pool.split([left.at(-1)!], [page], [room]);
    memory.bytes.fill(left.length, place, place + PAGE_SIZE);
  };
  const rooms = [pool.takeRoom()!, pool.takeRoom()!];
  t.is(pool.takeRoom(), null);
  split(rooms[0]);
  t.is(pool.takeRoom(), null);
  split(rooms[1]);
  t.false(memory.grew);
  const later = pool.takeRoom()!;
  t.true(memory.grew);
  t.is(later, SLOTS * PAGE_SIZE);
  split(later);
  const brought = Array.from({ length: SLOTS - 4 }, () => pool.addressOf(Page.zeroed(owner)));
  // To all places that there are, but for rooms.
  t.is(new Set(brought).size, SLOTS - 4);
  for (const one of [place, ...rooms, later]) t.false(brought.includes(one));
  for (const [value, one] of [...left, page].entries()) t.true(one.bytes.every((byte) => byte === value));
  left[0].release();
  t.is(pool.takeRoom(), rooms[0]);
});

test('rooms of the whole memory may be where the smaller one had places', (t) => {
  const { memory, pool } = newPool({ slots: SLOTS - 1, refuses: false });
  // More than there are are brought one by one: after it grew the first cannot be read, and its place is free.
  const values = new Values();
  const unreadable = Array.from({ length: SLOTS + 1 }, () => values.page(-1));
  t.throws(() => pool.bringAll(unreadable), { instanceOf: RangeError });
  t.true(memory.grew);
  const owner = {};
  const page = Page.zeroed(owner);
  pool.addressOf(page);
  const [kept, left] = [pool.takeRoom()!, pool.takeRoom()!];
  pool.split([page], [page.leaveFor(left, owner)], [left]);
  const brought = Array.from({ length: SLOTS - 2 }, () => pool.addressOf(Page.zeroed(owner)));
  t.true(brought.includes(left));
  t.false(brought.includes(kept));
});

test('pages that are in use stay where they are as long as there are rooms', (t) => {
  const slots = 64;
  const bytes = new Uint8Array((slots + 1) * PAGE_SIZE);
  const pool = new PagePool(bytes.buffer, PAGE_SIZE, slots);
  const owner = {};
  const values = new Map<Page, number>();
  const bring = (): Page => {
    const page = Page.zeroed(owner);
    const place = pool.addressOf(page);
    values.set(page, values.size + 1);
    bytes.fill(values.size, place, place + PAGE_SIZE);
    return page;
  };
  let page = bring();
  for (let room = pool.takeRoom(), i = 0; i < 100; room = pool.takeRoom(), i++) {
    const place = pool.addressOf(page);
    bytes.copyWithin(room!, place, place + PAGE_SIZE);
    const copy = page.leaveFor(room!, owner);
    pool.split([page], [copy], [room!]);
    page = copy;
    values.set(copy, values.size + 1);
    bytes.fill(values.size, place, place + PAGE_SIZE);
  }
  const { moves } = pool;
  // One room was set aside and two are kept.
  for (let i = 1; i < slots - 2; i++) bring();
  t.is(pool.moves, moves);
  t.is(
    new Set([...values.keys()].filter(({ slot }) => slot >= 0).map((one) => pool.addressOf(one))).size,
    slots - 2,
  );
  for (let i = 0; i < 3 * slots; i++) bring();
  for (const [one, value] of values) t.true(one.bytes.every((byte) => byte === value % 256));
});
