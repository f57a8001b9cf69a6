import { DZ, type FloatEnv, NV, NX, RDN } from './env.js';
import { type Format, type Scaled, signed, type Unpacked, unpack } from './format.js';
import type { IntegerType } from './integer.js';
import { bitLength, round, roundShift } from './round.js';

/**
 * The reference: every operation computed exactly on integers and rounded once. Semantics are those of IEEE
 * 754-2019 as narrowed by the RISC-V unprivileged manual, chapters F and D: every NaN result is the canonical one,
 * a signalling NaN operand raises NV. Operands and results are raw bits.
 */

function isNan(x: Unpacked): boolean {
  return x.kind === 'quiet-nan' || x.kind === 'signalling-nan';
}

function isZero(x: Unpacked): boolean {
  return x.kind === 'finite' && x.significand === 0n;
}

function noteSignalling(x: Unpacked, env: FloatEnv): void {
  if (x.kind === 'signalling-nan') env.flags |= NV;
}

function invalid(format: Format, env: FloatEnv): bigint {
  env.flags |= NV;
  return format.canonicalNan;
}

/** The answer when an operand is a NaN. */
function nanOf(format: Format, env: FloatEnv, ...operands: Unpacked[]): bigint {
  for (const x of operands) noteSignalling(x, env);
  return format.canonicalNan;
}

function roundSum(format: Format, x: Scaled, y: Scaled, env: FloatEnv): bigint {
  const exponent = Math.min(x.exponent, y.exponent);
  const p = x.significand << BigInt(x.exponent - exponent);
  const q = y.significand << BigInt(y.exponent - exponent);
  const sum = (x.negative ? -p : p) + (y.negative ? -q : q);
  if (sum === 0n) {
    const negative = x.negative === y.negative ? x.negative : env.rounding === RDN;
    return signed(format, negative, 0n);
  }
  return round(format, sum < 0n, sum < 0n ? -sum : sum, exponent, env);
}

export function add(format: Format, a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (isNan(x) || isNan(y)) return nanOf(format, env, x, y);
  if (x.kind === 'infinite') {
    return y.kind === 'infinite' && x.negative !== y.negative ? invalid(format, env) : a;
  }
  return y.kind === 'infinite' ? b : roundSum(format, x, y, env);
}

export function sub(format: Format, a: bigint, b: bigint, env: FloatEnv): bigint {
  return add(format, a, b ^ format.signBit, env);
}

function product(x: Scaled, y: Scaled): Scaled {
  return {
    negative: x.negative !== y.negative,
    significand: x.significand * y.significand,
    exponent: x.exponent + y.exponent,
  };
}

export function mul(format: Format, a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (isNan(x) || isNan(y)) return nanOf(format, env, x, y);
  const p = product(x, y);
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    return isZero(x) || isZero(y) ? invalid(format, env) : signed(format, p.negative, format.infinity);
  }
  if (p.significand === 0n) return signed(format, p.negative, 0n);
  return round(format, p.negative, p.significand, p.exponent, env);
}

/** a × b + c, rounded once. Infinity × 0 raises NV even when c is a quiet NaN. */
export function mulAdd(format: Format, a: bigint, b: bigint, c: bigint, env: FloatEnv): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  const z = unpack(format, c);
  if (isNan(x) || isNan(y)) return nanOf(format, env, x, y, z);
  const p = product(x, y);
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    if (isZero(x) || isZero(y)) return invalid(format, env);
    if (isNan(z)) return nanOf(format, env, z);
    if (z.kind === 'infinite' && z.negative !== p.negative) return invalid(format, env);
    return signed(format, p.negative, format.infinity);
  }
  if (isNan(z)) return nanOf(format, env, z);
  return z.kind === 'infinite' ? c : roundSum(format, p, z, env);
}

/** The same number with a significand of exactly the format's precision (x ≠ 0). */
function normalised(format: Format, x: Scaled): Scaled {
  const missing = format.precision - bitLength(x.significand);
  return {
    negative: x.negative,
    significand: x.significand << BigInt(missing),
    exponent: x.exponent - missing,
  };
}

export function div(format: Format, a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (isNan(x) || isNan(y)) return nanOf(format, env, x, y);
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinite') {
    return y.kind === 'infinite' ? invalid(format, env) : signed(format, negative, format.infinity);
  }
  if (y.kind === 'infinite') return signed(format, negative, 0n);
  if (isZero(y)) {
    if (isZero(x)) return invalid(format, env);
    env.flags |= DZ;
    return signed(format, negative, format.infinity);
  }
  if (isZero(x)) return signed(format, negative, 0n);
  const n = normalised(format, x);
  const d = normalised(format, y);
  const extra = format.precision + 2;
  const dividend = n.significand << BigInt(extra);
  const quotient = dividend / d.significand;
  // At least two bits beyond the precision, then one that says whether anything follows: enough for every mode.
  const sticky = quotient * d.significand === dividend ? 0n : 1n;
  return round(format, negative, (quotient << 1n) | sticky, n.exponent - d.exponent - extra - 1, env);
}

