import { type FloatEnv, NX, RDN, RMM, RNE, RTZ } from './env.js';
import type { IntegerType } from './integer.js';

/**
 * The host's doubles, used where ECMAScript fixes the result to the bit: + − × ÷ and fround round to nearest even,
 * comparisons and trunc/floor/ceil are exact. NaN bits are not fixed, so no function here returns the bits of a NaN
 * and callers let none through. Error terms follow Dekker 1971 and Knuth (TAOCP 2, 4.2.2).
 */

const doubles = new Float64Array(1);
const quads = new BigUint64Array(doubles.buffer);
const singles = new Float32Array(doubles.buffer);
const words = new Uint32Array(doubles.buffer);
/** Index of a double's less significant word in the host's byte order. */
const LOW = ((): number => {
  doubles[0] = 1;
  return words[0] === 0 ? 0 : 1;
})();
const HIGH = 1 - LOW;

/**
 * Error terms are exact between these two: no product of split halves overflows, and no partial product has bits
 * below the last place of the subnormals.
 */
export const HUGE = 2 ** 990;
export const TINY = 2 ** -960;

export function toDouble(bits: bigint): number {
  quads[0] = bits;
  return doubles[0]!;
}

/** Bits of a double that is not a NaN. */
export function fromDouble(x: number): bigint {
  doubles[0] = x;
  return quads[0]!;
}

export function toSingle(bits: bigint): number {
  quads[0] = bits;
  return singles[LOW]!;
}

/** Bits of a binary32 value that is not a NaN. */
export function fromSingle(x: number): bigint {
  singles[LOW] = x;
  return BigInt(words[LOW]!);
}

/** x + y − sum, exactly, where sum = x + y as rounded and |sum| < HUGE. */
export function sumError(x: number, y: number, sum: number): number {
  const y1 = sum - x;
  const x1 = sum - y1;
  return x - x1 + (y - y1);
}

const SPLITTER = 2 ** 27 + 1;

/** x × y − product, exactly, where product = x × y as rounded; |x|, |y| < HUGE and TINY ≤ |product| < HUGE. */
export function productError(x: number, y: number, product: number): number {
  const cx = SPLITTER * x;
  const xh = cx - (cx - x);
  const xl = x - xh;
  const cy = SPLITTER * y;
  const yh = cy - (cy - y);
  const yl = y - yh;
  return xh * yh - product + xh * yl + xl * yh + xl * yl;
}

/**
 * sum + error rounded to odd: of the two neighbours of an inexact value, the one whose last bit is 1. Rounding that
 * again to at least two bits less gives what rounding once would have (Boldo and Melquiond 2008).
 */
export function roundToOdd(sum: number, error: number): number {
  if (error === 0) return sum;
  doubles[0] = sum;
  const low = words[LOW]!;
  if ((low & 1) === 1) return sum;
  if (error > 0 === sum > 0) {
    words[LOW] = low + 1;
  } else {
    words[LOW] = low - 1;
    if (low === 0) words[HIGH] = words[HIGH]! - 1;
  }
  return doubles[0]!;
}

/** The power of two at or below a positive normal double. */
function leadingPower(x: number): number {
  doubles[0] = x;
  words[LOW] = 0;
  words[HIGH] = words[HIGH]! & 0x7ff00000;
  return doubles[0]!;
}

/**
 * Whether a root is the nearest one, given the residue (square − root²) and the format's last place relative to its
 * leading one. Asked because ECMAScript lets Math.sqrt be approximate, although no engine does.
 */
export function isNearestRoot(root: number, residue: number, lastPlace: number): boolean {
  // A root is nearest when (root − u/2)² < square < (root + u/2)² for a last place u, that is -root × u <
  // residue - u²/4 < root × u, and all but u²/4 are multiples of u². Below a power of two, u is half as large.
  const lead = leadingPower(root);
  const above = root * (lead * lastPlace);
  const below = root === lead ? above / 2 : above;
  return residue > -below && residue <= above;
}

/** A double rounded to an integer, NaN and infinities unchanged. */
function roundedInteger(x: number, rounding: number): number {
  const whole = Math.trunc(x);
  const rest = Math.abs(x - whole);
  if (rest === 0 || rounding === RTZ) return whole;
  const away = whole + (x < 0 ? -1 : 1);
  if (rounding === RNE) return rest > 0.5 || (rest === 0.5 && whole % 2 !== 0) ? away : whole;
  if (rounding === RMM) return rest >= 0.5 ? away : whole;
  return x < 0 === (rounding === RDN) ? away : whole;
}

/** x as an integer of the type, or undefined when it is a NaN or out of range. */
export function toIntegerInRange(x: number, type: IntegerType, env: FloatEnv): bigint | undefined {
  const value = roundedInteger(x, env.rounding);
  if (!(value >= type.first && value < type.end)) return undefined;
  if (value !== x) env.flags |= NX;
  return BigInt(value);
}
