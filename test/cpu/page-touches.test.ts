import test from 'ava';
import fc from 'fast-check';
import { VmOption, VmoChildOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import type { Engine, MemoryView, Registers } from '../../src/cpu/arch.js';
import { statistics } from '../../src/cpu/engines/regions.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { threadMemory } from '../../src/machine/memory-view.js';
import { Page } from '../../src/memory/page.js';
import { Harness } from '../kernel/harness.js';
import { newPort } from '../kernel/ipc-support.js';
import { fill, map, newChild, newVmo, PAGE, R, RW } from '../kernel/vm-support.js';
import { assemble as asm } from './assemble.js';

const CODE = 0x7000_0000;
const [T0, A0, A1, A2, A3] = [5, 10, 11, 12, 13];
const LOOP_BYTES = 64;
/** Rounds of a loop that make it hot. */
const WARM_COUNT = 2000;
/** Loops over A1 addresses from A0 on, A3 bytes apart: a load, a store, a load and a store, a store and a load. */
const BODIES = [
  [asm('ld', { xd: T0, x1: A0, i: 0 })],
  [asm('sd', { x2: A2, x1: A0, s: 0 })],
  [asm('ld', { xd: T0, x1: A0, i: 0 }), asm('sd', { x2: A2, x1: A0, s: 8 })],
  [asm('sd', { x2: A2, x1: A0, s: 0 }), asm('ld', { xd: T0, x1: A0, i: 8 })],
];

const code = Page.zeroed(null);
BODIES.forEach((body, kind) => {
  const loop = [
    ...body,
    asm('add', { xd: A2, x1: A2, x2: T0 }),
    asm('add', { xd: A0, x1: A0, x2: A3 }),
    asm('addi', { xd: A1, x1: A1, i: -1 }),
  ];
  loop.push(asm('bne', { x1: A1, x2: 0, b: -4 * loop.length }), asm('ecall'));
  loop.forEach((bits, i) => {
    code.view.setUint32(kind * LOOP_BYTES + i * 4, bits, true);
  });
});

/** What a thread sees, and code. */
function withCode(memory: MemoryView): MemoryView {
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'pageForFetch') return (n: number) => (n === CODE / PAGE ? code : target.pageForFetch(n));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Loop {
  readonly kind: number;
  readonly address: number;
  /** By the other mapping, if there is one. */
  readonly aliased: boolean;
  readonly strideBytes: number;
  readonly count: number;
  readonly value: number;
}

interface KernelAction {
  readonly what:
    | 'snapshot'
    | 'restore'
    | 'write'
    | 'decommit'
    | 'commit'
    | 'resize'
    | 'protect'
    | 'allow'
    | 'alias'
    | 'child';
  readonly page: number;
  readonly pages: number;
}

type Action = ({ readonly what: 'loop' } & Loop) | KernelAction;

const SNAPSHOT: KernelAction = { what: 'snapshot', page: 0, pages: 0 };

/** A snapshot, and what its pages must stay. */
interface Kept {
  readonly state: KernelState;
  readonly alias: number | null;
  readonly pages: readonly { readonly page: Page; readonly bytes: Uint8Array }[];
}

/** Pages of the memory that is touched, which starts some pages into its VMO. */
const PAGES = 80;
const START = 3;
const SIZE = (START + PAGES) * PAGE;
const MAP = RW | VmOption.ALLOW_FAULTS;

/** A kernel, a thread's engine, and snapshots of all of it. */
class World {
  readonly h: Harness;
  private readonly engine: Engine;
  private readonly memory: MemoryView;
  private readonly registers: Registers = RISCV64.initialRegisters({
    ...{ sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n },
    pc: BigInt(CODE),
  });
  private readonly vmo: number;
  private readonly base: number;
  /** Where calls put what they give. */
  private readonly out: number;
  /** What calls write. */
  private readonly source: number;
  private alias: number | null = null;
  /** Where it is or was last. */
  private aliasedAt = 0;
  private readonly kept: Kept[] = [];

  /** @param isLent what is touched is a child, whose pages are its parent's until they are written or committed */
  constructor(kind: 'auto' | 'interpreter' | 'reference', physicalPages: number, isLent: boolean) {
    this.h = new Harness({ physicalPages });
    this.engine = RISCV64.createEngine(kind);
    this.memory = withCode(threadMemory(this.h.k, this.h.thread));
    this.vmo = isLent ? this.lent() : newVmo(this.h, SIZE, VmoOption.RESIZABLE);
    this.base = map(this.h, MAP, 0, this.vmo, START * PAGE, PAGES * PAGE);
    this.out = this.h.scratch(16);
    this.source = this.h.scratch(Uint8Array.of(1, 2, 3));
    // Until there is code of all loops.
    for (let kind = 0; kind < BODIES.length; kind++)
      for (let i = 0; i < 3; i++)
        this.loop({ kind, address: 0, aliased: false, strideBytes: 0, count: WARM_COUNT, value: 0 });
  }

  private lent(): number {
    const { h } = this;
    const out = h.scratch(16);
    const aux = newVmo(h, SIZE);
    for (let page = START; page < START + PAGES; page += 2) fill(h, aux, page * PAGE + 8, [page]);
    h.call('zx_pager_create', [0, out]);
    const pager = h.u32(out);
    h.call('zx_pager_create_vmo', [pager, 0, newPort(h), 0, SIZE, out]);
    const parent = h.u32(out);
    if (h.call('zx_pager_supply_pages', [pager, parent, 0, SIZE, aux, 0]) !== 0n) throw new Error('no pages');
    return newChild(h, parent, VmoChildOption.SNAPSHOT_AT_LEAST_ON_WRITE | VmoChildOption.RESIZABLE, 0, SIZE);
  }

  private loop({ kind, address, aliased, strideBytes, count, value }: Loop): string {
    const at = ((aliased ? this.alias : null) ?? this.base) + address;
    const operands = [
      [A0, at],
      [A1, count],
      [A2, value],
      [A3, strideBytes],
    ];
    for (const [register, to] of operands)
      RISCV64.setRegister(this.registers, register, BigInt.asUintN(64, BigInt(to)));
    RISCV64.setPc(this.registers, BigInt(CODE + kind * LOOP_BYTES));
    const { steps, stop } = this.engine.run(this.registers, this.memory, 100_000, 0n, 0);
    const shown = { ...stop, address: 'address' in stop ? `${stop.address}` : '' };
    return `${steps} ${JSON.stringify(shown)} ${Buffer.from(this.registers.bytes).toString('hex')}`;
  }

  /** What came of it, to compare. */
  does(action: Action): string {
    if (action.what === 'loop') return this.loop(action);
    this.kernelDoes(action);
    // A view remembers mappings.
    const there = this.memory.pageForLoad(this.aliasedAt / PAGE + action.page) !== null;
    if (this.alias === null && there) return 'still mapped';
    return action.what;
  }

  private kernelDoes(action: KernelAction): void {
    const { h, vmo } = this;
    const at = (START + action.page) * PAGE;
    switch (action.what) {
      case 'snapshot':
        this.keep();
        return;
      case 'restore': {
        if (this.kept.length === 0) return;
        const { state, alias } = this.kept[action.page % this.kept.length];
        h.k.restore(state);
        this.alias = alias;
        return;
      }
      case 'write':
        h.call('zx_vmo_write', [vmo, this.source, at + 8, 3]);
        return;
      case 'decommit':
        h.call('zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, at, action.pages * PAGE, 0, 0]);
        return;
      case 'commit':
        h.call('zx_vmo_op_range', [vmo, VmoOp.COMMIT, at, action.pages * PAGE, 0, 0]);
        return;
      case 'resize':
        h.call('zx_vmo_set_size', [vmo, at]);
        return;
      case 'protect':
        h.call('zx_vmar_protect', [
          h.handles.rootVmar,
          R,
          this.base + action.page * PAGE,
          action.pages * PAGE,
        ]);
        return;
      case 'allow':
        h.call('zx_vmar_protect', [h.handles.rootVmar, RW, this.base, PAGES * PAGE]);
        return;
      case 'alias':
        if (this.alias === null) {
          this.alias = map(h, MAP, 0, vmo, START * PAGE, PAGES * PAGE);
          this.aliasedAt = this.alias;
        } else {
          h.call('zx_vmar_unmap', [h.handles.rootVmar, this.alias, PAGES * PAGE]);
          this.alias = null;
        }
        return;
      case 'child':
        h.call('zx_vmo_create_child', [vmo, VmoChildOption.SNAPSHOT, 0, PAGES * PAGE, this.out]);
    }
  }

  private keep(): void {
    const state = this.h.k.snapshot();
    const pages = [...state.objects.values()]
      .flatMap((object) => (object.kind === 'vmo' ? object.pages.list() : []))
      .map(([, page]) => ({ page, bytes: page.bytes.slice() }));
    this.kept.push({ state, alias: this.alias, pages });
  }

  /** Pages of all snapshots that are not what they were. */
  changed(): number {
    const all = this.kept.flatMap(({ pages }) => pages);
    return all.filter(({ page, bytes }) => !page.hasBytesOf(new Page(bytes, null))).length;
  }

  /** A state, and what everybody can see of it. */
  hash(): string {
    return `${stateHash(this.h.k.snapshot())} ${this.h.k.state.committedPages}`;
  }
}

const page = fc.nat({ max: PAGES - 1 });
const what = fc.constantFrom(
  ...(['write', 'decommit', 'commit', 'resize', 'protect', 'allow', 'alias', 'child', 'restore'] as const),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      what: fc.constant('loop' as const),
      kind: fc.nat({ max: BODIES.length - 1 }),
      address: fc.tuple(page, fc.constantFrom(0, 8, 2048, 4080, 4084)).map(([n, at]) => n * PAGE + at),
      aliased: fc.boolean(),
      strideBytes: fc.constantFrom(8, PAGE, 3 * PAGE, -PAGE, 20 * PAGE),
      count: fc.integer({ min: 1, max: 24 }),
      value: fc.integer(),
    }),
  },
  { weight: 4, arbitrary: fc.constant(SNAPSHOT) },
  { weight: 4, arbitrary: fc.record({ what, page, pages: fc.integer({ min: 1, max: 24 }) }) },
);

