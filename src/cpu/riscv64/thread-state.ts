import { sizeOf } from '../../abi/structs.js';
import { ThreadStateKind } from '../../abi/threads.js';
import { F0, FCSR } from './layout.js';
import { GENERAL_BYTES, type RiscvRegisters } from './registers.js';

/** zx_riscv64_thread_state_fp_regs_t: 32 registers of 128 bits, of which the D extension has the lower half; fcsr. */
const FLOAT_BYTES = sizeOf('zx_riscv64_thread_state_fp_regs_t');
const FLOAT_COUNT = 32;
const FLOAT_REGISTER_BYTES = 16;
const FCSR_OFFSET = FLOAT_COUNT * FLOAT_REGISTER_BYTES;
/** What a register holds above a value of 64 bits (unprivileged manual, "NaN Boxing of Narrower Values"). */
const BOXED = 0xffff_ffff_ffff_ffffn;
/** There are no debug registers, but Zircon has a set of none of them. */
const DEBUG_BYTES = sizeOf('zx_riscv64_thread_state_debug_regs_t');

/** Vector registers do not exist here, nor can single steps be asked for. */
export function stateSizeBytes(kind: number): number | null {
  switch (kind) {
    case ThreadStateKind.GENERAL_REGS:
      return GENERAL_BYTES;
    case ThreadStateKind.FP_REGS:
      return FLOAT_BYTES;
    case ThreadStateKind.DEBUG_REGS:
      return DEBUG_BYTES;
    default:
      return null;
  }
}

export function readState(registers: RiscvRegisters, kind: number): Uint8Array | null {
  if (kind === ThreadStateKind.GENERAL_REGS) return registers.general();
  if (kind === ThreadStateKind.DEBUG_REGS) return new Uint8Array(DEBUG_BYTES);
  if (kind !== ThreadStateKind.FP_REGS) return null;
  const bytes = new Uint8Array(FLOAT_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < FLOAT_COUNT; i++) {
    view.setBigUint64(FLOAT_REGISTER_BYTES * i, registers.get(F0 + i), true);
    view.setBigUint64(FLOAT_REGISTER_BYTES * i + 8, BOXED, true);
  }
  view.setUint32(FCSR_OFFSET, Number(registers.get(FCSR)), true);
  return bytes;
}

/** Zircon looks at nothing but the boxes (arch/riscv64/debugger). */
export function isStateValid(kind: number, bytes: Uint8Array): boolean {
  if (kind !== ThreadStateKind.FP_REGS) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < FLOAT_COUNT; i++) {
    if (view.getBigUint64(FLOAT_REGISTER_BYTES * i + 8, true) !== BOXED) return false;
  }
  return true;
}

export function writeState(registers: RiscvRegisters, kind: number, bytes: Uint8Array): void {
  if (kind === ThreadStateKind.GENERAL_REGS) registers.setGeneral(bytes);
  if (kind !== ThreadStateKind.FP_REGS) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < FLOAT_COUNT; i++) {
    registers.set(F0 + i, view.getBigUint64(FLOAT_REGISTER_BYTES * i, true));
  }
  registers.set(FCSR, BigInt(view.getUint32(FCSR_OFFSET, true)));
}
