/**
 * How fast guests run, beside qemu-riscv64 in the same minutes: `npm run bench:engine -- [--quick] [--rounds N]
 * [--engine NAME] [PROGRAM…]`. Each program of test/guests/bench runs here as a guest and there as a Linux program of
 * the same machine code; runs alternate, medians count, and both must print the same.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  checkpointCost,
  engineStatistics,
  type StartUp,
  showTimes,
  startUp,
  steadyMips,
} from './bench-engine/alone.js';
import { Goals } from './bench-engine/goals.js';
import { BenchError, firstLine, jacinth, mustHave } from './bench-engine/processes.js';
import {
  buildForLinux,
  Calibration,
  LINUX_COMPILER,
  listPrograms,
  type Program,
} from './bench-engine/programs.js';
import { type Compared, compare, QEMU } from './bench-engine/side-by-side.js';
import { geometricMean, percentile } from './bench-engine/statistics.js';

/** Instructions of a long run. */
const STEPS = 1e9;
const QUICK_STEPS = 1e8;
/** A short run's part of it. */
const SHORT = 1 / 4;
const CHECKPOINTED_STEPS = 1e8;
const START_UP_ROUNDS = 5;
/** Positions that are shown, over all programs. */
const SHOWN = 30;

interface Options {
  readonly steps: number;
  readonly rounds: number;
  readonly engine: string | undefined;
  readonly engines: boolean;
  readonly programs: readonly Program[];
}

/** Everything that was measured of one program; null where it was not. */
interface Measured extends Compared {
  readonly program: Program;
  /** Of its long run. */
  readonly steps: number;
  /** What checkpoints add to a run, as a part of it. */
  readonly checkpoints: number | null;
  readonly startUp: StartUp | null;
  readonly interpreterMips: number | null;
  readonly showMs: readonly number[];
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      engine: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new BenchError(`not a number of rounds, ${values.rounds}`);
  const engines = jacinth('run', '--help').stdout.includes('--engine');
  if (values.engine !== undefined && !engines)
    throw new BenchError('jacinth run has no --engine, leave it out');
  return {
    steps: values.quick ? QUICK_STEPS : STEPS,
    rounds,
    engine: values.engine,
    engines,
    programs: listPrograms(positionals),
  };
}

function measure(program: Program, options: Options, folder: string): Measured {
  const { steps, rounds, engine, engines } = options;
  const ours = engine === undefined ? [] : ['--engine', engine];
  const calibration = new Calibration(program, ours, join(folder, 'size.jacinth'));
  const million = calibration.sizeFor(1e6);
  const short = calibration.sizeFor(steps * SHORT);
  const long = calibration.sizeFor(steps);
  if (short === null || long === null || long.argument <= short.argument)
    throw new BenchError(`${program.name} has no runs of ${steps * SHORT} and ${steps} instructions`);
  const recordings = { long: join(folder, 'long.jacinth'), short: join(folder, 'short.jacinth') };
  const subject = { program, linux: buildForLinux(program, folder), long, short };
  const compared = compare(subject, ours, rounds, recordings);
  printRow(program.name, long.steps, compared);
  const shown = Math.ceil(SHOWN / options.programs.length);
  return {
    ...compared,
    program,
    steps: long.steps,
    checkpoints: checkpointCost(program, short.argument, CHECKPOINTED_STEPS, engine, rounds),
    startUp: million === null ? null : startUp(program, million, ours, Math.max(rounds, START_UP_ROUNDS)),
    interpreterMips:
      engines && million !== null ? steadyMips(program, short, million, 'interpreter', rounds) : null,
    showMs: showTimes(program, long, recordings.long, shown),
  };
}

const WIDTHS = [15, 7, 6, 6, 6, 6, 6, 6, 6, 6];

function printCells(...cells: readonly string[]): void {
  const [name, ...numbers] = cells;
  const rest = numbers.map((cell, i) => cell.padStart(WIDTHS[i + 1]));
  process.stdout.write(`${[name.padEnd(WIDTHS[0]), ...rest].join(' ')}\n`);
}

function printHead({ steps, rounds, engine }: Options): void {
  const host = `${cpus().length} × ${cpus()[0]?.model ?? process.arch}`;
  const lines = [
    `node ${process.version}, ${host}`,
    firstLine(QEMU, '--version'),
    `${firstLine(LINUX_COMPILER, '--version')}, the same flags for both`,
    `engine ${engine ?? 'as by default'}, recorded, ${steps.toExponential(0)} instructions or more each;`,
    `medians of ${rounds}, runs alternate. MIPS; cpu: ratio by processor time of all threads;`,
    `steady: without the first ${SHORT * 100} % of the run; rec: what recording adds to processor time`,
  ];
  process.stdout.write(`${lines.join('\n')}\n\n`);
  printCells('', '', 'whole', 'run', '', '', 'steady', 'state');
  printCells('program', 'instr', 'ours', 'qemu', 'ratio', 'cpu', 'ours', 'qemu', 'ratio', 'rec');
}

