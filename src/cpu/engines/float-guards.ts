import type { FunctionCode } from '../wasm/code.js';
import type { FloatWidth } from './float-shapes.js';

/** Tests by which inline floating-point code gives up where more than NX may have to be raised. */

/**
 * Emits code that takes a condition (i32) and, unless it is 0, gives up: it leaves for where the instruction is
 * executed in another way, with nothing of it done. `nesting`: blocks that are open here and were not before it.
 */
export type GiveUp = (nesting: number) => void;

/** Where the exponent is in `emitMagnitude`'s word, and the exponent field of infinities and NaNs. */
const EXPONENT_SHIFT = { f32: 24, f64: 21 } as const;
const EXPONENT_TOP = { f32: 0xff, f64: 0x7ff } as const;
const EXPONENT_BIAS = 0x3ff;

/** Leaves the first 32 bits (i32) behind the sign of a local: the exponent and some of the fraction. */
function emitMagnitude(code: FunctionCode, width: FloatWidth, x: number): void {
  code.get(x);
  if (width === 'f32') code.op('i32.reinterpret_f32').i32(1).op('i32.shl');
  else code.op('i64.reinterpret_f64').i64(31).op('i64.shr_u').op('i32.wrap_i64');
}

/** Leaves whether a local is infinite or a NaN. */
export function emitIsNotFinite(code: FunctionCode, width: FloatWidth, x: number): void {
  emitMagnitude(code, width, x);
  code.i32(EXPONENT_TOP[width] << EXPONENT_SHIFT[width]).op('i32.ge_u');
}

/**
 * Leaves whether a result may be tiny (even if only before it was rounded), zero, infinite or a NaN: its exponent field
 * is below `lowest` or at the top. The lowest normal one counts as tiny, for what was rounded up to the least normal
 * number may have been.
 */
export function emitIsNotNormal(code: FunctionCode, width: FloatWidth, x: number, lowest = 2): void {
  const shift = EXPONENT_SHIFT[width];
  emitMagnitude(code, width, x);
  code.i32(lowest << shift).op('i32.sub');
  code.i32((EXPONENT_TOP[width] - lowest) << shift).op('i32.ge_u');
}

/**
 * Leaves an i64: the local, an f64 rounded to an integer, or to be truncated. Gives up unless it is in the type's
 * range, and at its ends.
 */
export function emitInteger(code: FunctionCode, type: string, x: number, giveUp: GiveUp): void {
  const bits = Number(type.slice(1));
  if (type.startsWith('I')) {
    emitMagnitude(code, 'f64', x);
    code.i32((EXPONENT_BIAS + bits - 1) << EXPONENT_SHIFT.f64).op('i32.ge_u');
  } else {
    // With the sign, so that negative numbers are too large; and U64 only as far as I64 goes.
    code.get(x).op('i64.reinterpret_f64').i64(32).op('i64.shr_u').op('i32.wrap_i64');
    code.i32((EXPONENT_BIAS + Math.min(bits, 63)) << 20).op('i32.ge_u');
  }
  giveUp(0);
  code.get(x).op('i64.trunc_f64_s');
}
