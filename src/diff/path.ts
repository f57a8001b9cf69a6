import type { Position } from '../machine/position.js';
import { mappingAt } from '../timeline/address-space.js';
import type { Access as MemoryAccess } from '../timeline/expand.js';
import { ENOUGH } from '../timeline/timeline.js';
import type { ThreadHistory } from './history.js';
import { observe } from './observe.js';
import type { Run } from './run.js';

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
  /** Where it leads. */
  readonly position: Position;
}

const NO_STACK = { start: 0, end: 0 };

/** The instructions that one thread retired in a stretch of a run. */
export class Path {
  readonly pcs: number[] = [];
  private readonly seqs: number[] = [];
  private readonly steps: number[] = [];
  readonly observations: Observation[] = [];
  /** Addresses of the thread's stack. */
  stack: { readonly start: number; readonly end: number } = NO_STACK;

  add(pc: number, { seq, step }: Position): void {
    this.pcs.push(pc);
    this.seqs.push(seq);
    this.steps.push(step);
  }

  observe(observation: Observation): void {
    this.observations.push(observation);
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
 * Follows one thread from a position to another.
 * @throws Diverged
 */
export function pathOf(run: Run, thread: ThreadHistory, from: Position, to: Position): Path {
  const { timeline } = run;
  const { koid } = thread;
  const path = new Path();
  path.stack = stackOf(run, thread, from);
  observe(timeline, from, to, {
    wants: (who) => who === koid,
    pages: null,
    step({ position, pc, loads, stores }) {
      const index = path.length;
      path.add(Number(pc), position);
      for (const access of loads)
        path.observe({ kind: 'load', index, call: 0, position, ...inNumbers(access) });
      for (const access of stores)
        path.observe({ kind: 'store', index, call: 0, position, ...inNumbers(access) });
      if (path.length >= MAX_PATH_STEPS) throw ENOUGH;
    },
    event({ seq, event }) {
      if (event.type !== 'syscall-returned' || event.thread !== koid) return null;
      const { number: call, result: value } = event;
      const position = { seq, step: 0 };
      return () =>
        path.observe({ kind: 'result', index: path.length, address: 0, sizeBytes: 8, value, call, position });
    },
  });
  return path;
}

function inNumbers({
  address,
  sizeBytes,
  value,
}: MemoryAccess): Pick<Observation, 'address' | 'sizeBytes' | 'value'> {
  return { address: Number(address), sizeBytes, value };
}

/** The mapping that a thread's stack pointer is in. */
function stackOf(
  { timeline }: Run,
  { koid, process, startedSeq }: ThreadHistory,
  at: Position,
): Path['stack'] {
  const { k } = timeline.seek(at.seq < startedSeq ? { seq: startedSeq, step: 0 } : at);
  const registers = k.state.registers.get(koid);
  if (registers === undefined) return NO_STACK;
  const mapping = mappingAt(k, process, Number(BigInt.asUintN(47, k.arch.sp(registers)) - 1n));
  return mapping === undefined ? NO_STACK : { start: mapping.base, end: mapping.base + mapping.sizeBytes };
}
