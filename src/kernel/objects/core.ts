import type { Kernel, KernelState } from './kernel.js';
import type { Mutable } from './object.js';
import type { Reducers } from './reducer.js';

/** One simulated core: the thread it holds (0: none), and how much of that thread's quantum is left. */
export interface CoreState {
  readonly thread: number;
  readonly quantumSteps: number;
}

/** The stretch that the scheduler granted last: this thread, on this core, for so many more steps. */
export interface Slice {
  readonly core: number;
  readonly thread: number;
  readonly stepsLeft: number;
}

/** Something that happens at a time: a timer fires, or a blocked thread's deadline passes. */
export interface Deadline {
  readonly atNs: bigint;
  readonly order: number;
  readonly kind: 'timer' | 'thread';
  readonly koid: number;
}

export interface CoreEvents {
  /** The scheduler's choice. The thread was in the run queue or already on this core. */
  'slice-started': { core: number; thread: number; steps: number; quantumSteps: number };
  /** The core's thread ran out of its quantum, or yielded, and goes to the end of the run queue. */
  'thread-preempted': { core: number; thread: number };
  /** A run of steps of the slice's thread; not a kernel event, so it has no number of its own. */
  span: { core: number; thread: number; steps: number };
  /** Nothing could run: time jumped. */
  'clock-advanced': { byNs: bigint };
  'machine-halted': { halt: NonNullable<KernelState['halt']> };
}

export const coreReducers: Reducers<CoreEvents> = {
  'slice-started': (k, e) => {
    setCore(k, e.core, { thread: e.thread, quantumSteps: e.quantumSteps });
    removeFromRunQueue(k, e.thread);
    k.update(e.thread, 'thread', (thread) => {
      thread.lastCore = e.core;
    });
    k.state.slice = { core: e.core, thread: e.thread, stepsLeft: e.steps };
  },
  'thread-preempted': (k, e) => {
    setCore(k, e.core, { thread: 0, quantumSteps: 0 });
    enqueueThread(k, e.thread);
    k.state.slice = null;
  },
  span: (k, e) => {
    countSteps(k, e, e.steps);
  },
  'clock-advanced': (k, e) => {
    k.state.idleNs += e.byNs;
  },
  'machine-halted': (k, e) => {
    k.state.halt = e.halt;
    k.state.slice = null;
  },
};

/**
 * What a span does besides its instructions' own effects: time, and the shares of slice and quantum it used. A span
 * counted in parts gives the same: also its last steps, which may outlast the slice (see Machine).
 */
export function countSteps(k: Kernel, { core, thread }: Pick<Slice, 'core' | 'thread'>, steps: number): void {
  const { slice } = k.state;
  k.state.steps += steps;
  k.state.step += steps;
  setCore(k, core, { thread, quantumSteps: k.state.cores[core].quantumSteps - steps });
  k.update(thread, 'thread', (t) => {
    t.ranSteps += steps;
  });
  if (slice !== null) {
    const stepsLeft = slice.stepsLeft - steps;
    k.state.slice = stepsLeft <= 0 ? null : { core: slice.core, thread: slice.thread, stepsLeft };
  }
}

/** Takes a thread that cannot run any more off its core or out of the run queue. */
export function withdrawThread(k: Kernel, thread: number): void {
  const core = k.state.cores.findIndex((c) => c.thread === thread);
  if (core >= 0) setCore(k, core, { thread: 0, quantumSteps: 0 });
  else removeFromRunQueue(k, thread);
  if (k.state.slice?.thread === thread) k.state.slice = null;
}

export function enqueueThread(k: Kernel, thread: number): void {
  k.state.runQueue = [...k.state.runQueue, thread];
  k.update(thread, 'thread', (t) => {
    t.queuedAtNs = k.nowNs;
  });
}

function setCore(k: Kernel, index: number, core: CoreState): void {
  const cores = k.state.cores.slice();
  cores[index] = core;
  k.state.cores = cores;
}

function removeFromRunQueue(k: Kernel, thread: number): void {
  const { runQueue } = k.state;
  if (!runQueue.includes(thread)) return;
  k.state.runQueue = runQueue.filter((t) => t !== thread);
  k.update(thread, 'thread', (t) => {
    t.queuedNs += k.nowNs - t.queuedAtNs;
  });
}

export function addDeadline(k: Kernel, deadline: Deadline): void {
  const { deadlines } = k.state;
  let low = 0;
  let high = deadlines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (deadlines[middle].atNs <= deadline.atNs) low = middle + 1;
    else high = middle;
  }
  k.state.deadlines = deadlines.toSpliced(low, 0, deadline);
}

export function removeDeadline(k: Kernel, order: number): void {
  const { deadlines } = k.state;
  if (deadlines.some((d) => d.order === order)) {
    (k.state as Mutable<KernelState>).deadlines = deadlines.filter((d) => d.order !== order);
  }
}
