import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Prng } from '../src/base/prng.js';
import type { EngineKind } from '../src/cpu/arch.js';
import { RISCV64 } from '../src/cpu/riscv64/arch.js';
import { MixedEngine, SplitEngine } from '../test/cpu/lockstep/engines.js';
import { Case, type Contestant, type Difference, narrow } from '../test/cpu/lockstep/run.js';
import { engineKind } from './engine-kind.js';
import { commandLine, compareAs, Trouble } from './trouble.js';

/**
 * Runs random programs on several engines in lock step: the first engine alone, each other one alone or doing every
 * slice in parts, and one that changes between all of them. Exit status: 0 equal, 1 different, 2 trouble.
 *
 * engine-lockstep [--engines A,B,…] [--seed N] [--first PROGRAM] [--programs N] [--instructions N] [--steps N] [--jobs N]
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
  steps: { type: 'string', default: '1e6' },
  /** Threads that share the work. */
  jobs: { type: 'string', default: '1' },
} as const;
const SEEDS = 1e6;
const SHOWN = 12;

interface Settings {
  readonly engines: readonly EngineKind[];
  readonly seed: number;
  readonly first: number;
  readonly programs: number;
  readonly instructions: number;
  readonly steps: number;
  readonly jobs: number;
}

/** What one thread has done. */
interface Work {
  readonly programs: number;
  readonly slices: number;
  readonly instructions: number;
  /** What to print when engines differ. */
  readonly report: readonly string[] | null;
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
      make: (prng) => {
        const engines = all.map((kind) => RISCV64.createEngine(kind));
        return new MixedEngine(engines, prng);
      },
    },
  ];
}

function linesOf({ names, slice, budget, process, text }: Difference): string[] {
  const where = `in slice ${slice} after ${budget} steps of process ${process}`;
  return [`${[...new Set(names)].join(' and ')}: different ${where}:`, ...text.map((line) => `  ${line}`)];
}

/** The difference narrowed down: that takes as many runs up to there as the slice's length has bits. */
function reportOf(found: Difference, contestants: readonly Contestant[]): string[] {
  const narrowed = narrow(found, contestants);
  return [
    ...linesOf(narrowed),
    `the last instructions there, by ${contestants[0].name}:`,
    ...Case.lastInstructions(narrowed, contestants[0], SHOWN).map((line) => `  ${line}`),
  ];
}

/** Every `jobs`-th program, from number `job` on. */
function work(settings: Settings, job: number): Work {
  const { engines, seed, first, programs, instructions, steps, jobs } = settings;
  const contestants = contestantsOf(engines);
  let done = 0;
  let slices = 0;
  let count = 0;
  for (let i = job; i < programs && done < instructions / jobs; i += jobs) {
    const outcome = new Case(seed * SEEDS + first + i, contestants).run(steps);
    done += outcome.steps;
    slices += outcome.slices;
    count++;
    if (outcome.difference === null) continue;
    const options = `--engines ${engines} --seed ${seed} --first ${first + i} --programs 1 --steps ${steps}`;
    const again = `node .build/tools/engine-lockstep.js ${options}`;
    // At once, for who does not want to wait for more.
    console.log([...linesOf(outcome.difference), `again: ${again}`].join('\n'));
    const report = reportOf(outcome.difference, contestants);
    return { programs: count, slices, instructions: done, report };
  }
  return { programs: count, slices, instructions: done, report: null };
}

function settingsOf(args: string[]): Settings {
  const { values } = commandLine({ options: OPTIONS, args });
  const number = (name: Exclude<keyof typeof OPTIONS, 'engines'>): number => {
    const value = Number(values[name] ?? Date.now() % SEEDS);
    if (Number.isNaN(value) || value < 0) throw new Trouble(`--${name} ${values[name]} is not a number`);
    return value;
  };
  return {
    engines: values.engines.split(',').map(engineKind),
    ...{ seed: number('seed'), first: number('first'), programs: number('programs') },
    ...{ instructions: number('instructions'), steps: number('steps'), jobs: Math.max(1, number('jobs')) },
  };
}

async function main(): Promise<number> {
  const settings = settingsOf(process.argv.slice(2));
  const { engines, seed, jobs } = settings;
  console.log(`engine-lockstep: ${engines.join(', ')}, seed ${seed}`);
  const workers = Array.from({ length: jobs }, (_, job) => {
    return new Worker(new URL(import.meta.url), { workerData: { settings, job } });
  });
  const answers = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0] as Work),
  );
  const report = answers.find((answer) => answer.report !== null)?.report;
  if (report !== undefined && report !== null) {
    for (const line of report) console.log(line);
    return 1;
  }
  const sum = (of: (answer: Work) => number): number =>
    answers.reduce((total, answer) => total + of(answer), 0);
  const done = sum(({ instructions }) => instructions);
  console.log(
    `${sum((a) => a.programs)} programs, ${sum((a) => a.slices)} slices, ${done} instructions: equal`,
  );
  return 0;
}

if (isMainThread) await compareAs('engine-lockstep', main);
else {
  const { settings, job } = workerData as { settings: Settings; job: number };
  parentPort!.postMessage(work(settings, job));
}
