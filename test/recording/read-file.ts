/** Reads a recording through, as a process of its own: `node read-file.js FILE`. Prints what it met and its memory. */
import { existsSync, readFileSync } from 'node:fs';
import { RecordingFile } from '../../src/platform/node/recording-file.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingError } from '../../src/recording/format/recording-error.js';
import { readAll } from './sample.js';

let items = 0;
let problem: string | null = null;
try {
  const recording = Recording.open(RecordingFile.open(process.argv[2]));
  items = readAll(recording);
  problem = recording.problem?.message ?? null;
} catch (error) {
  if (!(error instanceof RecordingError)) throw error;
  problem = error.message;
}
// Of this process alone, where the host tells: getrusage also counts what it was forked from.
const STATUS = '/proc/self/status';
const peak = existsSync(STATUS) ? /VmHWM:\s*(\d+) kB/.exec(readFileSync(STATUS, 'utf8')) : null;
const peakBytes = Number(peak?.[1] ?? process.resourceUsage().maxRSS) * 1024;
console.log(JSON.stringify({ items, problem, peakBytes }));
