import { type FloatEnv, NX, RNE } from './env.js';
import * as exact from './exact.js';
import { BINARY32, BINARY64 } from './format.js';
import {
  fromDouble,
  fromSingle,
  HUGE,
  isNearestRoot,
  productError,
  roundToOdd,
  sumError,
  TINY,
  toDouble,
  toIntegerInRange,
} from './host.js';
import { I32, I64, type IntegerType, U32, U64 } from './integer.js';

/**
 * binary64 on raw bits. Each function answers with the host's doubles where they provably give the same bits and
 * flags, and otherwise asks the exact layer. When rounding to nearest, the host's result is the result; whether it
 * is inexact is read off the error term, and ranges keep every other flag out.
 */

const SMALLEST_NORMAL_SINGLE = 2 ** -126;
const LAST_PLACE = 2 ** -52;

export function f64Add(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toDouble(a);
    const y = toDouble(b);
    const sum = x + y;
    // No lower bound: a sum too small to be normal is exact. None on x and y: if they are larger, the sum is exact too.
    if (Math.abs(sum) < HUGE) {
      if (sumError(x, y, sum) !== 0) env.flags |= NX;
      return fromDouble(sum);
    }
  }
  return exact.add(BINARY64, a, b, env);
}

export function f64Sub(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toDouble(a);
    const y = toDouble(b);
    const difference = x - y;
    if (Math.abs(difference) < HUGE) {
      if (sumError(x, -y, difference) !== 0) env.flags |= NX;
      return fromDouble(difference);
    }
  }
  return exact.sub(BINARY64, a, b, env);
}

/** Whether `product` = x × y has an exact error term. */
function hasProductError(x: number, y: number, product: number): boolean {
  const size = Math.abs(product);
  return size >= TINY && size < HUGE && Math.abs(x) < HUGE && Math.abs(y) < HUGE;
}

export function f64Mul(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toDouble(a);
    const y = toDouble(b);
    const product = x * y;
    if (hasProductError(x, y, product)) {
      if (productError(x, y, product) !== 0) env.flags |= NX;
      return fromDouble(product);
    }
    if (product === 0 && (x === 0 || y === 0)) return fromDouble(product);
  }
  return exact.mul(BINARY64, a, b, env);
}

export function f64Div(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toDouble(a);
    const y = toDouble(b);
    const quotient = x / y;
    // The quotient is exact just when it multiplies back.
    const size = Math.abs(quotient);
    const back = quotient * y;
    if (size >= TINY && size < HUGE && hasProductError(quotient, y, back)) {
      if (back !== x || productError(quotient, y, back) !== 0) env.flags |= NX;
      return fromDouble(quotient);
    }
    if (quotient === 0 && x === 0) return fromDouble(quotient);
  }
  return exact.div(BINARY64, a, b, env);
}

export function f64Sqrt(a: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toDouble(a);
    if (x >= TINY && x < HUGE) {
      const root = Math.sqrt(x);
      const square = root * root;
      const residue = x - square - productError(root, root, square);
      if (isNearestRoot(root, residue, LAST_PLACE)) {
        if (residue !== 0) env.flags |= NX;
        return fromDouble(root);
      }
    }
  }
  return exact.sqrt(BINARY64, a, env);
}

export function f64MulAdd(a: bigint, b: bigint, c: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toDouble(a);
    const y = toDouble(b);
    const z = toDouble(c);
    const product = x * y;
    if (Math.abs(z) < HUGE) {
      if (hasProductError(x, y, product)) return fusedMulAdd(x, y, z, product, env);
      if (product === 0 && (x === 0 || y === 0)) return fromDouble(product + z);
    }
  }
  return exact.mulAdd(BINARY64, a, b, c, env);
}

/** Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd". */
function fusedMulAdd(x: number, y: number, z: number, product: number, env: FloatEnv): bigint {
  const productRest = productError(x, y, product);
  const low = z + productRest;
  const lowRest = sumError(z, productRest, low);
  const high = product + low;
  const highRest = sumError(product, low, high);
  const rest = lowRest + highRest;
  const odd = roundToOdd(rest, sumError(lowRest, highRest, rest));
  const result = high + odd;
  // What rounding to odd lost shows here too: its last bit lies far below the result's.
  if (sumError(high, odd, result) !== 0) env.flags |= NX;
  return fromDouble(result);
}

export function f64Min(a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = toDouble(a);
  const y = toDouble(b);
  if (x < y) return a;
  return x > y ? b : exact.min(BINARY64, a, b, env);
}

export function f64Max(a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = toDouble(a);
  const y = toDouble(b);
  if (x > y) return a;
  return x < y ? b : exact.max(BINARY64, a, b, env);
}

export function f64Eq(a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = toDouble(a);
  const y = toDouble(b);
  if (x === y) return true;
  return x < y || x > y ? false : exact.eq(BINARY64, a, b, env);
}

export function f64Lt(a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = toDouble(a);
  const y = toDouble(b);
  if (x < y) return true;
  return x >= y ? false : exact.lt(BINARY64, a, b, env);
}

export function f64Le(a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = toDouble(a);
  const y = toDouble(b);
  if (x <= y) return true;
  return x > y ? false : exact.le(BINARY64, a, b, env);
}

export function f64Classify(a: bigint): number {
  return exact.classify(BINARY64, a);
}

function toInteger(a: bigint, type: IntegerType, env: FloatEnv): bigint {
  return toIntegerInRange(toDouble(a), type, env) ?? exact.toInteger(BINARY64, a, type, env);
}

export function f64ToI32(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, I32, env);
}

export function f64ToU32(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, U32, env);
}

export function f64ToI64(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, I64, env);
}

export function f64ToU64(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, U64, env);
}

export function f64FromI32(v: bigint, _env: FloatEnv): bigint {
  return fromDouble(Number(BigInt.asIntN(32, v)));
}

export function f64FromU32(v: bigint, _env: FloatEnv): bigint {
  return fromDouble(Number(BigInt.asUintN(32, v)));
}

function fromInteger(value: bigint, env: FloatEnv): bigint {
  // Number() rounds a bigint to nearest even; below 2^53 nothing was lost.
  const x = Number(value);
  if (Math.abs(x) < 2 ** 53) return fromDouble(x);
  return exact.fromInteger(BINARY64, value, env);
}

export function f64FromI64(v: bigint, env: FloatEnv): bigint {
  return fromInteger(BigInt.asIntN(64, v), env);
}

export function f64FromU64(v: bigint, env: FloatEnv): bigint {
  return fromInteger(BigInt.asUintN(64, v), env);
}

export function f64ToF32(a: bigint, env: FloatEnv): bigint {
  const x = toDouble(a);
  const single = Math.fround(x);
  if (single === x) return fromSingle(single);
  const size = Math.abs(single);
  if (env.rounding === RNE && size > SMALLEST_NORMAL_SINGLE && size < Infinity) {
    env.flags |= NX;
    return fromSingle(single);
  }
  return exact.convert(BINARY64, BINARY32, a, env);
}
