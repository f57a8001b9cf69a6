import assert from 'node:assert/strict';
import { fc } from '@fast-check/ava';
import test from 'ava';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';
import { SmallMemory } from './small-memory.js';

const SLOTS = 24;
const ROOM_VALUE = 0xee;
const PLACES_IN_PAGE = [0, PAGE_SIZE / 2, PAGE_SIZE - 1];

/** A pool, what its pages are known to hold, and who has which place. */
class World {
  readonly memory: SmallMemory;
  private readonly pool: PagePool;
  private readonly owner = {};
  /** Pages that may be written, and those that only snapshots have. */
  private readonly live = new Map<Page, number>();
  private readonly kept = new Map<Page, number>();
  private readonly rooms = new Set<number>();
  private value = 0;
  /** Where pages were when somebody last was told to look. */
  private known = { moves: 0, slots: [] as (readonly [Page, number])[] };
  readonly did = { early: 0, back: 0, replaced: 0, adopted: 0 };

  constructor(slots: number, refuses: boolean) {
    this.memory = new SmallMemory((slots + 1) * PAGE_SIZE, (SLOTS + 1) * PAGE_SIZE, refuses);
    const grow = slots < SLOTS ? this.memory.grow : null;
    this.pool = new PagePool(this.memory.bytes.buffer, PAGE_SIZE, SLOTS, null, grow);
  }

  bring(): void {
    this.write(Page.zeroed(this.owner));
  }

  takeRoom(): void {
    const wasSmall = !this.memory.grew;
    const room = this.pool.takeRoom();
    if (room === null) return;
    if (wasSmall) this.did.early++;
    assert.ok(!this.rooms.has(room));
    this.rooms.add(room);
    this.memory.bytes.fill(ROOM_VALUE, room, room + PAGE_SIZE);
  }

  /** As generated code copies: any of the pages in slots to any of the rooms. */
  split(which: number): void {
    const pages = [...this.live.keys()].filter(({ slot }) => slot >= 0);
    const count = Math.min(1 + (which % 3), pages.length, this.rooms.size);
    const originals = Array.from({ length: count }, (_, i) => pages[(which + i) % pages.length]);
    const rooms = [...this.rooms].slice(-count);
    const copies = originals.map((original, i) => {
      const place = this.pool.addressOf(original);
      this.memory.bytes.copyWithin(rooms[i], place, place + PAGE_SIZE);
      this.rooms.delete(rooms[i]);
      return original.leaveFor(rooms[i], this.owner);
    });
    if (count > 0) this.pool.split(originals, copies, rooms);
    for (const [i, copy] of copies.entries()) this.succeed(originals[i], copy);
  }

  /** As the kernel copies. */
  replace(which: number): void {
    const page = nth(this.live, which);
    if (page === undefined) return;
    const copy = page.copy(this.owner);
    this.pool.replace(page, copy);
    if (copy.slot >= 0) this.did.replaced++;
    this.succeed(page, copy);
  }

  release(which: number): void {
    const page = nth(this.kept, which);
    if (page === undefined || page.slot >= 0) return;
    this.kept.delete(page);
    page.release();
  }

  /** Somebody reads a snapshot by instructions. */
  bringBack(which: number): void {
    const page = nth(this.kept, which);
    if (page === undefined) return;
    if (page.slot < 0) this.did.back++;
    this.pool.addressOf(page);
  }

  /** Generated code stores to places that were never used, and the host hears of them in some other order. */
  adopt(which: number): void {
    const start = this.pool.unusedAddress;
    const count = Math.min(1 + (which % 3), this.pool.unused);
    for (let i = count - 1; i >= 0; i--) {
      const place = start + i * PAGE_SIZE;
      for (const at of PLACES_IN_PAGE) assert.equal(this.memory.bytes[place + at], 0);
      const page = Page.zeroed(this.owner);
      this.put(page, place);
      this.pool.adopt(page, place);
      this.did.adopted++;
    }
  }

  private succeed(original: Page, copy: Page): void {
    this.kept.set(original, this.live.get(original)!);
    this.live.delete(original);
    this.write(copy);
  }

  private write(page: Page): void {
    this.put(page, this.pool.addressOf(page));
  }

  private put(page: Page, place: number): void {
    this.live.set(page, ++this.value % 0x80);
    this.memory.bytes.fill(this.value % 0x80, place, place + PAGE_SIZE);
  }

  check(): void {
    const { bytes } = this.memory;
    const taken = new Set(this.rooms);
    for (const room of this.rooms) assert.equal(bytes[room], ROOM_VALUE);
    for (const [page, value] of [...this.live, ...this.kept]) {
      for (const at of PLACES_IN_PAGE) assert.equal(page.bytes[at], value);
      const { buffer, byteOffset } = page.bytes;
      assert.equal(page.slot >= 0 && this.pool.pageAt(byteOffset) !== page, false);
      if (buffer !== bytes.buffer) continue;
      assert.ok(!taken.has(byteOffset), 'two are in one place');
      taken.add(byteOffset);
    }
    this.checkMoves();
    for (let i = 0; i < this.pool.unused; i++)
      assert.ok(!taken.has(this.pool.unusedAddress + i * PAGE_SIZE), 'an unused place is used');
  }

  private checkMoves(): void {
    const { moves } = this.pool;
    if (moves === this.known.moves)
      for (const [page, slot] of this.known.slots) assert.equal(page.slot, slot);
    const there = [...this.live.keys(), ...this.kept.keys()].filter(({ slot }) => slot >= 0);
    this.known = { moves, slots: there.map((page) => [page, page.slot]) };
  }
}

function nth(pages: Map<Page, number>, which: number): Page | undefined {
  return [...pages.keys()][which % pages.size];
}

const ACTIONS = ['bring', 'takeRoom', 'split', 'replace', 'release', 'bringBack', 'adopt'] as const;

test('each place has one page or is ready for one, whoever copies, and whether the memory grows or not', (t) => {
  const all = { grew: 0, early: 0, back: 0, replaced: 0, adopted: 0 };
  const action = fc.tuple(fc.constantFrom(...ACTIONS, 'bring', 'takeRoom', 'split'), fc.nat(1000));
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 20, maxLength: 150, size: 'max' }),
      fc.constantFrom(1, 5, 12, SLOTS - 1, SLOTS),
      fc.boolean(),
      (actions, slots, refuses) => {
        const world = new World(slots, refuses);
        world.bring();
        for (const [what, which] of actions) {
          world[what](which);
          world.check();
        }
        if (world.memory.grew && slots < SLOTS) all.grew++;
        for (const [what, times] of Object.entries(world.did)) all[what as keyof typeof world.did] += times;
      },
    ),
    { numRuns: 300 },
  );
  for (const times of Object.values(all)) t.true(times > 50, JSON.stringify(all));
});
