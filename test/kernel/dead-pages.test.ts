import test from 'ava';
import fc from 'fast-check';
import { AssertionError } from '../../src/base/assert.js';
import { seedPrng } from '../../src/base/prng.js';
import type { SnapshotMark } from '../../src/kernel/objects/dead-pages.js';
import { applyEvent } from '../../src/kernel/objects/events.js';
import { emptyState, Kernel, type KernelState } from '../../src/kernel/objects/kernel.js';
import type { VmoState } from '../../src/kernel/objects/vmo.js';
import { pageForRead, renewPages } from '../../src/kernel/objects/vmo-pages.js';
import { PAGE_SIZE, type Page } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';
import { SmallMemory } from '../memory/small-memory.js';
import { FAKE_ARCH } from './harness.js';

const CONFIG = { cores: 1, entropySeed: 1, physicalPages: 64, vintage: '2023', aslr: false } as const;

const PAGES = 6;
const SLOTS = 4;
/** Before the memory grows. */
const FIRST_SLOTS = 2;
const FIRST_VMO = 1024;

/** What each page of each VMO holds, all over it. */
type Model = number[][];

interface Taken {
  readonly state: KernelState;
  readonly model: Model;
  readonly mark: SnapshotMark | null;
}

const action = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('write', 'renew', 'bring') },
    { weight: 5, arbitrary: fc.constantFrom('mark', 'release') },
    { weight: 1, arbitrary: fc.constantFrom('snapshot', 'restore', 'clone', 'move', 'drop', 'code') },
  ),
  which: fc.nat(1000),
  page: fc.nat(PAGES - 1),
});

/** Memory of a kernel beside bytes that are copied whole each time. */
class World {
  readonly k = new Kernel(emptyState(CONFIG, seedPrng(1, 'cprng')), CONFIG, FAKE_ARCH);
  private readonly memory = new SmallMemory((FIRST_SLOTS + 1) * PAGE_SIZE, (SLOTS + 1) * PAGE_SIZE);
  readonly pool = new PagePool(this.memory.bytes.buffer, PAGE_SIZE, SLOTS, null, this.memory.grow);
  model: Model = [Array(PAGES).fill(0)];
  readonly taken: Taken[] = [];
  readonly released: Taken[] = [];
  /** Pages that an engine holds code of, as it was then. */
  private code: { readonly page: Page; readonly code: object; readonly byte: number }[] = [];
  private writes = 0;

  constructor() {
    applyEvent(this.k, {
      ...{ type: 'vmo-created', koid: FIRST_VMO, sizeBytes: PAGES * PAGE_SIZE, name: '' },
      ...{ contentSizeBytes: PAGES * PAGE_SIZE, resizable: false, discardable: false },
      ...{ vdsoCodeOffset: 0, vdsoCodeSizeBytes: 0 },
    });
  }

  do(kind: string, which: number, page: number): void {
    const { k, model, taken } = this;
    const i = which % model.length;
    const vmo = FIRST_VMO + i;
    const own = k.get(vmo, 'vmo').pages.get(page);
    const one = taken.length === 0 ? null : taken[which % taken.length];
    if (kind === 'write') {
      const byte = ++this.writes & 0xff;
      const bytes = new Uint8Array(PAGE_SIZE / 2).fill(byte);
      // A page that is written whole at once may be a program's, which all machines share.
      for (const offset of [page * PAGE_SIZE, (page + 0.5) * PAGE_SIZE])
        applyEvent(k, { type: 'vmo-written', vmo, offset, bytes });
      model[i][page] = byte;
    } else if (kind === 'renew') {
      const isRenewable = own?.exclusive === true && own.owner !== k.owner && own.code === null;
      const room = isRenewable ? this.pool.takeRoom() : null;
      if (room !== null) this.renew(vmo, page, own!, room);
    } else if (kind === 'bring') {
      if (own !== undefined) this.pool.addressOf(own);
    } else if (kind === 'code') {
      if (own === undefined) return;
      own.code = {};
      this.code.push({ page: own, code: own.code, byte: model[i][page] });
    } else if (kind === 'mark') this.take(k.snapshotToRelease());
    else if (kind === 'snapshot') this.take({ state: k.snapshot(), mark: null });
    else if (kind === 'restore' && one !== null) {
      k.restore(one.state);
      this.model = one.model.map((pages) => [...pages]);
    } else if (kind === 'release' && one !== null && one.mark !== null) {
      k.deadPages.release(one.mark);
      this.released.push(one);
      taken.splice(taken.indexOf(one), 1);
    } else if (kind === 'clone' && model.length < 4) this.clone(vmo, model[i]);
    else if (kind === 'move') {
      const to = (i + 1) % model.length;
      if (to === i) return;
      applyEvent(k, {
        ...{ type: 'vmo-pages-moved', from: vmo, fromPage: page, to: FIRST_VMO + to, toPage: 0 },
        count: 1,
      });
      model[to][0] = model[i][page];
      model[i][page] = 0;
    } else if (kind === 'drop') {
      applyEvent(k, { type: 'vmo-pages-dropped', vmo, page, count: 1 });
      model[i][page] = 0;
    }
  }

