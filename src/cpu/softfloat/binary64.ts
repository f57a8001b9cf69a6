import type { FloatEnv } from './env.js';
import * as exact from './exact.js';
import { BINARY32, BINARY64 } from './format.js';

/** binary64 on raw bits. */

export function f64Add(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.add(BINARY64, a, b, env);
}

export function f64Sub(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.sub(BINARY64, a, b, env);
}

export function f64Mul(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.mul(BINARY64, a, b, env);
}

export function f64Div(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.div(BINARY64, a, b, env);
}

export function f64Min(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.min(BINARY64, a, b, env);
}

export function f64Max(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.max(BINARY64, a, b, env);
}

export function f64Sqrt(a: bigint, env: FloatEnv): bigint {
  return exact.sqrt(BINARY64, a, env);
}

export function f64MulAdd(a: bigint, b: bigint, c: bigint, env: FloatEnv): bigint {
  return exact.mulAdd(BINARY64, a, b, c, env);
}

export function f64Eq(a: bigint, b: bigint, env: FloatEnv): boolean {
  return exact.eq(BINARY64, a, b, env);
}

export function f64Lt(a: bigint, b: bigint, env: FloatEnv): boolean {
  return exact.lt(BINARY64, a, b, env);
}

export function f64Le(a: bigint, b: bigint, env: FloatEnv): boolean {
  return exact.le(BINARY64, a, b, env);
}

export function f64Classify(a: bigint): number {
  return exact.classify(BINARY64, a);
}

export function f64ToI32(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY64, a, -0x80000000n, 0x7fffffffn, env);
}

export function f64ToU32(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY64, a, 0n, 0xffffffffn, env);
}

export function f64ToI64(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY64, a, -0x8000000000000000n, 0x7fffffffffffffffn, env);
}

export function f64ToU64(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY64, a, 0n, 0xffffffffffffffffn, env);
}

export function f64FromI32(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY64, BigInt.asIntN(32, v), env);
}

export function f64FromU32(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY64, BigInt.asUintN(32, v), env);
}

export function f64FromI64(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY64, BigInt.asIntN(64, v), env);
}

export function f64FromU64(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY64, BigInt.asUintN(64, v), env);
}

export function f64ToF32(a: bigint, env: FloatEnv): bigint {
  return exact.convert(BINARY64, BINARY32, a, env);
}
