import { assert } from '../base/assert.js';
import { EM_RISCV } from './elf-constants.js';
import type { Adaptation, VdsoStubs } from './vdso.js';

/** Encodings: RISC-V unprivileged manual, chapter "RV32I Base Integer Instruction Set". */
const ADDI = 0x00000013;
const ADDI_T0_ZERO = 0x00000293;
const ADDI_A0_A0 = 0x00050513;
const ADDI_A1_ZERO = 0x00000593;
const AUIPC_A0 = 0x00000517;
const BGE_ZERO = 0x00005063;
const BEQ_ZERO = 0x00000063;
const SRLI_BY_1 = 0x00105013;
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

const A0 = 10;
/** Registers that a function may lose and that hold no argument: t1, t2, t3-t6. */
const SCRATCH = [6, 7, 28, 29, 30, 31];

/** rd = rs + value */
function addi(rd: number, rs: number, value: number): number {
  assert(value >= -0x800 && value < 0x800, `${value} does not fit an addi`);
  return ADDI | (rd << 7) | (rs << 15) | (value << 20);
}

/** A branch over the next two instructions when the condition holds for a register and zero. */
function skipTwo(branch: number, rs: number): number {
  return branch | (rs << 15) | (12 << 7);
}

/** What goes before a call's own code. */
function adapt({ from, times, onlyZero }: Adaptation): number[] {
  const words: number[] = [];
  if (onlyZero !== null)
    words.push(skipTwo(BEQ_ZERO, A0 + onlyZero.argument), addi(A0, 0, onlyZero.status), RET);
  for (const time of times) {
    // -1 shifted right without its sign is the most.
    const at = A0 + time;
    words.push(skipTwo(BGE_ZERO, at), addi(at, 0, -1), SRLI_BY_1 | (at << 7) | (at << 15));
  }
  const moves = from.flatMap((source, to) =>
    typeof source === 'number' && source !== to ? [{ source, to }] : [],
  );
  assert(moves.length <= SCRATCH.length, 'more arguments move than there are registers to hold them');
  moves.forEach(({ source }, i) => {
    words.push(addi(SCRATCH[i]!, A0 + source, 0));
  });
  moves.forEach(({ to }, i) => {
    words.push(addi(A0 + to, SCRATCH[i]!, 0));
  });
  from.forEach((source, to) => {
    if (typeof source !== 'number') words.push(addi(A0 + to, 0, source.value));
  });
  return words;
}

/**
 * Zircon's riscv64 system call: number in t0, arguments in a0-a7 where the C calling convention has them already,
 * result in a0.
 */
export const RISCV64_VDSO: VdsoStubs = {
  machine: EM_RISCV,
  machineFlags: EF_RISCV_FLOAT_ABI_DOUBLE,
  stub(number, returns, adaptation) {
    assert(number >= 0 && number < 0x800, `system call number ${number} does not fit an addi`);
    const before = adaptation === undefined ? [] : adapt(adaptation);
    const words = [...before, ADDI_T0_ZERO | (number << 20), ECALL, returns ? RET : ILLEGAL];
    return { code: wordBytes(words), trapOffset: 4 * before.length + 4 };
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