  /** As generated code and its engine do. */
  private renew(vmo: number, page: number, own: Page, room: number): void {
    const { k, pool } = this;
    const place = pool.addressOf(own);
    this.memory.bytes.copyWithin(room, place, place + PAGE_SIZE);
    const copy = own.leaveFor(room, k.owner);
    renewPages(k, k.get(vmo, 'vmo'), [page], [own], [copy]);
    pool.split([own], [copy], [room]);
  }

  private take({ state, mark }: { readonly state: KernelState; readonly mark: SnapshotMark | null }): void {
    this.taken.push({ state, mark, model: this.model.map((pages) => [...pages]) });
  }

  private clone(from: number, pages: readonly number[]): void {
    applyEvent(this.k, {
      ...{ type: 'vmo-child-created', koid: this.k.state.nextKoid, parent: from, childKind: 'snapshot' },
      ...{ from, fromOffset: 0, lender: 0, lenderOffset: 0, lenderBytes: 0, sizeBytes: PAGES * PAGE_SIZE },
      ...{ contentSizeBytes: PAGES * PAGE_SIZE, resizable: false, immutable: false, name: '' },
    });
    this.model.push([...pages]);
  }

  /** Every page of a state with what it must hold. */
  static *pagesOf({ state, model }: Omit<Taken, 'mark'>): Iterable<{ page: Page; byte: number }> {
    for (const [i, bytes] of model.entries()) {
      const vmo = state.objects.get(FIRST_VMO + i) as VmoState;
      for (const [number, byte] of bytes.entries()) yield { page: pageForRead(state, vmo, number), byte };
    }
  }

  isRight(): boolean {
    for (const one of [...this.taken, { state: this.k.state, model: this.model }])
      for (const { page, byte } of World.pagesOf(one)) {
        const { bytes } = page;
        if (bytes[0] !== byte || bytes[PAGE_SIZE - 1] !== byte || page.isReleased) return false;
      }
    // Nobody's code goes with a snapshot.
    if (this.code.some(({ page, code, byte }) => page.code === code && page.bytes[0] !== byte)) return false;
    return this.released.every((one) => [...World.pagesOf(one)].every(readsRightOrThrows));
  }
}

function readsRightOrThrows({ page, byte }: { page: Page; byte: number }): boolean {
  const reads = [() => page.bytes[0], () => page.view.getUint8(0), () => page.words()[0] & 0xff];
  return reads.every((read) => {
    try {
      return read() === byte && !page.isReleased;
    } catch (reason) {
      return reason instanceof AssertionError && page.isReleased;
    }
  });
}

test('whatever is released, all other snapshots are what they were, and nobody reads what is gone', (t) => {
  let released = 0;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 150, size: 'max' }), (actions) => {
      const world = new World();
      for (const { kind, which, page } of actions) {
        world.do(kind, which, page);
        if (kind === 'release' && !world.isRight()) return false;
      }
      for (const one of world.released)
        for (const { page } of World.pagesOf(one)) if (page.isReleased) released++;
      return world.isRight();
    }),
    { numRuns: 450 },
  );
  t.true(released > 1000, `${released}`);
});

test('a run that holds the last few of many checkpoints takes no more room than they do', (t) => {
  const world = new World();
  const rooms = new Set<string>();
  const held: SnapshotMark[] = [];
  const buffers = new Map<ArrayBufferLike, number>();
  for (let i = 0; i < 200; i++) {
    for (let page = 0; page < PAGES; page++) {
      world.do('write', 0, page);
      const { buffer, byteOffset } = world.k.get(FIRST_VMO, 'vmo').pages.get(page)!.bytes;
      if (!buffers.has(buffer)) buffers.set(buffer, buffers.size);
      rooms.add(`${buffers.get(buffer)}:${byteOffset}`);
    }
    held.push(world.k.snapshotToRelease().mark);
    if (held.length > 3) world.k.deadPages.release(held.shift()!);
  }
  t.is(rooms.size, 4 * PAGES);
});

test('pages that an earlier snapshot has, too, are its own once the later one is released', (t) => {
  const world = new World();
  const pageNow = () => world.k.get(FIRST_VMO, 'vmo').pages.get(0)!;
  world.do('write', 0, 0);
  const old = pageNow();
  const first = world.k.snapshotToRelease();
  const second = world.k.snapshotToRelease();
  world.do('write', 0, 0);
  world.k.deadPages.release(second.mark);
  t.false(old.isReleased);
  t.is(old.bytes[0], 1);
  world.k.deadPages.release(first.mark);
  t.true(old.isReleased);
  t.throws(() => old.bytes, { instanceOf: AssertionError });
  t.throws(() => old.copy({}), { instanceOf: AssertionError });
  t.throws(() => old.digest(), { instanceOf: AssertionError });
  t.throws(() => world.k.deadPages.release(first.mark), { instanceOf: AssertionError });
});
