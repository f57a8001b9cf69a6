import type { FloatEnv } from './env.js';
import * as exact from './exact.js';
import { BINARY32, BINARY64 } from './format.js';

/** binary32 on raw bits. */

export function f32Add(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.add(BINARY32, a, b, env);
}

export function f32Sub(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.sub(BINARY32, a, b, env);
}

export function f32Mul(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.mul(BINARY32, a, b, env);
}

export function f32Div(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.div(BINARY32, a, b, env);
}

export function f32Min(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.min(BINARY32, a, b, env);
}

export function f32Max(a: bigint, b: bigint, env: FloatEnv): bigint {
  return exact.max(BINARY32, a, b, env);
}

export function f32Sqrt(a: bigint, env: FloatEnv): bigint {
  return exact.sqrt(BINARY32, a, env);
}

export function f32MulAdd(a: bigint, b: bigint, c: bigint, env: FloatEnv): bigint {
  return exact.mulAdd(BINARY32, a, b, c, env);
}

export function f32Eq(a: bigint, b: bigint, env: FloatEnv): boolean {
  return exact.eq(BINARY32, a, b, env);
}

export function f32Lt(a: bigint, b: bigint, env: FloatEnv): boolean {
  return exact.lt(BINARY32, a, b, env);
}

export function f32Le(a: bigint, b: bigint, env: FloatEnv): boolean {
  return exact.le(BINARY32, a, b, env);
}

export function f32Classify(a: bigint): number {
  return exact.classify(BINARY32, a);
}

export function f32ToI32(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY32, a, -0x80000000n, 0x7fffffffn, env);
}

export function f32ToU32(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY32, a, 0n, 0xffffffffn, env);
}

export function f32ToI64(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY32, a, -0x8000000000000000n, 0x7fffffffffffffffn, env);
}

export function f32ToU64(a: bigint, env: FloatEnv): bigint {
  return exact.toInteger(BINARY32, a, 0n, 0xffffffffffffffffn, env);
}

export function f32FromI32(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY32, BigInt.asIntN(32, v), env);
}

export function f32FromU32(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY32, BigInt.asUintN(32, v), env);
}

export function f32FromI64(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY32, BigInt.asIntN(64, v), env);
}

export function f32FromU64(v: bigint, env: FloatEnv): bigint {
  return exact.fromInteger(BINARY32, BigInt.asUintN(64, v), env);
}

export function f32ToF64(a: bigint, env: FloatEnv): bigint {
  return exact.convert(BINARY32, BINARY64, a, env);
}
