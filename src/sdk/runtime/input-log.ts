/** What a program was told when one of its threads went on, and what it did then. */
export interface Entry {
  readonly process: number;
  readonly thread: number;
  /** Instructions that the thread had retired before. */
  readonly ranSteps: number;
  readonly input: Input;
  /** Digest of the operation that followed: two words. */
  readonly operation: readonly [number, number];
}

/** Numbers and bytes that a thread goes on with; what they mean follows from what it waited for. */
export interface Input {
  readonly values: readonly [bigint, bigint, bigint];
  readonly bytes: Uint8Array;
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

  append({ process, thread, ranSteps, input, operation }: Entry): void {
    const i = this.count;
    const start = this.bytesEnd(i);
    const end = start + input.bytes.length;
    if ((i + 1) * NUMBERS > this.numbers.length) {
      this.numbers = grown(this.numbers, new Float64Array(this.numbers.length * 2));
      this.values = grown(this.values, new BigInt64Array(this.values.length * 2));
    }
    if (end > this.bytes.length) {
      this.bytes = grown(this.bytes, new Uint8Array(Math.max(end, this.bytes.length * 2)));
    }
    this.numbers.set([process, thread, ranSteps, end, ...operation], i * NUMBERS);
    this.values.set(input.values, i * VALUES);
    this.bytes.set(input.bytes, start);
    this.count++;
  }

  at(i: number): Entry {
    const [process, thread, ranSteps, end, high, low] = this.numbers.subarray(i * NUMBERS);
    const [a, b, c] = this.values.subarray(i * VALUES);
    const bytes = this.bytes.slice(this.bytesEnd(i), end);
    return { process, thread, ranSteps, input: { values: [a, b, c], bytes }, operation: [high, low] };
  }

  /** Whether entry `i` tells the same thread the same. */
  matches(i: number, thread: number, ranSteps: number, input: Input): boolean {
    const numbers = this.numbers.subarray(i * NUMBERS);
    if (numbers[1] !== thread || numbers[2] !== ranSteps) return false;
    const values = this.values.subarray(i * VALUES);
    if (input.values.some((value, n) => BigInt.asIntN(64, value) !== values[n])) return false;
    const start = this.bytesEnd(i);
    const { bytes } = input;
    return numbers[3] - start === bytes.length && bytes.every((byte, n) => byte === this.bytes[start + n]);
  }

  private bytesEnd(i: number): number {
    return i === 0 ? 0 : this.numbers[(i - 1) * NUMBERS + 3];
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
