import type { Position } from '../machine/position.js';
import { mappingAt } from '../timeline/address-space.js';
import type { Access as MemoryAccess } from '../timeline/expand.js';
import { ENOUGH } from '../timeline/timeline.js';
import type { ThreadHistory } from './history.js';
import { observe } from './observe.js';
import type { Run } from './run.js';

/** Instructions of a path that are kept, at most: beyond, what follows is not looked at. */
const MAX_PATH_STEPS = 1 << 19;

const GIVEN_BYTES = 64;

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

/** What a call of the thread put into its memory. */
export interface Given {
  /** The instruction after the call. */
  readonly index: number;
  readonly address: number;
  readonly sizeBytes: number;
  /** Of its beginning, at most 64. */
  readonly bytes: Uint8Array;
  /** The call's number. */
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
  readonly given: Given[] = [];
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

  /** Addresses of the stack that some instructions touch, in order: they tell calls of one function apart. */
  *stackTouches(from: number, to: number): Iterable<number> {
    const { observations, stack } = this;
    let low = 0;
    for (let high = observations.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (observations[middle].index < from) low = middle + 1;
      else high = middle;
    }
    for (; low < observations.length && observations[low].index < to; low++) {
      const { address } = observations[low];
      if (address >= stack.start && address < stack.end) yield address;
    }
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
  const { koid, process } = thread;
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
      const position = { seq, step: 0 };
      if (event.type === 'user-memory-written' && event.thread === koid && event.process === process) {
        const { address } = event;
        const { length: sizeBytes } = event.bytes;
        const bytes = event.bytes.slice(0, GIVEN_BYTES);
        const caller = run.k.find(koid);
        const call = caller?.kind === 'thread' ? caller.syscall : 0;
        return () => path.given.push({ index: path.length, address, sizeBytes, bytes, call, position });
      }
      if (event.type !== 'syscall-returned' || event.thread !== koid) return null;
      const { number: call, result: value } = event;
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
