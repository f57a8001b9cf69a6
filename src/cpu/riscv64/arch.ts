import { encodeStruct } from '../../abi/structs.js';
import type { Access, Arch, ExceptionKind, Registers } from '../arch.js';
import { FastEngine } from '../engines/fast.js';
import { ReferenceEngine } from '../engines/reference.js';
import { dataFlow } from './data-flow.js';
import { decode } from './decode.js';
import { disassemble } from './disassemble.js';
import { A0, ALL_SLOTS, F0, FCSR, PC, REGISTER_NAMES, SINK, STATE_SLOTS, X0 } from './layout.js';
import { GENERAL_BYTES, REGISTERS_SIZE_BYTES, RiscvRegisters } from './registers.js';
import { INSTRUCTIONS, instructionLength } from './table.js';
import { isStateValid, readState, stateSizeBytes, writeState } from './thread-state.js';

const RA = 1;
const SP = 2;
const GP = 3;
const TP = 4;
const T0 = 5;
const S0 = 8;
const A1 = A0 + 1;
const ECALL_BYTES = 4;
const MAX_SHORT_NUMBER = 0xffff;

/** Restricted mode keeps nothing of normal mode, not even tp. */
const NOTHING = new Uint8Array(0);

/** What engines are told of the table. */
export const INSTRUCTION_SET = {
  name: 'riscv64',
  stateSlots: STATE_SLOTS,
  floatStatusSlot: FCSR,
  pcSlot: PC,
  zeroSlot: X0,
  sinkSlot: SINK,
  allSlots: ALL_SLOTS,
  instructionLength,
  decode,
  entries: INSTRUCTIONS,
  linkSlots: [RA, T0],
  isFloatSlot: (slot: number) => slot >= F0 && slot < FCSR,
};

function own(registers: Registers): RiscvRegisters {
  return registers instanceof RiscvRegisters ? registers : new RiscvRegisters(registers.bytes);
}

/** scause (privileged manual, "Supervisor Cause Register"). */
function exceptionCause(exception: ExceptionKind, access: Access | 'none'): number {
  switch (exception) {
    case 'undefined-instruction':
      return 2;
    case 'breakpoint':
      return 3;
    case 'misaligned':
      return access === 'load' ? 4 : 6;
    case 'policy':
      return 8;
    case 'page-fault':
      return access === 'fetch' ? 12 : access === 'load' ? 13 : 15;
  }
}

/** RV64GC under Zircon: the call's number in t0, arguments in a0 to a7, the result in a0. */
export const RISCV64: Arch = {
  name: 'riscv64',
  elfMachine: 243,
  registersSizeBytes: REGISTERS_SIZE_BYTES,
  registersFrom: (bytes) => new RiscvRegisters(bytes),
  initialRegisters({ pc, sp, arg1, arg2, tp, abiReg }) {
    const registers = new RiscvRegisters(new Uint8Array(REGISTERS_SIZE_BYTES));
    registers.set(PC, pc);
    registers.set(SP, sp);
    registers.set(A0, arg1);
    registers.set(A1, arg2);
    registers.set(TP, tp);
    registers.set(GP, abiReg);
    return registers;
  },
  createEngine: (kind = 'auto') =>
    kind === 'reference' ? new ReferenceEngine(INSTRUCTION_SET) : new FastEngine(INSTRUCTION_SET, kind),
  pc: (r) => own(r).get(PC),
  pcNumber: (r) => own(r).number(PC),
  setPc: (r, pc) => own(r).set(PC, pc & ~1n),
  sp: (r) => own(r).get(SP),
  framePointer: (r) => own(r).get(S0),
  returnAddress: (r) => own(r).get(RA),
  syscallNumber: (r) => own(r).get(T0),
  shortSyscallNumber(r) {
    const number = own(r).number(T0);
    return number <= MAX_SHORT_NUMBER ? number : -1;
  },
  syscallArgument: (r, index) => own(r).get(A0 + index),
  syscallArguments: own,
  skipSyscall: (r) => own(r).movePc(ECALL_BYTES),
  setResult: (r, value) => own(r).set(A0, value),
  result: (r) => BigInt.asIntN(64, own(r).get(A0)),
  returnToSyscall: (r) => own(r).movePc(-ECALL_BYTES),
  stateSizeBytes,
  readState: (r, kind) => readState(own(r), kind),
  isStateValid,
  writeState: (r, kind, bytes) => writeState(own(r), kind, bytes),
  restricted: {
    load: (r, page) => own(r).setGeneral(page.subarray(0, GENERAL_BYTES)),
    save: (r) => own(r).general(),
    saveSyscall(r) {
      const state = own(r).general();
      // The pc is the first of it.
      for (let i = 0, sum = ECALL_BYTES; sum > 0 && i < 8; i++, sum >>>= 8) {
        sum += state[i]!;
        state[i] = sum;
      }
      return state;
    },
    keep: () => NOTHING,
    toVector(r, _kept, { pc, context, reason }) {
      const registers = own(r);
      registers.clearGeneral();
      registers.set(PC, pc);
      registers.set(A0, context);
      registers.set(A1, reason);
    },
  },
  namedRegisters: (r) => own(r).named(),
  floatRegisters: (r) => own(r).namedFloat(),
  exceptionRegisters: (exception, access, value) => [
    ['cause', BigInt(exceptionCause(exception, access))],
    ['tval', value],
  ],
  exceptionData: (exception, access, value) =>
    encodeStruct('zx_riscv64_exc_data_t', { cause: BigInt(exceptionCause(exception, access)), tval: value }),
  registerName: (number) => REGISTER_NAMES[number] ?? `r${number}`,
  setRegister: (r, number, value) => own(r).set(number, value),
  disassemble,
  dataFlow,
  instructionLength,
};
