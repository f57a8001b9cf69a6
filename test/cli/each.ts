/**
 * Runs command lines of `jacinth` one after the other in one process, because starting one costs more than most of them:
 * JSON lists of arguments, one a line of stdin. What each says on stdout and stderr ends with a NUL and its exit status.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { MAIN } from './jacinth.js';

let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  process.argv = [process.execPath, MAIN, ...(JSON.parse(line) as string[])];
  process.exitCode = undefined;
  // A module is run once a name.
  await import(`../../src/cli/main.js?command=${count++}`);
  for (const descriptor of [1, 2]) writeSync(descriptor, `\0${process.exitCode ?? 0}\n`);
}
process.exitCode = 0;
