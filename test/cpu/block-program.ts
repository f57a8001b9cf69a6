import type { Prng } from '../../src/base/prng.js';
import type { Registers } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { PAGE_SIZE } from '../../src/memory/page.js';
import { assemble } from './assemble.js';
import { FlatMemory } from './flat-memory.js';
import { type Block, layOut, SCRATCH_BEFORE_BYTES, SCRATCH_BEHIND_BYTES, toBytes } from './random-block.js';
import { pick } from './random-instruction.js';

/**
 * A whole program around random blocks: for each, it loads all registers from the block's record, runs it and saves
 * all registers to the record; in the end it writes all records to its output. Addresses are absolute.
 */

export const CODE_ADDRESS = 0x10000;
export const DATA_ADDRESS = 0x10000000;

/** Slots of a register set in a record: x0-x31, f0-f31, fcsr. */
const FCSR = 64;
const SLOTS = 66;
const SET_BYTES = SLOTS * 8;
const SCRATCH_BYTES = SCRATCH_BEFORE_BYTES + SCRATCH_BEHIND_BYTES;
/** Registers before, registers after, scratch area. */
export const RECORD_BYTES = 2 * SET_BYTES + SCRATCH_BYTES;
/** Where the parts of a record are, seen from the anchor. */
const AFTER = -SCRATCH_BEFORE_BYTES - SET_BYTES;
const BEFORE = AFTER - SET_BYTES;

export interface BlockProgram {
  readonly code: Uint8Array;
  readonly data: Uint8Array;
}

function loadAddress(register: number, address: number): number[] {
  const low = (address << 20) >> 20;
  return [
    assemble('lui', { xd: register, u: (address - low) | 0 }),
    assemble('addi', { xd: register, x1: register, i: low }),
  ];
}

/** The block between loading and saving its registers. */
function framed({ anchor, units }: Block, record: number): number[] {
  const temporary = anchor === 1 ? 2 : 1;
  const numbers = Array.from({ length: 32 }, (_, i) => i);
  const others = numbers.filter((x) => x !== 0 && x !== anchor);
  return [
    ...loadAddress(anchor, DATA_ADDRESS + record * RECORD_BYTES - BEFORE),
    assemble('ld', { xd: temporary, x1: anchor, i: BEFORE + FCSR * 8 }),
    assemble('csrrw', { x1: temporary }, 'fcsr'),
    ...numbers.map((f) => assemble('fld', { fd: f, x1: anchor, i: BEFORE + (32 + f) * 8 })),
    ...others.map((x) => assemble('ld', { xd: x, x1: anchor, i: BEFORE + x * 8 })),
    ...layOut(units),
    ...others.map((x) => assemble('sd', { x2: x, x1: anchor, s: AFTER + x * 8 })),
    ...numbers.map((f) => assemble('fsd', { f2: f, x1: anchor, s: AFTER + (32 + f) * 8 })),
    assemble('csrrs', { xd: temporary }, 'fcsr'),
    assemble('sd', { x2: temporary, x1: anchor, s: AFTER + FCSR * 8 }),
  ];
}

/** Linux calls: write(1, data) until all is out, exit(0). */
function writeOut(sizeBytes: number): number[] {
  const [a0, a1, a2, a7] = [10, 11, 12, 17];
  const loop = [
    assemble('addi', { xd: a7, i: 64 }),
    assemble('addi', { xd: a0, i: 1 }),
    assemble('ecall'),
    assemble('add', { xd: a1, x1: a1, x2: a0 }),
    assemble('sub', { xd: a2, x1: a2, x2: a0 }),
  ];
  return [
    ...loadAddress(a1, DATA_ADDRESS),
    ...loadAddress(a2, sizeBytes),
    ...loop,
    assemble('bne', { x1: a2, x2: 0, b: -4 * loop.length }),
    assemble('addi', { xd: a7, i: 93 }),
    assemble('addi', { xd: a0, i: 0 }),
    assemble('ecall'),
  ];
}

