import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Trouble } from '../trouble.js';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const CLI = join(ROOT, '.build', 'src', 'cli', 'main.cjs');
/** Nothing here takes as long unless it hangs. */
const TIMEOUT_MS = 20 * 60_000;

/** What time is compared: the clock's, or that of the processor. */
export type Clock = 'wallMs' | 'cpuMs';

/** One run of a process, from its start to its end. */
export interface Run {
  readonly wallMs: number;
  /** User and system time of all its threads. */
  readonly cpuMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The shell's keyword measures to the millisecond, where what Node can ask of a child counts ticks of 10 ms. */
const TIMED = `TIMEFORMAT='%3R %3U %3S'; time "$@"`;

/** Throws a `Trouble` when the process cannot be run or does not exit with 0. */
export function run(command: readonly string[]): Run {
  const result = spawnSync('bash', ['-c', TIMED, 'bash', ...command], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 << 20,
    timeout: TIMEOUT_MS,
  });
  const times = /(?:^|\n)([\d.]+) ([\d.]+) ([\d.]+)\n$/.exec(result.stderr ?? '');
  if (result.status !== 0 || times === null) {
    const why = result.error?.message ?? result.stderr.trim().split('\n')[0] ?? '';
    throw new Trouble(`${command.join(' ')} failed (${result.status ?? result.signal}): ${why}`);
  }
  const [wall, user, system] = times.slice(1).map((seconds) => Number(seconds) * 1000);
  return {
    wallMs: wall,
    cpuMs: user + system,
    stdout: result.stdout,
    stderr: result.stderr.slice(0, times.index + (times[0].startsWith('\n') ? 1 : 0)),
  };
}

export function jacinth(...args: readonly string[]): Run {
  return run([process.execPath, CLI, ...args]);
}

/** Throws a `Trouble` that says what to install when a program is not on the path. */
export function mustHave(program: string, debianPackage: string): void {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Trouble(`no ${program} on the path, install ${debianPackage} (Debian)`);
}

export function firstLine(command: string, ...args: readonly string[]): string {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout.split('\n')[0];
}
