import { TINY } from '../softfloat/host.js';
import type { FunctionCode } from '../wasm/code.js';
import { emitMultiplyAdd } from '../wasm/fused-multiply-add.js';
import { emitProductError, emitSumError, type Temporaries } from './float-errors.js';
import { emitIsNotFinite, emitIsNotNormal, type GiveUp } from './float-guards.js';
import type { FloatWidth } from './float-shapes.js';

/** x × y + z rounded once, to nearest, in WebAssembly, which need not have an instruction for it. */

/** x, y, z. */
export type FusedOperands = readonly [number, number, number];

/** Locals: x × y + z = product + productRest + z = sum + sumRest + productRest; `rest` is the last two, rounded. */
export interface FusedTerms {
  readonly product: number;
  readonly sum: number;
  readonly sumRest: number;
  readonly productRest: number;
  readonly rest: number;
}

/** The terms of a binary64 operation; exact where the product is, which has TINY ≤ |product| and no NaN among them. */
export function emitTerms(code: FunctionCode, temps: Temporaries, [x, y, z]: FusedOperands): FusedTerms {
  const product = temps.take('f64');
  const sum = temps.take('f64');
  const sumRest = temps.take('f64');
  const productRest = temps.take('f64');
  const rest = temps.take('f64');
  code.get(x).get(y).op('f64.mul').set(product);
  emitProductError(code, temps, x, y, product);
  code.set(productRest);
  code.get(product).get(z).op('f64.add').set(sum);
  emitSumError(code, temps, product, z, sum);
  code.tee(sumRest).get(productRest).op('f64.add').set(rest);
  return { product, sum, sumRest, productRest, rest };
}

/** Factors that take `rest` to either side of what it was before it was rounded. */
const LESS = 1 - 2 ** -50;
const MORE = 1 + 2 ** -50;

/**
 * The exponent field of 2^-900. Next to a result that is not smaller, a product below TINY is less than a quarter of
 * the last place, so that not even an inexact error term of it can matter.
 */
const LOWEST_EXPONENT = 0x3ff - 900;

/**
 * The result is sum + rest, unless rounding `rest` moved that over the middle between two numbers. It did not where
 * adding somewhat less and somewhat more than `rest` gives the same number (Ziv 1991), nor where `rest` is exact.
 */
export function emitFusedDouble(
  code: FunctionCode,
  temps: Temporaries,
  operands: FusedOperands,
  giveUp: GiveUp,
): void {
  const [x, y, z] = operands;
  const terms = emitTerms(code, temps, operands);
  const { product, sum, rest } = terms;
  const result = temps.take('f64');
  code.get(sum).get(rest).op('f64.add').set(result);
  code.block().block();
  code.get(sum).get(rest).f64(LESS).op('f64.mul').op('f64.add');
  code.get(sum).get(rest).f64(MORE).op('f64.mul').op('f64.add');
  code.op('f64.ne').brIf(0);
  // Overflow anywhere above makes the result infinite or a NaN.
  emitIsNotNormal(code, 'f64', result, LOWEST_EXPONENT);
  code.op('i32.eqz').brIf(1);
  code.op('end');
  code.get(x).f64(0).op('f64.eq').get(y).f64(0).op('f64.eq').op('i32.or').if();
  // The sum above may have the wrong sign if it is zero.
  code.get(product).get(z).op('f64.add').set(result);
  code.op('else');
  code.get(product).op('f64.abs').f64(TINY).op('f64.ge').op('i32.eqz');
  emitIsRestInexact(code, terms);
  code.op('i32.or');
  giveUp(2);
  code.op('end');
  emitIsNotFinite(code, 'f64', result);
  giveUp(1);
  code.op('end').get(result);
}

/** Leaves whether `rest` is not exactly what it is the sum of, or a NaN. */
function emitIsRestInexact(code: FunctionCode, { sumRest, productRest, rest }: FusedTerms): void {
  code.get(rest).get(sumRest).op('f64.sub').get(productRest).op('f64.ne');
  code.get(rest).get(productRest).op('f64.sub').get(sumRest).op('f64.ne').op('i32.or');
}

/** Behind a binary32 fraction in a binary64 one: those bits, and what they are halfway between two binary32 numbers. */
const BEHIND = 0x1fff_ffff;
const HALFWAY = 0x1000_0000;

/**
 * In binary64 the product is exact. The sum is not, but what is rounded twice is only wrong if the first time ended
 * halfway between two numbers.
 */
export function emitFusedSingle(
  code: FunctionCode,
  temps: Temporaries,
  [x, y, z]: FusedOperands,
  giveUp: GiveUp,
): void {
  const product = temps.take('f64');
  const addend = temps.take('f64');
  const sum = temps.take('f64');
  const result = temps.take('f32');
  code.get(x).op('f64.promote_f32').get(y).op('f64.promote_f32').op('f64.mul').tee(product);
  code.get(z).op('f64.promote_f32').tee(addend).op('f64.add').tee(sum).op('f32.demote_f64').set(result);
  code.block().block();
  code.get(sum).op('i64.reinterpret_f64').op('i32.wrap_i64').i32(BEHIND).op('i32.and');
  code.i32(HALFWAY).op('i32.eq').brIf(0);
  emitIsNotNormal(code, 'f32', result);
  code.op('i32.eqz').brIf(1);
  code.op('end');
  emitIsNotNormal(code, 'f32', result);
  code.get(sum).f64(0).op('f64.ne').op('i32.and');
  emitSumError(code, temps, product, addend, sum);
  code.f64(0).op('f64.ne').op('i32.or');
  giveUp(1);
  code.op('end').get(result);
}

/** The same by the host's instruction, which leaves the guards. */
export function emitHostFused(
  code: FunctionCode,
  temps: Temporaries,
  width: FloatWidth,
  operands: FusedOperands,
  giveUp: GiveUp,
): void {
  const result = temps.take(width);
  emitMultiplyAdd(code, width, operands);
  code.set(result);
  emitIsNotNormal(code, width, result);
  code.if();
  if (width === 'f32') emitIsSumNotZero(code, operands);
  else emitMayBeTiny(code, operands, result);
  giveUp(1);
  code.op('end').get(result);
}

/** Leaves whether binary32 x × y + z is not exactly zero. */
function emitIsSumNotZero(code: FunctionCode, [x, y, z]: FusedOperands): void {
  code.get(x).op('f64.promote_f32').get(y).op('f64.promote_f32').op('f64.mul');
  code.get(z).op('f64.promote_f32').op('f64.add').f64(0).op('f64.ne');
}

/**
 * Leaves whether a binary64 result may be inexact, or is not finite. It is exact if the product is zero; and a zero is
 * if z is large enough for the product's last place to be that of a number.
 */
function emitMayBeTiny(code: FunctionCode, [x, y, z]: FusedOperands, result: number): void {
  code.get(x).f64(0).op('f64.ne').get(y).f64(0).op('f64.ne').op('i32.and');
  emitIsNotFinite(code, 'f64', result);
  code.op('i32.or');
  code.get(result).f64(0).op('f64.ne').get(z).op('f64.abs').f64(TINY).op('f64.lt').op('i32.or').op('i32.and');
}
