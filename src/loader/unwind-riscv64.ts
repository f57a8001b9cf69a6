import type { FrameLayout, InnermostFrame, UnwindContext, UnwindRegisters } from './unwind.js';

/** How much of a function is searched for its prologue, and how far ahead of pc for the end of an epilogue. */
const MAX_PROLOGUE_BYTES = 256;
const MAX_EPILOGUE_INSTRUCTIONS = 32;

const RA = 1;
const SP = 2;
const S0 = 8;

/**
 * Frames as GCC and clang make them for riscv64 (the psABI's frame pointer convention): s0 is the stack pointer at
 * entry, ra is kept below it and the caller's s0 below that. A leaf compiled by GCC keeps no ra: its caller's s0 then
 * has ra's place.
 */
export const RISCV64_FRAMES: FrameLayout = {
  returnAddressOffset: -8,
  framePointerOffset: -16,
  innermost(start, registers, context) {
    const pc = Number(registers.pc);
    const prologue = readPrologue(start, pc, context);
    if (prologue === null) return UNKNOWN;
    const { frameSize, savedAt, savesReturnAddress } = prologue;
    if (frameSize === null) return pc - start > MAX_PROLOGUE_BYTES ? UNKNOWN : { ...UNKNOWN, frame: 'none' };
    const frame = frameState(start, registers, frameSize, context);
    return { frame, framePointerOffset: savedAt - frameSize, savesReturnAddress };
  },
};

const UNKNOWN: InnermostFrame = { frame: 'unknown', framePointerOffset: -16, savesReturnAddress: true };

/** Behind a prologue: is the frame there at pc? Not if the function returns from pc on without restoring s0. */
function frameState(
  start: number,
  { pc, sp, framePointer }: UnwindRegisters,
  frameSize: number,
  context: UnwindContext,
): InnermostFrame['frame'] {
  let at = Number(pc);
  for (let count = 0; count < MAX_EPILOGUE_INSTRUCTIONS; count++) {
    const instruction = readInstruction(at, context);
    if (instruction === null) break;
    const next = flow(instruction);
    if (next === 'return') return 'none';
    if (next === 'elsewhere' || loadsS0FromStack(instruction)) break;
    if (next !== null && context.functionStart(at + next) !== start) return 'none';
    at += next ?? instruction.length;
  }
  return framePointer === sp + BigInt(frameSize) ? 'made' : 'unknown';
}

interface Prologue {
  /** n of `addi s0, sp, n`; null when that does not stand before pc. */
  readonly frameSize: number | null;
  /** `sd s0, savedAt(sp)`. */
  readonly savedAt: number;
  readonly savesReturnAddress: boolean;
}

/** What stands between `start` and `pc`; null when it cannot be read. */
function readPrologue(start: number, pc: number, context: UnwindContext): Prologue | null {
  let savesReturnAddress = false;
  let frameSize: number | null = null;
  let savedAt = 0;
  for (let at = start; at < pc && at < start + MAX_PROLOGUE_BYTES; ) {
    const instruction = readInstruction(at, context);
    if (instruction === null) return null;
    const store = storeToStack(instruction);
    if (store?.register === RA) savesReturnAddress = true;
    if (store?.register === S0 && frameSize === null) savedAt = store.offset;
    frameSize ??= setsS0FromSp(instruction);
    at += instruction.length;
  }
  return { frameSize, savedAt, savesReturnAddress };
}

/** Encodings: RISC-V unprivileged manual, chapters on RV64I and on the C extension. */
interface Instruction {
  readonly bits: number;
  readonly length: 2 | 4;
}

function readInstruction(address: number, { read }: UnwindContext): Instruction | null {
  const low = read(address, 2);
  if (low === null) return null;
  const half = low[0] | (low[1] << 8);
  if ((half & 3) !== 3) return { bits: half, length: 2 };
  const high = read(address + 2, 2);
  return high === null ? null : { bits: half | (high[0] << 16) | (high[1] << 24), length: 4 };
}

/** `sd reg, offset(sp)` or `c.sdsp`. */
function storeToStack({ bits, length }: Instruction): { register: number; offset: number } | null {
  if (length === 4) {
    if ((bits & 0x000ff07f) !== ((SP << 15) | (3 << 12) | 0x23)) return null;
    return { register: (bits >>> 20) & 31, offset: ((bits >> 25) << 5) | ((bits >>> 7) & 31) };
  }
  if ((bits & 0xe003) !== 0xe002) return null;
  return { register: (bits >>> 2) & 31, offset: ((bits >>> 7) & 0x38) | ((bits >>> 1) & 0x1c0) };
}

/** `addi s0, sp, n` or `c.addi4spn`: n. */
function setsS0FromSp({ bits, length }: Instruction): number | null {
  if (length === 4) return (bits & 0xfffff) === ((SP << 15) | (S0 << 7) | 0x13) ? bits >> 20 : null;
  if ((bits & 0xe01f) !== 0 || (bits & 0x1fe0) === 0) return null;
  return ((bits >>> 7) & 0x30) | ((bits >>> 1) & 0x3c0) | ((bits >>> 4) & 4) | ((bits >>> 2) & 8);
}

/** `ld s0, offset(sp)` or `c.ldsp`. */
function loadsS0FromStack({ bits, length }: Instruction): boolean {
  if (length === 4) return (bits & 0xfffff) === ((SP << 15) | (3 << 12) | (S0 << 7) | 0x03);
  return (bits & 0xef83) === ((3 << 13) | (S0 << 7) | 2);
}

/** Where an instruction leads: on (null), to a place so far away, back to the caller, or to where one cannot see. */
function flow({ bits, length }: Instruction): number | 'return' | 'elsewhere' | null {
  if (length === 2) {
    if (bits === 0x8082) return 'return';
    if ((bits & 0xe003) === 0xa001) return compressedJumpOffset(bits);
    const branch = (bits & 0xc003) === 0xc001;
    const register = (bits & 0xe07f) === 0x8002 && (bits & 0xf80) !== 0;
    return branch || register ? 'elsewhere' : null;
  }
  if (bits === 0x8067) return 'return';
  if ((bits & 0xfff) === 0x6f) return jumpOffset(bits);
  return [0x63, 0x67, 0x6f, 0x73].includes(bits & 0x7f) ? 'elsewhere' : null;
}

/** `c.j`: imm[11|4|9:8|10|6|7|3:1|5] in bits 12 to 2. */
function compressedJumpOffset(bits: number): number {
  const bit = (from: number, to: number) => ((bits >>> from) & 1) << to;
  const low = bit(3, 1) | bit(4, 2) | bit(5, 3) | bit(11, 4) | bit(2, 5);
  const high = bit(7, 6) | bit(6, 7) | bit(9, 8) | bit(10, 9) | bit(8, 10);
  return low + high - bit(12, 11);
}

/** `jal`: imm[20|10:1|11|19:12] in bits 31 to 12. */
function jumpOffset(bits: number): number {
  const low = ((bits >>> 20) & 0x7fe) | ((bits >>> 9) & 0x800) | (bits & 0xff000);
  return low | ((bits >> 31) << 20);
}
