import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it is installed. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.cjs', import.meta.url));
const PEAK = fileURLToPath(new URL('./peak.js', import.meta.url));
const EACH = fileURLToPath(new URL('./each.js', import.meta.url));
/** Ends what one of several command lines says, and tells its exit status. */
const END_OF_ONE = /\0(\d+)\n/;

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it had in memory at most. */
  readonly peakBytes: number;
}

function start(args: readonly string[], input: string | null, timeoutMs: number, env: object): string[] {
  const { status, signal, output } = spawnSync(process.execPath, ['--import', PEAK, ...args], {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 << 20,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(input === null ? {} : { input }),
  });
  return [String(status ?? signal), ...output.slice(1).map(String)];
}

/** Runs `jacinth` as a process of its own; killed, with a signal as status, when it takes longer than `timeoutMs`. */
export function jacinth(args: readonly string[], { timeoutMs = 60_000, env = {} } = {}): Outcome {
  const [status, stdout, stderr, peak] = start([MAIN, ...args], null, timeoutMs, env);
  return { status: Number(status), stdout, stderr, peakBytes: Number(peak) };
}

/**
 * Runs command lines one after the other as `jacinth` would, all in one process: much quicker than a process each. The
 * time limit and the peak of memory are those of all together.
 */
export function jacinthEach(
  commands: readonly (readonly string[])[],
  { timeoutMs = 300_000, env = {} } = {},
): Outcome[] {
  const input = commands.map((args) => `${JSON.stringify(args)}\n`).join('');
  const [status, stdout, stderr, peak] = start([EACH], input, timeoutMs, env);
  const [outs, errs] = [stdout, stderr].map((text) => text.split(END_OF_ONE));
  if (outs.length !== 2 * commands.length + 1)
    throw new Error(`ended by ${status} after ${(outs.length - 1) / 2}: ${stderr.slice(-2000)}`);
  return commands.map((_, i) => ({
    status: Number(outs[2 * i + 1]),
    stdout: outs[2 * i],
    stderr: errs[2 * i],
    peakBytes: Number(peak),
  }));
}

/** A process that runs command lines as `jacinth` would, one after the other as they come. */
export class JacinthSession {
  private readonly child = spawn(process.execPath, [EACH], { stdio: ['pipe', 'pipe', 'pipe'] });
  private readonly said = ['', ''];
  private readonly waiting: ((outcome: Omit<Outcome, 'peakBytes'>) => void)[] = [];

  constructor() {
    for (const [i, stream] of [this.child.stdout, this.child.stderr].entries()) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said[i] += text;
        this.answer();
      });
    }
  }

  run(args: readonly string[]): Promise<Omit<Outcome, 'peakBytes'>> {
    this.child.stdin.write(`${JSON.stringify(args)}\n`);
    return new Promise((resolve) => void this.waiting.push(resolve));
  }

  end(): void {
    this.child.stdin.end();
  }

  private answer(): void {
    for (;;) {
      const [out, err] = this.said.map((text) => END_OF_ONE.exec(text));
      if (out === null || err === null) return;
      const [stdout, stderr] = [out, err].map(({ index }, i) => this.said[i].slice(0, index));
      for (const [i, { 0: mark, index }] of [out, err].entries())
        this.said[i] = this.said[i].slice(index + mark.length);
      this.waiting.shift()?.({ status: Number(out[1]), stdout, stderr });
    }
  }
}

/** A folder for one test file, gone when the process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const guest = (name: string): string => `test/guests/${name}.elf`;
