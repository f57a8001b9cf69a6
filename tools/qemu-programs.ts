import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng, seedPrng } from '../src/base/prng.js';
import type { EngineKind } from '../src/cpu/arch.js';
import { RISCV64 } from '../src/cpu/riscv64/arch.js';
import { PAGE_SIZE } from '../src/memory/page.js';
import type { Traits } from '../test/cpu/lockstep/code-writer.js';
import { type Program, randomProgram } from '../test/cpu/lockstep/random-program.js';
import { Machine, World } from '../test/cpu/lockstep/world.js';
import { engineKind } from './engine-kind.js';
import { runOnQemu, type Segment } from './linux-elf.js';
import { commandLine, compareAs, Trouble } from './trouble.js';

/**
 * Runs random whole programs on an engine and on qemu-riscv64 and compares all registers and memory at their end.
 * Exit status: 0 equal, 1 different, 2 trouble.
 *
 * qemu-programs [--engine E] [--seed N] [--first PROGRAM] [--programs N] [--instructions N]
 */

const OPTIONS = {
  engine: { type: 'string', default: 'auto' },
  seed: { type: 'string' },
  /** Number of the first program, to repeat one that differs. */
  first: { type: 'string', default: '0' },
  programs: { type: 'string', default: 'Infinity' },
  /** Ends after so many on the engine. */
  instructions: { type: 'string', default: '3e7' },
} as const;
const SEEDS = 1e6;
const SLICE_STEPS = 100_003;
const TOO_MANY_STEPS = 1e9;
/** Steps of a program, about. */
const WANTED_STEPS = 2 ** 19;
const START = { pc: 0n, sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };

function traitsOf(prng: Prng): Traits {
  return {
    wild: false,
    garbage: false,
    selfModifying: prng.below(4) === 0,
    reservations: prng.below(2) === 0,
    steps: 2 ** (12 + prng.below(7)),
  };
}

function addressOf(page: number): bigint {
  return BigInt(page) << 12n;
}

function segmentsOf({ regions }: Program): Segment[] {
  return regions.map(({ firstPage, pages, access, bytes }) => {
    const whole = new Uint8Array(pages * PAGE_SIZE);
    if (bytes !== undefined) whole.set(bytes);
    return { address: addressOf(firstPage), bytes: whole, write: access.store, execute: access.fetch };
  });
}

interface End {
  readonly steps: number;
  /** The results one after the other, or what ended the run too early. */
  readonly output: Uint8Array | string;
}

function runHere({ regions, entry, results }: Program, kind: EngineKind): End {
  const engine = RISCV64.createEngine(kind);
  const world = new World(new Machine(), regions);
  const registers = RISCV64.initialRegisters({ ...START, pc: entry });
  let steps = 0;
  while (steps < TOO_MANY_STEPS) {
    const { steps: more, stop } = engine.run(registers, world, SLICE_STEPS, BigInt(steps), 0);
    steps += more;
    if (stop.kind === 'budget') continue;
    if (stop.kind !== 'syscall')
      return { steps, output: `${stop.kind} at 0x${RISCV64.pc(registers).toString(16)}` };
    const parts = results.flatMap((index) => {
      const { firstPage, pages } = regions[index];
      return Array.from({ length: pages }, (_, i) => world.bytesOf(firstPage + i));
    });
    return { steps, output: Buffer.concat(parts) };
  }
  return { steps, output: 'no end' };
}

/** Where two outputs first differ, in words. */
function describe({ regions, results }: Program, here: Uint8Array, there: Uint8Array): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const index of results) {
    const { firstPage, pages } = regions[index];
    for (let offset = 0; offset < pages * PAGE_SIZE; offset += 8, at += 8) {
      const values = [here, there].map((bytes) =>
        Buffer.from(bytes.buffer, bytes.byteOffset + at, 8).readBigUInt64LE(),
      );
      if (values[0] === values[1]) continue;
      const [mine, its] = values.map((value) => value.toString(16));
      lines.push(
        `memory at 0x${(addressOf(firstPage) + BigInt(offset)).toString(16)}: ${mine} here, ${its} there`,
      );
    }
  }
  return lines.length > 12 ? [...lines.slice(0, 12), `and ${lines.length - 12} more words`] : lines;
}

function compare(program: Program, kind: EngineKind, directory: string): { steps: number; text: string[] } {
  const { steps, output: here } = runHere(program, kind);
  const sizeBytes = program.results.reduce((sum, index) => sum + program.regions[index].pages * PAGE_SIZE, 0);
  const there =
    here === 'no end' ? 'not run' : runOnQemu(program.entry, segmentsOf(program), sizeBytes, directory);
  if (typeof here === 'string' || typeof there === 'string') {
    const say = (end: Uint8Array | string): string => (typeof end === 'string' ? end : 'ended well');
    return { steps, text: [`here ${say(here)}, there ${say(there)}`] };
  }
  return { steps, text: describe(program, here, there) };
}

function main(): number {
  const { values } = commandLine({ options: OPTIONS });
  const engine = engineKind(values.engine);
  const [seed, first, programs, instructions] = (['seed', 'first', 'programs', 'instructions'] as const).map(
    (name) => {
      const value = Number(values[name] ?? Date.now() % SEEDS);
      if (Number.isNaN(value)) throw new Trouble(`--${name} ${values[name]} is not a number`);
      return value;
    },
  );
  console.log(`qemu-programs: ${engine}, seed ${seed}`);
  const directory = mkdtempSync(join(tmpdir(), 'programs-'));
  let done = 0;
  let count = 0;
  try {
    for (; count < programs && done < instructions; count++) {
      const number = seed * SEEDS + first + count;
      const traits = traitsOf(new Prng(seedPrng(number, 'qemu')));
      const rounds = Math.max(1, Math.floor(WANTED_STEPS / traits.steps));
      const { steps, text } = compare(randomProgram(number, traits, rounds), engine, directory);
      done += steps;
      if (text.length === 0) continue;
      console.log(`program ${first + count} differs after ${steps} steps:`);
      for (const line of text) console.log(`  ${line}`);
      const options = `--engine ${engine} --seed ${seed} --first ${first + count} --programs 1`;
      console.log(`again: node .build/tools/qemu-programs.js ${options}`);
      return 1;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  console.log(`${count} programs, ${done} instructions: equal`);
  return 0;
}

await compareAs('qemu-programs', main);
