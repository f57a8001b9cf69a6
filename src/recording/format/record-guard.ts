import { MAX_RECORD_BYTES, MAX_RECORD_DEPTH, MAX_RECORD_VALUES } from './limits.js';
import { PayloadError } from './recording-error.js';

const PROTO = Uint8Array.from('__proto__', (letter) => letter.charCodeAt(0));

/** Bytes behind the tokens of plain values (nil, false, true, floats, integers) and of lengths (of bytes, strings). */
const PLAIN_BYTES: Readonly<Record<number, number>> = {
  192: 0,
  194: 0,
  195: 0,
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
};
const LENGTH_BYTES: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4, 217: 1, 218: 2, 219: 4 };

/**
 * Walks one encoded record without building it, so that the decoder only ever sees what it can build within
 * bounds: nil, booleans, integers, floats, strings, byte strings, arrays, maps with string keys, undefined (as
 * extension 0) and records of known shapes. Everything else that msgpackr would honour (dates, errors, regular
 * expressions, sets, pointers, shapes defined on the way) is refused, as are `__proto__` keys, containers deeper
 * than MAX_RECORD_DEPTH, more than MAX_RECORD_VALUES values and lengths that the bytes cannot hold.
 *
 * Encoding: the MessagePack specification; a shape's number is 0x40 + n for the first 32, then two bytes:
 * 0x60 + low 5 bits of n - 32, and the bits above.
 */
export class RecordGuard {
  private at = 0;
  private end = 0;
  private valuesLeft = 0;

  constructor(
    private readonly bytes: Uint8Array,
    /** Number of fields of each known shape; may grow while the guard is in use. */
    private readonly fieldCounts: readonly number[],
    private readonly length = bytes.length,
  ) {}

  /** Where the record that starts at `start` ends. */
  skip(start: number): number {
    this.at = start;
    this.end = Math.min(this.length, start + MAX_RECORD_BYTES);
    this.valuesLeft = MAX_RECORD_VALUES;
    this.value(0);
    return this.at;
  }

  private value(depth: number): void {
    const token = this.take(1);
    if (token < 0x40 || token >= 0xe0) return;
    if (token < 0x80) this.record(token, depth);
    else if (token < 0x90) this.map(token & 0xf, depth);
    else if (token < 0xa0) this.values(token & 0xf, depth);
    else if (token < 0xc0) this.skipBytes(token & 0x1f);
    else this.sized(token, depth);
  }

  private sized(token: number, depth: number): void {
    const plainBytes = PLAIN_BYTES[token];
    const lengthBytes = LENGTH_BYTES[token];
    if (plainBytes !== undefined) this.skipBytes(plainBytes);
    else if (lengthBytes !== undefined) this.skipBytes(this.take(lengthBytes));
    else if (token === 0xdc || token === 0xdd) this.values(this.take(token === 0xdc ? 2 : 4), depth);
    else if (token === 0xde || token === 0xdf) this.map(this.take(token === 0xde ? 2 : 4), depth);
    else if (token !== 0xd4 || this.take(2) !== 0) {
      throw new PayloadError('a record holds a value of a type that records do not have');
    }
  }

  private record(token: number, depth: number): void {
    let shape = token - 0x40;
    if (shape >= 32) shape += this.take(1) * 32;
    if (shape >= this.fieldCounts.length) throw new PayloadError('a record has a shape that was not defined');
    this.values(this.fieldCounts[shape], depth);
  }

  private values(count: number, depth: number): void {
    this.enter(count, depth);
    for (let i = 0; i < count; i++) this.value(depth + 1);
  }

  private map(count: number, depth: number): void {
    this.enter(count * 2, depth);
    for (let i = 0; i < count; i++) {
      this.key();
      this.value(depth + 1);
    }
  }

  private enter(count: number, depth: number): void {
    if (depth >= MAX_RECORD_DEPTH) throw new PayloadError('a record is nested too deeply');
    this.valuesLeft -= count;
    if (this.valuesLeft < 0) throw new PayloadError('a record holds too many values');
  }

  private key(): void {
    const token = this.take(1);
    let length = token & 0x1f;
    if (token >= 0xd9 && token <= 0xdb) length = this.take(1 << (token - 0xd9));
    else if (token < 0xa0 || token >= 0xc0) throw new PayloadError('a record has a key that is not a string');
    const start = this.at;
    this.skipBytes(length);
    if (length === PROTO.length && PROTO.every((byte, i) => this.bytes[start + i] === byte)) {
      throw new PayloadError('a record has a key that is not allowed');
    }
  }

  /** The next `count` (1, 2 or 4) bytes as a number, most significant byte first. */
  private take(count: number): number {
    this.skipBytes(count);
    let value = 0;
    for (let i = this.at - count; i < this.at; i++) value = value * 0x100 + this.bytes[i];
    return value;
  }

  private skipBytes(count: number): void {
    if (count > this.end - this.at) {
      throw new PayloadError(
        this.end < this.length
          ? `a record is larger than ${MAX_RECORD_BYTES} bytes`
          : 'it ends inside a record',
      );
    }
    this.at += count;
  }
}
