import { Prng, seedPrng } from '../../base/prng.js';
import type { KernelState } from '../objects/kernel.js';
import { ALONE_STEPS, type Choice, isAlone, type Oracle, usableCores } from './oracle.js';

/**
 * Any core, any length, and whenever threads queue, any of them or the one at hand: one core alone runs for up to a
 * quantum, several interleave at up to half a quantum. A seed gives one schedule.
 */
export class SeededRandom implements Oracle {
  private readonly prng: Prng;

  constructor(
    private readonly quantumSteps: number,
    seed: number,
  ) {
    this.prng = new Prng(seedPrng(seed, 'schedule'));
  }

  choose(state: KernelState): Choice | null {
    const usable = usableCores(state);
    if (usable.length === 0) return null;
    const core = usable[usable.length === 1 ? 0 : this.prng.below(usable.length)];
    const held = state.cores[core].thread;
    const { runQueue } = state;
    // The one at hand comes before those that queue.
    const before = held === 0 ? 0 : 1;
    const candidates = before + runQueue.length;
    const chosen = candidates === 1 ? 0 : this.prng.below(candidates);
    const thread = chosen < before ? held : runQueue[chosen - before];
    if (isAlone(state, usable)) return { core, thread, steps: Math.max(this.quantumSteps, ALONE_STEPS) };
    const bound = usable.length === 1 ? this.quantumSteps : Math.max(1, this.quantumSteps >>> 1);
    return { core, thread, steps: 1 + this.prng.below(bound) };
  }
}
