import { VmOption, VmoChildOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import type { Engine, MemoryView, Registers } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { threadMemory } from '../../src/machine/memory-view.js';
import { Page } from '../../src/memory/page.js';
import { Harness } from '../kernel/harness.js';
import { newPort } from '../kernel/ipc-support.js';
import { fill, map, newChild, newVmo, PAGE, R, RW, vmoOf } from '../kernel/vm-support.js';
import { assemble as asm } from './assemble.js';
import { contentsOf, MemoryModel, type Touch } from './memory-model.js';

const CODE = 0x7000_0000;
const [T0, A0, A1, A2, A3] = [5, 10, 11, 12, 13];
const LOOP_BYTES = 64;
/** Rounds of a loop that make it hot. */
const WARM_COUNT = 2000;
/** Loops over A1 addresses from A0 on, A3 bytes apart: a load, a store, a load and a store, a store and a load. */
export const BODIES = [
  [asm('ld', { xd: T0, x1: A0, i: 0 })],
  [asm('sd', { x2: A2, x1: A0, s: 0 })],
  [asm('ld', { xd: T0, x1: A0, i: 0 }), asm('sd', { x2: A2, x1: A0, s: 8 })],
  [asm('sd', { x2: A2, x1: A0, s: 0 }), asm('ld', { xd: T0, x1: A0, i: 8 })],
];

const TOUCHES: readonly (readonly Touch[])[] = [
  [['load', 0]],
  [['store', 0]],
  [
    ['load', 0],
    ['store', 8],
  ],
  [
    ['store', 0],
    ['load', 8],
  ],
];

export const code = Page.zeroed(null);
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
function withCode(memory: MemoryView, asked: Map<string, number>): MemoryView {
  return new Proxy(memory, {
    get(target, name) {
      asked.set(String(name), (asked.get(String(name)) ?? 0) + 1);
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

export interface KernelAction {
  readonly what:
    | 'snapshot'
    | 'restore'
    | 'write'
    | 'decommit'
    | 'zero'
    | 'commit'
    | 'resize'
    | 'protect'
    | 'allow'
    | 'alias'
    | 'child';
  readonly page: number;
  readonly pages: number;
}

export type Action = ({ readonly what: 'loop' } & Loop) | KernelAction;

export const SNAPSHOT: KernelAction = { what: 'snapshot', page: 0, pages: 0 };

/** A snapshot, and what its pages must stay. */
interface Kept {
  readonly state: KernelState;
  readonly alias: number | null;
  readonly pages: readonly { readonly page: Page; readonly bytes: Uint8Array }[];
}

/** Pages of the memory that is touched, which starts some pages into its VMO. */
export const PAGES = 80;
const START = 3;
const WRITTEN = [1, 2, 3];
const MAP = RW | VmOption.ALLOW_FAULTS;

/** A kernel, a thread's engine, and snapshots of all of it. */
export class World {
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

  /** What should come of everything, unless pages are lent. */
  private readonly model: MemoryModel | null;
  /** How often each thing was asked of the memory. */
  readonly asked = new Map<string, number>();

  /** @param isLent what is touched is a child, whose pages are its parent's until they are written or committed */
  constructor(
    kind: 'auto' | 'interpreter' | 'reference',
    physicalPages: number,
    isLent: boolean,
    private readonly pages = PAGES,
  ) {
    this.h = new Harness({ physicalPages });
    this.engine = RISCV64.createEngine(kind);
    this.memory = withCode(threadMemory(this.h.k, this.h.thread), this.asked);
    this.vmo = isLent ? this.lent() : newVmo(this.h, this.sizeBytes, VmoOption.RESIZABLE);
    this.base = map(this.h, MAP, 0, this.vmo, START * PAGE, pages * PAGE);
    this.out = this.h.scratch(16);
    this.source = this.h.scratch(Uint8Array.from(WRITTEN));
    this.model = isLent ? null : this.newModel(physicalPages);
    // Until there is code of all loops.
    for (let kind = 0; kind < BODIES.length; kind++)
      for (let i = 0; i < 3; i++)
        this.loop({ kind, address: 0, aliased: false, strideBytes: 0, count: WARM_COUNT, value: 0 });
  }

  private get sizeBytes(): number {
    return (START + this.pages) * PAGE;
  }

  private get isWritable(): boolean[] {
    return new Array(this.pages).fill(true);
  }

  private newModel(physicalPages: number): MemoryModel {
    const model = new MemoryModel(START, START + this.pages, physicalPages);
    model.windows = [{ firstPage: this.base / PAGE, writable: this.isWritable }];
    model.others = this.h.k.state.committedPages;
    return model;
  }

  private lent(): number {
    const { h, sizeBytes: SIZE } = this;
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
    if (this.model !== null) {
      const ended = stop.kind === 'page-fault' ? `${stop.access} ${stop.address}` : stop.kind;
      const did = `${steps} ${ended} ${this.register('a2')} ${this.register('t0')}`;
      const should = this.model.loop({ body: TOUCHES[kind], address: at, strideBytes, count, value });
      if (did !== should) throw new Error(`did ${did}, should ${should}`);
    }
    return `${steps} ${JSON.stringify(shown)} ${Buffer.from(this.registers.bytes).toString('hex')}`;
  }

  private register(name: string): bigint {
    return RISCV64.namedRegisters(this.registers).find(([its]) => its === name)![1];
  }

  /** What came of it, to compare. */
  does(action: Action): string {
    const { model } = this;
    if (action.what === 'loop') {
      const did = this.loop(action);
      this.checkCommitted();
      return did;
    }
    if (this.kernelDoes(action) && model !== null) this.modelDoes(model, action);
    if (model !== null) model.others = this.h.k.state.committedPages - vmoOf(this.h, this.vmo).pages.size;
    this.checkCommitted();
    // A view remembers mappings.
    const there = this.memory.pageForLoad(this.aliasedAt / PAGE + action.page) !== null;
    if (this.alias === null && there) return 'still mapped';
    return action.what;
  }

  /** Whether it was done. */
  private kernelDoes(action: KernelAction): boolean {
    const { h, vmo, pages } = this;
    const at = (START + action.page) * PAGE;
    const range = (op: number): boolean =>
      h.call('zx_vmo_op_range', [vmo, op, at, action.pages * PAGE, 0, 0]) === 0n;
    switch (action.what) {
      case 'snapshot':
        this.keep();
        return true;
      case 'restore': {
        if (this.kept.length === 0) return false;
        const { state, alias } = this.kept[action.page % this.kept.length];
        h.k.restore(state);
        this.alias = alias;
        return true;
      }
      case 'write':
        return h.call('zx_vmo_write', [vmo, this.source, at + 8, 3]) === 0n;
      case 'decommit':
        return range(VmoOp.DECOMMIT);
      case 'zero':
        return range(VmoOp.ZERO);
      case 'commit':
        return range(VmoOp.COMMIT);
      case 'resize':
        return h.call('zx_vmo_set_size', [vmo, at]) === 0n;
      case 'protect': {
        const from = this.base + action.page * PAGE;
        return h.call('zx_vmar_protect', [h.handles.rootVmar, R, from, action.pages * PAGE]) === 0n;
      }
      case 'allow':
        return h.call('zx_vmar_protect', [h.handles.rootVmar, RW, this.base, pages * PAGE]) === 0n;
      case 'alias':
        if (this.alias === null) {
          this.alias = map(h, MAP, 0, vmo, START * PAGE, pages * PAGE);
          this.aliasedAt = this.alias;
        } else {
          h.call('zx_vmar_unmap', [h.handles.rootVmar, this.alias, pages * PAGE]);
          this.alias = null;
        }
        return true;
      case 'child':
        h.call('zx_vmo_create_child', [vmo, VmoChildOption.SNAPSHOT, 0, pages * PAGE, this.out]);
        return true;
    }
  }

  private modelDoes(model: MemoryModel, { what, page, pages }: KernelAction): void {
    const first = START + page;
    switch (what) {
      case 'snapshot':
        model.keep();
        return;
      case 'restore':
        model.restore(page % this.kept.length);
        return;
      case 'write':
        model.write(first, 8, WRITTEN);
        return;
      case 'decommit':
      case 'zero':
        model.drop(first, first + pages);
        return;
      case 'commit':
        model.commit(first, first + pages);
        return;
      case 'resize':
        model.drop(first, model.sizePages);
        model.sizePages = first;
        return;
      case 'protect':
      case 'allow': {
        // The other mapping may be right behind.
        const start = model.windows[0].firstPage + (what === 'allow' ? 0 : page);
        const end = start + (what === 'allow' ? this.pages : pages);
        model.windows = model.windows.map(({ firstPage, writable }) => ({
          firstPage,
          writable: writable.map((is, i) =>
            firstPage + i >= start && firstPage + i < end ? what === 'allow' : is,
          ),
        }));
        return;
      }
      case 'alias':
        model.windows = model.windows.slice(0, 1);
        if (this.alias !== null)
          model.windows.push({ firstPage: this.alias / PAGE, writable: this.isWritable });
    }
  }

  /** That as much is committed as should be, in the eyes of programs, too. */
  private checkCommitted(): void {
    const { h, vmo, model } = this;
    if (model === null) return;
    const own = vmoOf(h, vmo).pages.size;
    const { committedPages } = h.k.state;
    if (own !== model.pages.size || committedPages !== own + model.others)
      throw new Error(`${own} pages of ${committedPages}, should be ${model.pages.size} and ${model.others}`);
  }

  /** That the memory is what it should be, byte by byte. */
  checkBytes(): void {
    if (this.model === null) return;
    const pages = new Map(
      vmoOf(this.h, this.vmo)
        .pages.list()
        .map(([n, page]) => [n, page.bytes]),
    );
    if (contentsOf(pages) !== this.model.contents) throw new Error('other bytes');
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
