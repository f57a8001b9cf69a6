import fc from 'fast-check';
import * as exact from '../../src/cpu/softfloat/exact.js';
import { BINARY32, BINARY64, type Format } from '../../src/cpu/softfloat/format.js';
import { FloatEnv } from '../../src/cpu/softfloat.js';
import type { Operand } from './operations.js';

/** Bit patterns crowded around the places where floating point goes wrong. */
function bitPattern(format: Format): fc.Arbitrary<bigint> {
  const top = Number(format.exponentMask);
  const bias = top >> 1;
  const near = (exponent: number, distance: number): fc.Arbitrary<number> =>
    fc.integer({ min: Math.max(0, exponent - distance), max: Math.min(top, exponent + distance) });
  const exponent = fc.oneof(
    near(0, 3),
    near(top, 3),
    near(bias, 3),
    near(bias, 70),
    near(bias + BINARY32.minNormalExponent, 1),
    near(bias - BINARY32.minNormalExponent, 1),
    near(0, format.precision * 2),
    near(bias >> 1, format.precision),
    near(bias + (bias >> 1), format.precision),
    fc.integer({ min: 0, max: top }),
  );
  const any = fc.bigInt({ min: 0n, max: format.fractionMask });
  const place = fc.bigInt({ min: 0n, max: format.fractionShift });
  const fraction = fc.oneof(
    any,
    fc.constantFrom(0n, 1n, 2n, format.fractionMask, format.fractionMask - 1n),
    fc.constantFrom(format.quietBit, format.quietBit - 1n, format.quietBit + 1n),
    place.map((p) => (1n << p) & format.fractionMask),
    place.map((p) => (1n << p) - 1n),
    fc.tuple(place, fc.constantFrom(0n, 1n)).map(([p, n]) => ((format.fractionMask >> p) << p) | n),
    fc.tuple(any, place).map(([f, p]) => (f >> p) << p),
  );
  const composed = fc.tuple(exponent, fraction).map(([e, f]) => (BigInt(e) << format.fractionShift) | f);
  const { infinity, canonicalNan, quietBit, fractionShift } = format;
  const special = fc.constantFrom(
    ...[0n, 1n, 1n << fractionShift, BigInt(bias) << fractionShift, infinity - 1n],
    ...[infinity, infinity | 1n, canonicalNan, canonicalNan | (quietBit - 1n)],
  );
  return fc
    .tuple(fc.boolean(), fc.oneof({ arbitrary: composed, weight: 4 }, { arbitrary: special, weight: 1 }))
    .map(([negative, magnitude]) => (negative ? format.signBit : 0n) | magnitude);
}

/** 64-bit register contents: any number of leading and trailing zeros, or a power of two; give or take two. */
const integerPattern: fc.Arbitrary<bigint> = fc
  .tuple(
    fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(1n << 63n)),
    fc.bigInt({ min: 0n, max: 63n }),
    fc.bigInt({ min: 0n, max: 63n }),
    fc.bigInt({ min: -2n, max: 2n }),
    fc.boolean(),
  )
  .map(([bits, drop, clear, nudge, negate]) => {
    const kept = bits >> drop;
    const value = (kept === 1n << (63n - drop) ? kept : (kept >> clear) << clear) + nudge;
    return BigInt.asIntN(64, negate ? -value : value);
  });

const patterns: Record<Operand, fc.Arbitrary<bigint>> = {
  f32: bitPattern(BINARY32),
  f64: bitPattern(BINARY64),
  integer: integerPattern,
};

/**
 * Operands for one operation, unused ones zero. Independent patterns seldom cancel, divide evenly or are squares, so
 * some are made from others: b near ±a, c near ±(a × b), a near b × c or b², b about half of a's last place,
 * a × 1.5 (often halfway between two values) with a c too small to matter but for breaking the tie, and a × b or
 * a / b about the smallest normal number.
 */