function printRow(name: string, steps: number, { whole, steady, cpuRatio, recordingCost }: Compared): void {
  printCells(
    name,
    steps.toExponential(2).replace('+', ''),
    ...[whole.ours, whole.qemu].map((mips) => mips.toFixed(0)),
    ...[whole.ratio, cpuRatio].map((ratio) => ratio.toFixed(3)),
    ...[steady.ours, steady.qemu].map((mips) => mips.toFixed(0)),
    steady.ratio.toFixed(3),
    `${(recordingCost * 100).toFixed(1)}%`,
  );
}

function mean(all: readonly Measured[]): Compared {
  const of = (pick: (one: Measured) => number) => geometricMean(all.map(pick));
  const rates = (which: 'whole' | 'steady') => ({
    ours: of((one) => one[which].ours),
    qemu: of((one) => one[which].qemu),
    ratio: of((one) => one[which].ratio),
  });
  return {
    whole: rates('whole'),
    steady: rates('steady'),
    cpuRatio: of((one) => one.cpuRatio),
    recordingCost: of((one) => 1 + one.recordingCost) - 1,
  };
}

/** The values that there are, or null when there is none. */
function present<T>(values: readonly (T | null)[]): T[] | null {
  const found = values.filter((value) => value !== null);
  return found.length === 0 ? null : found;
}

function judge(all: readonly Measured[]): void {
  const goals = new Goals();
  const { whole, steady, recordingCost } = mean(all);
  const worst = Math.min(...all.map((one) => one.whole.ratio));
  const floats = all.filter(({ program }) => program.floatingPoint);
  goals.atLeast('whole run / qemu, geometric mean', whole.ratio, 0.8);
  goals.atLeast('steady state / qemu, geometric mean', steady.ratio, 1);
  goals.atLeast('whole run / qemu, the slowest program', worst, 0.4);
  goals.atLeast('whole run / qemu, the slowest of floats', least(floats.map((one) => one.whole.ratio)), 2);
  goals.atMost('recording / running, geometric mean', recordingCost * 100, 3, ' %', 1);
  const checkpoints = present(all.map((one) => one.checkpoints));
  const cost = checkpoints && geometricMean(checkpoints.map((part) => 1 + part)) - 1;
  goals.atMost('checkpoint every 10^6, small working sets', cost && cost * 100, 5, ' %', 1);
  const starts = present(all.map((one) => one.startUp));
  // The one that is furthest over its own limit, which follows node's time in the same minutes.
  const limit = (one: StartUp) => 1.5 * one.nodeMs + 100;
  const start = starts?.toSorted((a, b) => b.oursMs - limit(b) - (a.oursMs - limit(a)))[0];
  goals.atMost(
    '10^6 instructions, the slowest program',
    start?.oursMs ?? null,
    start ? limit(start) : 0,
    ' ms',
    0,
  );
  const interpreted = present(all.map((one) => one.interpreterMips));
  goals.atLeast('interpreter, geometric mean', interpreted && geometricMean(interpreted), 150, ' MIPS', 0);
  const { emissionUs, memoryMiB } = engineStatistics();
  goals.atMost('emission of an instruction', emissionUs, 5, ' us');
  goals.atMost('memory of the engine', memoryMiB, 200, ' MiB', 0);
  const shows = all.flatMap((one) => one.showMs);
  goals.atMost(`show --at, 95th percentile of ${shows.length}`, percentile(shows, 95), 300, ' ms', 0);
  goals.end();
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function main(): void {
  mustHave('bash', 'bash');
  mustHave(QEMU, 'qemu-user');
  mustHave(LINUX_COMPILER, 'gcc-riscv64-linux-gnu and libc6-dev-riscv64-cross');
  const options = readOptions();
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-bench-'));
  try {
    printHead(options);
    const all = options.programs.map((program) => measure(program, options, folder));
    printRow('geometric mean', geometricMean(all.map((one) => one.steps)), mean(all));
    process.stdout.write('\n');
    judge(all);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  process.stderr.write(`bench-engine: ${error.message}\n`);
  process.exitCode = 1;
}
