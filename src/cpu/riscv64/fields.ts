import type { OperandName } from '../engines/algebra.js';

/** A run of `width` bits, as many as `mask` has, that stands at `at` in the encoding and at `to` in the value. */
interface Piece {
  readonly at: number;
  readonly to: number;
  readonly width: number;
  readonly mask: number;
}

export type FieldKind = 'x' | 'f' | 'immediate' | 'displacement' | 'rounding' | 'ignored';

/** Where an operand stands in an encoding, and what it is. */
export interface Field {
  readonly kind: FieldKind;
  /** The operand of the semantics that it gives; none for bits that only show in assembly. */
  readonly operand: OperandName | null;
  readonly pieces: readonly Piece[];
  readonly signed: boolean;
  /** How far a signed value's highest bit is from that of 32 bits. */
  readonly signShift: number;
  /** Added to what is encoded: compressed registers count from x8. */
  readonly base: number;
  /** Whether 0 makes the encoding another instruction or a reserved one. */
  readonly nonzero: boolean;
}

/**
 * Reads the manuals' notation for scattered operands: `[31, '12|10:5', 11, '4:1|11']` says that from bit 31 downwards
 * stand bits 12, 10 to 5, and from bit 11 downwards bits 4 to 1, 11.
 */
function pieces(layout: readonly (number | string)[]): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const item of layout) {
    if (typeof item === 'number') {
      at = item + 1;
      continue;
    }
    for (const range of item.split('|')) {
      const [high, low] = range.split(':').map(Number);
      const width = high! - (low ?? high!) + 1;
      at -= width;
      out.push({ at, to: low ?? high!, width, mask: 2 ** width - 1 });
    }
  }
  return out;
}

const DEFAULTS = { signed: false, signShift: 0, base: 0, nonzero: false };

function register(kind: 'x' | 'f', operand: OperandName, highBit: number): Field {
  return { ...DEFAULTS, kind, operand, pieces: pieces([highBit, '4:0']) };
}

/** Bits that a value has, at most. */
function widthOf({ pieces }: Field): number {
  return Math.max(...pieces.map(({ to, width }) => to + width));
}

function withSign(field: Field): Field {
  return { ...field, signed: true, signShift: 32 - widthOf(field) };
}

function signed(kind: 'immediate' | 'displacement', ...layout: (number | string)[]): Field {
  const operand = kind === 'immediate' ? 'imm' : 'disp';
  return withSign({ ...DEFAULTS, kind, operand, pieces: pieces(layout) });
}

function unsigned(...layout: (number | string)[]): Field {
  return { ...DEFAULTS, kind: 'immediate', operand: 'imm', pieces: pieces(layout) };
}

function ignored(...layout: (number | string)[]): Field {
  return { ...DEFAULTS, kind: 'ignored', operand: null, pieces: pieces(layout) };
}

/** The operands of 32-bit instructions, by the names that table entries use (unprivileged manual, "RV32/64G listings"). */
export const FIELDS = {
  xd: register('x', 'rd', 11),
  x1: register('x', 'rs1', 19),
  x2: register('x', 'rs2', 24),
  fd: register('f', 'rd', 11),
  f1: register('f', 'rs1', 19),
  f2: register('f', 'rs2', 24),
  f3: register('f', 'rs3', 31),
  /** Immediates of formats I, S, B, U, J. */
  i: signed('immediate', 31, '11:0'),
  s: signed('immediate', 31, '11:5', 11, '4:0'),
  b: signed('displacement', 31, '12|10:5', 11, '4:1|11'),
  u: signed('immediate', 31, '31:12'),
  j: signed('displacement', 31, '20|10:1|11|19:12'),
  /** Shift distances below 32 and 64. */
  sh5: unsigned(24, '4:0'),
  sh6: unsigned(25, '5:0'),
  /** The constant of csrrwi and its like. */
  z: unsigned(19, '4:0'),
  rm: { ...DEFAULTS, kind: 'rounding', operand: 'rm', pieces: pieces([14, '2:0']) },
  /** A rounding mode that assembly does not show, because the result is always exact. */
  rx: { ...DEFAULTS, kind: 'rounding', operand: 'rm', pieces: pieces([14, '2:0']) },
  aqrl: ignored(26, '1:0'),
  pred: ignored(27, '3:0'),
  succ: ignored(23, '3:0'),
  /** Reserved operands that implementations must not look at: mode, rs1, rd and immediate of fences. */
  any: ignored(31, '13:10', 19, '9:5', 11, '4:0'),
  all: ignored(31, '21:10', 19, '9:5', 11, '4:0'),
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof FIELDS;

/**
 * Operands of compressed instructions, by layout: full registers, x8-x15 ("prime"), constants. What they are is said
 * by the operand of the base instruction that they stand for.
 */
export const DEST = field16(11, '4:0');
export const SOURCE = field16(6, '4:0');
export const PRIME_7 = { ...field16(9, '2:0'), base: 8 };
export const PRIME_2 = { ...field16(4, '2:0'), base: 8 };

export function field16(...layout: (number | string)[]): Field {
  return { ...DEFAULTS, kind: 'ignored', operand: null, pieces: pieces(layout) };
}

export function signed16(...layout: (number | string)[]): Field {
  return withSign(field16(...layout));
}

export function nonzero(f: Field): Field {
  return { ...f, nonzero: true };
}

/** The encoding's bits that a field occupies, as an unsigned number. */
export function fieldMask(field: Field): number {
  let mask = 0;
  for (const piece of field.pieces) mask |= piece.mask << piece.at;
  return mask >>> 0;
}

/** The operand in an encoding. Every short run decodes thousands of them before V8 compiles this. */
export function extract({ pieces, signShift, base }: Field, bits: number): number {
  let value = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    value |= ((bits >>> piece.at) & piece.mask) << piece.to;
  }
  return ((value << signShift) >> signShift) + base;
}

/** The bits of an encoding that hold an operand. What the field cannot hold is lost. */
export function insert(field: Field, value: number): number {
  let bits = 0;
  for (const { at, to, mask } of field.pieces) bits |= (((value - field.base) >>> to) & mask) << at;
  return bits >>> 0;
}

/** The operands that a field can hold: from `first` to `last` by `step`. */
export function fieldRange(field: Field): { first: number; last: number; step: number } {
  const step = 2 ** Math.min(...field.pieces.map(({ to }) => to));
  const size = 2 ** widthOf(field);
  const lowest = field.signed ? -size / 2 : 0;
  return { first: lowest + field.base, last: lowest + size - step + field.base, step };
}
