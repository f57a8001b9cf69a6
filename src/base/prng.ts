import { digestWords, Hasher } from './digest.js';

/** The state of one generator: four 32-bit words, never all zero. A plain value, so that it can live in a snapshot. */
export type PrngState = readonly [number, number, number, number];

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** Spreads a seed (any safe integer) and a stream name over the state, by the digest of both. */
export function seedPrng(seed: number, stream: string): PrngState {
  const state: PrngState = digestWords(new Hasher().number(seed).string(stream).value());
  return (state[0] | state[1] | state[2] | state[3]) === 0 ? [1, 2, 3, 4] : state;
}

/** xoshiro128** (Blackman and Vigna): the next 32 random bits as an unsigned number, and the next state. */
export function nextU32(state: PrngState): { value: number; state: PrngState } {
  // By index: hosts that have not compiled this yet would make an iterator.
  let s0 = state[0];
  let s1 = state[1];
  let s2 = state[2];
  let s3 = state[3];
  const value = Math.imul(rotl(Math.imul(s1, 5), 7), 9) >>> 0;
  const t = s1 << 9;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  s0 ^= s3;
  s2 ^= t;
  s3 = rotl(s3, 11);
  return { value, state: [s0, s1, s2, s3] };
}

/** A cursor over a generator's states, for code that draws several times. */
export class Prng {
  constructor(public state: PrngState) {}

  u32(): number {
    const { value, state } = nextU32(this.state);
    this.state = state;
    return value;
  }

  /** An integer in [0, bound), bound at most 2^32; no value's chance is off by more than 2^-32. */
  below(bound: number): number {
    return Math.floor((this.u32() / 0x100000000) * bound);
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const value = this.u32();
      for (let j = 0; j < 4 && i + j < length; j++) out[i + j] = value >>> (8 * j);
    }
    return out;
  }
}
