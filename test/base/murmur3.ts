/**
 * MurmurHash3_x86_128 as its author describes it, over bytes and in BigInt arithmetic: slow, and nothing in common
 * with src/base/digest.ts but the constants. It is itself checked by the value that the author's test suite gives.
 */

const MASK = 0xffffffffn;
const C = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n] as const;

const rotl = (x: bigint, by: number): bigint => ((x << BigInt(by)) | (x >> BigInt(32 - by))) & MASK;
const mul = (a: bigint, b: bigint): bigint => (a * b) & MASK;
const add = (a: bigint, b: bigint): bigint => (a + b) & MASK;

/** By lane: rotation of the key, rotation of the hash, and what is added to it. */
const LANES = [
  { key: 15, hash: 19, plus: 0x561ccd1bn },
  { key: 16, hash: 17, plus: 0x0bcaa747n },
  { key: 17, hash: 15, plus: 0x96cd1c35n },
  { key: 18, hash: 13, plus: 0x32ac3b17n },
] as const;

function mixKey(k: bigint, lane: number): bigint {
  return mul(rotl(mul(k, C[lane]), LANES[lane].key), C[(lane + 1) % 4]);
}

function finalMix(h: bigint): bigint {
  const a = mul(h ^ (h >> 16n), 0x85ebca6bn);
  const b = mul(a ^ (a >> 13n), 0xc2b2ae35n);
  return b ^ (b >> 16n);
}

function spread(h: bigint[]): bigint[] {
  const first = h.reduce(add);
  return [first, ...h.slice(1).map((x) => add(x, first))];
}

/** The four words of the hash. */
export function murmur3(bytes: Uint8Array, seed: number): bigint[] {
  const word = (at: number): bigint =>
    [0, 1, 2, 3].reduce((w, i) => w | (BigInt(bytes[at + i] ?? 0) << BigInt(8 * i)), 0n);
  let h = [0, 1, 2, 3].map(() => BigInt(seed));
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    for (let lane = 0; lane < 4; lane++) {
      h[lane] = rotl(h[lane] ^ mixKey(word(at + 4 * lane), lane), LANES[lane].hash);
      h[lane] = add(mul(add(h[lane], h[(lane + 1) % 4]), 5n), LANES[lane].plus);
    }
  }
  // A tail word that is not there is zero, and a zero word mixes to zero.
  for (let lane = 0; lane < 4; lane++) h[lane] ^= mixKey(word(whole + 4 * lane), lane);
  h = spread(h.map((x) => x ^ BigInt(bytes.length)));
  return spread(h.map(finalMix));
}

/** The words as the bytes that the C function leaves in memory. */
export function toBytes(words: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(4 * i, Number(word), true);
  });
  return bytes;
}
