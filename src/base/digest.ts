import { assert } from './assert.js';
import { type DigestMany, type FoldCode, type FoldStep, makeDigestMany, makeFoldCode } from './fold-code.js';

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

/** What is left of the words that are no group of four: at most three. */
function mixRest(k: number, factor: number, rotation: number, nextFactor: number): number {
  const product = Math.imul(k, factor);
  return Math.imul((product << rotation) | (product >>> (32 - rotation)), nextFactor);
}

/** @param length of all that was folded, bytes modulo 2^32 */
function finalWords(h1: number, h2: number, h3: number, h4: number, length: number): DigestWords {
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
  return [h1, h2, h3, h4];
}

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

/** A digest as four words, of which no text was made. */
export type DigestWords = readonly [number, number, number, number];

export function digestOfWords([h1, h2, h3, h4]: DigestWords): Digest {
  return hex(h1) + hex(h2) + hex(h3) + hex(h4);
}

/** The four words of a digest. */
export function digestWords(digest: Digest): DigestWords {
  return [wordAt(digest, 0), wordAt(digest, 8), wordAt(digest, 16), wordAt(digest, 24)];
}

function wordAt(digest: Digest, start: number): number {
  let word = 0;
  for (let i = start; i < start + 8; i++) word = (word << 4) | NIBBLE_OF_CODE[digest.charCodeAt(i)];
  return word;
}

/** Byte order must not show in a digest: hosts of the other one take the slow way through bytes. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Fewer bytes than this are folded one by one: looking at them as words costs more than that. */
const SHORT_BYTES = 64;
/** Words that wait at most before they are folded, a multiple of 4: so few that hosts keep them beside the hasher. */
const PENDING_WORDS = 16;
/** The same for hashers of much: many in one go cost less. */
const MANY_WORDS = 1024;

/** From so many bytes on, code made for it folds them, and from so many words that wait. */
const LONG_BYTES = 1024;
const LONG_WORDS = 128;

/** As in `Hasher.fold`. */
const STEPS: readonly FoldStep[] = [
  { factor: C1, rotation: 15, nextFactor: C2, stateRotation: 19, addend: 0x561ccd1b },
  { factor: C2, rotation: 16, nextFactor: C3, stateRotation: 17, addend: 0x0bcaa747 },
  { factor: C3, rotation: 17, nextFactor: C4, stateRotation: 15, addend: 0x96cd1c35 },
  { factor: C4, rotation: 18, nextFactor: C1, stateRotation: 13, addend: 0x32ac3b17 },
];
let foldCode: FoldCode | null = null;

/**
 * As `new Hasher().bytes(bytes).valueWords()`, for pages: of those there are thousands, and a hasher for each takes as
 * long as what it is for.
 */
export function digestOfPage(bytes: Uint8Array): DigestWords {
  if (!LITTLE_ENDIAN) return new Hasher().bytes(bytes).valueWords();
  foldCode ??= makeFoldCode(STEPS);
  const { state, words, bytes: room } = foldCode;
  const { length } = bytes;
  assert(length % 16 === 0 && length < room.length, 'a page has whole groups of words');
  // Behind the length, as `bytes` has it: so the last word is the first of a group of its own.
  words[0] = length;
  room.set(bytes, 4);
  state.fill(0);
  foldCode.fold(0, length);
  return finalWords(
    state[0] ^ mixRest(words[length / 4], C1, 15, C2),
    state[1],
    state[2],
    state[3],
    length + 4,
  );
}

/** Pages of which digests are made in one go. */
const MANY_PAGES = 32;

/** Digests of pages of one length, where they are in a memory of WebAssembly. */
export class PlacedDigests {
  /** Of so many pages digests are made in one go. */
  static readonly MOST = MANY_PAGES;
  /** Bytes that it needs in that memory. */
  static readonly SCRATCH_BYTES = MANY_PAGES * (4 + 16);
  private madeWords: Int32Array;
  private many: DigestMany | null | undefined;

  /**
   * @param scratch where there is room in that memory, at a multiple of 4
   * @param length of a page, bytes, a multiple of 16
   */
  constructor(
    private readonly memory: { readonly buffer: ArrayBuffer },
    private readonly scratch: number,
    private readonly length: number,
  ) {
    this.madeWords = new Int32Array(memory.buffer);
  }

  /** All of that memory, until it grows. */
  get words(): Int32Array {
    // A memory that grew leaves views of it empty.
    if (this.madeWords.length === 0) this.madeWords = new Int32Array(this.memory.buffer);
    return this.madeWords;
  }

  /**
   * As `digestOfPage` for each of them.
   * @param starts where they are, `MOST` at most
   * @returns where their digests are in the memory, four words each, until others are made
   */
  put(starts: ArrayLike<number>, count: number): number {
    const { words, scratch, length } = this;
    if (this.many === undefined) this.many = LITTLE_ENDIAN ? makeDigestMany(STEPS, this.memory) : null;
    const to = scratch + 4 * MANY_PAGES;
    for (let i = 0; i < count; i++) {
      const start = starts[i];
      if (this.many === null) {
        words.set(digestOfPage(new Uint8Array(words.buffer, start, length)), to / 4 + 4 * i);
      } else words[scratch / 4 + i] = start;
    }
    this.many?.(scratch, count, length, to);
    return to;
  }
}

