import { type FloatEnv, NX, OF, RDN, RMM, RNE, RTZ, RUP, UF } from './env.js';
import { type Format, signed } from './format.js';

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);
/** Index of the word with the exponent, whatever the host's byte order. */
const highWord = ((): number => {
  scratch[0] = 1;
  return scratchWords[0] === 0 ? 1 : 0;
})();
const CHUNK = 1n << 512n;

/** Length in bits of a positive integer. */
export function bitLength(n: bigint): number {
  let rest = n;
  let skipped = 0;
  while (rest >= CHUNK) {
    rest >>= 512n;
    skipped += 512;
  }
  // The exponent of the nearest double: one too many when rounding carried into the next power of two.
  scratch[0] = Number(rest);
  const length = (scratchWords[highWord]! >>> 20) - 1022;
  return skipped + (rest >> BigInt(length - 1) === 0n ? length - 1 : length);
}

/** `magnitude / 2^places` rounded to an integer; the sign steers the directed modes. */
export function roundShift(magnitude: bigint, places: number, negative: boolean, rounding: number): bigint {
  if (places <= 0) return magnitude << BigInt(-places);
  const shift = BigInt(places);
  const floor = magnitude >> shift;
  const rest = magnitude - (floor << shift);
  if (rest === 0n) return floor;
  const half = 1n << (shift - 1n);
  switch (rounding) {
    case RNE:
      return rest > half || (rest === half && (floor & 1n) === 1n) ? floor + 1n : floor;
    case RMM:
      return rest >= half ? floor + 1n : floor;
    case RDN:
      return negative ? floor + 1n : floor;
    case RUP:
      return negative ? floor : floor + 1n;
    default:
      return floor;
  }
}

/** Where a magnitude too large for the format goes (IEEE 754-2019, section 7.4). */
function overflow(format: Format, negative: boolean, env: FloatEnv): bigint {
  env.flags |= OF | NX;
  const inward = env.rounding === RTZ || env.rounding === (negative ? RUP : RDN);
  return signed(format, negative, inward ? format.infinity - 1n : format.infinity);
}

/**
 * Rounds `±significand × 2^exponent` (significand > 0) to the format, raising OF, UF and NX. Underflow is tininess
 * *after* rounding, as RISC-V chose, together with inexactness.
 */
export function round(
  format: Format,
  negative: boolean,
  significand: bigint,
  exponent: number,
  env: FloatEnv,
): bigint {
  const length = bitLength(significand);
  const first = exponent + length - 1;
  const last = Math.max(first - format.fractionBits, format.minExponent);
  const places = last - exponent;
  const rounded = roundShift(significand, places, negative, env.rounding);
  // The leading bit of a normal significand adds the one that the exponent field still lacks, and so does a carry.
  const magnitude = (BigInt(last - format.minExponent) << format.fractionShift) + rounded;
  if (magnitude >= format.infinity) return overflow(format, negative, env);
  if (places > 0 && rounded << BigInt(places) !== significand) {
    env.flags |= NX;
    if (isTiny(format, negative, significand, exponent, first, env)) env.flags |= UF;
  }
  return signed(format, negative, magnitude);
}

/** Whether rounding with an unbounded exponent range stays below the smallest normal number. */
function isTiny(
  format: Format,
  negative: boolean,
  significand: bigint,
  exponent: number,
  first: number,
  env: FloatEnv,
): boolean {
  if (first >= format.minNormalExponent) return false;
  if (first < format.minNormalExponent - 1) return true;
  const places = first - format.fractionBits - exponent;
  const rounded = roundShift(significand, places, negative, env.rounding);
  return rounded >> BigInt(format.precision) === 0n;
}
