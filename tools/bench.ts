/**
 * The measures of Jacinth, each against its goal, and where it says so as a ratio to something measured in the same
 * run: machines are noisy, so runs alternate and medians count.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULTS, launch, type RunSpec } from '../src/loader/launch.js';
import type { Machine } from '../src/machine/machine.js';
import { RecordingFileSink } from '../src/platform/node/recording-file.js';
import { Recorder } from '../src/recording/recorder.js';
import { runWithCheckpoints } from './checkpointed-run.js';
import { costInTurns } from './in-turns.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CLI = join(ROOT, '.build', 'src', 'cli', 'main.cjs');
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), 'jacinth-bench-'));
/** A ratio near 1, or a small difference, takes more of them. */
const RECORDING_ROUNDS = 15;
/** As many go before, in which V8 compiles. */
const WARM_ROUNDS = 8;

function spec(guest: string, args: readonly string[], more: Partial<RunSpec> = {}): RunSpec {
  const bytes = new Uint8Array(readFileSync(join(ROOT, 'test', 'guests', `${guest}.elf`)));
  return { ...DEFAULTS, ...more, program: { name: guest, bytes, args: [guest, ...args], environ: [] } };
}

function timed<T>(work: () => T): { ms: number; value: T } {
  const start = performance.now();
  const value = work();
  return { ms: performance.now() - start, value };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function run(s: RunSpec): Machine {
  const machine = launch(s);
  machine.run();
  return machine;
}

/**
 * Into a file, as people do.
 * @param look sees the machine now and then
 */
function record(s: RunSpec, look: (machine: Machine) => void = () => {}): Machine {
  const sink = RecordingFileSink.create(join(folder, 'a.jacinth'));
  const recorder = new Recorder(s, 'essential', () => sink);
  recorder.run(() => look(recorder.machine));
  sink.close();
  return recorder.machine;
}

let missed = 0;

function report(what: string, value: string, goal: string, reached: boolean): void {
  if (!reached) missed++;
  process.stdout.write(
    `${what.padEnd(40)} ${value.padStart(16)}   ${goal.padEnd(16)} ${reached ? 'ok' : 'MISSED'}\n`,
  );
}

function engine(): void {
  for (const [guest, args] of [
    ['spin', ['2000000']],
    ['sha256', ['400000']],
    ['heap-sort', ['20000']],
    ['n-body', ['20000']],
  ] as const) {
    const rates: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const { ms, value } = timed(() => run(spec(guest, args, { engine: 'reference' })));
      rates.push(value.k.state.steps / ms / 1000);
    }
    const rate = median(rates);
    report(`reference engine, ${guest}`, `${rate.toFixed(1)} MIPS`, '>= 5 MIPS', rate >= 5);
  }
}

/** Looks of a recorder between two turns: a millisecond or some, in which a host is as fast as in the next. */
const LOOKS_A_TURN = 4;

/** Processor time of recording a run over that of running it. */
function recordingCost(s: RunSpec): number {
  const ratios: number[] = [];
  for (let i = -WARM_ROUNDS; i < RECORDING_ROUNDS; i++) {
    const ratio = costInTurns(s, (look) => record(s, look), LOOKS_A_TURN);
    if (i >= 0) ratios.push(ratio);
  }
  return median(ratios);
}

/** How long recording a run takes, by the clock, once V8 knows the code. */
function recordingTime(s: RunSpec): { ms: number; machine: Machine } {
  let machine = record(s);
  const times: number[] = [];
  for (let i = -WARM_ROUNDS; i < RECORDING_ROUNDS; i++) {
    const { ms, value } = timed(() => record(s));
    machine = value;
    if (i >= 0) times.push(ms);
  }
  return { ms: median(times), machine };
}

function recording(): void {
  for (const [guest, args] of [
    ['spin', ['300000000']],
    ['n-body', ['1000000']],
    ['heap-sort', ['150000']],
    ['channel-ping-pong', ['10000']],
  ] as const) {
    const ratio = recordingCost(spec(guest, args));
    report(`recording / running, ${guest}`, `${ratio.toFixed(3)}x`, '<= 1.05x', ratio <= 1.05);
  }
  const s = spec('channel-ping-pong', ['10000']);
  let syscalls = 0;
  const counting = launch(s);
  counting.happened.subscribe(({ event }) => {
    if (event.type === 'syscall-entered') syscalls++;
  });
  counting.run();
  const { ms, machine } = recordingTime(s);
  const rate = (syscalls / ms) * 1000;
  report('recorded system calls, ping-pong', `${Math.round(rate)} /s`, '>= 100000 /s', rate >= 100_000);
  const events = (machine.k.state.seq / ms) * 1000;
  report('recorded kernel events, ping-pong', `${Math.round(events)} /s`, '>= 200000 /s', events >= 200_000);
  const roundTrips = 20_000;
  const trips = (roundTrips / recordingTime(spec('restricted-round-trips', [String(roundTrips)])).ms) * 1000;
  const what = 'recorded restricted round trips';
  report(what, `${Math.round(trips)} /s`, '>= 100000 /s', trips >= 100_000);
}

