import type { KernelState } from '../objects/kernel.js';

/**
 * What a scheduler decides: this core runs this thread for at most so many steps. The thread is in the run queue, or
 * is the one that the core holds; another that it holds is preempted.
 */
export interface Choice {
  readonly core: number;
  readonly thread: number;
  /** ≥ 1; cut to what is left of the thread's quantum, but for a thread that has the machine to itself. */
  readonly steps: number;
}

/**
 * Decides who runs next. It sees the state and steers nothing else; its own memory is not part of the machine,
 * because its choices are events. The explorer, a recording and a person may all stand in for it.
 */
export interface Oracle {
  /** Null when no thread can run. */
  choose(state: KernelState): Choice | null;
}

/** Cores that could run something: with a thread of their own, or idle while threads queue. */
export function usableCores(state: KernelState): number[] {
  const out: number[] = [];
  let queued = state.runQueue.length;
  for (let core = 0; core < state.cores.length; core++) {
    if (state.cores[core].thread !== 0) out.push(core);
    else if (queued > 0) {
      out.push(core);
      queued--;
    }
  }
  return out;
}

/**
 * Steps of a slice of a thread that no other thread waits for, at most: what a machine does in one piece. When another
 * can run it ends (see `Machine`).
 */
export const ALONE_STEPS = 1 << 20;

/** Whether there is but one thread that could run. */
export function isAlone(state: KernelState, usable: readonly number[]): boolean {
  return usable.length === 1 && (state.cores[usable[0]].thread === 0 ? 1 : 0) === state.runQueue.length;
}