/** The same pages written in each of some epochs are expected in the next. */
const habit: fc.Arbitrary<Action[]> = fc
  .tuple(action, fc.integer({ min: 4, max: 8 }))
  .map(([one, times]) => Array.from({ length: times }, () => [one, SNAPSHOT]).flat());

test('pages are touched with the same results by all engines, and snapshots stay what they are', (t) => {
  let loops = 0;
  const faults = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof({ weight: 6, arbitrary: action.map((one) => [one]) }, { weight: 1, arbitrary: habit }),
        {
          minLength: 8,
          maxLength: 48,
          size: 'max',
        },
      ),
      fc.constantFrom(20, 60, 65536),
      fc.boolean(),
      (groups, physicalPages, isLent) => {
        const worlds = (['reference', 'interpreter', 'auto'] as const).map(
          (kind) => new World(kind, isLent ? 65536 : physicalPages, isLent),
        );
        for (const one of groups.flat()) {
          const did = worlds.map((world) => world.does(one));
          const committed = worlds.map(({ h }) => h.k.state.committedPages);
          if (did[0] === 'still mapped' || new Set(did).size > 1 || new Set(committed).size > 1)
            throw new Error(did.join('\n'));
          if (one.what !== 'loop') continue;
          loops++;
          faults.add(/"kind":"([a-z-]*)/.exec(did[0])![1]);
        }
        const ends = worlds.map((world) => world.hash());
        if (new Set(ends).size > 1) throw new Error(ends.join('\n'));
        for (const world of worlds) if (world.changed() > 0) throw new Error('a snapshot changed');
      },
    ),
    { numRuns: 60 },
  );
  t.true(loops > 500);
  t.deepEqual([...faults].sort(), ['page-fault', 'syscall']);
  t.true(code.code !== null && statistics.regions > 0, 'in generated code');
});

test('what is committed of a lent page is what is loaded from then on', (t) => {
  const load = { what: 'loop', kind: 0, aliased: false, strideBytes: 8, count: 1, value: 0 } as const;
  const page = { page: 2, pages: 1 };
  const worlds = (['reference', 'interpreter', 'auto'] as const).map((kind) => new World(kind, 65536, true));
  // All engines remember pages, so that they are not asked whether they agree.
  for (const world of worlds) {
    const loads = (): string => world.does({ ...load, address: 2 * PAGE + 8 });
    const before = loads();
    world.does({ what: 'commit', ...page });
    t.is(loads(), before);
    world.does({ what: 'write', ...page });
    t.not(loads(), before);
  }
});
