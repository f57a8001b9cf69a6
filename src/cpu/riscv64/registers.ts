import type { NamedRegister, Registers } from '../arch.js';
import { F0, FCSR, PC, REGISTER_NAMES, STATE_SLOTS, X0 } from './layout.js';

const SLOT_BYTES = 8;
export const REGISTERS_SIZE_BYTES = STATE_SLOTS * SLOT_BYTES;
const FCSR_MASK = 0xffn;
const X_COUNT = 32;
/** pc, then x1 to x31: Zircon's general registers (zx_riscv64_thread_state_general_regs_t) and its restricted state. */
export const GENERAL_BYTES = X_COUNT * SLOT_BYTES;

/** A register state: see `layout.ts`. Values are unsigned 64-bit integers. */
export class RiscvRegisters implements Registers {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, REGISTERS_SIZE_BYTES);
  }

  copy(): RiscvRegisters {
    return new RiscvRegisters(this.bytes.slice());
  }

  get(slot: number): bigint {
    return this.view.getBigUint64(slot * SLOT_BYTES, true);
  }

  /** Keeps what the hardware cannot hold out of the state: x0 stays 0, pc even, fcsr within its 8 bits. */
  set(slot: number, value: bigint): void {
    if (slot === X0) return;
    const held = slot === PC ? value & ~1n : slot === FCSR ? value & FCSR_MASK : value;
    this.view.setBigUint64(slot * SLOT_BYTES, BigInt.asUintN(64, held), true);
  }

  /** The pc stands where x0 would: see GENERAL_BYTES. */
  general(): Uint8Array {
    const bytes = this.bytes.slice(X0 * SLOT_BYTES, GENERAL_BYTES);
    for (let i = 0; i < SLOT_BYTES; i++) bytes[i] = this.bytes[PC * SLOT_BYTES + i]!;
    return bytes;
  }

  /** @param general GENERAL_BYTES long */
  setGeneral(general: Uint8Array): void {
    this.bytes.set(general, X0 * SLOT_BYTES);
    for (let i = 0; i < SLOT_BYTES; i++) {
      this.bytes[PC * SLOT_BYTES + i] = i === 0 ? general[0]! & ~1 : general[i]!;
      this.bytes[X0 * SLOT_BYTES + i] = 0;
    }
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