const INTEGERS = [
  ...[0n, 1n, 2n, 3n, 31n, 32n, 63n, 64n, 0x7fn, 0x80n, 0xffn],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n],
  ...[1n << 63n, (1n << 63n) - 1n, (1n << 64n) - 1n, -0x8000_0000n, -0x8000_0001n, -2n],
];
/** Bits of doubles at the edges of formats and conversions. */
const DOUBLES = [
  ...[0x0n, 0x1n, 0x000f_ffff_ffff_ffffn, 0x0010_0000_0000_0000n, 0x0010_0000_0000_0001n],
  ...[0x7fef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n, 0x7ff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n],
  ...[0x7fff_ffff_ffff_ffffn, 0x3ff0_0000_0000_0000n, 0x3fe0_0000_0000_0000n, 0x3ff8_0000_0000_0000n],
  ...[0x3fef_ffff_ffff_ffffn, 0x3ff0_0000_0000_0001n, 0x4004_0000_0000_0000n, 0x41df_ffff_ffc0_0000n],
  ...[0x41e0_0000_0000_0000n, 0x41ef_ffff_ffe0_0000n, 0x41ef_ffff_fff0_0000n, 0x43e0_0000_0000_0000n],
  ...[0x43df_ffff_ffff_ffffn, 0x43f0_0000_0000_0000n, 0x3810_0000_0000_0000n, 0x380f_ffff_ffff_ffffn],
  ...[0x36a0_0000_0000_0000n, 0x3690_0000_0000_0001n, 0x47ef_ffff_efff_ffffn, 0x47ef_ffff_f000_0000n],
];
const SINGLES = [
  ...[0x0n, 0x1n, 0x007f_ffffn, 0x0080_0000n, 0x0080_0001n, 0x7f7f_ffffn, 0x7f80_0000n, 0x7fc0_0000n],
  ...[0x7f80_0001n, 0x7fff_ffffn, 0x3f80_0000n, 0x3f00_0000n, 0x3fc0_0000n, 0x3f7f_ffffn, 0x3f80_0001n],
  ...[0x4020_0000n, 0x4f00_0000n, 0x4eff_ffffn, 0x4f80_0000n, 0x5f00_0000n, 0x5f80_0000n],
];
const BOX = 0xffff_ffff_0000_0000n;

function random64(prng: Prng): bigint {
  return (BigInt(prng.u32()) << 32n) | BigInt(prng.u32());
}

export function randomInteger(prng: Prng): bigint {
  switch (prng.below(4)) {
    case 0:
      return pick(prng, INTEGERS);
    case 1:
      return BigInt.asIntN(12, random64(prng));
    case 2:
      return random64(prng) >> BigInt(prng.below(64));
    default:
      return random64(prng);
  }
}

export function randomFloat(prng: Prng): bigint {
  const sign = BigInt(prng.below(2));
  switch (prng.below(8)) {
    case 0:
    case 1:
      return pick(prng, DOUBLES) | (sign << 63n);
    case 2:
    case 3:
      return BOX | pick(prng, SINGLES) | (sign << 31n);
    case 4:
      return BOX | BigInt(prng.u32());
    case 5:
      // Near 1, so that sums cancel and products stay in range.
      return (sign << 63n) | (BigInt(1020 + prng.below(8)) << 52n) | (random64(prng) >> 12n);
    case 6:
      return BOX | (sign << 31n) | (BigInt(124 + prng.below(8)) << 23n) | (random64(prng) >> 41n);
    default:
      return random64(prng);
  }
}

/** A record with random registers and scratch area. */
export function randomRecord(prng: Prng): Uint8Array {
  const record = new Uint8Array(RECORD_BYTES);
  const view = new DataView(record.buffer);
  for (let x = 1; x < 32; x++) view.setBigInt64(x * 8, BigInt.asIntN(64, randomInteger(prng)), true);
  for (let f = 0; f < 32; f++) view.setBigInt64((32 + f) * 8, BigInt.asIntN(64, randomFloat(prng)), true);
  view.setBigInt64(FCSR * 8, BigInt((prng.below(5) << 5) | prng.below(32)), true);
  record.set(prng.bytes(SCRATCH_BYTES), 2 * SET_BYTES);
  return record;
}

/** A program's memory and registers at its start. */
export function startBlockProgram({ code, data }: BlockProgram): {
  memory: FlatMemory;
  registers: Registers;
} {
  const memory = new FlatMemory();
  for (const [address, bytes] of [
    [CODE_ADDRESS, code],
    [DATA_ADDRESS, data],
  ] as const) {
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) memory.map(address + at);
    memory.write(address, bytes);
  }
  const zero = { sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };
  return { memory, registers: RISCV64.initialRegisters({ ...zero, pc: BigInt(CODE_ADDRESS) }) };
}

export function blockProgram(blocks: readonly Block[], records: readonly Uint8Array[]): BlockProgram {
  const data = new Uint8Array(records.length * RECORD_BYTES);
  records.forEach((record, i) => {
    data.set(record, i * RECORD_BYTES);
  });
  const code = [...blocks.flatMap((block, i) => framed(block, i)), ...writeOut(data.length)];
  return { code: toBytes(code), data };
}

const PLACES = [
  ...Array.from({ length: SLOTS }, (_, i) => `${i < 32 ? `x${i}` : i < FCSR ? `f${i - 32}` : 'fcsr'}`),
];

/** What differs between two records after running, in words. */
export function describeDifferences(mine: Uint8Array, other: Uint8Array): string[] {
  const a = new DataView(mine.buffer, mine.byteOffset, RECORD_BYTES);
  const b = new DataView(other.buffer, other.byteOffset, RECORD_BYTES);
  const out: string[] = [];
  for (let at = SET_BYTES; at < RECORD_BYTES; at += 8) {
    const x = a.getBigUint64(at, true);
    const y = b.getBigUint64(at, true);
    if (x === y) continue;
    const slot = (at - SET_BYTES) / 8;
    const place = PLACES[slot] ?? `scratch[${at - 2 * SET_BYTES}]`;
    out.push(`${place}: 0x${x.toString(16)} here, 0x${y.toString(16)} there`);
  }
  return out;
}
