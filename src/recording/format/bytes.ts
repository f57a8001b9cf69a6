import { assert } from '../../base/assert.js';
import type { Digest, DigestWords } from '../../base/digest.js';
import { PayloadError } from './recording-error.js';

/** Bytes of a digest in the file: its four words, most significant byte first, as its hex digits read. */
export const DIGEST_BYTES = 16;

const MAX_VARINT_BYTES = 8;
/** Values that room is made for at a time: few of them take as many bytes. */
const VARINTS_AT_ONCE = 512;

/** @returns the place behind it */
function putVarint(to: Uint8Array, at: number, value: number): number {
  for (; value >= 0x80000000; value = Math.floor(value / 0x80)) to[at++] = (value % 0x80) | 0x80;
  let rest = value | 0;
  for (; rest >= 0x80; rest >>>= 7) to[at++] = (rest & 0x7f) | 0x80;
  to[at++] = rest;
  return at;
}

/** A growing run of bytes; numbers are little-endian. */
export class ByteWriter {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private used = 0;

  get length(): number {
    return this.used;
  }

  u8(value: number): void {
    this.room(1);
    this.buffer[this.used++] = value;
  }

  u32(value: number): void {
    this.room(4);
    this.view.setUint32(this.used, value, true);
    this.used += 4;
  }

  u64(value: bigint): void {
    this.room(8);
    this.view.setBigUint64(this.used, value, true);
    this.used += 8;
  }

  /** A safe non-negative integer in base 128, least significant digit first. */
  varint(value: number): void {
    this.room(MAX_VARINT_BYTES);
    this.used = putVarint(this.buffer, this.used, value);
  }

  varints(values: ArrayLike<number>): void {
    for (let from = 0; from < values.length; from += VARINTS_AT_ONCE)
      this.someVarints(values, from, Math.min(from + VARINTS_AT_ONCE, values.length));
  }

  private someVarints(values: ArrayLike<number>, from: number, end: number): void {
    this.room(MAX_VARINT_BYTES * (end - from));
    const { buffer } = this;
    let at = this.used;
    for (let i = from; i < end; i++) at = putVarint(buffer, at, values[i]);
    this.used = at;
  }

  varint64(value: bigint): void {
    this.room(10);
    while (value >= 0x80n) {
      this.buffer[this.used++] = Number(value & 0x7fn) | 0x80;
      value >>= 7n;
    }
    this.buffer[this.used++] = Number(value);
  }

  digest(digest: Digest): void {
    assert(/^[0-9a-f]{32}$/.test(digest), `a digest is 32 hex digits, not ${digest}`);
    this.room(DIGEST_BYTES);
    for (let i = 0; i < 32; i += 8, this.used += 4)
      this.view.setUint32(this.used, Number.parseInt(digest.slice(i, i + 8), 16));
  }

  /** Numbers as bytes, which they must fit. */
  bytes(bytes: ArrayLike<number>): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** What was written, until more is. */
  get written(): Uint8Array {
    return this.buffer.subarray(0, this.used);
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.buffer.slice(0, this.used);
  }

  /** Forgets what was written, keeps the room. */
  clear(): void {
    this.used = 0;
  }

  private room(more: number): void {
    const need = this.used + more;
    if (need <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(need, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.used));
    this.buffer = larger;
    this.view = new DataView(larger.buffer);
  }
}

const HEX_DIGITS = '0123456789abcdef';
const DIGIT_CODES: number[] = Array(2 * DIGEST_BYTES).fill(0);

/** Reads what ByteWriter wrote. Never reads past the end: PayloadError instead. */
export class ByteReader {
  private readonly view: DataView;
  at = 0;

  constructor(private readonly source: Uint8Array) {
    this.view = new DataView(source.buffer, source.byteOffset, source.length);
  }

  get left(): number {
    return this.source.length - this.at;
  }

  u8(): number {
    return this.source[this.advance(1)];
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  /** Refuses what a safe integer cannot hold. */
  varint(): number {
    // An index has thousands, which are read by code that the host does not know yet: a call a byte would be most of it.
    const { source, at } = this;
    let value = 0;
    let scale = 1;
    for (let digits = 0; digits < 8; digits++) {
      if (at + digits >= source.length) throw new PayloadError('it ends inside a value');
      const byte = source[at + digits];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        this.at = at + digits + 1;
        return value;
      }
      scale *= 0x80;
    }
    throw new PayloadError('a number is too large');
  }

  varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >= 1n << 64n) break;
        return value;
      }
    }
    throw new PayloadError('a number is too large');
  }

  digest(): Digest {
    const codes = DIGIT_CODES;
    for (let i = this.advance(DIGEST_BYTES), at = 0; i < this.at; i++) {
      codes[at++] = HEX_DIGITS.charCodeAt(this.source[i] >>> 4);
      codes[at++] = HEX_DIGITS.charCodeAt(this.source[i] & 0xf);
    }
    // At once: a text put together from pieces keeps the pieces, ten times as large.
    return String.fromCharCode(...codes);
  }

  digestWords(): DigestWords {
    const { view } = this;
    const at = this.advance(DIGEST_BYTES);
    return [view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12)];
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.advance(length);
    return this.source.subarray(start, start + length);
  }

  private advance(length: number): number {
    if (length > this.left) throw new PayloadError('it ends inside a value');
    const start = this.at;
    this.at += length;
    return start;
  }
}
