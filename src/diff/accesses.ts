import { syscallByNumber } from '../abi/syscalls.js';
import type { Happened } from '../machine/machine.js';
import type { Position } from '../machine/position.js';
import { PAGE_SIZE } from '../memory/page.js';
import { ENOUGH } from '../timeline/timeline.js';
import type { Watch } from '../timeline/watch.js';
import { findWatch } from '../timeline/writes.js';
import type { AccessMoment, Both } from './report.js';
import type { Run } from './run.js';
import { eachSlice, type Slice, SliceRunner, type SliceTrace } from './slices.js';
import { integerOf } from './words.js';

/** What looking at one run may cost: slices that are run again, instructions traced, accesses kept. */
const MAX_SLICES = 1 << 15;
const MAX_TRACED_STEPS = 1 << 21;
const MAX_ACCESSES = 1 << 17;
/** Checkpointed stretches that are looked at before one in which something was written: a load may be that old. */
const EARLIER_STRETCHES = 1;

/** One access to watched bytes, by an instruction or by the kernel. */
export interface Access {
  readonly kind: 'load' | 'store';
  /** Where it leads. */
  readonly position: Position;
  readonly thread: number;
  /** Null: the kernel, in the call named, if in any. */
  readonly pc: number | null;
  readonly call: string | null;
  readonly value: bigint;
  readonly sizeBytes: number;
}

/** Some bytes of a process that is in both runs. */
export interface Variable {
  readonly name: string;
  readonly processes: Both<number>;
  readonly address: number;
  readonly sizeBytes: number;
}

export interface Accesses {
  readonly list: readonly Access[];
  /** They are all of the run's, but for loads far from any store. */
  readonly complete: boolean;
}

/**
 * Loads and stores, in order, that overlap some bytes of a process. Stretches between checkpoints in which nobody wrote
 * there are left out. When there is too much to look at, it is the last part of the run.
 * @throws Diverged
 */
export function accessesOf(run: Run, process: number, address: number, sizeBytes: number): Accesses {
  const { timeline, history } = run;
  const watch = findWatch(timeline, process, address, sizeBytes, history.lastAlive);
  if (watch === null) return { list: [], complete: true };
  const collector = new Collector(run, process, watch);
  const { stretches, complete } = stretchesToRead(run, watch);
  try {
    for (const { from, to } of stretches) collector.read(from, to);
  } catch (reason) {
    if (reason !== ENOUGH) throw reason;
    return { list: collector.list, complete: false };
  }
  return { list: collector.list, complete };
}

interface Stretch {
  readonly from: Position;
  readonly to: Position;
}

/** The stretches between checkpoints in which something watched was written, the last ones first to be taken. */
function stretchesToRead(
  { timeline, history }: Run,
  watch: Watch,
): { stretches: Stretch[]; complete: boolean } {
  const last = timeline.seek(history.lastAlive).k.snapshot();
  const states = [...timeline.statesUpTo(history.lastAlive), last];
  const samples = states.map((state) => watch.sample(state));
  const changed = states.map((_, i) => i > 0 && samples[i].some((page, j) => page !== samples[i - 1][j]));
  const taken: Stretch[] = [];
  let slices = 0;
  for (let i = states.length - 1; i > 0; i--) {
    if (!changed.slice(i, i + EARLIER_STRETCHES + 1).some(Boolean)) continue;
    // A slice takes two events or more: a choice, and what it ends at.
    slices += Math.ceil((states[i].seq - states[i - 1].seq) / 2);
    if (slices > MAX_SLICES && taken.length > 0) return { stretches: taken.reverse(), complete: false };
    taken.push({ from: states[i - 1], to: states[i] });
  }
  return { stretches: taken.reverse(), complete: true };
}

class Collector {
  readonly list: Access[] = [];
  private readonly runner: SliceRunner;
  private readonly pages = new Set<number>();
  private tracedSteps = 0;
  /** Of the slice that is being read. */
  private found: Access[] = [];
  /** Kernel writes since the last slice was read. */
  private kernel: Access[] = [];

  constructor(
    private readonly run: Run,
    private readonly process: number,
    private readonly watch: Watch,
  ) {
    this.runner = new SliceRunner(run.timeline.machine);
    const { address, sizeBytes } = watch;
    for (let at = address - (address % PAGE_SIZE); at < address + sizeBytes; at += PAGE_SIZE) {
      this.pages.add(at / PAGE_SIZE);
    }
  }

  read(from: Position, to: Position): void {
    const { timeline } = this.run;
    const subscription = timeline.machine.happened.subscribe((happened) => {
      if (happened.seq > from.seq) this.noteKernel(happened);
    });
    try {
      eachSlice(
        timeline,
        from,
        to,
        (_, process) => process === this.process,
        (slice) => this.readSlice(slice),
      );
      this.takeKernel(Number.POSITIVE_INFINITY);
    } finally {
      subscription.unsubscribe();
    }
  }

  private readSlice(slice: Slice): void {
    this.takeKernel(slice.state.seq);
    const trace = this.tracer(slice.thread);
    let traced = this.runner.watch(slice, this.pages, trace);
    if (traced === null) {
      this.found = [];
      this.runner.trace(slice, trace, slice.steps);
      traced = slice.steps;
    }
    for (const access of this.found) this.list.push(access);
    this.found = [];
    this.tracedSteps += traced;
    if (this.tracedSteps > MAX_TRACED_STEPS || this.list.length > MAX_ACCESSES) throw ENOUGH;
  }

  private tracer(thread: number): SliceTrace {
    const { address: start, sizeBytes: length } = this.watch;
    let position: Position = { seq: 0, step: 0 };
    let pc = 0;
    const note = (kind: Access['kind'], at: bigint, sizeBytes: number, value: bigint): void => {
      const address = Number(at);
      if (address >= start + length || address + sizeBytes <= start) return;
      this.found.push({ kind, position, thread, pc, call: null, value, sizeBytes });
    };
    return {
      at: (where) => {
        position = where;
      },
      step: (where) => {
        pc = Number(where);
      },
      register: () => {},
      load: (at, sizeBytes, value) => note('load', at, sizeBytes, value),
      store: (at, sizeBytes, value) => note('store', at, sizeBytes, value),
    };
  }

  private noteKernel({ seq, event, by }: Happened): void {
    const { k } = this.run;
    if (this.watch.byEvent(k, event).length === 0) return;
    const thread = event.type === 'user-memory-written' ? event.thread : (by?.thread ?? 0);
    const object = k.find(thread);
    const call = object?.kind === 'thread' ? (syscallByNumber(object.syscall)?.name ?? null) : null;
    const { sizeBytes } = this.watch;
    const value = integerOf(this.watch.read(k).subarray(0, Math.min(8, sizeBytes)));
    this.kernel.push({ kind: 'store', position: { seq, step: 0 }, thread, pc: null, call, value, sizeBytes });
  }

  private takeKernel(seq: number): void {
    for (const access of this.kernel.filter(({ position }) => position.seq <= seq)) this.list.push(access);
    this.kernel = this.kernel.filter(({ position }) => position.seq > seq);
  }
}

/** Where what happened before any thread ran is said to have happened. */
export const LOADER = 'the loader';

/** An access as it is told, with its stack. */
export function accessMoment(run: Run, access: Access): AccessMoment {
  const { position, thread, pc, call, value, sizeBytes } = access;
  const moment =
    pc === null
      ? run.event(position, thread, call ?? (thread === 0 ? LOADER : 'the kernel'))
      : run.instruction(position, thread, pc);
  return { ...moment, value, sizeBytes };
}
