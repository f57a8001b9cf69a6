/** Measures of Jacinth without qemu beside it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Prng, seedPrng } from '../../src/base/prng.js';
import type { EngineKind } from '../../src/cpu/arch.js';
import { DEFAULTS, launch, type RunSpec } from '../../src/loader/launch.js';
import type { Machine } from '../../src/machine/machine.js';
import { formatPosition } from '../../src/machine/position.js';
import { runWithCheckpoints } from '../checkpointed-run.js';
import { costInTurns } from '../in-turns.js';
import type { RoundCost } from './engine-cost.js';
import { type Clock, jacinth, ROOT, run } from './processes.js';
import { type Program, runArguments, type Sized } from './programs.js';
import { median } from './statistics.js';

/** Rounds of all programs in one process, of which the second half counts. */
const WARM_ROUNDS = 10;
const CHECKPOINT_STEPS = 1_000_000;
/** As many as are taken in some milliseconds, of which those are few that engines take to change places. */
const CHECKPOINTS_A_TURN = 16;
/** A working set is small up to 1 MiB. */
const SMALL_PAGES = 256;

function specOf(program: Program, argument: number, engine: EngineKind): RunSpec {
  const bytes = new Uint8Array(readFileSync(join(ROOT, program.guest)));
  const args = [program.name, `${argument}`];
  const { cores } = program;
  return { ...DEFAULTS, engine, cores, program: { name: program.name, bytes, args, environ: [] } };
}

/** The most pages that a run takes, as far as can be seen between two commands. */
function peakPages(spec: RunSpec): number {
  const machine = launch(spec);
  let most = 0;
  while (!machine.halted) {
    machine.command();
    most = Math.max(most, machine.k.state.committedPages);
  }
  return most;
}

/**
 * Processor time of a run with a checkpoint every 10^6 instructions over one without; null for a large working set. As
 * many rounds as a third go before, in which V8 compiles what takes checkpoints.
 */
export function checkpointCost(
  program: Program,
  argument: number,
  engine: EngineKind,
  rounds: number,
): number | null {
  const spec = specOf(program, argument, engine);
  if (peakPages(spec) > SMALL_PAGES) return null;
  const ratios: number[] = [];
  for (let i = -Math.ceil(rounds / 3); i < rounds; i++) {
    const run = (look: (machine: Machine) => void) => runWithCheckpoints(spec, CHECKPOINT_STEPS, look);
    const ratio = costInTurns(spec, run, CHECKPOINTS_A_TURN);
    if (i >= 0) ratios.push(ratio);
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

/** How long `show --at` takes at random positions of a run recorded with its checkpoints, in milliseconds. */
export function showTimes(program: Program, size: Sized, recording: string, count: number): number[] {
  const args = runArguments(program, 'auto', size.argument);
  jacinth('record', '-o', recording, '--keep-checkpoints', ...args);
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
  /** The same in processes that run one program, where V8 compiles the engine meanwhile. */
  readonly coldEmissionUs: number | null;
  /** What V8's first compiler and linking take there, microseconds an instruction. */
  readonly hostUs: number | null;
  /** The most memory beyond the guest's, less what a run with the reference engine has there. */
  readonly memoryMiB: number | null;
}

function engineCosts(
  engine: EngineKind,
  rounds: number,
  guests: readonly { readonly program: Program; readonly argument: number }[],
): RoundCost[] {
  const script = join(ROOT, '.build', 'tools', 'bench-engine', 'engine-cost.js');
  const args = guests.flatMap(({ program, argument }) => [program.guest, `${program.cores}`, `${argument}`]);
  const command = [process.execPath, '--no-wasm-lazy-compilation', script, engine, `${rounds}`, ...args];
  return JSON.parse(run(command).stdout) as RoundCost[];
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Every round makes the same batches of regions: the sum of what each takes as a rule, once the engine is compiled. */
function warmEmissionMs(rounds: readonly RoundCost[]): number {
  const warm = rounds.slice(rounds.length / 2);
  return sum(warm[0].emissionMs.map((_, batch) => median(warm.map(({ emissionMs }) => emissionMs[batch]))));
}

export function engineStatistics(
  rows: readonly { readonly program: Program; readonly million: Sized | null; readonly short: Sized }[],
  engine: EngineKind,
): EngineStatistics {
  const small = rows.map(({ program, million }) => ({ program, argument: million?.argument ?? 1 }));
  const rounds = engineCosts(engine, WARM_ROUNDS, small);
  const alone = rows.flatMap(({ program, short }) =>
    engineCosts(engine, 1, [{ program, argument: short.argument }]),
  );
  const references = small.flatMap((guest) => engineCosts('reference', 1, [guest]));
  const eachUs = (ms: number, costs: readonly RoundCost[]): number | null => {
    const instructions = sum(costs.map((cost) => cost.instructions));
    return instructions === 0 ? null : (ms * 1000) / instructions;
  };
  return {
    emissionUs: eachUs(warmEmissionMs(rounds), rounds.slice(0, 1)),
    coldEmissionUs: eachUs(sum(alone.flatMap(({ emissionMs }) => emissionMs)), alone),
    hostUs: eachUs(sum(alone.flatMap(({ hostMs }) => hostMs)), alone),
    memoryMiB: Math.max(...alone.map(({ peakMiB }, i) => peakMiB - references[i].peakMiB)),
  };
}
