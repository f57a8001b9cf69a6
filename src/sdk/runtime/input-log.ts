import type { Reply } from '../operation.js';

/** What a program was told when one of its threads went on, and what it did then. */
export interface Entry {
  readonly process: number;
  readonly thread: number;
  /** Instructions that the thread had retired by then. */
  readonly ranSteps: number;
  readonly values: Reply['values'];
  /** All blocks of the reply, one after the other: their sizes follow from the operation before. */
  readonly bytes: Uint8Array;
  /** Digest of the operation that followed: two words. */
  readonly operation: readonly [number, number];
}

/** Numbers of an entry: process, thread, ranSteps, end of its bytes, two words of the operation; then three values. */
const NUMBERS = 6;
const VALUES = 3;

/**
 * Everything that programs were told, in the order in which they were told it: a generator cannot be copied, but one
 * that is told the same does the same. In columns, because a run may have millions of entries: 72 bytes each, and
 * what calls gave back.
 */
export class InputLog {
  private numbers = new Float64Array(64 * NUMBERS);
  private values = new BigInt64Array(64 * VALUES);
  private bytes = new Uint8Array(4096);
  private count = 0;

  get length(): number {
    return this.count;
  }

  /** Forgets all entries from `length` on. */
  cut(length: number): void {
    this.count = Math.min(this.count, length);
  }

  append(
    { process, thread, ranSteps, operation }: Omit<Entry, 'values' | 'bytes'>,
    { values, blocks }: Reply,
  ): void {
    const i = this.count;
    let end = this.bytesEnd(i);
    if ((i + 1) * NUMBERS > this.numbers.length) {
      this.numbers = grown(this.numbers, new Float64Array(this.numbers.length * 2));
      this.values = grown(this.values, new BigInt64Array(this.values.length * 2));
    }
    for (const block of blocks) {
      if (end + block.length > this.bytes.length) {
        const size = Math.max(end + block.length, this.bytes.length * 2);
        this.bytes = grown(this.bytes, new Uint8Array(size));
      }
      this.bytes.set(block, end);
      end += block.length;
    }
    this.numbers.set([process, thread, ranSteps, end, ...operation], i * NUMBERS);
    this.values.set(values, i * VALUES);
    this.count++;
  }

  at(i: number): Entry {
    const [process, thread, ranSteps, end, high, low] = this.numbers.subarray(i * NUMBERS);
    const [a, b, c] = this.values.subarray(i * VALUES);
    const bytes = this.bytes.slice(this.bytesEnd(i), end);
    return { process, thread, ranSteps, values: [a, b, c], bytes, operation: [high, low] };
  }

  /** Whether entry `i` tells the same thread the same at the same step. */
  matches(i: number, thread: number, ranSteps: number, { values, blocks }: Reply): boolean {
    const numbers = this.numbers.subarray(i * NUMBERS);
    if (numbers[1] !== thread || numbers[2] !== ranSteps) return false;
    const known = this.values.subarray(i * VALUES);
    if (values.some((value, n) => BigInt.asIntN(64, value) !== known[n])) return false;
    let at = this.bytesEnd(i);
    for (const block of blocks) {
      for (const byte of block) if (byte !== this.bytes[at++]) return false;
    }
    return at === numbers[3];
  }

  private bytesEnd(i: number): number {
    return i === 0 ? 0 : this.numbers[(i - 1) * NUMBERS + 3];
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
