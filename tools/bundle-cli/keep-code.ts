/**
 * `node … VERB SCRIPT FOLDER`: uses a verb of the bundled command line as people do, so that the code for that is in V8's
 * cache beside its script. `record` leaves recordings in the folder for the verbs that look into them.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { main, preparedSoFar } from '../../src/cli/command.js';
import type { VerbName } from '../../src/cli/overview.js';
import { keepCode } from '../../src/platform/node/cached-script.js';
import '../../src/platform/node/short-runs.js';
import '../../src/platform/node/wasm-features.js';

const [verb, script, folder] = process.argv.slice(2) as [VerbName, string, string];
const recordingOf = (name: string): string => join(folder, `${name}.jacinth`);

/** Programs whose hot code has most kinds of instructions that any has, each with an argument for 10^6 steps or so. */
const PROGRAMS = [
  ['n-body', 1338],
  ['mandelbrot', 2],
  ['matrix-multiply', 1],
  ['memory-blocks', 1],
  ['integer-mix', 19],
  ['quick-sort', 17939],
  ['hash-table', 24400],
  ['bytecode', 136],
  ['calls', 6],
  ['sha256', 1],
  // Threads that wait for each other.
  ['mutex-ping-pong', 230, 2],
] as const;
/** As far as that, looks compile hot code, too. */
const LENGTHS = 5;
/** Most of this one's memory is brought from a checkpoint. */
const LARGE = ['large', '--keep-checkpoints', 'test/guests/bench/hash-table.elf', '--', '2000000'] as const;

const runs = (verb: VerbName, lengths: number): string[][] =>
  PROGRAMS.map(([name, size, cores = 1]) => [
    ...[verb, '--cores', `${cores}`, ...(verb === 'record' ? ['-o', recordingOf(name)] : [])],
    ...[`test/guests/bench/${name}.elf`, '--', `${lengths * size}`],
  ]);
const looks = (verb: VerbName, ...args: readonly string[]): string[][] =>
  PROGRAMS.map(([name]) => [verb, recordingOf(name), ...args]);

const recording = recordingOf('quick-sort');
const other = recordingOf('mutex-ping-pong');
const large = recordingOf(LARGE[0]);
const USES: Readonly<Record<VerbName, () => readonly (readonly string[])[]>> = {
  cc: () => [['cc', '--help']],
  run: () => runs('run', 1),
  record: () => runs('record', LENGTHS),
  replay: () => looks('replay'),
  info: () => looks('info'),
  events: () => [...looks('events'), ['events', other, '--from', '99%', '--detail', 'step']],
  show: () => [
    ...looks('show', '--at', '95%'),
    ...['threads', 'regs', 'handles', 'maps', 'objects'].map((what) => ['show', other, '--at', '50%', what]),
    ['show', large, '--at', '95%'],
  ],
  writes: () => [['writes', recording, '--addr', 'keys', '--last']],
  diff: () => PROGRAMS.map(([name]) => ['diff', recordingOf(name), recordingOf(name)]),
};

interface Cli {
  readonly main: typeof main;
  readonly preparedSoFar: typeof preparedSoFar;
}

let cli: Cli;

async function use(args: readonly string[]): Promise<void> {
  await cli.main(args);
  if (process.exitCode) throw new Error(`${args.join(' ')} fails`);
}

await keepCode(
  script,
  createRequire(script),
  async (exports) => {
    cli = exports as Cli;
    for (const args of USES[verb]()) await use(args);
  },
  async () => {
    // Code that few recordings need would be loaded for all.
    if (verb === 'record') await use(['record', '-o', large, ...LARGE.slice(1)]);
    return cli.preparedSoFar();
  },
);
