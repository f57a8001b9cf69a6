import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Prng, seedPrng } from '../src/base/prng.js';
import { RISCV64 } from '../src/cpu/riscv64/arch.js';
import { COMPRESSED } from '../src/cpu/riscv64/compressed.js';
import { expand, findInstruction, INSTRUCTIONS, instructionLength } from '../src/cpu/riscv64/table.js';
import { PAGE_SIZE } from '../src/memory/page.js';
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

/**
 * Runs random instruction streams on the reference engine and on qemu-riscv64 and compares all registers, float flags
 * and memory. Usage: qemu-lockstep [--seed N] [--count INSTRUCTIONS]. Exit status: 0 equal, 1 different, 2 trouble.
 */

const QEMU = 'qemu-riscv64';
const DEFAULT_COUNT = 120_000;
const BLOCK_UNITS = 24;
const BATCH_BLOCKS = 500;
const BUDGET_STEPS = 1e9;

class Trouble extends Error {}

interface Case {
  readonly block: Block;
  readonly record: Uint8Array;
}

/** A static executable: one segment of code, one of data. */
function elf({ code, data }: BlockProgram): Uint8Array {
  const codeOffset = PAGE_SIZE;
  const dataOffset = Math.ceil((codeOffset + code.length) / PAGE_SIZE) * PAGE_SIZE;
  const image = new Uint8Array(dataOffset + data.length);
  const view = new DataView(image.buffer);
  // ELF64, little-endian, version 1, then: ET_EXEC, EM_RISCV.
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE_ADDRESS), true);
  view.setBigUint64(32, 64n, true);
  // Double-float calling convention, compressed instructions.
  view.setUint32(48, 5, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const segment = (index: number, flags: number, offset: number, address: number, size: number): void => {
    const at = 64 + index * 56;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, flags, true);
    for (const [i, value] of [offset, address, address, size, size, PAGE_SIZE].entries()) {
      view.setBigUint64(at + 8 + i * 8, BigInt(value), true);
    }
  };
  segment(0, 5, codeOffset, CODE_ADDRESS, code.length);
  segment(1, 6, dataOffset, DATA_ADDRESS, data.length);
  image.set(code, codeOffset);
  image.set(data, dataOffset);
  return image;
}

/** The program's output, or what ended it otherwise. */
function runQemu(program: BlockProgram, directory: string): Uint8Array | string {
  const file = join(directory, 'blocks.elf');
  writeFileSync(file, elf(program), { mode: 0o755 });
  const { stdout, status, signal, error } = spawnSync(QEMU, [file], { maxBuffer: 2 ** 30, timeout: 60_000 });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    throw new Trouble(`${QEMU} not found: install qemu-user`);
  }
  if (error !== undefined) throw new Trouble(String(error));
  return status === 0 && stdout.length === program.data.length
    ? stdout
    : `ended by ${signal ?? `status ${status}`}`;
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
  const there = runQemu(program, directory);
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
  const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' } } });
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

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  console.error(`qemu-lockstep: ${error.message}`);
  process.exitCode = 2;
}
