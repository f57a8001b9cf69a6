import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it is installed. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PEAK = fileURLToPath(new URL('./peak.js', import.meta.url));
const EACH = fileURLToPath(new URL('./each.js', import.meta.url));
/** Ends what one of several command lines says. */
export const MARK = '\0\n';

export interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it had in memory at most. */
  readonly peakBytes: number;
}

function start(args: readonly string[], timeoutMs: number, env: object): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['--import', PEAK, ...args], {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 << 20,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
}

/** Runs `jacinth` as a process of its own; killed, with status null, when it takes longer than `timeoutMs`. */
export function jacinth(args: readonly string[], { timeoutMs = 60_000, env = {} } = {}): Outcome {
  const { status, signal, output } = start([MAIN, ...args], timeoutMs, env);
  const [, stdout, stderr, peak] = output.map(String);
  return { status, signal, stdout, stderr, peakBytes: Number(peak) };
}

/**
 * Runs command lines one after the other as `jacinth` would, all in one process: much quicker than a process each. The
 * time limit and the peak of memory are those of all together.
 */
export function jacinthEach(
  commands: readonly (readonly string[])[],
  { timeoutMs = 300_000, env = {} } = {},
): Outcome[] {
  const { status, signal, output } = start([EACH, JSON.stringify(commands)], timeoutMs, env);
  const [, stdout, stderr, peak, statuses] = output.map(String);
  if (status !== 0) throw new Error(`ended by ${signal ?? status}: ${stderr.slice(-2000)}`);
  const [outs, errs] = [stdout, stderr].map((text) => text.split(MARK));
  return (JSON.parse(statuses) as number[]).map((code, i) => ({
    status: code,
    signal: null,
    stdout: outs[i],
    stderr: errs[i],
    peakBytes: Number(peak),
  }));
}

/** A folder for one test file, gone when the process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const guest = (name: string): string => `test/guests/${name}.elf`;
