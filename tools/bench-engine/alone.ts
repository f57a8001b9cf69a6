/** Measures of Jacinth without qemu beside it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Prng, seedPrng } from '../../src/base/prng.js';
import type { EngineKind } from '../../src/cpu/arch.js';
import { DEFAULTS, launch, type RunSpec } from '../../src/loader/launch.js';
import { formatPosition } from '../../src/machine/position.js';
import { type Clock, jacinth, ROOT, run } from './processes.js';
import { type Program, runArguments, type Sized } from './programs.js';
import { median } from './statistics.js';

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

/** What an engine counts about itself. */
export interface EngineStatistics {
  /** Microseconds spent to translate one guest instruction. */
  readonly emissionUs: number | null;
  /** The most memory that tables, pages and translated code took. */
  readonly memoryMiB: number | null;
}

/** HERE the engine's statistics come in: no verb tells them yet, and until one does these goals count as missed. */
export function engineStatistics(): EngineStatistics {
  return { emissionUs: null, memoryMiB: null };
}