/** What taking a checkpoint every so often adds to a run, against 50 us and 3 us for each page written in between. */
function checkpoints(size: string): void {
  const s = spec('heap-sort', [size]);
  const everySteps = 200_000;
  let pages = 0;
  let before = new Set<unknown>();
  const taken = runWithCheckpoints(s, everySteps, (machine) => {
    const now = pagesOf(machine);
    for (const page of now) if (!before.has(page)) pages++;
    before = now;
  });
  const plain: number[] = [];
  const withThem: number[] = [];
  for (let i = 0; i < RECORDING_ROUNDS; i++) {
    plain.push(timed(() => runWithCheckpoints(s, Number.POSITIVE_INFINITY)).ms);
    withThem.push(timed(() => runWithCheckpoints(s, everySteps)).ms);
  }
  const us = (Math.max(0, median(withThem) - median(plain)) / taken) * 1000;
  const goal = 50 + (3 * pages) / taken;
  const what = `checkpoint (${(pages / taken).toFixed(0)} dirty pages each)`;
  report(what, `${us.toFixed(0)} us`, `<= ${goal.toFixed(0)} us`, us <= goal);
}

function pagesOf(machine: Machine): Set<unknown> {
  const out = new Set<unknown>();
  for (const object of machine.k.state.objects.values()) {
    if (object.kind === 'vmo') for (const page of object.pages.values()) out.add(page);
  }
  return out;
}

function commandLine(): void {
  const jacinth = (...args: string[]): number => {
    const { ms, value } = timed(() => spawnSync(process.execPath, [CLI, ...args], { cwd: ROOT }));
    if (value.status === null || (value.status > 2 && value.status !== 124))
      throw new Error(`jacinth ${args.join(' ')}: ${value.stderr}`);
    return ms;
  };
  const help = median(Array.from({ length: ROUNDS }, () => jacinth('--help')));
  report('jacinth --help', `${help.toFixed(0)} ms`, '<= 150 ms', help <= 150);

  const file = join(folder, 'r.jacinth');
  jacinth('record', 'test/guests/heap-sort.elf', '-o', file, '--', '2600');
  const info = JSON.parse(
    spawnSync(process.execPath, [CLI, 'info', file, '--json'], { encoding: 'utf8' }).stdout,
  );
  // Positions spread by a fixed multiplier: the same every time, and all over the run.
  const times = Array.from({ length: 9 }, (_, i) => jacinth('show', file, '--at', `${(i * 37 + 11) % 100}%`));
  const worst = Math.max(...times);
  report(
    `show --at of ${info.steps} steps, worst of 9`,
    `${worst.toFixed(0)} ms`,
    '<= 1000 ms',
    worst <= 1000,
  );

  lookingLate(jacinth);

  const closed = join(folder, 'closed.jacinth');
  jacinth(
    'record',
    'test/guests/spin.elf',
    '-o',
    closed,
    '--max-steps',
    '100000000',
    '--json',
    '--',
    '1000000000',
  );
  const bytes = readFileSync(closed).length;
  report('essential recording of 10^8 steps', `${bytes} bytes`, '<= 65536 bytes', bytes <= 65536);
}

/** Looks all over a long run that was recorded with its checkpoints. */
function lookingLate(jacinth: (...args: string[]) => number): void {
  const file = join(folder, 'long.jacinth');
  const run = ['test/guests/spin.elf', '-o', file, '--max-steps', '1000000000'];
  jacinth('record', ...run, '--keep-checkpoints', '--', '1000000000');
  const times = Array.from({ length: 21 }, (_, i) =>
    jacinth('show', file, '--at', `${(i * 37 + 11) % 100}%`),
  );
  const [, late] = times.sort((a, b) => b - a);
  const what = 'show --at of 10^9 steps, checkpoints, p95';
  report(what, `${late.toFixed(0)} ms`, '<= 300 ms', late <= 300);
}

process.stdout.write(`node ${process.version}, ${process.arch}; medians of ${ROUNDS}, runs alternate\n`);
try {
  // At first, as long as the pool has room for pages, as it has in a process with one machine.
  checkpoints('5000');
  checkpoints('20000');
  engine();
  recording();
  commandLine();
} finally {
  rmSync(folder, { recursive: true });
}
if (missed > 0) process.stdout.write(`${missed} missed\n`);
