import { parseArgs } from 'node:util';
import type { Prng } from '../src/base/prng.js';
import type { EngineKind } from '../src/cpu/arch.js';
import { RISCV64 } from '../src/cpu/riscv64/arch.js';
import { MixedEngine, SplitEngine } from '../test/cpu/lockstep/engines.js';
import { Case, type Contestant, type Difference, narrow } from '../test/cpu/lockstep/run.js';
import { engineKind } from './engine-kind.js';
import { Trouble } from './trouble.js';

/**
 * Runs random programs on several engines in lock step: the first engine alone, each other one alone or doing every
 * slice in parts, and one that changes between all of them. Exit status: 0 equal, 1 different, 2 trouble.
 *
 * engine-lockstep [--engines A,B,…] [--seed N] [--first PROGRAM] [--programs N] [--instructions N] [--steps N]
 */

const OPTIONS = {
  engines: { type: 'string', default: 'reference,interpreter,jit' },
  seed: { type: 'string' },
  /** Number of the first program, to repeat one that differs. */
  first: { type: 'string', default: '0' },
  programs: { type: 'string', default: 'Infinity' },
  /** Ends after so many, over all engines together. */
  instructions: { type: 'string', default: '1e8' },
  /** Steps of each program. */
  steps: { type: 'string', default: '400000' },
} as const;
const SEEDS = 1e6;
const SHOWN = 12;

function numberOf(text: string, name: string): number {
  const value = Number(text);
  if (Number.isNaN(value) || value < 0) throw new Trouble(`--${name} ${text} is not a number`);
  return value;
}

function contestantsOf([first, ...others]: readonly EngineKind[]): Contestant[] {
  const all = [first, ...others];
  return [
    { name: first, make: () => RISCV64.createEngine(first) },
    ...others.map((kind) => ({
      name: kind,
      make: (prng: Prng, whole: boolean) => {
        const engine = RISCV64.createEngine(kind);
        return whole || prng.below(2) === 0 ? engine : new SplitEngine(engine, prng);
      },
    })),
    {
      name: 'mixed',
      make: (prng) =>
        new MixedEngine(
          all.map((kind) => RISCV64.createEngine(kind)),
          prng,
        ),
    },
  ];
}

function report(found: Difference, contestants: readonly Contestant[], again: string): void {
  const { names, slice, budget, process, text } = narrow(found, contestants);
  console.log(`${names.join(' and ')} differ in slice ${slice} after ${budget} steps of program ${process}:`);
  for (const line of text) console.log(`  ${line}`);
  const last = Case.lastInstructions({ ...found, slice, budget }, contestants[0], SHOWN);
  console.log(`the last instructions there, by ${contestants[0].name}:`);
  for (const line of last) console.log(`  ${line}`);
  console.log(`again: ${again}`);
}

function main(): number {
  const { values } = parseArgs({ options: OPTIONS });
  const kinds = values.engines.split(',').map(engineKind);
  const seed = values.seed === undefined ? Date.now() % SEEDS : numberOf(values.seed, 'seed');
  const first = numberOf(values.first, 'first');
  const programs = numberOf(values.programs, 'programs');
  const instructions = numberOf(values.instructions, 'instructions');
  const steps = numberOf(values.steps, 'steps');
  console.log(`engine-lockstep: ${kinds.join(', ')}, seed ${seed}`);
  const contestants = contestantsOf(kinds);
  let done = 0;
  let slices = 0;
  let count = 0;
  for (; count < programs && done < instructions; count++) {
    const outcome = new Case(seed * SEEDS + first + count, contestants).run(steps);
    done += outcome.steps;
    slices += outcome.slices;
    if (outcome.difference !== null) {
      const options = `--engines ${values.engines} --seed ${seed} --first ${first + count} --programs 1 --steps ${steps}`;
      report(outcome.difference, contestants, `node .build/tools/engine-lockstep.js ${options}`);
      return 1;
    }
  }
  console.log(`${count} programs, ${slices} slices, ${done} instructions on all sides: equal`);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  console.error(`engine-lockstep: ${error.message}`);
  process.exitCode = 2;
}
