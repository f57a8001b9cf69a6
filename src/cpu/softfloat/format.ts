/**
 * One binary interchange format of IEEE 754-2019, section 3.4. Encodings are raw bits as unsigned bigints.
 * A finite value is `significand × 2^exponent` with an integer significand, so exponents here are those of the
 * last place and not of the first.
 */
export interface Format {
  /** Stored fraction bits; the precision is one more. */
  readonly fractionBits: number;
  readonly precision: number;
  /** Exponent of the first place of the smallest normal number. */
  readonly minNormalExponent: number;
  /** Exponent of the last place of every subnormal. */
  readonly minExponent: number;
  readonly fractionShift: bigint;
  readonly fractionMask: bigint;
  readonly exponentMask: bigint;
  readonly quietBit: bigint;
  readonly signBit: bigint;
  readonly infinity: bigint;
  readonly canonicalNan: bigint;
}

function binaryFormat(exponentBits: number, fractionBits: number): Format {
  const fractionShift = BigInt(fractionBits);
  const exponentMask = (1n << BigInt(exponentBits)) - 1n;
  const quietBit = 1n << (fractionShift - 1n);
  const infinity = exponentMask << fractionShift;
  const minNormalExponent = 2 - 2 ** (exponentBits - 1);
  return {
    fractionBits,
    precision: fractionBits + 1,
    minNormalExponent,
    minExponent: minNormalExponent - fractionBits,
    fractionShift,
    fractionMask: (1n << fractionShift) - 1n,
    exponentMask,
    quietBit,
    signBit: infinity + (1n << fractionShift),
    infinity,
    canonicalNan: infinity | quietBit,
  };
}

export const BINARY32 = binaryFormat(8, 23);
export const BINARY64 = binaryFormat(11, 52);

/** A signed number: `significand × 2^exponent`, zero when the significand is. */
export interface Scaled {
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

export interface Unpacked extends Scaled {
  readonly kind: 'finite' | 'infinite' | 'quiet-nan' | 'signalling-nan';
}

export function unpack(format: Format, bits: bigint): Unpacked {
  const negative = (bits & format.signBit) !== 0n;
  const fraction = bits & format.fractionMask;
  const biased = (bits >> format.fractionShift) & format.exponentMask;
  if (biased === format.exponentMask) {
    if (fraction === 0n) return { kind: 'infinite', negative, significand: 0n, exponent: 0 };
    const kind = (fraction & format.quietBit) === 0n ? 'signalling-nan' : 'quiet-nan';
    return { kind, negative, significand: 0n, exponent: 0 };
  }
  if (biased === 0n) {
    return { kind: 'finite', negative, significand: fraction, exponent: format.minExponent };
  }
  const significand = fraction + (1n << format.fractionShift);
  return { kind: 'finite', negative, significand, exponent: format.minExponent + Number(biased) - 1 };
}

export function signed(format: Format, negative: boolean, magnitude: bigint): bigint {
  return negative ? magnitude + format.signBit : magnitude;
}
