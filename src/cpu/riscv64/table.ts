import { ATOMICS, RESERVATIONS } from './atomic.js';
import { COMPRESSED } from './compressed.js';
import { extract, FIELDS, type FieldName, insert } from './fields.js';
import {
  DOUBLE,
  DOUBLE_CONVERSIONS,
  DOUBLE_MEMORY_AND_MOVES,
  SINGLE,
  SINGLE_CONVERSIONS,
  SINGLE_MEMORY_AND_MOVES,
} from './float.js';
import type { Compressed, Instruction } from './instruction.js';
import { IMMEDIATES, LOADS_AND_STORES, MULTIPLY_AND_DIVIDE, REGISTERS, UPPER_AND_JUMPS } from './integer.js';
import { CONTROL_AND_STATUS, FENCES_AND_CALLS } from './system.js';

/** RV64GC with Zicsr and Zifencei: every instruction with 32 bits. No two entries fit the same bits. */
export const INSTRUCTIONS: readonly Instruction[] = [
  ...UPPER_AND_JUMPS,
  ...LOADS_AND_STORES,
  ...IMMEDIATES,
  ...REGISTERS,
  ...MULTIPLY_AND_DIVIDE,
  ...FENCES_AND_CALLS,
  ...CONTROL_AND_STATUS,
  ...RESERVATIONS,
  ...ATOMICS,
  ...SINGLE_MEMORY_AND_MOVES,
  ...SINGLE,
  ...SINGLE_CONVERSIONS,
  ...DOUBLE_MEMORY_AND_MOVES,
  ...DOUBLE,
  ...DOUBLE_CONVERSIONS,
];

/** The major opcode is bits 6 to 0; bits 14 to 12 tell more, where they are no operand's. */
const kindOf = (bits: number): number => (bits & 127) | ((bits >> 5) & 0x380);
/** Undefined where there is none. */
const BY_KIND: (Instruction[] | undefined)[] = Array(1024).fill(undefined);
for (const entry of INSTRUCTIONS) {
  for (let bits = 0; bits < 0x8000; bits += 0x1000) {
    if ((bits & entry.mask) !== (entry.match & 0x7000)) continue;
    const kind = kindOf(entry.match | bits);
    const others = BY_KIND[kind];
    if (others === undefined) BY_KIND[kind] = [entry];
    else others.push(entry);
  }
}

const RESERVED_MODES = new Set([5, 6]);

function fits(entry: Instruction, bits: number): boolean {
  if ((bits & entry.mask) >>> 0 !== entry.match) return false;
  return !(entry.rounds && RESERVED_MODES.has(extract(FIELDS.rm, bits)));
}

/** The instruction that 32 bits are, or undefined when they are none. */
export function findInstruction(bits: number): Instruction | undefined {
  const candidates = BY_KIND[kindOf(bits)];
  if (candidates === undefined) return undefined;
  for (let i = 0; i < candidates.length; i++) if (fits(candidates[i]!, bits)) return candidates[i];
  return undefined;
}

/** The encoding of an instruction with these operands; operands left out are 0. */
export function encode(entry: Instruction, operands: Partial<Record<FieldName, number>>): number {
  let bits = entry.match;
  for (const name of entry.fields) bits |= insert(FIELDS[name], operands[name] ?? 0);
  return bits >>> 0;
}

const BY_NAME = new Map<string, Instruction>();
for (const entry of INSTRUCTIONS) BY_NAME.set(entry.name, entry);

export function entryNamed(name: string): Instruction {
  return BY_NAME.get(name)!;
}

/** All of these fix bits 15 to 13 and 1 to 0. */
const shortKindOf = (half: number): number => ((half >> 11) & 0x1c) | (half & 3);
const SHORT_BY_KIND: readonly Compressed[][] = Array.from({ length: 32 }, () => []);
for (const entry of COMPRESSED) SHORT_BY_KIND[shortKindOf(entry.match)]!.push(entry);

/** The entry that 16 bits are, or undefined when they are none. */
export function findCompressed(half: number): Compressed | undefined {
  const candidates = SHORT_BY_KIND[shortKindOf(half)]!;
  for (let i = 0; i < candidates.length; i++) {
    const entry = candidates[i]!;
    if ((half & entry.mask) === entry.match && hasNoReservedZero(entry, half)) return entry;
  }
  return undefined;
}

function hasNoReservedZero({ nonzero }: Compressed, half: number): boolean {
  for (let i = 0; i < nonzero.length; i++) if (extract(nonzero[i]!, half) === 0) return false;
  return true;
}

/** The 32-bit instruction that a compressed one is short for, or undefined when the bits are none. */
export function expand(half: number): number | undefined {
  const entry = findCompressed(half);
  if (entry === undefined) return undefined;
  const operands: Partial<Record<FieldName, number>> = {};
  for (const [name, source] of entry.operands)
    operands[name] = typeof source === 'number' ? source : extract(source, half);
  return encode(entryNamed(entry.base), operands);
}

/** Bytes of the instruction that starts with these 16 bits. Longer ones than 4 bytes do not exist here. */
export function instructionLength(firstHalf: number): 2 | 4 {
  return (firstHalf & 3) === 3 ? 4 : 2;
}
