/** `node … SCRIPT`: uses the bundled command line as people do, so that the code for that is in V8's cache beside it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { main, preparedSoFar } from '../../src/cli/command.js';
import { keepCode } from '../../src/platform/node/cached-script.js';
import '../../src/platform/node/short-runs.js';
import '../../src/platform/node/wasm-features.js';

const folder = mkdtempSync(join(tmpdir(), 'jacinth-bundle-'));
const recording = join(folder, 'a.jacinth');
/** Programs whose hot code has most kinds of instructions that any has, each with an argument for 10^6 steps or so. */
const PROGRAMS = [
  ['n-body', '1338'],
  ['mandelbrot', '2'],
  ['matrix-multiply', '1'],
  ['memory-blocks', '1'],
  ['integer-mix', '19'],
  ['quick-sort', '17939'],
  ['hash-table', '24400'],
  ['bytecode', '1700'],
  ['calls', '6'],
] as const;
const USES = [
  ...PROGRAMS.map(([name, size]) => ['run', `test/guests/bench/${name}.elf`, '--', size]),
  // Threads that wait for each other.
  ['run', '--cores', '2', 'test/guests/bench/mutex-ping-pong.elf', '--', '230'],
  ['record', 'test/guests/bench/sha256.elf', '-o', recording, '--keep-checkpoints', '--', '1'],
  ['replay', recording],
  ['info', recording],
  ['show', recording, '--at', '50%'],
  ['show', recording, '--at', 'end', 'regs'],
  ['events', recording],
  ['diff', recording, recording],
  // Most of this one's memory is brought from a checkpoint.
  ['record', 'test/guests/bench/hash-table.elf', '-o', recording, '--keep-checkpoints', '--', '2000000'],
  ['show', recording, '--at', '95%'],
];

try {
  await keepCode(process.argv[2], async (exports) => {
    const cli = exports as { readonly main: typeof main; readonly preparedSoFar: typeof preparedSoFar };
    for (const args of USES) {
      await cli.main(args);
      if (process.exitCode) throw new Error(`${args.join(' ')} fails`);
    }
    return cli.preparedSoFar();
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
