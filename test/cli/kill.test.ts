import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { RecordingFile } from '../../src/platform/node/recording-file.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Player } from '../../src/recording/player.js';
import { guest, jacinth, MAIN, scratchFolder } from './jacinth.js';

/** What may be lost. */
const LOST_MS = 1000;
/** Lines that a killed recording must have for the test to say anything. */
const LEAST_LINES = 12;
/** Of the clock that /proc counts in, USER_HZ. */
const TICK_MS = 10;

/** A time by two clocks: the host's, and the work that the recorder has done. */
interface Moment {
  readonly wallMs: number;
  readonly workMs: number;
}

/**
 * Now. Time in which the host does not let a recorder run takes nothing from it, so by the host's clock alone a busy
 * host would make it lose more than it did. Where the host does not tell, both clocks are the host's.
 */
function momentOf(pid: number): Moment {
  const wallMs = performance.now();
  try {
    // Of its first thread: others compile and collect garbage.
    const [utime, stime] = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8')
      .replace(/.*\) /s, '')
      .split(' ')
      .slice(11);
    return { wallMs, workMs: TICK_MS * (Number(utime) + Number(stime)) };
  } catch {
    return { wallMs, workMs: wallMs };
  }
}

const age = (then: Moment, now: Moment): number =>
  Math.min(now.wallMs - then.wallMs, now.workMs - then.workMs);

interface Killed {
  /** Lines that the guest had printed, so that they could be read, more than a second before the end. */
  readonly linesSafe: number;
  readonly lines: number;
}

/** Records a guest that counts on its console, and kills the recorder when enough of that is so old. */
function recordAndKill(
  path: string,
  options: readonly string[],
  turns: number,
  afterMs: number,
): Promise<Killed> {
  const args = [MAIN, 'record', guest('count'), '-o', path, ...options, '--', '1000000000', String(turns)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const seen: Moment[] = [];
  let end: Moment | null = null;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (bytes: Buffer) => {
      // What comes behind the signal was in the pipe before it.
      const now = end ?? momentOf(child.pid!);
      for (const byte of bytes) if (byte === 10) seen.push(now);
      if (end !== null || age(seen[LEAST_LINES] ?? now, now) <= afterMs) return;
      end = now;
      child.kill('SIGKILL');
    });
    child.on('close', () => {
      // Read after it was printed: what is old by these clocks was older still.
      resolve({ linesSafe: seen.filter((then) => age(then, end!) >= LOST_MS).length, lines: seen.length });
    });
  });
}

/** How many lines a recording holds, up to a number. */
function linesIn(path: string, most: number): number {
  const recording = Recording.open(RecordingFile.open(path));
  if (recording.end !== null) throw new Error('the run came to its end');
  const player = new Player(recording);
  let lines = 0;
  player.machine.happened.subscribe(({ event }) => {
    if (event.type === 'console-written') for (const byte of event.bytes) if (byte === 10) lines++;
  });
  while (lines < most && player.command());
  return lines;
}

/** Options, and what the guest does between two lines: a full recording is slow. */
const RECORDERS: readonly (readonly [options: readonly string[], turns: number])[] = [
  [[], 20_000],
  [['--quantum', '1048576'], 20_000],
  [['--detail', 'full'], 200],
];

for (const [options, turns] of RECORDERS) {
  test.serial(`kill -9 while recording loses at most the last second ${options.join(' ')}`, async (t) => {
    const path = join(scratchFolder(), 'killed.jacinth');
    const { linesSafe, lines } = await recordAndKill(path, options, turns, LOST_MS + 300);
    const recorded = linesIn(path, lines);
    t.log(`${recorded} of ${lines} lines, ${linesSafe} of them older than a second`);
    t.true(linesSafe >= LEAST_LINES && recorded >= linesSafe);
  });
}

test.serial('a recording that was killed can be looked at, and says what it is', async (t) => {
  const path = join(scratchFolder(), 'killed.jacinth');
  await recordAndKill(path, [], 40_000, 600);
  const info = jacinth(['info', path, '--json']);
  t.is(info.status, 0, info.stderr);
  const facts = JSON.parse(info.stdout) as { complete: boolean; exit: unknown };
  t.false(facts.complete);
  t.is(facts.exit, null);
  const replay = jacinth(['replay', path]);
  t.is(replay.status, 125);
  t.regex(replay.stdout, /^1 \d+\n2 \d+\n/);
  t.regex(replay.stderr, /stops before its run ended|is cut/);
  const end = jacinth(['show', path, '--at', 'end', 'threads', '--json']);
  t.is(end.status, 0, end.stderr);
});
