import { comparePositions, type Position } from '../machine/position.js';
import { mappingAt } from '../timeline/address-space.js';
import { ENOUGH } from '../timeline/timeline.js';
import type { ThreadHistory } from './history.js';
import type { Run } from './run.js';
import { eachSlice, type Slice, SliceRunner, type SliceTrace } from './slices.js';

/** Instructions of a path that are kept, at most: beyond, what follows is not looked at. */
const MAX_PATH_STEPS = 1 << 19;

/** What a thread got from outside its registers, or gave. */
export interface Observation {
  readonly kind: 'result' | 'load' | 'store';
  /** The instruction that did it; for a result, the one after the call. */
  readonly index: number;
  /** 0 for a result. */
  readonly address: number;
  readonly sizeBytes: number;
  readonly value: bigint;
  /** Number of the call that a result is of. */
  readonly call: number;
}

/** The instructions that one thread retired in a stretch of a run. */
export class Path {
  readonly pcs: number[] = [];
  private readonly seqs: number[] = [];
  private readonly steps: number[] = [];
  readonly observations: Observation[] = [];
  /** Addresses of the thread's stack. */
  stack = { start: 0, end: 0 };

  add(pc: number, { seq, step }: Position): void {
    this.pcs.push(pc);
    this.seqs.push(seq);
    this.steps.push(step);
  }

  /** Where an instruction leads to. */
  position(index: number): Position {
    return { seq: this.seqs[index], step: this.steps[index] };
  }

  get length(): number {
    return this.pcs.length;
  }
}

/**
 * Follows one thread from a position to another; other threads run on untraced.
 * @throws Diverged
 */
export function pathOf(run: Run, thread: ThreadHistory, from: Position, to: Position): Path {
  const { timeline } = run;
  const path = new Path();
  const follower = new Follower(run, thread, path, from);
  const subscription = timeline.machine.happened.subscribe(({ seq, event }) => {
    if (event.type === 'syscall-returned' && event.thread === thread.koid && seq > from.seq) {
      follower.results.push({ seq, call: event.number, value: event.result });
    }
  });
  try {
    const isThread = (koid: number): boolean => koid === thread.koid;
    eachSlice(timeline, from, to, isThread, (slice) => follower.follow(slice));
    follower.takeResults(Number.POSITIVE_INFINITY);
  } catch (reason) {
    if (reason !== ENOUGH) throw reason;
  } finally {
    subscription.unsubscribe();
  }
  return path;
}

class Follower {
  /** Of calls, not yet put in their places. */
  results: { readonly seq: number; readonly call: number; readonly value: bigint }[] = [];
  private readonly runner: SliceRunner;
  private readonly trace: SliceTrace;
  private skip = false;
  private position: Position;

  constructor(
    private readonly run: Run,
    private readonly thread: ThreadHistory,
    private readonly path: Path,
    from: Position,
  ) {
    this.runner = new SliceRunner(run.timeline.machine);
    this.position = from;
    const observe = (kind: 'load' | 'store', address: bigint, sizeBytes: number, value: bigint): void => {
      if (this.skip) return;
      const index = path.length - 1;
      path.observations.push({ kind, index, address: Number(address), sizeBytes, value, call: 0 });
    };
    this.trace = {
      at: (position) => {
        this.skip = comparePositions(position, from) <= 0;
        this.position = position;
      },
      step: (pc) => {
        if (!this.skip) path.add(Number(pc), this.position);
      },
      register: () => {},
      load: (address, sizeBytes, value) => observe('load', address, sizeBytes, value),
      store: (address, sizeBytes, value) => observe('store', address, sizeBytes, value),
    };
  }

  follow(slice: Slice): void {
    const { path } = this;
    this.takeResults(slice.state.seq);
    if (path.stack.end === 0) this.findStack(slice);
    this.runner.trace(slice, this.trace, MAX_PATH_STEPS - path.length);
    if (path.length >= MAX_PATH_STEPS) throw ENOUGH;
  }

  /** Puts results of calls that returned up to an event in their places. */
  takeResults(seq: number): void {
    const { path } = this;
    for (const { call, value } of this.results.filter((result) => result.seq <= seq)) {
      path.observations.push({ kind: 'result', index: path.length, address: 0, sizeBytes: 8, value, call });
    }
    this.results = this.results.filter((result) => result.seq > seq);
  }

  private findStack({ state }: Slice): void {
    const { k } = this.run;
    const registers = state.registers.get(this.thread.koid);
    if (registers === undefined) return;
    const mapping = mappingAt(k, this.thread.process, Number(BigInt.asUintN(47, k.arch.sp(registers)) - 1n));
    if (mapping !== undefined)
      this.path.stack = { start: mapping.base, end: mapping.base + mapping.sizeBytes };
  }
}
