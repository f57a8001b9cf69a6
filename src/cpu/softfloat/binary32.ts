import { type FloatEnv, NX, RNE } from './env.js';
import * as exact from './exact.js';
import { BINARY32, BINARY64 } from './format.js';
import {
  fromDouble,
  fromSingle,
  isNearestRoot,
  roundToOdd,
  sumError,
  toIntegerInRange,
  toSingle,
} from './host.js';
import { I32, I64, type IntegerType, U32, U64 } from './integer.js';

/**
 * binary32 on raw bits, by the host's doubles where they provably give the same bits and flags, otherwise by the
 * exact layer. A double has more than twice the precision plus one bit, so + − × ÷ and √ of binary32 operands, done
 * in double and rounded again, are as if rounded once (Figueroa 1995). No operation on binary32 values overflows or
 * underflows a double.
 */

const SMALLEST_NORMAL = 2 ** -126;
const LAST_PLACE = 2 ** -23;

/**
 * Ends an operation that rounds to nearest: whether the single raises no flag but NX. Exact ones raise none; others
 * must be finite and clearly normal, for one that was rounded up to the smallest normal may have been tiny.
 */
function settle(single: number, inexact: boolean, env: FloatEnv): boolean {
  if (!inexact) return true;
  const size = Math.abs(single);
  if (!(size > SMALLEST_NORMAL && size < Infinity)) return false;
  env.flags |= NX;
  return true;
}

export function f32Add(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toSingle(a);
    const y = toSingle(b);
    const sum = x + y;
    const single = Math.fround(sum);
    if (settle(single, single !== sum || sumError(x, y, sum) !== 0, env)) return fromSingle(single);
  }
  return exact.add(BINARY32, a, b, env);
}

export function f32Sub(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toSingle(a);
    const y = toSingle(b);
    const difference = x - y;
    const single = Math.fround(difference);
    const inexact = single !== difference || sumError(x, -y, difference) !== 0;
    if (settle(single, inexact, env)) return fromSingle(single);
  }
  return exact.sub(BINARY32, a, b, env);
}

export function f32Mul(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    // 48 bits: exact in a double.
    const product = toSingle(a) * toSingle(b);
    const single = Math.fround(product);
    if (settle(single, single !== product, env)) return fromSingle(single);
  }
  return exact.mul(BINARY32, a, b, env);
}

export function f32Div(a: bigint, b: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toSingle(a);
    const y = toSingle(b);
    const single = Math.fround(x / y);
    if (settle(single, single * y !== x, env)) return fromSingle(single);
  }
  return exact.div(BINARY32, a, b, env);
}

export function f32Sqrt(a: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const x = toSingle(a);
    if (x > 0 && x < Infinity) {
      const root = Math.fround(Math.sqrt(x));
      const residue = x - root * root;
      if (isNearestRoot(root, residue, LAST_PLACE)) {
        if (residue !== 0) env.flags |= NX;
        return fromSingle(root);
      }
    }
  }
  return exact.sqrt(BINARY32, a, env);
}

export function f32MulAdd(a: bigint, b: bigint, c: bigint, env: FloatEnv): bigint {
  if (env.rounding === RNE) {
    const product = toSingle(a) * toSingle(b);
    const z = toSingle(c);
    const sum = product + z;
    // An odd double is never a single, so what rounding to odd lost counts as inexact here.
    const odd = roundToOdd(sum, sumError(product, z, sum));
    const single = Math.fround(odd);
    if (settle(single, single !== odd, env)) return fromSingle(single);
  }
  return exact.mulAdd(BINARY32, a, b, c, env);
}

export function f32Min(a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = toSingle(a);
  const y = toSingle(b);
  if (x < y) return a;
  return x > y ? b : exact.min(BINARY32, a, b, env);
}

export function f32Max(a: bigint, b: bigint, env: FloatEnv): bigint {
  const x = toSingle(a);
  const y = toSingle(b);
  if (x > y) return a;
  return x < y ? b : exact.max(BINARY32, a, b, env);
}

export function f32Eq(a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = toSingle(a);
  const y = toSingle(b);
  if (x === y) return true;
  return x < y || x > y ? false : exact.eq(BINARY32, a, b, env);
}

export function f32Lt(a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = toSingle(a);
  const y = toSingle(b);
  if (x < y) return true;
  return x >= y ? false : exact.lt(BINARY32, a, b, env);
}

export function f32Le(a: bigint, b: bigint, env: FloatEnv): boolean {
  const x = toSingle(a);
  const y = toSingle(b);
  if (x <= y) return true;
  return x > y ? false : exact.le(BINARY32, a, b, env);
}

export function f32Classify(a: bigint): number {
  return exact.classify(BINARY32, a);
}

function toInteger(a: bigint, type: IntegerType, env: FloatEnv): bigint {
  return toIntegerInRange(toSingle(a), type, env) ?? exact.toInteger(BINARY32, a, type, env);
}

export function f32ToI32(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, I32, env);
}

export function f32ToU32(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, U32, env);
}

export function f32ToI64(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, I64, env);
}

export function f32ToU64(a: bigint, env: FloatEnv): bigint {
  return toInteger(a, U64, env);
}

function fromInteger(value: bigint, env: FloatEnv): bigint {
  const x = Number(value);
  if (Math.abs(x) < 2 ** 53) {
    const single = Math.fround(x);
    if (single === x) return fromSingle(single);
    if (env.rounding === RNE) {
      env.flags |= NX;
      return fromSingle(single);
    }
  }
  return exact.fromInteger(BINARY32, value, env);
}

export function f32FromI32(v: bigint, env: FloatEnv): bigint {
  return fromInteger(BigInt.asIntN(32, v), env);
}

export function f32FromU32(v: bigint, env: FloatEnv): bigint {
  return fromInteger(BigInt.asUintN(32, v), env);
}

export function f32FromI64(v: bigint, env: FloatEnv): bigint {
  return fromInteger(BigInt.asIntN(64, v), env);
}

export function f32FromU64(v: bigint, env: FloatEnv): bigint {
  return fromInteger(BigInt.asUintN(64, v), env);
}

export function f32ToF64(a: bigint, env: FloatEnv): bigint {
  const x = toSingle(a);
  return Number.isNaN(x) ? exact.convert(BINARY32, BINARY64, a, env) : fromDouble(x);
}
