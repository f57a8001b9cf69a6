/**
 * How fast guests run, beside qemu-riscv64 in the same minutes: `npm run bench:engine -- [--quick] [--rounds N]
 * [--engine NAME] [--cpu] [PROGRAM…]`. Each program of test/guests/bench runs here as a guest and there as a Linux program of
 * the same machine code; runs alternate, medians count, and both must print the same. --cpu compares the processor time
 * of all threads instead of the clock's: less exact about what a user waits for, but steady on a busy host.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineKind } from '../src/cpu/arch.js';
import {
  checkpointCost,
  engineStatistics,
  type StartUp,
  showTimes,
  startUp,
  steadyMips,
} from './bench-engine/alone.js';
import { Goals } from './bench-engine/goals.js';
import { type Clock, firstLine, mustHave } from './bench-engine/processes.js';
import {
  buildForLinux,
  Calibration,
  LINUX_COMPILER,
  listPrograms,
  type Program,
  type Sized,
} from './bench-engine/programs.js';
import { type Compared, compare, QEMU, type Rates } from './bench-engine/side-by-side.js';
import { geometricMean, percentile } from './bench-engine/statistics.js';
import { engineKind } from './engine-kind.js';
import { commandLine, Trouble } from './trouble.js';

/** Instructions of a long run. */
const STEPS = 1e9;
const QUICK_STEPS = 1e8;
/** A short run's part of it. */
const SHORT = 1 / 4;
const START_UP_ROUNDS = 5;
/** Positions that are shown, over all programs. */
const SHOWN = 30;

interface Options {
  readonly steps: number;
  readonly rounds: number;
  readonly engine: EngineKind;
  readonly clock: Clock;
  readonly programs: readonly Program[];
}

/** A program's row of the table, and what later measures take over from it. */
interface Row extends Compared {
  readonly program: Program;
  /** The smallest run of 10^6 instructions or more; null when all are longer. */
  readonly million: Sized | null;
  readonly short: Sized;
  readonly long: Sized;
  readonly recording: string;
}

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  engine: { type: 'string', default: 'auto' },
  cpu: { type: 'boolean', default: false },
} as const;

function readOptions(): Options {
  const { values, positionals } = commandLine({ allowPositionals: true, options: OPTIONS });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Trouble(`not a number of rounds, ${values.rounds}`);
  return {
    steps: values.quick ? QUICK_STEPS : STEPS,
    rounds,
    engine: engineKind(values.engine),
    clock: values.cpu ? 'cpuMs' : 'wallMs',
    programs: listPrograms(positionals),
  };
}

function measureRow(program: Program, options: Options, folder: string): Row {
  const { steps, rounds, clock } = options;
  const calibration = new Calibration(program, options.engine, join(folder, 'size.jacinth'));
  const million = calibration.sizeFor(1e6);
  const short = calibration.sizeFor(steps * SHORT);
  const long = calibration.sizeFor(steps);
  if (short === null || long === null || long.argument <= short.argument)
    throw new Trouble(`${program.name} has no runs of ${steps * SHORT} and ${steps} instructions`);
  const recording = join(folder, `${program.name}.jacinth`);
  const recordings = { long: recording, short: join(folder, 'short.jacinth') };
  const subject = { program, linux: buildForLinux(program, folder), long, short };
  const compared = compare(subject, options.engine, rounds, clock, recordings);
  return { ...compared, program, million, short, long, recording };
}

const WIDTHS = [15, 7, 6, 6, 6, 6, 6, 6, 6, 6];

function printCells(...cells: readonly string[]): void {
  const [name, ...numbers] = cells;
  const rest = numbers.map((cell, i) => cell.padStart(WIDTHS[i + 1]));
  process.stdout.write(`${[name.padEnd(WIDTHS[0]), ...rest].join(' ')}\n`);
}

function printHead({ steps, rounds, engine, clock }: Options): void {
  const other = clock === 'wallMs' ? 'cpu' : 'wall';
  const lines = [
    `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? process.arch}`,
    firstLine(QEMU, '--version'),
    `${firstLine(LINUX_COMPILER, '--version')}, the same flags for both`,
    `engine ${engine}, recorded, ${steps.toExponential(0)} instructions or more each;`,
    `medians of ${rounds}, runs alternate`,
    `MIPS and ratios by ${clock === 'wallMs' ? 'wall' : 'processor'} time; ${other}: ratio by the other`,
    `steady: without the first ${SHORT * 100} % of the run; rec: what recording adds`,
  ];
  const load = loadavg()[0];
  if (load > cpus().length)
    lines.push(`the host is busy (load ${load.toFixed(1)}): wall time tells little, see --cpu`);
  process.stdout.write(`${lines.join('\n')}\n\n`);
  printCells('', '', 'whole', 'run', '', '', 'steady', 'state');
  printCells('program', 'instr', 'ours', 'qemu', 'ratio', other, 'ours', 'qemu', 'ratio', 'rec');
}

