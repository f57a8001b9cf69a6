import { assert } from './assert.js';

/**
 * 128-bit digests for states, events and pages: MurmurHash3_x86_128 (Austin Appleby, public domain algorithm).
 * Chosen over a library because it must be synchronous, free of host calls and equal on every host; it finds
 * accidents, it does not resist an attacker. Digests are 32 lower-case hex digits.
 */
export type Digest = string;

const C1 = 0x239b961b | 0;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5 | 0;
const C4 = 0xa1e38b93 | 0;

function finalMix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

// Tables, because number formatting would cost more than the rest of a short digest.
const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);
const NIBBLE_OF_CODE = new Uint8Array(128);
for (let nibble = 0; nibble < 16; nibble++) NIBBLE_OF_CODE[nibble.toString(16).charCodeAt(0)] = nibble;

function hex(w: number): string {
  return (
    HEX_OF_BYTE[w >>> 24] +
    HEX_OF_BYTE[(w >>> 16) & 255] +
    HEX_OF_BYTE[(w >>> 8) & 255] +
    HEX_OF_BYTE[w & 255]
  );
}

/** The four words of a digest. */
export function digestWords(digest: Digest): [number, number, number, number] {
  return [wordAt(digest, 0), wordAt(digest, 8), wordAt(digest, 16), wordAt(digest, 24)];
}

function wordAt(digest: Digest, start: number): number {
  let word = 0;
  for (let i = start; i < start + 8; i++) word = (word << 4) | NIBBLE_OF_CODE[digest.charCodeAt(i)];
  return word;
}

/** Byte order must not show in a digest: hosts of the other one take the slow way through bytes. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * A running digest: feed words and bytes, read the digest at any time (reading does not end it).
 * Everything is folded as 32-bit little-endian words in groups of four. `bytes` and `string` fold their length
 * first and pad their last word with zeros, so that sequences of the same kinds of calls with different arguments
 * do not collide by concatenation. A caller whose kinds of calls vary tells them apart itself, by words before them.
 */
export class Hasher {
  private h1: number;
  private h2: number;
  private h3: number;
  private h4: number;
  private k1 = 0;
  private k2 = 0;
  private k3 = 0;
  private words = 0;

  constructor(seed = 0) {
    this.h1 = this.h2 = this.h3 = this.h4 = seed | 0;
  }

  /** One 32-bit word. */
  word(w: number): this {
    switch (this.words++ & 3) {
      case 0:
        this.k1 = w;
        break;
      case 1:
        this.k2 = w;
        break;
      case 2:
        this.k3 = w;
        break;
      default:
        this.block(this.k1, this.k2, this.k3, w);
    }
    return this;
  }

  /** A safe integer of either sign, as two words. */
  number(n: number): this {
    if (!Number.isSafeInteger(n)) assert(false, `${n} has no digest: not a safe integer`);
    const high = Math.floor(n / 0x100000000);
    return this.word((n - high * 0x100000000) | 0).word(high | 0);
  }

  /** The low 64 bits of an integer, as two words. */
  bigint(n: bigint): this {
    return this.word(Number(BigInt.asIntN(32, n))).word(Number(BigInt.asIntN(32, n >> 32n)));
  }

  bytes(bytes: Uint8Array): this {
    const length = bytes.length;
    const whole = length & ~3;
    this.word(length);
    let i = 0;
    if (LITTLE_ENDIAN && (bytes.byteOffset & 3) === 0) {
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, whole >>> 2);
      const count = words.length;
      let j = 0;
      while (j < count && (this.words & 3) !== 0) this.word(words[j++]);
      for (; j + 4 <= count; j += 4) {
        this.block(words[j], words[j + 1], words[j + 2], words[j + 3]);
        this.words += 4;
      }
      while (j < count) this.word(words[j++]);
      i = whole;
    }
    for (; i < whole; i += 4) {
      this.word(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    }
    if (i < length) {
      let last = 0;
      for (let shift = 0; i < length; i++, shift += 8) last |= bytes[i] << shift;
      this.word(last);
    }
    return this;
  }

  /** A string by its UTF-16 units. */
  string(text: string): this {
    this.word(text.length);
    for (let i = 0; i < text.length; i += 2) {
      this.word(text.charCodeAt(i) | ((i + 1 < text.length ? text.charCodeAt(i + 1) : 0) << 16));
    }
    return this;
  }

  /** A digest made elsewhere, as four words. */
  digest(digest: Digest): this {
    for (let i = 0; i < 32; i += 8) this.word(wordAt(digest, i));
    return this;
  }

  value(): Digest {
    let { h1, h2, h3, h4 } = this;
    const rest = this.words & 3;
    if (rest > 2) {
      let k = Math.imul(this.k3, C3);
      k = (k << 17) | (k >>> 15);
      h3 ^= Math.imul(k, C4);
    }
    if (rest > 1) {
      let k = Math.imul(this.k2, C2);
      k = (k << 16) | (k >>> 16);
      h2 ^= Math.imul(k, C3);
    }
    if (rest > 0) {
      let k = Math.imul(this.k1, C1);
      k = (k << 15) | (k >>> 17);
      h1 ^= Math.imul(k, C2);
    }
    // Modulo 2^32, as the algorithm has it.
    const length = this.words * 4;
    h1 ^= length;
    h2 ^= length;
    h3 ^= length;
    h4 ^= length;
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    h1 = finalMix(h1);
    h2 = finalMix(h2);
    h3 = finalMix(h3);
    h4 = finalMix(h4);
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    return hex(h1) + hex(h2) + hex(h3) + hex(h4);
  }

  /** A copy that goes on from here on its own. */
  clone(): Hasher {
    const copy = new Hasher();
    Object.assign(copy, this);
    return copy;
  }

  private block(k1: number, k2: number, k3: number, k4: number): void {
    k1 = Math.imul(k1, C1);
    k1 = (k1 << 15) | (k1 >>> 17);
    let h1 = this.h1 ^ Math.imul(k1, C2);
    h1 = (h1 << 19) | (h1 >>> 13);
    h1 = (h1 + this.h2) | 0;
    this.h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;

    k2 = Math.imul(k2, C2);
    k2 = (k2 << 16) | (k2 >>> 16);
    let h2 = this.h2 ^ Math.imul(k2, C3);
    h2 = (h2 << 17) | (h2 >>> 15);
    h2 = (h2 + this.h3) | 0;
    this.h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;

    k3 = Math.imul(k3, C3);
    k3 = (k3 << 17) | (k3 >>> 15);
    let h3 = this.h3 ^ Math.imul(k3, C4);
    h3 = (h3 << 15) | (h3 >>> 17);
    h3 = (h3 + this.h4) | 0;
    this.h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;

    k4 = Math.imul(k4, C4);
    k4 = (k4 << 18) | (k4 >>> 14);
    let h4 = this.h4 ^ Math.imul(k4, C1);
    h4 = (h4 << 13) | (h4 >>> 19);
    h4 = (h4 + this.h1) | 0;
    this.h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
  }
}
