import { OTHER } from './opcodes.js';

/** Longest instruction but br_table: an opcode and two 64-bit numbers, bytes. */
export const LONGEST = 24;

/**
 * Code to be written often, with holes for what differs from one time to the next. An item is a byte; an instruction on
 * a local (`LOCAL_ITEMS`); or a hole (from `HOLE_ITEMS` on).
 */
export interface Tape {
  readonly items: Uint16Array;
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
    return { items: Uint16Array.from(this.items), size: this.size };
  }
}