function printRow(name: string, steps: number, { whole, steady, otherRatio, recordingCost }: Compared): void {
  printCells(
    name,
    steps.toExponential(2).replace('+', ''),
    ...[whole.ours, whole.qemu].map((mips) => mips.toFixed(0)),
    ...[whole.ratio, otherRatio].map((ratio) => ratio.toFixed(3)),
    ...(steady === null
      ? ['-', '-', '-']
      : [steady.ours.toFixed(0), steady.qemu.toFixed(0), steady.ratio.toFixed(3)]),
    `${(recordingCost * 100).toFixed(1)}%`,
  );
}

function mean(rows: readonly Row[]): Compared {
  const of = (pick: (row: Row) => number) => geometricMean(rows.map(pick));
  const rates = (all: readonly Rates[]): Rates => ({
    ours: geometricMean(all.map(({ ours }) => ours)),
    qemu: geometricMean(all.map(({ qemu }) => qemu)),
    ratio: geometricMean(all.map(({ ratio }) => ratio)),
  });
  const steady = rows.flatMap((row) => row.steady ?? []);
  return {
    whole: rates(rows.map(({ whole }) => whole)),
    steady: steady.length === 0 ? null : rates(steady),
    otherRatio: of((row) => row.otherRatio),
    recordingCost: of((row) => 1 + row.recordingCost) - 1,
  };
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function judgeTable(goals: Goals, rows: readonly Row[]): void {
  const { whole, steady, recordingCost } = mean(rows);
  const floats = rows.filter(({ program }) => program.floatingPoint).map((row) => row.whole.ratio);
  goals.atLeast('whole run / qemu, geometric mean', whole.ratio, 0.8);
  const told = rows.filter((row) => row.steady !== null).length;
  const of = told < rows.length ? ` of ${told}` : '';
  goals.atLeast(`steady state / qemu, geometric mean${of}`, steady?.ratio ?? null, 1);
  goals.atLeast('whole run / qemu, slowest program', least(rows.map((row) => row.whole.ratio)), 0.4);
  goals.atLeast('whole run / qemu, slowest of floats', least(floats), 2);
  goals.atMost('recording / running, geometric mean', recordingCost * 100, 3, ' %', 1);
}

function judgeRest(goals: Goals, rows: readonly Row[], options: Options): void {
  const { engine, rounds, clock } = options;
  // The one that is furthest over its own limit, which follows node's time in the same minutes.
  const limit = (one: StartUp) => 1.5 * one.nodeMs + 100;
  const started = rows
    .flatMap(({ program, million }) =>
      million === null ? [] : [startUp(program, million, engine, Math.max(rounds, START_UP_ROUNDS))],
    )
    .toSorted((a, b) => b.oursMs - limit(b) - (a.oursMs - limit(a)))
    .at(0);
  const startLimit = started === undefined ? 0 : limit(started);
  goals.atMost('10^6 instructions, slowest program', started?.oursMs ?? null, startLimit, ' ms', 0);
  const interpreted = rows.flatMap(({ program, million, short }) =>
    million === null ? [] : [steadyMips(program, short, million, 'interpreter', rounds, clock)],
  );
  const interpreter = interpreted.length === 0 ? null : geometricMean(interpreted);
  goals.atLeast('interpreter, geometric mean', interpreter, 150, ' MIPS', 0);
  const { emissionUs, coldEmissionUs, hostUs, memoryMiB } = engineStatistics(rows, engine);
  const besides = `cold ${coldEmissionUs?.toFixed(0)}, V8 ${hostUs?.toFixed(0)} us`;
  goals.atMost(`emission, warm${emissionUs === null ? '' : ` (${besides})`}`, emissionUs, 5, ' us');
  goals.atMost('memory of the engine', memoryMiB, 200, ' MiB', 0);
  const checkpoints = rows
    .map(({ program, long }) => checkpointCost(program, long.argument, engine, rounds))
    .filter((ratio) => ratio !== null);
  const cost = checkpoints.length === 0 ? null : (geometricMean(checkpoints) - 1) * 100;
  goals.atMost('checkpoint every 10^6, small working sets', cost, 5, ' %', 1);
  const each = Math.ceil(SHOWN / rows.length);
  const shown = rows.flatMap(({ program, long, recording }) => showTimes(program, long, recording, each));
  goals.atMost(`show --at, 95th percentile of ${shown.length}`, percentile(shown, 95), 300, ' ms', 0);
}

function main(): void {
  mustHave('bash', 'bash');
  mustHave(QEMU, 'qemu-user');
  mustHave(LINUX_COMPILER, 'gcc-riscv64-linux-gnu and libc6-dev-riscv64-cross');
  const options = readOptions();
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-bench-'));
  try {
    printHead(options);
    const rows = options.programs.map((program) => {
      const row = measureRow(program, options, folder);
      printRow(program.name, row.long.steps, row);
      return row;
    });
    printRow('geometric mean', geometricMean(rows.map(({ long }) => long.steps)), mean(rows));
    process.stdout.write('\n');
    const goals = new Goals();
    judgeTable(goals, rows);
    judgeRest(goals, rows, options);
    goals.end();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  process.stderr.write(`bench-engine: ${error.message}\n`);
  process.exitCode = 1;
}
