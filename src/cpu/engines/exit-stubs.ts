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

/** A label to leave a region by, for all places of a block that are left with the same registers to put into memory. */
export interface ExitStub {
  readonly registers: RegisterSet;
  /** What is put into memory here; the rest is so by the stub behind this one. */
  readonly spilled: RegisterSet;
  /** Whether control goes on with the stub behind this one; else it goes behind all. */
  readonly fallsThrough: boolean;
  /** Blocks that are open around the label's. */
  depth: number;
}

/**
 * The stubs of a region. Those of one block go on with each other, for registers only become more; those of several
 * blocks do not: V8 would have to bring registers from where each block has them to one place.
 */
export class ExitStubs {
  private readonly byBlock: ExitStub[][] = [];

  /** In the order of a block's code. */
  add(block: number, registers: RegisterSet): void {
    this.byBlock[block] ??= [];
    const stubs = this.byBlock[block]!;
    const last = stubs[stubs.length - 1];
    if (last?.registers.equals(registers)) return;
    const copy = registers.copy();
    const spilled = last === undefined ? copy : copy.without(last.registers);
    stubs.push({ registers: copy, spilled, fallsThrough: last !== undefined, depth: 0 });
  }

  of(block: number, registers: RegisterSet): ExitStub {
    const stubs = this.byBlock[block]!;
    let i = stubs.length - 1;
    while (!stubs[i]!.registers.equals(registers)) i--;
    return stubs[i]!;
  }

  /** In the order of their code. */
  arrange(): ExitStub[] {
    const all: ExitStub[] = [];
    for (const stubs of this.byBlock) {
      if (stubs === undefined) continue;
      for (let i = stubs.length - 1; i >= 0; i--) all.push(stubs[i]!);
    }
    return all;
  }
}