export function operandsFor(operands: readonly Operand[]): fc.Arbitrary<[bigint, bigint, bigint]> {
  const kind = operands[0]!;
  const pattern = patterns[kind];
  if (kind === 'integer') return pattern.map((a) => [a, 0n, 0n]);
  const format = kind === 'f32' ? BINARY32 : BINARY64;
  const all = (format.signBit << 1n) - 1n;
  const mul = (x: bigint, y: bigint): bigint => exact.mul(format, x, y, new FloatEnv());
  const power = (exponent: number): bigint =>
    exact.convert(BINARY64, format, BigInt(exponent + 1023) << 52n, new FloatEnv());
  const least = 1n << format.fractionShift;
  const lead = (x: bigint): bigint => x & ~format.fractionMask;
  return fc
    .tuple(
      pattern,
      pattern,
      pattern,
      fc.constantFrom('free', 'b~a', 'c~ab', 'a~bc', 'a~bb', 'half place', 'tie', 'a/b least', 'ab least'),
      fc.bigInt({ min: -2n, max: 2n }),
      fc.boolean(),
      fc.integer({ min: 1, max: 126 }),
    )
    .map(([a, b, c, relation, nudge, flip, distance]): [bigint, bigint, bigint] => {
      const near = (x: bigint): bigint => ((x + nudge) & all) ^ (flip ? format.signBit : 0n);
      switch (relation) {
        case 'b~a':
          return [a, near(a), c];
        case 'c~ab':
          return [a, b, near(mul(a, b))];
        case 'a~bc':
          return [near(mul(b, c)), b, c];
        case 'a~bb':
          return [near(mul(b, b)), b, c];
        case 'half place':
          return [a, near(mul(lead(a), power(-format.precision))), c];
        case 'tie': {
          const threeHalves = lead(b) | format.quietBit;
          return [a, threeHalves, near(mul(mul(a, threeHalves), power(-distance)))];
        }
        case 'a/b least':
          return [near(mul(b, least)), b, c];
        case 'ab least':
          return [near(exact.div(format, least, b, new FloatEnv())), b, c];
        default:
          return [a, b, c];
      }
    })
    .map(([a, b, c]) => [a, operands.length > 1 ? b : 0n, operands.length > 2 ? c : 0n]);
}

/** Operands as programs have them: normal numbers of moderate size that are in the range of integer results. */
export function ordinaryOperands(operands: readonly Operand[], name: string): fc.Arbitrary<bigint[]> {
  const kind = operands[0]!;
  if (kind === 'integer') return integerPattern.map((value) => [value]);
  const format = kind === 'f32' ? BINARY32 : BINARY64;
  const bias = Number(format.exponentMask) >> 1;
  const integer = /To([IU])(32|64)$/.exec(name);
  const highest = integer === null ? 20 : Number(integer[2]) - 2;
  const positive = name.endsWith('Sqrt') || integer?.[1] === 'U';
  const number = fc
    .tuple(
      fc.integer({ min: -20, max: highest }),
      fc.bigInt({ min: 0n, max: format.fractionMask }),
      fc.boolean(),
    )
    .map(([exponent, fraction, negative]) => {
      const magnitude = (BigInt(bias + exponent) << format.fractionShift) | fraction;
      return negative && !positive ? format.signBit | magnitude : magnitude;
    });
  return fc.tuple(...operands.map(() => number));
}

/**
 * x, y and z of x × y + z that are sums of a few powers of two: products, sums and what is behind their last places
 * meet in all ways, so that results are ties, or are just not, or cancel. Some are about the ends of the range, of the
 * format or of its error terms.
 */
export function fusedOperands(kind: 'f32' | 'f64'): fc.Arbitrary<bigint[]> {
  const format = kind === 'f32' ? BINARY32 : BINARY64;
  const top = Number(format.exponentMask);
  const bias = top >> 1;
  const { precision, fractionShift, fractionMask } = format;
  const sparse = fc
    .array(fc.tuple(fc.integer({ min: 0, max: precision - 1 }), fc.boolean()), { maxLength: 3 })
    .map((terms) => terms.reduce((sum, [place, add]) => sum + (add ? 1n : -1n) * (1n << BigInt(place)), 0n));
  const part = fc.tuple(fc.integer({ min: -3, max: 3 }), sparse, fc.boolean());
  const number = (exponent: number, [nudge, fraction, negative]: [number, bigint, boolean]): bigint => {
    const biased = Math.min(Math.max(bias + exponent + nudge, 1), top - 1);
    // A negative fraction borrows from the exponent, which makes numbers just below a power of two.
    const magnitude = (BigInt(biased) << fractionShift) + (fraction % (fractionMask + 1n));
    return negative ? format.signBit | magnitude : magnitude;
  };
  const distance = fc.oneof(
    fc.constant(0),
    fc.integer({ min: -2 * precision - 4, max: precision + 4 }),
    fc.constantFrom(-precision - 1, -precision, 1 - precision, precision - 1, precision, precision + 1),
  );
  const size = fc.oneof(
    { arbitrary: fc.constant(0), weight: 4 },
    { arbitrary: fc.constantFrom(bias, bias - 1, -bias, 1 - bias), weight: 1 },
    { arbitrary: fc.integer({ min: -bias, max: precision * 3 - bias }), weight: 1 },
    { arbitrary: fc.integer({ min: bias - precision, max: bias }), weight: 1 },
  );
  const share = fc.oneof(fc.constant(0), fc.integer({ min: -bias, max: bias }));
  return fc
    .tuple(part, part, part, size, share, distance)
    .map(([x, y, z, s, e, d]) => [number(e, x), number(s - e, y), number(s + d, z)]);
}
