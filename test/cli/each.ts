/**
 * Runs command lines of `jacinth` one after the other in one process, because starting one costs more than most of them:
 * JSON lists of arguments, one a line of stdin. What each says on stdout and stderr ends with a NUL and its exit status.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { main } from '../../src/cli/command.js';
import '../../src/platform/node/wasm-features.js';

for await (const line of createInterface({ input: process.stdin })) {
  process.exitCode = undefined;
  await main(JSON.parse(line) as string[]);
  for (const descriptor of [1, 2]) writeSync(descriptor, `\0${process.exitCode ?? 0}\n`);
}
process.exitCode = 0;
