/** A range of integers that conversions saturate to; `first` and `end` (one past the last) are exact doubles. */
export interface IntegerType {
  readonly lowest: bigint;
  readonly highest: bigint;
  readonly first: number;
  readonly end: number;
}

function signedType(bits: number): IntegerType {
  const end = 1n << BigInt(bits - 1);
  return { lowest: -end, highest: end - 1n, first: -Number(end), end: Number(end) };
}

function unsignedType(bits: number): IntegerType {
  const end = 1n << BigInt(bits);
  return { lowest: 0n, highest: end - 1n, first: 0, end: Number(end) };
}

export const I32 = signedType(32);
export const U32 = unsignedType(32);
export const I64 = signedType(64);
export const U64 = unsignedType(64);
