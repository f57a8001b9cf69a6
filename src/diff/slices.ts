import { sameBytes } from '../base/bytes.js';
import type { Engine, MemoryView, Registers, Trace } from '../cpu/arch.js';
import { Kernel, type KernelState } from '../kernel/objects/kernel.js';
import type { Machine } from '../machine/machine.js';
import { type ProcessMemory, threadMemory } from '../machine/memory-view.js';
import type { Position } from '../machine/position.js';
import type { Page } from '../memory/page.js';
import type { Access, Step } from '../timeline/expand.js';
import type { Timeline } from '../timeline/timeline.js';

/** A stretch that one thread ran in one piece, as it can be run again. */
export interface Slice {
  /** Just before it. */
  readonly state: KernelState;
  readonly thread: number;
  readonly process: number;
  /** Instructions. */
  readonly steps: number;
  /** The thread's registers behind it and behind the call it ended at; undefined for a thread that is dead. */
  readonly end: Registers | undefined;
}

/**
 * Tells of every slice between two positions, in order; the first may begin before `from`, the last ends at `to`.
 * To run on untraced, and what is wanted once more, is thirty times as fast as tracing everything.
 * @param wanted asked before the state is kept
 * @throws Diverged
 */
export function eachSlice(
  timeline: Timeline,
  from: Position,
  to: Position,
  wanted: (thread: number, process: number) => boolean,
  tell: (slice: Slice) => void,
): void {
  let open: Pick<Slice, 'state' | 'thread' | 'process'> | null = null;
  const close = ({ k }: Machine): void => {
    if (open === null) return;
    const steps = k.state.steps - open.state.steps;
    const slice = { ...open, steps, end: k.state.registers.get(open.thread)?.copy() };
    open = null;
    if (steps > 0) tell(slice);
  };
  timeline.boundaries(from, to, (machine) => {
    close(machine);
    const { slice } = machine.k.state;
    if (slice === null) return;
    const { thread } = slice;
    const { process } = machine.k.get(thread, 'thread');
    if (wanted(thread, process)) open = { state: machine.k.snapshot(), thread, process };
  });
  close(timeline.machine);
}

/** An instruction of a thread, and what of memory it touched. */
export type SliceStep = Pick<Step, 'position' | 'thread' | 'pc' | 'loads' | 'stores'>;

/** Instructions that are traced from an access to a watched page on, because accesses come together. */
const WATCH_STEPS = 32;

/** Runs slices once more, each on a copy of the machine that is thrown away. */
export class SliceRunner {
  private readonly engine: Engine;

  constructor(private readonly machine: Machine) {
    this.engine = machine.k.arch.createEngine();
  }

  /**
   * Instruction by instruction.
   * @param tell may throw
   */
  trace(slice: Slice, tell: (step: SliceStep) => void): void {
    const branch = new Branch(this.machine, slice, this.engine);
    branch.trace(slice.steps, 0, tell);
  }

  /**
   * As fast as the engine can, but for instructions that touch some pages and the few behind them, which are traced:
   * to the untraced engine those pages are not there, so that it stops.
   * @param pages their numbers
   * @returns what was traced; null when that was not how the run went: stopping in between loses a reservation of LR
   */
  watch(slice: Slice, pages: ReadonlySet<number>): SliceStep[] | null {
    const branch = new Branch(this.machine, slice, this.engine);
    const hidden = new WithoutPages(branch.memory, pages);
    const found: SliceStep[] = [];
    while (branch.steps < slice.steps) {
      branch.run(hidden, slice.steps - branch.steps, 0);
      if (branch.steps === slice.steps) break;
      const left = slice.steps - branch.steps;
      const budget = Math.min(WATCH_STEPS, left);
      if (branch.trace(budget, left - budget, (step) => found.push(step)) === 0) return null;
    }
    return branch.endsAs(slice) ? found : null;
  }
}

class Branch {
  readonly memory: ProcessMemory;
  steps = 0;
  private readonly k: Kernel;

  constructor(
    { k }: Machine,
    private readonly slice: Slice,
    private readonly engine: Engine,
  ) {
    this.k = new Kernel(slice.state, k.config, k.arch);
    this.memory = threadMemory(this.k, slice.thread);
  }

  /** @returns instructions retired */
  run(memory: MemoryView, budget: number, grace: number, trace?: Trace): number {
    const { k, slice, engine } = this;
    const timeNs = k.nowNs + BigInt(this.steps);
    const { steps } = engine.run(k.registersForWrite(slice.thread), memory, budget, timeNs, grace, trace);
    this.steps += steps;
    return steps;
  }

  /** @returns instructions retired */
  trace(budget: number, grace: number, tell: (step: SliceStep) => void): number {
    const { thread, state } = this.slice;
    let at = state.step + this.steps;
    let open: (SliceStep & { loads: Access[]; stores: Access[] }) | null = null;
    const retired = this.run(this.memory, budget, grace, {
      step(pc) {
        if (open !== null) tell(open);
        open = { position: { seq: state.seq, step: ++at }, thread, pc, loads: [], stores: [] };
      },
      register() {},
      load: (address, sizeBytes, value) => open?.loads.push({ address, sizeBytes, value }),
      store: (address, sizeBytes, value) => open?.stores.push({ address, sizeBytes, value }),
    });
    if (open !== null) tell(open);
    return retired;
  }

  /** Whether the thread's registers are those of the run, but for what a call at the end did to them. */
  endsAs({ thread, end }: Slice): boolean {
    if (end === undefined) return true;
    const { arch } = this.k;
    const here = this.k.registers(thread).copy();
    if (sameBytes(here.bytes, end.bytes)) return true;
    const there = end.copy();
    arch.skipSyscall(here);
    arch.setResult(here, 0n);
    arch.setResult(there, 0n);
    return sameBytes(here.bytes, there.bytes);
  }
}

/** An address space in which some pages cannot be read or written. */
class WithoutPages implements MemoryView {
  constructor(
    private readonly memory: MemoryView,
    private readonly pages: ReadonlySet<number>,
  ) {}

  get generation(): number {
    return this.memory.generation;
  }

  get epoch(): number {
    return this.memory.epoch;
  }

  get replacedAlone(): boolean {
    return this.memory.replacedAlone;
  }

  get original(): Page | null {
    return this.memory.original;
  }

  pageForLoad(pageNumber: number): Page | null {
    return this.pages.has(pageNumber) ? null : this.memory.pageForLoad(pageNumber);
  }

  pageForStore(pageNumber: number): Page | null {
    return this.pages.has(pageNumber) ? null : this.memory.pageForStore(pageNumber);
  }

  pageForFetch(pageNumber: number): Page | null {
    return this.memory.pageForFetch(pageNumber);
  }
}
