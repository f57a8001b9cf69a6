import type { Prng } from '../../../src/base/prng.js';
import type { Engine, EngineKind, RunResult } from '../../../src/cpu/arch.js';

/** Engines that are compared: `auto` is one of them. */
export const COMPARED: readonly EngineKind[] = ['reference', 'interpreter', 'jit'];

/** Another engine of several for every run. */
export class MixedEngine implements Engine {
  constructor(
    private readonly engines: readonly Engine[],
    private readonly prng: Prng,
  ) {}

  run(...asked: Parameters<Engine['run']>): RunResult {
    return this.engines[this.prng.below(this.engines.length)].run(...asked);
  }
}

const PARTS = 4;

/** Does every run in parts: the same as in one piece unless a reservation is held where they meet. */
export class SplitEngine implements Engine {
  constructor(
    private readonly engine: Engine,
    private readonly prng: Prng,
  ) {}

  run(...[registers, memory, budget, timeNs, grace, trace]: Parameters<Engine['run']>): RunResult {
    let steps = 0;
    for (let part = 1; part < PARTS; part++) {
      const length = this.prng.below(budget - steps + 1);
      const result = this.engine.run(registers, memory, length, timeNs + BigInt(steps), 0, trace);
      steps += result.steps;
      if (result.stop.kind !== 'budget') return { steps, stop: result.stop };
    }
    const last = this.engine.run(registers, memory, budget - steps, timeNs + BigInt(steps), grace, trace);
    return { steps: steps + last.steps, stop: last.stop };
  }
}
