import { spawn } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { RecordingFile } from '../../src/platform/node/recording-file.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Player } from '../../src/recording/player.js';
import { guest, jacinth, MAIN, scratchFolder } from './jacinth.js';

const RUN_MS = 1600;
/** What may be lost. */
const LOST_MS = 1000;

interface Killed {
  /** Lines that the guest had printed, so that they could be read, more than a second before the end. */
  readonly linesSafe: number;
  readonly lines: number;
}

/** Records a guest that counts on its console, and kills the recorder when it has counted for a while. */
function recordAndKill(
  path: string,
  options: readonly string[],
  turns: number,
  runMs = RUN_MS,
): Promise<Killed> {
  const args = [MAIN, 'record', guest('count'), '-o', path, ...options, '--', '1048576', String(turns)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const seenAtMs: number[] = [];
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (bytes: Buffer) => {
      const nowMs = performance.now();
      if (seenAtMs.length === 0) setTimeout(() => child.kill('SIGKILL'), runMs);
      for (const byte of bytes) if (byte === 10) seenAtMs.push(nowMs);
    });
    child.on('close', () => {
      // Read after it was printed: what is old by this clock was older still.
      const endMs = seenAtMs.at(-1) ?? 0;
      resolve({ linesSafe: seenAtMs.filter((ms) => ms <= endMs - LOST_MS).length, lines: seenAtMs.length });
    });
  });
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
    const { linesSafe, lines } = await recordAndKill(path, options, turns);
    t.true(linesSafe > 10, `${linesSafe} lines`);
    const recording = Recording.open(RecordingFile.open(path));
    t.false(recording.complete);
    t.is(recording.end, null);
    const player = new Player(recording);
    let replayed = 0;
    player.machine.happened.subscribe(({ event }) => {
      if (event.type === 'console-written') for (const byte of event.bytes) if (byte === 10) replayed++;
    });
    // A recorded slice may lead far behind the end of the recorder.
    while (replayed < lines && player.command());
    t.log(`${replayed} of ${lines} lines, ${linesSafe} of them older than a second`);
    t.true(replayed >= linesSafe);
  });
}

test.serial('a recording that was killed can be looked at, and says what it is', async (t) => {
  const path = join(scratchFolder(), 'killed.jacinth');
  await recordAndKill(path, [], 20_000, 700);
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
