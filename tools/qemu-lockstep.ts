import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng, seedPrng } from '../src/base/prng.js';
import { RISCV64 } from '../src/cpu/riscv64/arch.js';
import { COMPRESSED } from '../src/cpu/riscv64/compressed.js';
import { expand, findInstruction, INSTRUCTIONS, instructionLength } from '../src/cpu/riscv64/table.js';
import {
  type BlockProgram,
  blockProgram,
  CODE_ADDRESS,
  DATA_ADDRESS,
  describeDifferences,
  RECORD_BYTES,
  randomRecord,
  startBlockProgram,
} from '../test/cpu/block-program.js';
import { type Block, layOut, randomBlock } from '../test/cpu/random-block.js';
import { runOnQemu } from './linux-elf.js';
import { commandLine, compareAs, Trouble } from './trouble.js';

/**
 * Runs random instruction streams on the reference engine and on qemu-riscv64 and compares all registers, float flags
 * and memory. Usage: qemu-lockstep [--seed N] [--count INSTRUCTIONS]. Exit status: 0 equal, 1 different, 2 trouble.
 */

const DEFAULT_COUNT = 120_000;
const BLOCK_UNITS = 24;
const BATCH_BLOCKS = 500;
const BUDGET_STEPS = 1e9;

interface Case {
  readonly block: Block;
  readonly record: Uint8Array;
}

/** The program's output, or what ended it otherwise. */
function runThere({ code, data }: BlockProgram, directory: string): Uint8Array | string {
  const segments = [
    { address: BigInt(CODE_ADDRESS), bytes: code, execute: true },
    { address: BigInt(DATA_ADDRESS), bytes: data, write: true },
  ];
  return runOnQemu(BigInt(CODE_ADDRESS), segments, data.length, directory);
}

function runHere(program: BlockProgram): Uint8Array | string {
  const { memory, registers } = startBlockProgram(program);
  const { stop } = RISCV64.createEngine().run(registers, memory, BUDGET_STEPS, 0n, 0);
  if (stop.kind !== 'syscall')
    return `${JSON.stringify(stop, (_, v) => String(v))} at ${RISCV64.pc(registers)}`;
  return memory.read(DATA_ADDRESS, program.data.length);
}

/** Null when both agree. */
function compare(cases: readonly Case[], directory: string): { index: number; text: string[] } | null {
  const program = blockProgram(
    cases.map(({ block }) => block),
    cases.map(({ record }) => record),
  );
  const here = runHere(program);
  const there = runThere(program, directory);
  if (typeof here === 'string' || typeof there === 'string') {
    if (cases.length === 1) {
      const say = (result: Uint8Array | string): string =>
        typeof result === 'string' ? result : 'ended well';
      return { index: 0, text: [`here ${say(here)}, there ${say(there)}`] };
    }
    return firstOf(cases, directory);
  }
  for (let i = 0; i < cases.length; i++) {
    const [from, to] = [i * RECORD_BYTES, (i + 1) * RECORD_BYTES];
    const text = describeDifferences(here.subarray(from, to), there.subarray(from, to));
    if (text.length > 0) return { index: i, text };
  }
  return null;
}

/** When a batch does not come to its end: the first block that differs on its own. */
function firstOf(cases: readonly Case[], directory: string): { index: number; text: string[] } {
  for (const [index, one] of cases.entries()) {
    const difference = compare([one], directory);
    if (difference !== null) return { index, text: difference.text };
  }
  throw new Trouble('a batch ends early, but each of its blocks runs through');
}

/** The shortest beginning of a block that differs. */
function report({ block, record }: Case, directory: string): string {
  const cut = (length: number): Case => ({
    block: { ...block, units: block.units.slice(0, length) },
    record,
  });
  let low = 0;
  let high = block.units.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (compare([cut(middle)], directory) === null) low = middle;
    else high = middle;
  }
  const codes = layOut(block.units.slice(low, high));
  const difference = compare([cut(high)], directory);
  return [
    `anchor x${block.anchor}, unit ${low} of the block:`,
    ...codes.map((code) => `  ${code.toString(16).padStart(8, '0')}  ${RISCV64.disassemble(0n, code)}`),
    ...(difference?.text ?? []).map((line) => `  ${line}`),
  ].join('\n');
}

/** Names of instructions the blocks have not used. */
function unused(used: ReadonlySet<number>): string[] {
  const seen = new Set<string>();
  for (const code of used) {
    if (instructionLength(code & 0xffff) === 4) {
      const entry = findInstruction(code)!;
      seen.add(`${entry.name} ${entry.syntax.join('')}`);
      continue;
    }
    const base = findInstruction(expand(code)!)!.name;
    const entry = COMPRESSED.find((c) => (code & c.mask) === c.match && c.base === base)!;
    seen.add(entry.name);
  }
  const all = [
    ...INSTRUCTIONS.map((e) => `${e.name} ${e.syntax.join('')}`),
    ...COMPRESSED.map((e) => e.name),
  ];
  return all.filter((name) => !seen.has(name));
}

function main(): number {
  const { values } = commandLine({ options: { seed: { type: 'string' }, count: { type: 'string' } } });
  const seed = values.seed === undefined ? Date.now() % 1e9 : Number(values.seed);
  const count = values.count === undefined ? DEFAULT_COUNT : Number(values.count);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count))
    throw new Trouble('seed and count are integers');
  console.log(`qemu-lockstep: seed ${seed}, ${count} instructions`);
  const prng = new Prng(seedPrng(seed, 'lockstep'));
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-'));
  const used = new Set<number>();
  let done = 0;
  try {
    while (done < count) {
      const cases: Case[] = [];
      for (let i = 0; i < BATCH_BLOCKS && done < count; i++) {
        const block = randomBlock(prng, BLOCK_UNITS);
        const codes = layOut(block.units);
        for (const code of codes) used.add(code);
        done += codes.length;
        cases.push({ block, record: randomRecord(prng) });
      }
      const difference = compare(cases, directory);
      if (difference !== null) {
        console.log(`different (seed ${seed}): ${report(cases[difference.index]!, directory)}`);
        return 1;
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  console.log(`${done} instructions agree; not among them: ${unused(used).join('; ') || 'none'}`);
  return 0;
}

await compareAs('qemu-lockstep', main);
