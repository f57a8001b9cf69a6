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

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CLI = join(ROOT, '.build', 'src', 'cli', 'main.cjs');
const ROUNDS = 5;
/** A ratio near 1 takes more of them; as many as a third of them go before, in which V8 compiles. */
const RECORDING_ROUNDS = 12;
/** System calls run a hundred functions, not ten: V8 needs longer, and rounds differ more. */
const PING_PONG_ROUNDS = 36;

function spec(guest: string, args: readonly string[], more: Partial<RunSpec> = {}): RunSpec {
  const bytes = new Uint8Array(readFileSync(join(ROOT, 'test', 'guests', `${guest}.elf`)));
  return { ...DEFAULTS, ...more, program: { name: guest, bytes, args: [guest, ...args], environ: [] } };
}

/** By the clock, and the processor time of all threads: a busy host moves that less. */
function timed<T>(work: () => T): { ms: number; cpuMs: number; value: T } {
  const before = process.cpuUsage();
  const start = performance.now();
  const value = work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000, value };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function run(s: RunSpec): Machine {
  const machine = launch(s);
  machine.run();
  return machine;
}

/** Into a file, as people do. */
function record(s: RunSpec): Machine {
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-bench-'));
  try {
    const sink = RecordingFileSink.create(join(folder, 'a.jacinth'));
    const recorder = new Recorder(s, 'essential', () => sink);
    recorder.run();
    sink.close();
    return recorder.machine;
  } finally {
    rmSync(folder, { recursive: true });
  }
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

/** Runs and recordings of the same guest in turns, each first as often as the other; the ratio is of processor time. */
function recordingCost(
  guest: string,
  args: readonly string[],
  rounds = RECORDING_ROUNDS,
): { ratio: number; recordMs: number; machine: Machine } {
  const s = spec(guest, args);
  let machine = record(s);
  const ratios: number[] = [];
  const records: number[] = [];
  const recordOnce = () => {
    const { ms, cpuMs, value } = timed(() => record(s));
    records.push(ms);
    machine = value;
    return cpuMs;
  };
  for (let i = -Math.ceil(rounds / 3); i < rounds; i++) {
    const earlier = i % 2 === 0 ? recordOnce() : null;
    const { cpuMs } = timed(() => run(s));
    const ratio = (earlier ?? recordOnce()) / cpuMs;
    if (i >= 0) ratios.push(ratio);
  }
  return { ratio: median(ratios), recordMs: median(records), machine };
}

function recording(): void {
  for (const [guest, args] of [
    ['spin', ['300000000']],
    ['n-body', ['1000000']],
    ['heap-sort', ['150000']],
  ] as const) {
    const { ratio } = recordingCost(guest, args);
    report(`recording / running, ${guest}`, `${ratio.toFixed(3)}x`, '<= 1.05x', ratio <= 1.05);
  }
  const args = ['10000'];
  const s = spec('channel-ping-pong', args);
  let syscalls = 0;
  const counting = launch(s);
  counting.happened.subscribe(({ event }) => {
    if (event.type === 'syscall-entered') syscalls++;
  });
  counting.run();
  const { ratio, recordMs, machine } = recordingCost('channel-ping-pong', args, PING_PONG_ROUNDS);
  const rate = (syscalls / recordMs) * 1000;
  report('recorded system calls, ping-pong', `${Math.round(rate)} /s`, '>= 100000 /s', rate >= 100_000);
  const events = (machine.k.state.seq / recordMs) * 1000;
  report('recorded kernel events, ping-pong', `${Math.round(events)} /s`, '>= 200000 /s', events >= 200_000);
  report('recording / running, ping-pong', `${ratio.toFixed(3)}x`, '<= 1.05x', ratio <= 1.05);
  const roundTrips = 20_000;
  const restricted = recordingCost('restricted-round-trips', [String(roundTrips)]);
  const trips = (roundTrips / restricted.recordMs) * 1000;
  const what = 'recorded restricted round trips';
  report(what, `${Math.round(trips)} /s`, '>= 100000 /s', trips >= 100_000);
}

/** What taking a checkpoint every so often adds to a run, against 50 us and 3 us for each page written in between. */
function checkpoints(): void {
  const s = spec('heap-sort', ['5000']);
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
  for (let i = 0; i < ROUNDS; i++) {
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
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-bench-'));
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

  lookingLate(folder, jacinth);

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
  rmSync(folder, { recursive: true });
}

/** Looks all over a long run that was recorded with its checkpoints. */
function lookingLate(folder: string, jacinth: (...args: string[]) => number): void {
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
engine();
recording();
checkpoints();
commandLine();
if (missed > 0) process.stdout.write(`${missed} missed\n`);
