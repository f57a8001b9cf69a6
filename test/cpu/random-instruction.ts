import type { Prng } from '../../src/base/prng.js';
import { FIELDS, type Field, type FieldName, fieldRange, insert } from '../../src/cpu/riscv64/fields.js';
import type { Compressed, Instruction } from '../../src/cpu/riscv64/instruction.js';

/** Random instructions for tests, drawn from the table. */

const ROUNDING_MODES = [0, 1, 2, 3, 4, 7];
const ATTEMPTS = 64;

export function pick<T>(prng: Prng, items: readonly T[]): T {
  return items[prng.below(items.length)]!;
}

/** 64 bits; often of fewer, sign-extended or not. */
export function randomValue(prng: Prng): bigint {
  const value = (BigInt(prng.u32()) << 32n) | BigInt(prng.u32());
  return pick(prng, [value, value & 0xffff_ffffn, BigInt.asUintN(64, BigInt.asIntN(32, value))]);
}

/** Any operand the field can hold, its limits and those near 0 more often than others. */
function randomOperand(field: Field, prng: Prng): number {
  if (field.kind === 'rounding') return pick(prng, ROUNDING_MODES);
  const { first, last, step } = fieldRange(field);
  const count = (last - first) / step + 1;
  for (let i = 0; i < ATTEMPTS; i++) {
    const near = pick(prng, [first, last, -step, 0, step]);
    const special = prng.below(4) === 0 && near >= first && near <= last;
    const value = special ? near : first + prng.below(count) * step;
    if (!(field.nonzero && value === 0)) return value;
  }
  return last;
}

export function randomOperands(entry: Instruction, prng: Prng): Partial<Record<FieldName, number>> {
  return Object.fromEntries(entry.fields.map((name) => [name, randomOperand(FIELDS[name], prng)]));
}

/**
 * The 16 bits of a compressed instruction with random operands. Now and then they are those of an earlier entry with
 * the same bits; `fixed` sets operands of the base instruction, as far as they are not constants of the entry.
 */
export function randomCompressed(
  entry: Compressed,
  prng: Prng,
  fixed: Partial<Record<FieldName, number>> = {},
): number {
  let half = entry.match;
  const seen = new Map<string, number>();
  for (const [name, source] of entry.operands) {
    if (typeof source === 'number') continue;
    // Two operands in the same bits, as in `c.addi`, are one.
    const place = JSON.stringify(source.pieces);
    const value = seen.get(place) ?? fixed[name] ?? randomOperand(source, prng);
    seen.set(place, value);
    half |= insert(source, value);
  }
  return half;
}
