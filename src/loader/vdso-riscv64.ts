import { assert } from '../base/assert.js';
import { EM_RISCV } from './elf-constants.js';
import type { VdsoStubs } from './vdso.js';

/** Encodings: RISC-V unprivileged manual, chapter "RV32I Base Integer Instruction Set". */
const ADDI_T0_ZERO = 0x00000293;
const ADDI_A0_A0 = 0x00050513;
const ADDI_A1_ZERO = 0x00000593;
const AUIPC_A0 = 0x00000517;
const ECALL = 0x00000073;
const RET = 0x00008067;
/** The instruction of all zero bits is defined never to be legal (section 1.5). */
const ILLEGAL = 0;
/** Doubles are passed in registers (psABI, e_flags): what programs are compiled for. */
const EF_RISCV_FLOAT_ABI_DOUBLE = 4;

function wordBytes(words: readonly number[]): Uint8Array {
  const code = new Uint8Array(4 * words.length);
  const view = new DataView(code.buffer);
  words.forEach((word, i) => {
    view.setInt32(4 * i, word, true);
  });
  return code;
}

/**
 * Zircon's riscv64 system call: number in t0, arguments in a0-a7 where the C calling convention has them already,
 * result in a0.
 */
export const RISCV64_VDSO: VdsoStubs = {
  machine: EM_RISCV,
  machineFlags: EF_RISCV_FLOAT_ABI_DOUBLE,
  stub(number, returns) {
    assert(number >= 0 && number < 0x800, `system call number ${number} does not fit an addi`);
    const words = [ADDI_T0_ZERO | (number << 20), ECALL, returns ? RET : ILLEGAL];
    return { code: wordBytes(words), trapOffset: 4 };
  },
  stringView(distanceBytes, lengthBytes) {
    assert(lengthBytes < 0x800, `a text of ${lengthBytes} bytes does not fit an addi`);
    // auipc adds to the address of itself; its low part is signed, so the high part is rounded.
    const high = (distanceBytes + 0x800) >> 12;
    const low = distanceBytes - (high << 12);
    const words = [
      AUIPC_A0 | (high << 12),
      ADDI_A0_A0 | (low << 20),
      ADDI_A1_ZERO | (lengthBytes << 20),
      RET,
    ];
    return wordBytes(words);
  },
};
