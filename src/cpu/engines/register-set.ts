import { lowestBit } from '../../base/bits.js';

/** A set of register slots below 64. */
export class RegisterSet {
  constructor(
    private low = 0,
    private high = 0,
  ) {}

  has(slot: number): boolean {
    return (((slot < 32 ? this.low : this.high) >>> (slot & 31)) & 1) === 1;
  }

  add(slot: number): void {
    if (slot < 32) this.low |= 1 << slot;
    else this.high |= 1 << (slot & 31);
  }

  copy(): RegisterSet {
    return new RegisterSet(this.low, this.high);
  }

  /** @returns whether there was something to add */
  addAll(other: RegisterSet): boolean {
    return this.join(other.low, other.high);
  }

  addAllBut(other: RegisterSet, but: RegisterSet): boolean {
    return this.join(other.low & ~but.low, other.high & ~but.high);
  }

  private join(low: number, high: number): boolean {
    const changed = (low & ~this.low) !== 0 || (high & ~this.high) !== 0;
    this.low |= low;
    this.high |= high;
    return changed;
  }

  without(other: RegisterSet): RegisterSet {
    return new RegisterSet(this.low & ~other.low, this.high & ~other.high);
  }

  clear(): void {
    this.low = 0;
    this.high = 0;
  }

  removeAll(other: RegisterSet): void {
    this.low &= ~other.low;
    this.high &= ~other.high;
  }

  hasAll(other: RegisterSet): boolean {
    return (other.low & ~this.low) === 0 && (other.high & ~this.high) === 0;
  }

  equals(other: RegisterSet): boolean {
    return this.low === other.low && this.high === other.high;
  }

  /** The first from a slot on; negative when there is none. */
  next(slot: number): number {
    if (slot < 32) {
      const rest = this.low & (-1 << slot);
      if (rest !== 0) return lowestBit(rest);
    }
    if (slot >= 64) return -1;
    const rest = this.high & (-1 << Math.max(0, slot - 32));
    return rest === 0 ? -1 : 32 + lowestBit(rest);
  }

  /** In order of slot. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let slot = this.next(0); slot >= 0; slot = this.next(slot + 1)) yield slot;
  }
}