/** Largest integer whose square is at most n (n > 0), by Newton's iteration from above. */
function integerSqrt(n: bigint): bigint {
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function sqrt(format: Format, a: bigint, env: FloatEnv): bigint {
  const x = unpack(format, a);
  if (isNan(x)) return nanOf(format, env, x);
  if (isZero(x)) return a;
  if (x.negative) return invalid(format, env);
  if (x.kind === 'infinite') return a;
  const n = normalised(format, x);
  let extra = format.precision + 4;
  if (((n.exponent - extra) & 1) !== 0) extra++;
  const square = n.significand << BigInt(extra);
  const root = integerSqrt(square);
  const sticky = root * root === square ? 0n : 1n;
  return round(format, false, (root << 1n) | sticky, (n.exponent - extra) / 2 - 1, env);
}

/** Orders two numbers, neither a NaN: -0 equals +0. Works on sign and magnitude, which order as integers do. */
function less(format: Format, a: bigint, b: bigint): boolean {
  return ordinal(format, a) < ordinal(format, b);
}

function ordinal(format: Format, bits: bigint): bigint {
  return (bits & format.signBit) === 0n ? bits : format.signBit - bits;
}

/** IEEE 754-2019 minimumNumber and maximumNumber: a NaN loses to a number, -0 is below +0. */
function extreme(format: Format, a: bigint, b: bigint, wantLess: boolean, env: FloatEnv): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  noteSignalling(x, env);
  noteSignalling(y, env);
  if (isNan(x)) return isNan(y) ? format.canonicalNan : b;
  if (isNan(y)) return a;
  if (isZero(x) && isZero(y)) return x.negative === wantLess ? a : b;
  return less(format, a, b) === wantLess ? a : b;
}

export function min(format: Format, a: bigint, b: bigint, env: FloatEnv): bigint {
  return extreme(format, a, b, true, env);
}

export function max(format: Format, a: bigint, b: bigint, env: FloatEnv): bigint {
  return extreme(format, a, b, false, env);
}

/** Quiet: NV for a signalling NaN only. */
export function eq(format: Format, a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = unpack(format, a);
  const y = unpack(format, b);
  noteSignalling(x, env);
  noteSignalling(y, env);
  return !isNan(x) && !isNan(y) && ordinal(format, a) === ordinal(format, b);
}

function unordered(format: Format, a: bigint, b: bigint, env: FloatEnv): boolean {
  if (!isNan(unpack(format, a)) && !isNan(unpack(format, b))) return false;
  env.flags |= NV;
  return true;
}

/** Signalling: NV for any NaN. */
export function lt(format: Format, a: bigint, b: bigint, env: FloatEnv): boolean {
  return !unordered(format, a, b, env) && less(format, a, b);
}

/** Signalling: NV for any NaN. */
export function le(format: Format, a: bigint, b: bigint, env: FloatEnv): boolean {
  return !unordered(format, a, b, env) && !less(format, b, a);
}

/** The mask of FCLASS: one bit of 0 to 9 set, from -infinity up to +infinity, then signalling and quiet NaN. */
export function classify(format: Format, a: bigint): number {
  const x = unpack(format, a);
  if (x.kind === 'signalling-nan') return 1 << 8;
  if (x.kind === 'quiet-nan') return 1 << 9;
  let size = 2;
  if (x.kind === 'infinite') size = 0;
  else if (isZero(x)) size = 3;
  else if (x.significand >> format.fractionShift !== 0n) size = 1;
  return 1 << (x.negative ? size : 7 - size);
}

/**
 * Rounds to an integer and saturates to the type's range, with NV and without NX when it had to; a NaN becomes
 * the highest (unprivileged manual, table of float-to-integer domains).
 */
export function toInteger(format: Format, a: bigint, type: IntegerType, env: FloatEnv): bigint {
  const { lowest, highest } = type;
  const x = unpack(format, a);
  if (x.kind !== 'finite') {
    env.flags |= NV;
    return x.kind === 'infinite' && x.negative ? lowest : highest;
  }
  const magnitude = roundShift(x.significand, -x.exponent, x.negative, env.rounding);
  const value = x.negative ? -magnitude : magnitude;
  if (value < lowest || value > highest) {
    env.flags |= NV;
    return value < lowest ? lowest : highest;
  }
  if (x.exponent < 0 && magnitude << BigInt(-x.exponent) !== x.significand) env.flags |= NX;
  return value;
}

export function fromInteger(format: Format, value: bigint, env: FloatEnv): bigint {
  if (value === 0n) return 0n;
  return round(format, value < 0n, value < 0n ? -value : value, 0, env);
}

export function convert(from: Format, to: Format, a: bigint, env: FloatEnv): bigint {
  const x = unpack(from, a);
  if (isNan(x)) return nanOf(to, env, x);
  if (x.kind === 'infinite') return signed(to, x.negative, to.infinity);
  if (isZero(x)) return signed(to, x.negative, 0n);
  return round(to, x.negative, x.significand, x.exponent, env);
}
