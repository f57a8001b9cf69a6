import type { ArgumentRegisters } from '../../abi/syscalls.js';
import type { NamedRegister, Registers } from '../arch.js';
import { A0, F0, FCSR, PC, REGISTER_NAMES, STATE_SLOTS, X0 } from './layout.js';

const SLOT_BYTES = 8;
export const REGISTERS_SIZE_BYTES = STATE_SLOTS * SLOT_BYTES;
const FCSR_MASK = 0xffn;
const X_COUNT = 32;
/** pc, then x1 to x31: Zircon's general registers (zx_riscv64_thread_state_general_regs_t) and its restricted state. */
export const GENERAL_BYTES = X_COUNT * SLOT_BYTES;

/** Register states are made in pieces: hosts are slow to make small arrays of bytes one by one. */
class Pieces {
  private piece = new ArrayBuffer(0);
  private used = 0;

  constructor(private readonly sizeBytes: number) {}

  take(): Uint8Array {
    if (this.used === this.piece.byteLength) {
      this.piece = new ArrayBuffer(PER_PIECE * this.sizeBytes);
      this.used = 0;
    }
    this.used += this.sizeBytes;
    return new Uint8Array(this.piece, this.used - this.sizeBytes, this.sizeBytes);
  }
}

const PER_PIECE = 32;
const states = new Pieces(REGISTERS_SIZE_BYTES);
const generals = new Pieces(GENERAL_BYTES);

/** A register state: see `layout.ts`. Values are unsigned 64-bit integers. */
export class RiscvRegisters implements Registers, ArgumentRegisters {
  private madeView: DataView | null = null;
  private madeIntegers: Uint8Array | null = null;

  constructor(readonly bytes: Uint8Array) {}

  // Most states of snapshots are never looked at.

  private makeView(): DataView {
    this.madeView = new DataView(this.bytes.buffer, this.bytes.byteOffset, REGISTERS_SIZE_BYTES);
    return this.madeView;
  }

  /** The bytes of x0 to x31. */
  private get integers(): Uint8Array {
    this.madeIntegers ??= this.bytes.subarray(X0 * SLOT_BYTES, X0 * SLOT_BYTES + GENERAL_BYTES);
    return this.madeIntegers;
  }

  copy(): RiscvRegisters {
    const bytes = states.take();
    bytes.set(this.bytes);
    return new RiscvRegisters(bytes);
  }

  get(slot: number): bigint {
    return (this.madeView ?? this.makeView()).getBigUint64(slot * SLOT_BYTES, true);
  }

  /** Keeps what the hardware cannot hold out of the state: x0 stays 0, pc even, fcsr within its 8 bits. */
  set(slot: number, value: bigint): void {
    if (slot === X0) return;
    const held = slot === PC ? value & ~1n : slot === FCSR ? value & FCSR_MASK : value;
    (this.madeView ?? this.makeView()).setBigUint64(slot * SLOT_BYTES, BigInt.asUintN(64, held), true);
  }

  /** A register as a number, rounded above 2^53. */
  number(slot: number): number {
    const at = slot * SLOT_BYTES;
    const view = this.madeView ?? this.makeView();
    return view.getUint32(at + 4, true) * 0x100000000 + view.getUint32(at, true);
  }

  low(index: number): number {
    return (this.madeView ?? this.makeView()).getInt32((A0 + index) * SLOT_BYTES, true);
  }

  high(index: number): number {
    return (this.madeView ?? this.makeView()).getInt32((A0 + index) * SLOT_BYTES + 4, true);
  }

  /** Moves the pc by an even number of bytes, fewer than 2^31. */
  movePc(bytes: number): void {
    const at = PC * SLOT_BYTES;
    const view = this.madeView ?? this.makeView();
    const low = view.getUint32(at, true) + bytes;
    view.setUint32(at, low, true);
    const carry = Math.floor(low / 0x100000000);
    if (carry !== 0) view.setUint32(at + 4, view.getUint32(at + 4, true) + carry, true);
  }

  /** The pc stands where x0 would: see GENERAL_BYTES. */
  general(): Uint8Array {
    const bytes = generals.take();
    bytes.set(this.integers);
    for (let i = 0; i < SLOT_BYTES; i++) bytes[i] = this.bytes[PC * SLOT_BYTES + i]!;
    return bytes;
  }

  /** @param general GENERAL_BYTES long */
  setGeneral(general: Uint8Array): void {
    this.integers.set(general);
    for (let i = 0; i < SLOT_BYTES; i++) {
      this.bytes[PC * SLOT_BYTES + i] = i === 0 ? general[0]! & ~1 : general[i]!;
      this.bytes[X0 * SLOT_BYTES + i] = 0;
    }
  }

  /** All of GENERAL_BYTES zero. */
  clearGeneral(): void {
    this.integers.fill(0);
    this.set(PC, 0n);
  }

  /** pc, then the integer registers from ra on: the order of Zircon's general register state. */
  named(): NamedRegister[] {
    return this.namesOf([PC, ...Array.from({ length: X_COUNT - 1 }, (_, i) => i + 1)]);
  }

  /** f0 to f31, then fcsr. */
  namedFloat(): NamedRegister[] {
    return this.namesOf(Array.from({ length: FCSR - F0 + 1 }, (_, i) => F0 + i));
  }

  private namesOf(slots: readonly number[]): NamedRegister[] {
    return slots.map((slot) => [REGISTER_NAMES[slot]!, this.get(slot)]);
  }
}
