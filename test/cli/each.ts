/**
 * Runs command lines of `jacinth` one after the other in one process, because starting one costs more than most of them:
 * the list is the argument, as JSON. What each says on stdout and stderr ends with a mark; their exit statuses go to fd 4.
 */
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { MAIN, MARK } from './jacinth.js';

const commands = JSON.parse(process.argv[2]) as string[][];
const statuses: number[] = [];
for (const [i, args] of commands.entries()) {
  process.argv = [process.execPath, MAIN, ...args];
  process.exitCode = undefined;
  // A module is run once a name.
  await import(`${pathToFileURL(MAIN).href}?command=${i}`);
  statuses.push(Number(process.exitCode ?? 0));
  for (const descriptor of [1, 2]) writeSync(descriptor, MARK);
}
process.exitCode = 0;
writeSync(4, JSON.stringify(statuses));
