import { OTHER } from './opcodes.js';

/** Longest instruction but br_table: an opcode and two 64-bit numbers, bytes. */
export const LONGEST = 24;

/** The items of all tapes, one behind the other: code is written seldom, when they are in no cache any more. */
export const store = { items: new Uint16Array(1 << 12), used: 0 };

/**
 * Code to be written often, with holes for what differs from one time to the next. An item is a byte; an instruction on
 * a local (`LOCAL_ITEMS`); or a hole (from `HOLE_ITEMS` on).
 */
export interface Tape {
  /** Where its items are in the store. */
  readonly start: number;
  readonly end: number;
  /** Bytes that it takes, at most. */
  readonly size: number;
}

/** `local.get`, `local.set` and `local.tee`, each with so many numbers for the locals. */
export const LOCAL_ID_BITS = 10;
export const LOCAL_ITEMS = 0x100;
const LOCAL_IDS = 1 << LOCAL_ID_BITS;
export const HOLE_ITEMS = LOCAL_ITEMS + 3 * LOCAL_IDS;

/** What the holes of a tape are filled with. */
export interface TapeFiller {
  /** The index of a local by the number that the tape has for it. */
  localOf(id: number): number;
  /** Writes what a hole stands for: no more than one instruction. */
  fill(hole: number): void;
}

/** Writes a tape. */
export class TapeWriter {
  private readonly items: number[] = [];
  private size = 0;

  bytes(run: Uint8Array): void {
    this.size += run.length;
    for (const byte of run) this.items.push(byte);
  }

  /** @param opcode one of those of locals */
  local(opcode: number, id: number): void {
    this.size += LONGEST;
    this.items.push(LOCAL_ITEMS + (opcode - OTHER['local.get']) * LOCAL_IDS + id);
  }

  hole(hole: number): void {
    this.size += LONGEST;
    this.items.push(HOLE_ITEMS + hole);
  }

  tape(): Tape {
    const { items, size } = this;
    const start = storeItems(items);
    return { start, end: start + items.length, size };
  }
}

/** Puts items behind all others; gives where they start. */
export function storeItems(items: ArrayLike<number>): number {
  const start = store.used;
  const end = start + items.length;
  if (end > store.items.length) {
    const larger = new Uint16Array(Math.max(store.items.length * 2, end));
    larger.set(store.items);
    store.items = larger;
  }
  store.items.set(items, start);
  store.used = end;
  return start;
}

/** A tape's items. */
export function tapeItems({ start, end }: Tape): Uint16Array {
  return store.items.subarray(start, end);
}
