/** Measures of Jacinth without qemu beside it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Prng, seedPrng } from '../../src/base/prng.js';
import type { EngineKind } from '../../src/cpu/arch.js';
import { DEFAULTS, launch, type RunSpec } from '../../src/loader/launch.js';
import { formatPosition } from '../../src/machine/position.js';
import type { RoundCost } from './engine-cost.js';
import { type Clock, jacinth, ROOT, run } from './processes.js';
import { type Program, runArguments, type Sized } from './programs.js';
import { median } from './statistics.js';

/** Rounds of all programs in one process. The quickest counts: the first ones compile the engine, others may be disturbed. */
const WARM_ROUNDS = 20;
const CHECKPOINT_STEPS = 1_000_000;
/** How many of the last checkpoints stay alive, as a timeline would keep some. */
const CHECKPOINTS_KEPT = 64;
/** A working set is small up to 1 MiB. */
const SMALL_PAGES = 256;

function specOf(program: Program, argument: number, engine: EngineKind): RunSpec {
  const bytes = new Uint8Array(readFileSync(join(ROOT, program.guest)));
  const args = [program.name, `${argument}`];
  const { cores } = program;
  return { ...DEFAULTS, engine, cores, program: { name: program.name, bytes, args, environ: [] } };
}

/** Processor time of this process and all its threads, in milliseconds. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function runWithCheckpoints(spec: RunSpec): void {
  const machine = launch(spec);
  const kept: unknown[] = [];
  for (let taken = 0; !machine.halted; taken++) {
    const next = (taken + 1) * CHECKPOINT_STEPS;
    while (!machine.halted && machine.k.state.steps < next) machine.command(next - machine.k.state.steps);
    kept[taken % CHECKPOINTS_KEPT] = machine.checkpoint();
  }
}

/** Processor time of a run with a checkpoint every 10^6 instructions over one without; null for a large working set. */
export function checkpointCost(
  program: Program,
  argument: number,
  maxSteps: number,
  engine: EngineKind,
  rounds: number,
): number | null {
  const spec = { ...specOf(program, argument, engine), maxSteps };
  const first = launch(spec);
  first.run();
  if (first.k.state.committedPages > SMALL_PAGES) return null;
  const ratios: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const plain = cpuMs(() => launch(spec).run());
    ratios.push(cpuMs(() => runWithCheckpoints(spec)) / plain);
  }
  return median(ratios);
}

/** Positions at so many steps of a run, chosen by a fixed seed; they do not depend on the engine. */
function randomPositions(program: Program, { argument, steps }: Sized, count: number): string[] {
  const random = new Prng(seedPrng(1, program.name));
  const targets = Array.from({ length: count }, () => Math.floor((random.u32() / 2 ** 32) * steps));
  targets.sort((a, b) => a - b);
  const positions: string[] = [];
  const machine = launch(specOf(program, argument, 'auto'));
  let before = 0;
  machine.happened.subscribe(({ seq, event }) => {
    if (event.type !== 'span') return;
    while (positions.length < count && targets[positions.length] < before + event.steps)
      positions.push(formatPosition({ seq, step: targets[positions.length] - before }));
    before += event.steps;
  });
  machine.run();
  return positions;
}

/** How long `show --at` takes at random positions of a recorded run, in milliseconds. */
export function showTimes(program: Program, size: Sized, recording: string, count: number): number[] {
  return randomPositions(program, size, count).map(
    (position) => jacinth('show', recording, '--at', position).wallMs,
  );
}

export interface StartUp {
  readonly oursMs: number;
  /** `node -e 0`, in the same minutes. */
  readonly nodeMs: number;
}

export function startUp(program: Program, million: Sized, engine: EngineKind, rounds: number): StartUp {
  const ours: number[] = [];
  const node: number[] = [];
  for (let i = 0; i < rounds; i++) {
    node.push(run([process.execPath, '-e', '0']).wallMs);
    ours.push(jacinth('run', ...runArguments(program, engine, million.argument)).wallMs);
  }
  return { oursMs: median(ours), nodeMs: median(node) };
}

/** Steady state of one engine, from runs of two sizes; millions of instructions a second. */
export function steadyMips(
  program: Program,
  long: Sized,
  short: Sized,
  engine: EngineKind,
  rounds: number,
  clock: Clock,
): number {
  const times = (argument: number) => jacinth('run', ...runArguments(program, engine, argument))[clock];
  const longMs: number[] = [];
  const shortMs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    longMs.push(times(long.argument));
    shortMs.push(times(short.argument));
  }
  return (long.steps - short.steps) / (median(longMs) - median(shortMs)) / 1000;
}

/** What an engine takes besides the time of the guest. */
export interface EngineStatistics {
  /** Microseconds to make the code of one guest instruction, when the engine has done so for a while. */
  readonly emissionUs: number | null;
  /** The same in a new process, whose own code is not compiled yet. */
  readonly coldEmissionUs: number | null;
  /** V8's part, microseconds an instruction: its first compiler, and linking. */
  readonly hostUs: number | null;
  /** The most memory beyond the guest's, less what a run with the reference engine has there. */
  readonly memoryMiB: number | null;
}

interface Sizes {
  readonly program: Program;
  readonly million: Sized | null;
  readonly short: Sized;
}

function engineCosts(
  engine: EngineKind,
  rounds: number,
  guests: readonly { program: Program; argument: number }[],
  ...flags: readonly string[]
): RoundCost[] {
  const script = join(ROOT, '.build', 'tools', 'bench-engine', 'engine-cost.js');
  const args = guests.flatMap(({ program, argument }) => [program.guest, `${program.cores}`, `${argument}`]);
  return JSON.parse(run([process.execPath, ...flags, script, engine, `${rounds}`, ...args]).stdout);
}

/** Microseconds a guest instruction; null when none was translated. */
function eachUs(costs: readonly RoundCost[], pick: (cost: RoundCost) => number): number | null {
  const instructions = costs.reduce((sum, cost) => sum + cost.instructions, 0);
  return instructions === 0 ? null : (1000 * costs.reduce((sum, cost) => sum + pick(cost), 0)) / instructions;
}

export function engineStatistics(rows: readonly Sizes[], engine: EngineKind): EngineStatistics {
  const quick = rows.map(({ program, million }) => ({ program, argument: million?.argument ?? 1 }));
  const rounds = engineCosts(engine, WARM_ROUNDS, quick, '--no-wasm-lazy-compilation');
  const least = (pick: (cost: RoundCost) => number): RoundCost[] =>
    rounds.toSorted((a, b) => pick(a) - pick(b)).slice(0, 1);
  const alone = rows.map(({ program, short }, i) => {
    const [cost] = engineCosts(engine, 1, [{ program, argument: short.argument }]);
    const [reference] = engineCosts('reference', 1, [quick[i]]);
    return { cost, memoryMiB: cost.peakMiB - reference.peakMiB };
  });
  const emission = ({ emissionMs }: RoundCost): number => emissionMs;
  const host = ({ hostMs }: RoundCost): number => hostMs;
  return {
    emissionUs: eachUs(least(emission), emission),
    coldEmissionUs: eachUs(
      alone.map(({ cost }) => cost),
      emission,
    ),
    hostUs: eachUs(least(host), host),
    memoryMiB: Math.max(...alone.map(({ memoryMiB }) => memoryMiB)),
  };
}
