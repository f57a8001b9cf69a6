import { DYNAMIC } from '../engines/float-shapes.js';
import { extract, FIELDS, type FieldName } from './fields.js';
import { isFieldName } from './instruction.js';
import { F0, REGISTER_NAMES } from './layout.js';
import { expand, findInstruction, instructionLength } from './table.js';

const ROUNDING_NAMES = ['rne', 'rtz', 'rdn', 'rup', 'rmm'];
const ORDER_SUFFIXES = ['', '.rl', '.aq', '.aqrl'];
const UPPER_MASK = 0xfffff;

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function fenceSet(bits: number): string {
  return ['i', 'o', 'r', 'w'].filter((_, i) => (bits & (8 >> i)) !== 0).join('') || '0';
}

function operandText(name: FieldName, bits: number, pc: bigint): string {
  const field = FIELDS[name];
  const value = extract(field, bits);
  switch (field.kind) {
    case 'x':
      return REGISTER_NAMES[value]!;
    case 'f':
      return REGISTER_NAMES[F0 + value]!;
    case 'displacement':
      return hex(BigInt.asUintN(64, pc + BigInt(value)));
    case 'rounding':
      return ROUNDING_NAMES[value] ?? '';
    case 'immediate':
      if (name === 'u') return hex((value >>> 12) & UPPER_MASK);
      return name === 'sh5' || name === 'sh6' ? hex(value) : String(value);
    case 'ignored':
      return fenceSet(value);
  }
}

/**
 * Assembly text of one instruction, without pseudo-instructions; compressed ones show as what they are short for.
 * @param bits the instruction's own 16 or 32 bits
 */
export function disassemble(pc: bigint, bits: number): string {
  const short = instructionLength(bits & 0xffff) === 2;
  const full = short ? expand(bits & 0xffff) : bits;
  const entry = full === undefined ? undefined : findInstruction(full);
  if (full === undefined || entry === undefined) {
    return short ? `.half ${hex(bits & 0xffff)}` : `.word ${hex(bits >>> 0)}`;
  }
  const name = entry.name.replace('{aqrl}', ORDER_SUFFIXES[extract(FIELDS.aqrl, full)]!);
  const parts = entry.syntax.map((part) => (isFieldName(part) ? operandText(part, full, pc) : part));
  // The mode that assemblers assume is not written.
  if (entry.syntax.at(-1) === 'rm' && extract(FIELDS.rm, full) === DYNAMIC) parts.splice(-2);
  return parts.length === 0 ? name : `${name} ${parts.join('')}`;
}
