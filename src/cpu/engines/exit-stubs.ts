import { assert } from '../../base/assert.js';
import type { RegisterSet } from './register-set.js';

/** Told in place of an exit's number when it was the interpreter that left, or when a region goes on elsewhere. */
export const NO_EXIT = -1;
/** Enough for the instructions of a block. */
export const UNRETIRED_BITS = 10;
export const UNRETIRED_MASK = (1 << UNRETIRED_BITS) - 1;

/** Where a region was left at an instruction. */
export interface Exit {
  /** The instruction's distance from the region's start, bytes. */
  readonly at: number;
  /** Steps that the budget was charged for and that were not made. */
  readonly unretired: number;
}

/** One number for an exit, which generated code tells. */
export function exitNumber({ at, unretired }: Exit): number {
  assert(unretired < UNRETIRED_MASK, 'a block is too long');
  return ((at >> 1) << UNRETIRED_BITS) | unretired;
}

export function exitOf(number: number): Exit {
  return { at: (number >> UNRETIRED_BITS) * 2, unretired: number & UNRETIRED_MASK };
}

/**
 * The ways out of a region, behind its code: labels to leave it by, one for all places of a block that are left with the
 * same registers to put into memory. Those of one block go on with each other, for registers only become more; those of
 * several blocks do not: V8 would have to bring registers from where each block has them to one place.
 *
 * They are numbered from the inside: so many more blocks are open around a label than around the region's code. How many
 * there will be need not be known.
 */
export class ExitStubs {
  /** What is put into memory at each; the rest is so by the one behind it, if control goes on there. */
  readonly spilled: RegisterSet[] = [];
  readonly fallsThrough: boolean[] = [];
  /** The same of the block at hand, in the order of its code; and what its last one puts into memory in all. */
  private readonly pending: RegisterSet[] = [];
  private last: RegisterSet | null = null;

  /** Those of another region come. */
  clear(): void {
    this.spilled.length = 0;
    this.fallsThrough.length = 0;
  }

  /** A place of the block at hand that is left with such registers; gives which of the block's labels it has. */
  add(registers: RegisterSet): number {
    const { last, pending } = this;
    if (last === null || !last.equals(registers)) {
      const copy = registers.copy();
      pending.push(last === null ? copy : copy.without(last));
      this.last = copy;
    }
    return pending.length - 1;
  }

  /** All of the block are known; gives the number of its first, from which those of the others go down. */
  endBlock(): number {
    const { pending, spilled, fallsThrough } = this;
    for (let i = pending.length - 1; i >= 0; i--) {
      spilled.push(pending[i]!);
      fallsThrough.push(i > 0);
    }
    pending.length = 0;
    this.last = null;
    return spilled.length - 1;
  }
}
