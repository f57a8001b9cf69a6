import type { KernelState } from '../objects/kernel.js';
import { ALONE_STEPS, type Choice, isAlone, type Oracle, usableCores } from './oracle.js';

/** Cores take turns, queued threads are taken in order; busy cores interleave at an eighth of the quantum. */
export class RoundRobin implements Oracle {
  private lastCore = -1;

  constructor(private readonly quantumSteps: number) {}

  choose(state: KernelState): Choice | null {
    const usable = usableCores(state);
    if (usable.length === 0) return null;
    const core = usable.find((c) => c > this.lastCore) ?? usable[0];
    this.lastCore = core;
    const thread = state.cores[core].thread || state.runQueue[0];
    if (isAlone(state, usable)) return { core, thread, steps: Math.max(this.quantumSteps, ALONE_STEPS) };
    const steps = usable.length === 1 ? this.quantumSteps : Math.max(1, this.quantumSteps >>> 3);
    return { core, thread, steps };
  }
}
