import assert from 'node:assert/strict';
import { fc } from '@fast-check/ava';
import test from 'ava';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';
import { PagePool, type Touching } from '../../src/memory/pool.js';
import { SmallMemory } from './small-memory.js';

const SLOTS = 24;
const ROOM_VALUE = 0xee;

/** Puts zeros as late as it may, or not while somebody waits. */
class LateZeros implements Touching {
  doneBytes = 0;
  isStuck = false;
  /** Memory that grows leaves its views empty. */
  readonly sizeBytes: number;

  constructor(private readonly memory: Uint8Array) {
    this.sizeBytes = memory.length;
  }

  waitFor(sizeBytes: number): boolean {
    if (sizeBytes <= this.doneBytes) return true;
    if (this.isStuck) return false;
    this.putUpTo(sizeBytes);
    return true;
  }

  putUpTo(sizeBytes: number): void {
    this.memory.fill(0, this.doneBytes, sizeBytes);
    this.doneBytes = Math.max(this.doneBytes, sizeBytes);
  }

  get isDone(): boolean {
    return this.doneBytes === this.sizeBytes;
  }
}

/** A pool whose places are touched, and what is in its pages. */
class World {
  readonly memory: SmallMemory;
  readonly pool: PagePool;
  readonly values = new Map<Page, number>();
  readonly rooms: number[] = [];
  zeros = new LateZeros(new Uint8Array(0));
  /** How often places were used while others were touched. */
  besides = 0;
  private readonly owner = {};

  constructor(slots: number) {
    this.memory = new SmallMemory((slots + 1) * PAGE_SIZE, (SLOTS + 1) * PAGE_SIZE, false);
    this.pool = new PagePool(this.memory.bytes.buffer, PAGE_SIZE, SLOTS, null, this.memory.grow);
  }

  bring(): void {
    const page = Page.zeroed(this.owner);
    this.fill(page, this.pool.addressOf(page));
  }

  /** As generated code does: it stores to the place, and the page comes there later. */
  adopt(): void {
    if (this.pool.readyPlaces() === 0) return;
    const page = Page.zeroed(this.owner);
    const place = this.pool.unusedAddress;
    this.fill(page, place);
    this.pool.adopt(page, place);
  }

  takeRoom(): void {
    const room = this.pool.takeRoom();
    if (room === null) return;
    this.rooms.push(room);
    this.memory.bytes.fill(ROOM_VALUE, room, room + PAGE_SIZE);
  }

  touch(pages: number): void {
    this.pool.touchUnused(pages, (memory) => {
      assert.ok(this.zeros.isDone || this.zeros.isStuck, 'two touch at once');
      this.zeros = new LateZeros(memory);
      return this.zeros;
    });
  }

  private fill(page: Page, place: number): void {
    if (!this.zeros.isDone) this.besides++;
    this.values.set(page, this.values.size + 1);
    this.memory.bytes.fill(this.values.size, place, place + PAGE_SIZE);
  }

  check(): void {
    for (const [{ bytes }, value] of this.values)
      for (const at of [0, PAGE_SIZE / 2, PAGE_SIZE - 1]) assert.equal(bytes[at], value & 0xff);
    for (const room of this.rooms) assert.equal(this.memory.bytes[room], ROOM_VALUE);
  }
}

test('nobody writes where somebody may still put zeros', (t) => {
  const action = fc.record({
    what: fc.constantFrom('bring', 'bring', 'adopt', 'adopt', 'take', 'touch'),
    which: fc.nat(SLOTS),
  });
  const actions = fc.array(action, { minLength: 5, maxLength: 60, size: 'max' });
  let besides = 0;
  fc.assert(
    fc.property(actions, fc.constantFrom(3, 12, SLOTS - 1), (actions, slots) => {
      const world = new World(slots);
      for (const { what, which } of actions) {
        const { zeros } = world;
        zeros.waitFor(Math.min(zeros.sizeBytes, zeros.doneBytes + (which * PAGE_SIZE) / 8));
        if (what === 'bring') world.bring();
        else if (what === 'adopt') world.adopt();
        else if (what === 'take') world.takeRoom();
        else world.touch(which);
        world.check();
      }
      world.zeros.waitFor(world.zeros.sizeBytes);
      world.check();
      besides += world.besides;
    }),
  );
  t.true(besides > 100, `${besides}`);
});

test('places that somebody does not come to an end with are used no more, and others are', (t) => {
  for (const slots of [SLOTS - 1, 12]) {
    for (const done of [0, 2.5, 7]) {
      for (const isRoomFirst of [true, false]) {
        const world = new World(slots);
        world.bring();
        world.touch(SLOTS);
        const { zeros } = world;
        zeros.putUpTo(done * PAGE_SIZE);
        zeros.isStuck = true;
        for (let i = 0; i < 3 * SLOTS; i++) {
          if (isRoomFirst && i < 2) world.takeRoom();
          world.adopt();
          world.bring();
          world.check();
        }
        t.true(zeros.isStuck && world.pool.unused === 0);
        // As it may at any time.
        zeros.putUpTo(zeros.sizeBytes);
        world.check();
        t.true(world.values.size > 3 * SLOTS);
      }
    }
  }
});
