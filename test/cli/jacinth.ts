import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it is installed. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PEAK = fileURLToPath(new URL('./peak.js', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** What it had in memory at most. */
  readonly peakBytes: number;
}

/** Runs `jacinth` as a process of its own; killed, with status null, when it takes longer than `timeoutMs`. */
export function jacinth(args: readonly string[], { timeoutMs = 60_000, env = {} } = {}): Outcome {
  const options: SpawnSyncOptions = {
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 << 20,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  };
  const started = performance.now();
  const { status, signal, output } = spawnSync(process.execPath, ['--import', PEAK, MAIN, ...args], options);
  const [, stdout, stderr, peak] = output.map(String);
  return { status, signal, stdout, stderr, ms: performance.now() - started, peakBytes: Number(peak) };
}

/** A folder for one test file, gone when the process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const guest = (name: string): string => `test/guests/${name}.elf`;