/** What `Hasher.room` makes at most. */
const MAX_ROOM_WORDS = MANY_WORDS - 4;

// A 64-bit integer and its halves: splitting one by BigInt arithmetic would make new ones.
const SPLIT = new BigInt64Array(1);
const HALVES = new Int32Array(SPLIT.buffer);
const LOW = LITTLE_ENDIAN ? 0 : 1;

/** The words that `Hasher.string` folds for a text. */
export function stringWords(text: string): Int32Array {
  const words = new Int32Array(1 + ((text.length + 1) >>> 1));
  words[0] = text.length;
  for (let i = 0, at = 1; i < text.length; i += 2, at++) words[at] = unitPair(text, i);
  return words;
}

/** Writes the words that `Hasher.bigint` folds, and gives where the next goes. */
export function putBigint(words: Int32Array, at: number, n: bigint): number {
  SPLIT[0] = n;
  words[at] = HALVES[LOW];
  words[at + 1] = HALVES[1 - LOW];
  return at + 2;
}

function unitPair(text: string, i: number): number {
  return text.charCodeAt(i) | ((i + 1 < text.length ? text.charCodeAt(i + 1) : 0) << 16);
}

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
  /** The first `count` of these are words that are not folded yet: many in one go cost less than one by one. */
  private pending = new Int32Array(PENDING_WORDS);
  count = 0;
  private foldedWords = 0;

  constructor(seed = 0) {
    this.h1 = this.h2 = this.h3 = this.h4 = seed | 0;
  }

  /** As new. */
  restart(seed: number): this {
    this.h1 = this.h2 = this.h3 = this.h4 = seed | 0;
    this.count = this.foldedWords = 0;
    return this;
  }

  /** One 32-bit word. */
  word(w: number): this {
    if (this.count === this.pending.length) this.foldPending();
    this.pending[this.count++] = w;
    return this;
  }

  /**
   * Where words wait, with room for so many more from `count` on: what a caller writes there itself counts once it
   * moves that. For callers to whom a call a word is too dear.
   * @param words at most 1000
   */
  room(words: number): Int32Array {
    if (this.count + words > this.pending.length) this.makeRoom(words);
    return this.pending;
  }

  private makeRoom(words: number): void {
    this.foldPending();
    if (this.count + words <= this.pending.length) return;
    const larger = new Int32Array(MANY_WORDS);
    larger.set(this.pending.subarray(0, this.count));
    this.pending = larger;
  }

  /** A safe integer of either sign, as two words. */
  number(n: number): this {
    if ((n | 0) === n) return this.word(n).word(n >> 31);
    if (!Number.isSafeInteger(n)) assert(false, `${n} has no digest: not a safe integer`);
    const high = Math.floor(n / 0x100000000);
    return this.word((n - high * 0x100000000) | 0).word(high | 0);
  }

  /** The low 64 bits of an integer, as two words. */
  bigint(n: bigint): this {
    SPLIT[0] = n;
    return this.word(HALVES[LOW]).word(HALVES[1 - LOW]);
  }

  /** As `word` for each of them. */
  list(words: Int32Array): this {
    const { length } = words;
    if (length > MAX_ROOM_WORDS) {
      for (let i = 0; i < length; i++) this.word(words[i]);
      return this;
    }
    const out = this.room(length);
    let at = this.count;
    for (let i = 0; i < length; i++) out[at++] = words[i];
    this.count = at;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const length = bytes.length;
    const whole = length & ~3;
    this.word(length);
    let i = 0;
    if (LITTLE_ENDIAN && length >= LONG_BYTES) i = this.longBytes(bytes);
    else if (LITTLE_ENDIAN && length >= SHORT_BYTES && (bytes.byteOffset & 3) === 0) {
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, whole >>> 2);
      let j = 0;
      while ((this.count & 3) !== 0) this.word(words[j++]);
      this.foldPending();
      const end = j + ((words.length - j) & ~3);
      this.fold(words, j, end);
      for (j = end; j < words.length; j++) this.word(words[j]);
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

  /** All of them but the last few, which do not make a group; gives how many they were. */
  private longBytes(bytes: Uint8Array): number {
    let i = 0;
    for (; (this.count & 3) !== 0; i += 4)
      this.word(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    this.foldPending();
    const code = this.enterCode();
    const { bytes: room } = code;
    const { length } = bytes;
    const end = i + ((length - i) & ~15);
    this.foldedWords += (end - i) / 4;
    // A page is put there as it is: a view of its rest would cost more than that.
    const isShort = length <= room.length;
    if (isShort) room.set(bytes);
    while (i < end) {
      const part = Math.min(end - i, room.length);
      if (!isShort) room.set(bytes.subarray(i, i + part));
      code.fold(isShort ? i : 0, part);
      i += part;
    }
    this.leaveCode(code);
    return end;
  }

  /** A string by its UTF-16 units. */
  string(text: string): this {
    this.word(text.length);
    for (let i = 0; i < text.length; i += 2) this.word(unitPair(text, i));
    return this;
  }

  /** A digest made elsewhere. */
  digestWords([h1, h2, h3, h4]: DigestWords): this {
    return this.word(h1).word(h2).word(h3).word(h4);
  }

  value(): Digest {
    return digestOfWords(this.valueWords());
  }

  valueWords(): DigestWords {
    this.foldPending();
    let { h1, h2, h3, h4 } = this;
    const rest = this.count;
    const { pending } = this;
    if (rest > 2) h3 ^= mixRest(pending[2], C3, 17, C4);
    if (rest > 1) h2 ^= mixRest(pending[1], C2, 16, C3);
    if (rest > 0) h1 ^= mixRest(pending[0], C1, 15, C2);
    // Modulo 2^32, as the algorithm has it.
    return finalWords(h1, h2, h3, h4, (this.foldedWords + rest) * 4);
  }

  /** A copy that goes on from here on its own. */
  clone(): Hasher {
    const copy = new Hasher();
    if (this.count > PENDING_WORDS) this.foldPending();
    copy.h1 = this.h1;
    copy.h2 = this.h2;
    copy.h3 = this.h3;
    copy.h4 = this.h4;
    copy.foldedWords = this.foldedWords;
    for (let i = 0; i < this.count; i++) copy.pending[i] = this.pending[i];
    copy.count = this.count;
    return copy;
  }

  /** All it is made of, to go on elsewhere: five to eight safe integers. */
  save(): number[] {
    this.foldPending();
    const { h1, h2, h3, h4, foldedWords, pending, count } = this;
    return [h1, h2, h3, h4, foldedWords, ...pending.subarray(0, count)];
  }

  /** @param saved as `save` gave them */
  static from(saved: readonly number[]): Hasher {
    const hasher = new Hasher();
    const [h1, h2, h3, h4, foldedWords, ...pending] = saved;
    Object.assign(hasher, { h1, h2, h3, h4, foldedWords });
    for (const word of pending) hasher.word(word);
    return hasher;
  }

  /** Folds what can be folded: whole groups of four. */
  private foldPending(): void {
    const { pending, count } = this;
    const end = count & ~3;
    if (LITTLE_ENDIAN && end >= LONG_WORDS) this.foldMany(pending, end);
    else this.fold(pending, 0, end);
    for (let i = end; i < count; i++) pending[i - end] = pending[i];
    this.count = count - end;
  }

  /** As `fold` from the start on, for many. */
  private foldMany(words: Int32Array, end: number): void {
    const code = this.enterCode();
    code.words.set(words.subarray(0, end));
    code.fold(0, 4 * end);
    this.leaveCode(code);
    this.foldedWords += end;
  }

  /** The code that folds long runs, which goes on from here; nobody else may use it until `leaveCode`. */
  private enterCode(): FoldCode {
    foldCode ??= makeFoldCode(STEPS);
    const { state } = foldCode;
    state[0] = this.h1;
    state[1] = this.h2;
    state[2] = this.h3;
    state[3] = this.h4;
    return foldCode;
  }

  private leaveCode({ state }: FoldCode): void {
    this.h1 = state[0];
    this.h2 = state[1];
    this.h3 = state[2];
    this.h4 = state[3];
  }

  /** Folds groups of four words. Nothing may be pending but them. */
  private fold(words: Int32Array, start: number, end: number): void {
    let { h1, h2, h3, h4 } = this;
    for (let i = start; i < end; i += 4) {
      const k1 = Math.imul(words[i], C1);
      h1 ^= Math.imul((k1 << 15) | (k1 >>> 17), C2);
      h1 = (h1 << 19) | (h1 >>> 13);
      h1 = (h1 + h2) | 0;
      h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;

      const k2 = Math.imul(words[i + 1], C2);
      h2 ^= Math.imul((k2 << 16) | (k2 >>> 16), C3);
      h2 = (h2 << 17) | (h2 >>> 15);
      h2 = (h2 + h3) | 0;
      h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;

      const k3 = Math.imul(words[i + 2], C3);
      h3 ^= Math.imul((k3 << 17) | (k3 >>> 15), C4);
      h3 = (h3 << 15) | (h3 >>> 17);
      h3 = (h3 + h4) | 0;
      h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;

      const k4 = Math.imul(words[i + 3], C4);
      h4 ^= Math.imul((k4 << 18) | (k4 >>> 14), C1);
      h4 = (h4 << 13) | (h4 >>> 19);
      h4 = (h4 + h1) | 0;
      h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
    }
    this.h1 = h1;
    this.h2 = h2;
    this.h3 = h3;
    this.h4 = h4;
    this.foldedWords += end - start;
  }
}
