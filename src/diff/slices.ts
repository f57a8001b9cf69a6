import type { Engine, MemoryView, Registers, Trace } from '../cpu/arch.js';
import { Kernel, type KernelState } from '../kernel/objects/kernel.js';
import type { Machine } from '../machine/machine.js';
import { type ProcessMemory, threadMemory } from '../machine/memory-view.js';
import type { Position } from '../machine/position.js';
import type { Page } from '../memory/page.js';
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

/** A trace that is told where each instruction leads to, before `step`. */
export interface SliceTrace extends Trace {
  at(position: Position): void;
}

/** Instructions that are traced from an access to a watched page on, because accesses come together. */
const WATCH_STEPS = 32;

/** Runs slices once more, each on a copy of the machine that is thrown away. */
export class SliceRunner {
  private readonly engine: Engine;

  constructor(private readonly machine: Machine) {
    this.engine = machine.k.arch.createEngine();
  }

  /** Instruction by instruction, so many of them at most. */
  trace(slice: Slice, trace: SliceTrace, limitSteps: number): void {
    const branch = new Branch(this.machine, slice, this.engine);
    branch.run(branch.memory, Math.min(slice.steps, limitSteps), 0, trace);
  }

  /**
   * As fast as the engine can, but for instructions that touch some pages and the few behind them, which are traced:
   * to the untraced engine those pages are not there, so that it stops.
   * @param pages their numbers
   * @returns how many were traced; null when that was not how the run went: stopping in between loses a reservation
   * of LR, and then what was traced must be forgotten
   */
  watch(slice: Slice, pages: ReadonlySet<number>, trace: SliceTrace): number | null {
    const branch = new Branch(this.machine, slice, this.engine);
    const hidden = new WithoutPages(branch.memory, pages);
    let traced = 0;
    while (branch.steps < slice.steps) {
      branch.run(hidden, slice.steps - branch.steps, 0);
      if (branch.steps === slice.steps) break;
      const left = slice.steps - branch.steps;
      const budget = Math.min(WATCH_STEPS, left);
      const retired = branch.run(branch.memory, budget, left - budget, trace);
      if (retired === 0) return null;
      traced += retired;
    }
    return branch.endsAs(slice) ? traced : null;
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
  run(memory: MemoryView, budget: number, grace: number, trace?: SliceTrace): number {
    const { k, slice, engine } = this;
    const timeNs = k.nowNs + BigInt(this.steps);
    const told = trace === undefined ? undefined : this.positioned(trace);
    const { steps } = engine.run(k.registersForWrite(slice.thread), memory, budget, timeNs, grace, told);
    this.steps += steps;
    return steps;
  }

  private positioned(trace: SliceTrace): Trace {
    const { seq, step } = this.slice.state;
    let at = step + this.steps;
    return {
      step(pc, bits, length) {
        at++;
        trace.at({ seq, step: at });
        trace.step(pc, bits, length);
      },
      register: (number, value) => trace.register(number, value),
      load: (address, size, value) => trace.load(address, size, value),
      store: (address, size, value) => trace.store(address, size, value),
    };
  }

  /** Whether the thread's registers are those of the run, but for what a call at the end did to them. */
  endsAs({ thread, end }: Slice): boolean {
    if (end === undefined) return true;
    const { arch } = this.k;
    const here = this.k.registers(thread).copy();
    if (equalBytes(here.bytes, end.bytes)) return true;
    const there = end.copy();
    arch.skipSyscall(here);
    arch.setResult(here, 0n);
    arch.setResult(there, 0n);
    return equalBytes(here.bytes, there.bytes);
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
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

  get replacedAlone(): boolean {
    return this.memory.replacedAlone;
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
