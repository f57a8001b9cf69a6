import type { FunctionCode, ValueType } from '../wasm/code.js';

/** Locals of a function that one instruction after the other uses. */
export class Temporaries {
  private readonly locals: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [] };
  private readonly used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0 };

  constructor(private readonly code: FunctionCode) {}

  take(type: ValueType): number {
    const locals = this.locals[type];
    const index = this.used[type]++;
    if (index === locals.length) locals.push(this.code.local(type));
    return locals[index]!;
  }

  /** From here on those that were taken may be taken again. */
  release(): void {
    this.used.i32 = this.used.i64 = this.used.f32 = this.used.f64 = 0;
  }
}

/**
 * Error terms of binary64 in WebAssembly: each emits code that leaves the exact error of a rounded operation. Their
 * operands are f64 locals; the ranges they are exact in are those of softfloat/host.ts, and outside of them an error
 * term may be a NaN, but no operation traps.
 */

/** Leaves x + y − sum, where sum = x + y as rounded (Knuth, TAOCP 2, 4.2.2). */
export function emitSumError(
  code: FunctionCode,
  temps: Temporaries,
  x: number,
  y: number,
  sum: number,
): void {
  const y1 = temps.take('f64');
  code.get(sum).get(x).op('f64.sub').set(y1);
  code.get(x).get(sum).get(y1).op('f64.sub').op('f64.sub');
  code.get(y).get(y1).op('f64.sub').op('f64.add');
}

/** The places of a fraction behind the first 26 of a significand. */
const LOW_PLACES = 27n;

/**
 * x as a sum of two numbers of at most 26 bits. Veltkamp's splitting takes four operations in a row; rounding the
 * encoding as an integer is faster, and right in the exponent too.
 */
function emitSplit(code: FunctionCode, temps: Temporaries, x: number): { high: number; low: number } {
  const high = temps.take('f64');
  const low = temps.take('f64');
  code.get(x).op('i64.reinterpret_f64');
  code.i64(1n << (LOW_PLACES - 1n)).op('i64.add');
  code.i64(-(1n << LOW_PLACES)).op('i64.and');
  code.op('f64.reinterpret_i64').set(high);
  code.get(x).get(high).op('f64.sub').set(low);
  return { high, low };
}

/** Leaves x × y − product, where product = x × y as rounded (Dekker 1971). */
export function emitProductError(
  code: FunctionCode,
  temps: Temporaries,
  x: number,
  y: number,
  product: number,
): void {
  const a = emitSplit(code, temps, x);
  const b = x === y ? a : emitSplit(code, temps, y);
  code.get(a.high).get(b.high).op('f64.mul').get(product).op('f64.sub');
  code.get(a.high).get(b.low).op('f64.mul').op('f64.add');
  code.get(a.low).get(b.high).op('f64.mul').op('f64.add');
  code.get(a.low).get(b.low).op('f64.mul').op('f64.add');
}
