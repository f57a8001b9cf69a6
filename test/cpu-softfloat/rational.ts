/**
 * A second opinion on rounding that shares nothing with the code under test: numbers are fractions, and the nearest
 * encodings are found by searching all encodings in order rather than by shifting significands.
 */

export interface Layout {
  readonly exponentBits: number;
  readonly fractionBits: number;
}

export const LAYOUTS: Record<'f32' | 'f64', Layout> = {
  f32: { exponentBits: 8, fractionBits: 23 },
  f64: { exponentBits: 11, fractionBits: 52 },
};

/** numerator / denominator, denominator > 0. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

function powerOfTwo(exponent: number): Fraction {
  return exponent < 0 ? { n: 1n, d: 2n ** BigInt(-exponent) } : { n: 2n ** BigInt(exponent), d: 1n };
}

export function times(x: Fraction, y: Fraction): Fraction {
  return { n: x.n * y.n, d: x.d * y.d };
}

export function plus(x: Fraction, y: Fraction): Fraction {
  return { n: x.n * y.d + y.n * x.d, d: x.d * y.d };
}

export function negate(x: Fraction): Fraction {
  return { n: -x.n, d: x.d };
}

/** x / y, y ≠ 0. */
export function over(x: Fraction, y: Fraction): Fraction {
  return y.n < 0n ? { n: -x.n * y.d, d: x.d * -y.n } : { n: x.n * y.d, d: x.d * y.n };
}

export function compare(x: Fraction, y: Fraction): number {
  const difference = x.n * y.d - y.n * x.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function infinityOf({ exponentBits, fractionBits }: Layout): bigint {
  return (2n ** BigInt(exponentBits) - 1n) * 2n ** BigInt(fractionBits);
}

/** The value of a non-negative encoding up to infinity, which counts as the power of two it stands in place of. */
function magnitudeOf(layout: Layout, bits: bigint): Fraction {
  const unit = 2n ** BigInt(layout.fractionBits);
  const exponent = Number(bits / unit);
  const fraction = bits % unit;
  const bias = 2 ** (layout.exponentBits - 1) - 1;
  if (exponent === 0) return times({ n: fraction, d: unit }, powerOfTwo(1 - bias));
  return times({ n: unit + fraction, d: unit }, powerOfTwo(exponent - bias));
}

export function isFiniteEncoding(layout: Layout, bits: bigint): boolean {
  return bits % signOf(layout) < infinityOf(layout);
}

export function signOf({ exponentBits, fractionBits }: Layout): bigint {
  return 2n ** BigInt(exponentBits + fractionBits);
}

/** The value of a finite encoding. */
export function fractionOf(layout: Layout, bits: bigint): Fraction {
  const sign = signOf(layout);
  return bits >= sign ? negate(magnitudeOf(layout, bits - sign)) : magnitudeOf(layout, bits);
}

/** A positive real: the fraction `of`, or the square root of it. */
export interface Real {
  readonly of: Fraction;
  readonly root: boolean;
}

function compareReal(real: Real, x: Fraction): number {
  return compare(real.of, real.root ? times(x, x) : x);
}

/** What a magnitude becomes when it lies strictly between two neighbours. `middle` compares it to their mean. */
function goesUp(rounding: number, negative: boolean, middle: number, lowerIsEven: boolean): boolean {
  switch (rounding) {
    case 0:
      return middle > 0 || (middle === 0 && !lowerIsEven);
    case 1:
      return false;
    case 2:
      return negative;
    case 3:
      return !negative;
    default:
      return middle >= 0;
  }
}

/** The greatest encoding, infinity included, that is at most the real. */
function encodingBelow(layout: Layout, real: Real): bigint {
  let low = 0n;
  let high = infinityOf(layout) + 1n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (compareReal(real, magnitudeOf(layout, middle)) >= 0) low = middle;
    else high = middle;
  }
  return low;
}

export interface Rounded {
  readonly bits: bigint;
  readonly flags: number;
}

const OF = 4;
const UF = 2;
const NX = 1;

function roundMagnitude(layout: Layout, real: Real, negative: boolean, rounding: number): Rounded {
  const infinity = infinityOf(layout);
  const below = encodingBelow(layout, real);
  if (below === infinity) {
    return { bits: goesUp(rounding, negative, 1, true) ? infinity : infinity - 1n, flags: OF | NX };
  }
  const lower = magnitudeOf(layout, below);
  if (compareReal(real, lower) === 0) return { bits: below, flags: 0 };
  const mean = times(plus(lower, magnitudeOf(layout, below + 1n)), { n: 1n, d: 2n });
  const up = goesUp(rounding, negative, compareReal(real, mean), below % 2n === 0n);
  const bits = up ? below + 1n : below;
  return { bits, flags: bits === infinity ? OF | NX : NX };
}

/** Far enough up from the subnormals that rounding there is as with an unbounded exponent range. */
const LIFT = 64;

function isTiny(layout: Layout, real: Real, negative: boolean, rounding: number): boolean {
  const leastNormal = powerOfTwo(2 - 2 ** (layout.exponentBits - 1));
  if (compareReal(real, leastNormal) >= 0) return false;
  const lifted = { of: times(real.of, powerOfTwo(real.root ? 2 * LIFT : LIFT)), root: real.root };
  const { bits } = roundMagnitude(layout, lifted, negative, rounding);
  return compare(magnitudeOf(layout, bits), times(leastNormal, powerOfTwo(LIFT))) < 0;
}

/** Rounds a real that is not zero; `of` is its magnitude. */
export function roundReal(layout: Layout, real: Real, negative: boolean, rounding: number): Rounded {
  const { bits, flags } = roundMagnitude(layout, real, negative, rounding);
  const underflow = flags === NX && isTiny(layout, real, negative, rounding) ? UF : 0;
  return { bits: negative ? bits + signOf(layout) : bits, flags: flags | underflow };
}

/** Rounds a fraction to an integer; `exact` says that it was one. */
export function roundToInteger(x: Fraction, rounding: number): { value: bigint; exact: boolean } {
  const negative = x.n < 0n;
  const magnitude = negative ? -x.n : x.n;
  const lower = magnitude / x.d;
  const rest = magnitude % x.d;
  if (rest === 0n) return { value: negative ? -lower : lower, exact: true };
  const middle = compare({ n: 2n * rest, d: x.d }, { n: 1n, d: 1n });
  const value = goesUp(rounding, negative, middle, lower % 2n === 0n) ? lower + 1n : lower;
  return { value: negative ? -value : value, exact: false };
}
