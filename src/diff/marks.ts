import type { Digest } from '../base/digest.js';

/** Most marks kept of one history; beyond, every second one goes. */
const MAX_MARKS = 1 << 15;

/**
 * A history as a running digest, kept at evenly spaced places of it: two histories that are alike up to their n-th
 * fact have equal digests there, and once unlike stay so, which is what a bisection needs.
 */
export class Marks {
  private low = 0;
  private high = 0;
  private count = 0;
  private stride = 1;
  private readonly sums: number[] = [];
  private readonly seqs: number[] = [];

  /** Facts so far. */
  get length(): number {
    return this.count;
  }

  /** @param seq event that completed the fact */
  add(digest: Digest, steps: number, seq: number): void {
    this.low = Math.imul(this.low ^ Number.parseInt(digest.slice(0, 8), 16) ^ steps, 0x2c1b3c6d);
    this.low ^= this.low >>> 15;
    this.high = Math.imul(this.high ^ Number.parseInt(digest.slice(8, 16), 16) ^ this.low, 0x297a2d39);
    this.high ^= this.high >>> 13;
    this.count++;
    if (this.count % this.stride !== 0) return;
    // 53 bits of both.
    this.sums.push((this.high >>> 11) * 2 ** 32 + (this.low >>> 0));
    this.seqs.push(seq);
    if (this.sums.length > MAX_MARKS) this.thin();
  }

  private thin(): void {
    this.stride *= 2;
    const kept = this.sums.length >>> 1;
    for (let i = 0; i < kept; i++) {
      this.sums[i] = this.sums[2 * i + 1];
      this.seqs[i] = this.seqs[2 * i + 1];
    }
    this.sums.length = kept;
    this.seqs.length = kept;
  }

  private sumAt(facts: number): number {
    return this.sums[facts / this.stride - 1];
  }

  /** The event that completed the first so many facts, which are a multiple of the stride; `start` for none. */
  seqAt(facts: number, start: number): number {
    return facts === 0 ? start : this.seqs[facts / this.stride - 1];
  }

  /** How many facts both begin with alike, at least; and how many more may be, at most. */
  alike(other: Marks): { readonly facts: number; readonly within: number } {
    const stride = Math.max(this.stride, other.stride);
    let low = 0;
    let high = Math.floor(Math.min(this.count, other.count) / stride);
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.sumAt(middle * stride) === other.sumAt(middle * stride)) low = middle;
      else high = middle - 1;
    }
    return { facts: low * stride, within: stride };
  }

  /** Both histories are the same from beginning to end. */
  equals(other: Marks): boolean {
    return this.count === other.count && this.low === other.low && this.high === other.high;
  }
}
