import * as soft from '../softfloat.js';
import { DYNAMIC } from './float-shapes.js';
import { MemoryPort } from './memory-port.js';

/** Thrown to leave an instruction whose bits mean nothing in this state, like STOPPED. */
export const ILLEGAL: object = Object.freeze({ name: 'ILLEGAL' });

const LAST_MODE = 4;

/** softfloat works on unsigned bits, the algebra on signed values. */
function raw(x: bigint): bigint {
  return BigInt.asUintN(64, x);
}

function value(bits: bigint): bigint {
  return BigInt.asIntN(64, bits);
}

/** The floating-point part of the algebra on plain values: softfloat under a thread's flags and rounding mode. */
export abstract class FloatUnit extends MemoryPort {
  /** The dynamic rounding mode, 0 to 7. */
  mode = 0;
  private readonly env = new soft.FloatEnv();

  floatFlags(): bigint {
    return BigInt(this.env.flags);
  }
  setFloatFlags(flags: bigint): void {
    this.env.flags = Number(flags & 31n);
  }
  floatRounding(): bigint {
    return BigInt(this.mode);
  }
  setFloatRounding(mode: bigint): void {
    this.mode = Number(mode & 7n);
  }
  private rounded(rm: number): soft.FloatEnv {
    const mode = rm === DYNAMIC ? this.mode : rm;
    if (mode > LAST_MODE) throw ILLEGAL;
    this.env.rounding = mode;
    return this.env;
  }

  // binary32

  f32Add(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f32Add(raw(x), raw(y), this.rounded(rm)));
  }
  f32Sub(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f32Sub(raw(x), raw(y), this.rounded(rm)));
  }
  f32Mul(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f32Mul(raw(x), raw(y), this.rounded(rm)));
  }
  f32Div(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f32Div(raw(x), raw(y), this.rounded(rm)));
  }
  f32MulAdd(x: bigint, y: bigint, z: bigint, rm: number): bigint {
    return value(soft.f32MulAdd(raw(x), raw(y), raw(z), this.rounded(rm)));
  }
  f32Sqrt(x: bigint, rm: number): bigint {
    return value(soft.f32Sqrt(raw(x), this.rounded(rm)));
  }
  f32Min(x: bigint, y: bigint): bigint {
    return value(soft.f32Min(raw(x), raw(y), this.env));
  }
  f32Max(x: bigint, y: bigint): bigint {
    return value(soft.f32Max(raw(x), raw(y), this.env));
  }
  f32Eq(x: bigint, y: bigint): boolean {
    return soft.f32Eq(raw(x), raw(y), this.env);
  }
  f32Lt(x: bigint, y: bigint): boolean {
    return soft.f32Lt(raw(x), raw(y), this.env);
  }
  f32Le(x: bigint, y: bigint): boolean {
    return soft.f32Le(raw(x), raw(y), this.env);
  }
  f32Classify(x: bigint): bigint {
    return BigInt(soft.f32Classify(raw(x)));
  }
  f32ToI32(x: bigint, rm: number): bigint {
    return value(soft.f32ToI32(raw(x), this.rounded(rm)));
  }
  f32ToU32(x: bigint, rm: number): bigint {
    return value(soft.f32ToU32(raw(x), this.rounded(rm)));
  }
  f32ToI64(x: bigint, rm: number): bigint {
    return value(soft.f32ToI64(raw(x), this.rounded(rm)));
  }
  f32ToU64(x: bigint, rm: number): bigint {
    return value(soft.f32ToU64(raw(x), this.rounded(rm)));
  }
  f32FromI32(x: bigint, rm: number): bigint {
    return value(soft.f32FromI32(BigInt.asIntN(32, x), this.rounded(rm)));
  }
  f32FromU32(x: bigint, rm: number): bigint {
    return value(soft.f32FromU32(BigInt.asUintN(32, x), this.rounded(rm)));
  }
  f32FromI64(x: bigint, rm: number): bigint {
    return value(soft.f32FromI64(x, this.rounded(rm)));
  }
  f32FromU64(x: bigint, rm: number): bigint {
    return value(soft.f32FromU64(raw(x), this.rounded(rm)));
  }
  f32ToF64(x: bigint, rm: number): bigint {
    return value(soft.f32ToF64(raw(x), this.rounded(rm)));
  }

  // binary64

  f64Add(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f64Add(raw(x), raw(y), this.rounded(rm)));
  }
  f64Sub(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f64Sub(raw(x), raw(y), this.rounded(rm)));
  }
  f64Mul(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f64Mul(raw(x), raw(y), this.rounded(rm)));
  }
  f64Div(x: bigint, y: bigint, rm: number): bigint {
    return value(soft.f64Div(raw(x), raw(y), this.rounded(rm)));
  }
  f64MulAdd(x: bigint, y: bigint, z: bigint, rm: number): bigint {
    return value(soft.f64MulAdd(raw(x), raw(y), raw(z), this.rounded(rm)));
  }
  f64Sqrt(x: bigint, rm: number): bigint {
    return value(soft.f64Sqrt(raw(x), this.rounded(rm)));
  }
  f64Min(x: bigint, y: bigint): bigint {
    return value(soft.f64Min(raw(x), raw(y), this.env));
  }
  f64Max(x: bigint, y: bigint): bigint {
    return value(soft.f64Max(raw(x), raw(y), this.env));
  }
  f64Eq(x: bigint, y: bigint): boolean {
    return soft.f64Eq(raw(x), raw(y), this.env);
  }
  f64Lt(x: bigint, y: bigint): boolean {
    return soft.f64Lt(raw(x), raw(y), this.env);
  }
  f64Le(x: bigint, y: bigint): boolean {
    return soft.f64Le(raw(x), raw(y), this.env);
  }
  f64Classify(x: bigint): bigint {
    return BigInt(soft.f64Classify(raw(x)));
  }
  f64ToI32(x: bigint, rm: number): bigint {
    return value(soft.f64ToI32(raw(x), this.rounded(rm)));
  }
  f64ToU32(x: bigint, rm: number): bigint {
    return value(soft.f64ToU32(raw(x), this.rounded(rm)));
  }
  f64ToI64(x: bigint, rm: number): bigint {
    return value(soft.f64ToI64(raw(x), this.rounded(rm)));
  }
  f64ToU64(x: bigint, rm: number): bigint {
    return value(soft.f64ToU64(raw(x), this.rounded(rm)));
  }
  f64FromI32(x: bigint, rm: number): bigint {
    return value(soft.f64FromI32(BigInt.asIntN(32, x), this.rounded(rm)));
  }
  f64FromU32(x: bigint, rm: number): bigint {
    return value(soft.f64FromU32(BigInt.asUintN(32, x), this.rounded(rm)));
  }
  f64FromI64(x: bigint, rm: number): bigint {
    return value(soft.f64FromI64(x, this.rounded(rm)));
  }
  f64FromU64(x: bigint, rm: number): bigint {
    return value(soft.f64FromU64(raw(x), this.rounded(rm)));
  }
  f64ToF32(x: bigint, rm: number): bigint {
    return value(soft.f64ToF32(raw(x), this.rounded(rm)));
  }
}
