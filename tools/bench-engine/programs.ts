import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { EngineKind } from '../../src/cpu/arch.js';
import { Trouble } from '../trouble.js';
import { jacinth, ROOT } from './processes.js';

const FOLDER = 'test/guests/bench';
export const LINUX_COMPILER = 'riscv64-linux-gnu-gcc';

/** What the source does not tell. */
const TRAITS: Readonly<Record<string, Partial<Pick<Program, 'cores' | 'floatingPoint'>>>> = {
  mandelbrot: { floatingPoint: true },
  'matrix-multiply': { floatingPoint: true },
  'n-body': { floatingPoint: true },
  'mutex-ping-pong': { cores: 2 },
};

export interface Program {
  readonly name: string;
  /** The guest, from the root of the repository. */
  readonly guest: string;
  readonly source: string;
  readonly cores: number;
  readonly floatingPoint: boolean;
}

/** A program with the argument that makes it as long as wanted. */
export interface Sized {
  readonly argument: number;
  readonly steps: number;
}

export function listPrograms(names: readonly string[]): Program[] {
  const all = readdirSync(join(ROOT, FOLDER))
    .filter((file) => file.endsWith('.c'))
    .map((file) => basename(file, '.c'))
    .sort();
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new Trouble(`no program ${unknown} in ${FOLDER}, there are ${all.join(', ')}`);
  return all
    .filter((name) => names.length === 0 || names.includes(name))
    .map((name) => ({
      name,
      guest: `${FOLDER}/${name}.elf`,
      source: `${FOLDER}/${name}.c`,
      cores: 1,
      floatingPoint: false,
      ...TRAITS[name],
    }));
}

// What decides the machine code in src/platform/node/cross-compiler.ts. With the sysroot's string functions in place of
// the C library's all that takes time is the same code in both programs, but for the locks of the threads.
const FLAGS = [
  ...['-std=gnu11', '-O2', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-mno-relax'],
  ...['-msmall-data-limit=0', '-ffp-contract=off', '-ffreestanding', '-fno-tree-loop-distribute-patterns'],
  ...['-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-fno-stack-protector', '-fno-common'],
  ...['-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fno-pie', '-no-pie', '-static'],
  ...['-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections', '-Wl,--no-relax'],
];

/** The same source as a static Linux program; the answer is its path. */
export function buildForLinux(program: Program, folder: string): string {
  const output = join(folder, `${program.name}.linux`);
  const sources = [program.source, 'src/sysroot/lib/string.c'];
  const { status, stderr } = spawnSync(LINUX_COMPILER, [...FLAGS, ...sources, '-o', output, '-lm'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Trouble(`${program.source} does not build: ${stderr.split('\n')[0]}`);
  return output;
}

/** Arguments of `run` and `record` for a program. */
export function runArguments({ guest, cores }: Program, engine: EngineKind, argument: number): string[] {
  return [guest, '--cores', `${cores}`, '--engine', engine, '--', `${argument}`];
}

/** Finds arguments from what a program's runs took: the more it was asked, the better it knows. */
export class Calibration {
  private readonly known: Sized[] = [];

  constructor(
    private readonly program: Program,
    private readonly engine: EngineKind,
    private readonly recording: string,
  ) {}

  private steps(argument: number): number {
    const args = runArguments(this.program, this.engine, argument);
    const { steps } = JSON.parse(jacinth('record', '-o', this.recording, '--json', ...args).stdout) as {
      readonly steps: number;
    };
    this.known.push({ argument, steps });
    this.known.sort((a, b) => a.argument - b.argument);
    return steps;
  }

  /** A size of at least so many steps and not many more; null when the least argument takes more. */
  sizeFor(target: number): Sized | null {
    if (this.known.length === 0) this.steps(1);
    if (this.known[0].steps > target) return null;
    while (this.known[this.known.length - 1].steps < target) this.steps(this.next(target));
    const fitting = this.known.find(({ steps }) => steps >= target);
    if (fitting === undefined) throw new Error('the loop before ends with one that fits');
    if (fitting.steps < target * 1.5) return fitting;
    const below = this.known[this.known.indexOf(fitting) - 1];
    const share = (target - below.steps) / (fitting.steps - below.steps);
    const argument = Math.ceil(below.argument + share * 1.02 * (fitting.argument - below.argument));
    if (argument <= below.argument || argument >= fitting.argument) return fitting;
    this.steps(argument);
    return this.sizeFor(target);
  }

  /** At most sixteen times as far as the longest run so far: programs start with work that their argument ignores. */
  private next(target: number): number {
    const [last, before] = [...this.known].reverse();
    if (before === undefined || before.steps === last.steps) return last.argument * 4;
    const stepsEach = (last.steps - before.steps) / (last.argument - before.argument);
    const needed = last.argument + ((target - last.steps) / stepsEach) * 1.02 + 1;
    return Math.ceil(Math.min(needed, last.argument * 16));
  }
}
