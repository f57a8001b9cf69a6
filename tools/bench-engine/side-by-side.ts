import type { EngineKind } from '../../src/cpu/arch.js';
import { Trouble } from '../trouble.js';
import { type Clock, jacinth, type Run, run } from './processes.js';
import { type Program, runArguments, type Sized } from './programs.js';
import { median, percentile } from './statistics.js';

export const QEMU = 'qemu-riscv64';

/** What is compared: a program of two sizes, here and under qemu. */
export interface Subject {
  readonly program: Program;
  readonly linux: string;
  readonly long: Sized;
  /** A part of the long run's length: what both take is start-up. */
  readonly short: Sized;
}

/** Millions of instructions a second; all of them count the instructions of our run, whoever ran them. */
export interface Compared {
  readonly whole: Rates;
  /** Null where a busy host took no longer for the long run than for the short one. */
  readonly steady: Rates | null;
  /** That of the whole runs by the other clock. */
  readonly otherRatio: number;
  /** Processor time of recording over running, less one. */
  readonly recordingCost: number;
}

export interface Rates {
  readonly ours: number;
  readonly qemu: number;
  readonly ratio: number;
}

function rates(steps: number, ourMs: number, qemuMs: number): Rates {
  return { ours: steps / ourMs / 1000, qemu: steps / qemuMs / 1000, ratio: qemuMs / ourMs };
}

/** Pairs of runs, but for programs whose pairs take longer together than this: fewer then. */
const PAIRS = 24;
const LEAST_PAIRS = 5;
const PAIRS_MS = 20_000;
/** Hosts are a fifth as fast again from one run to the next, and only ever slower than they could be. */
const UNDISTURBED = 25;

/**
 * Processor time of recording over running, less one: of the quicker runs, which run one behind the other and more often
 * than in the table, because a few hundredths are looked for.
 */
function recordingCost({ program, long }: Subject, engine: EngineKind, recording: string): number {
  const args = runArguments(program, engine, long.argument);
  const plain = () => jacinth('run', ...args);
  const record = () => jacinth('record', '-o', recording, '--json', ...args);
  const runMs: number[] = [];
  const recordMs: number[] = [];
  for (let spentMs = 0, i = 0; i < LEAST_PAIRS || (i < PAIRS && spentMs < PAIRS_MS); i++) {
    const before = i % 2 === 0 ? null : record();
    const ran = plain();
    const recorded = before ?? record();
    mustAgree(program, ran.stdout, recorded.stderr);
    runMs.push(ran.cpuMs);
    recordMs.push(recorded.cpuMs);
    spentMs += ran.wallMs + recorded.wallMs;
  }
  return percentile(recordMs, UNDISTURBED) / percentile(runMs, UNDISTURBED) - 1;
}

/** Runs in turns, every other round in the opposite order; outputs must agree. */
export function compare(
  subject: Subject,
  engine: EngineKind,
  rounds: number,
  clock: Clock,
  recordings: { readonly long: string; readonly short: string },
): Compared {
  const { program, linux, long, short } = subject;
  const ours = (argument: number) => runArguments(program, engine, argument);
  // With --json the console is on stderr.
  const record = (to: string, argument: number) => jacinth('record', '-o', to, '--json', ...ours(argument));
  const qemu = (argument: number) => run([QEMU, linux, `${argument}`]);
  const legs = {
    recorded: () => record(recordings.long, long.argument),
    qemu: () => qemu(long.argument),
    recordedShort: () => record(recordings.short, short.argument),
    qemuShort: () => qemu(short.argument),
  };
  type Leg = keyof typeof legs;
  const names = Object.keys(legs) as Leg[];
  const runs: Record<Leg, Run[]> = { recorded: [], qemu: [], recordedShort: [], qemuShort: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) runs[name].push(legs[name]());
    mustAgree(program, runs.qemu[round].stdout, runs.recorded[round].stderr);
    mustAgree(program, runs.qemuShort[round].stdout, runs.recordedShort[round].stderr);
  }
  const time = (leg: Leg, by = clock) => median(runs[leg].map((one) => one[by]));
  const other = clock === 'wallMs' ? 'cpuMs' : 'wallMs';
  const oursLonger = time('recorded') - time('recordedShort');
  const qemuLonger = time('qemu') - time('qemuShort');
  const isTold = oursLonger > 0 && qemuLonger > 0;
  return {
    whole: rates(long.steps, time('recorded'), time('qemu')),
    steady: isTold ? rates(long.steps - short.steps, oursLonger, qemuLonger) : null,
    otherRatio: time('qemu', other) / time('recorded', other),
    recordingCost: recordingCost(subject, engine, recordings.long),
  };
}

function mustAgree({ name }: Program, expected: string, ...outputs: readonly string[]): void {
  const other = outputs.find((output) => output !== expected);
  if (other === undefined) return;
  throw new Trouble(
    `${name} printed ${JSON.stringify(other)} here and ${JSON.stringify(expected)} under ${QEMU}`,
  );
}
