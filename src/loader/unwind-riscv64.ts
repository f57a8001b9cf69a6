import type { FrameLayout, InnermostFrame, UnwindContext, UnwindRegisters } from './unwind.js';

/** How much of a function is searched for its prologue. */
const MAX_PROLOGUE_BYTES = 256;

const SP = 2;
const RA = 1;
const S0 = 8;

/**
 * Frames as GCC and clang make them for riscv64 (the psABI's frame pointer convention): s0 is the stack pointer at
 * entry, ra is kept below it and the caller's s0 below that. A leaf compiled by GCC keeps no ra: its caller's s0 then
 * has ra's place.
 */
export const RISCV64_FRAMES: FrameLayout = {
  returnAddressOffset: -8,
  framePointerOffset: -16,
  innermost(start, registers, read) {
    const pc = Number(registers.pc);
    const prologue = readPrologue(start, pc, read);
    if (prologue === null) return UNKNOWN;
    const { setsFramePointer, savedAt, frameSize, savesReturnAddress } = prologue;
    if (!setsFramePointer) return pc - start > MAX_PROLOGUE_BYTES ? UNKNOWN : { ...UNKNOWN, frame: 'none' };
    const frame = frameState(registers, frameSize, savedAt, read);
    return { frame, framePointerOffset: savedAt - frameSize, savesReturnAddress };
  },
};

const UNKNOWN: InnermostFrame = { frame: 'unknown', framePointerOffset: -16, savesReturnAddress: true };

/** The frame has been made at some time before; is it still there? Sizes and offsets are from sp in the body. */
function frameState(
  { pc, sp, framePointer }: UnwindRegisters,
  frameSize: number,
  savedAt: number,
  read: UnwindContext['read'],
): InnermostFrame['frame'] {
  if (isReturn(Number(pc), read)) return 'none';
  const saved = sp < 2n ** 47n ? read(Number(sp) + savedAt, 8) : null;
  if (saved === null) return 'unknown';
  const restored = new DataView(saved.buffer, saved.byteOffset, 8).getBigUint64(0, true) === framePointer;
  if (restored) return 'none';
  return framePointer === sp + BigInt(frameSize) ? 'made' : 'unknown';
}

function isReturn(pc: number, read: UnwindContext['read']): boolean {
  const half = (at: number) => {
    const bytes = read(at, 2);
    return bytes === null ? 0 : bytes[0] | (bytes[1] << 8);
  };
  const first = half(pc);
  return first === 0x8082 /* c.jr ra */ || (first === 0x8067 && half(pc + 2) === 0) /* jalr zero, 0(ra) */;
}

interface Prologue {
  readonly setsFramePointer: boolean;
  /** `addi s0, sp, frameSize`. */
  readonly frameSize: number;
  /** `sd s0, savedAt(sp)`. */
  readonly savedAt: number;
  readonly savesReturnAddress: boolean;
}

/** Null when the code cannot be read. Only what stands before `pc` counts. */
function readPrologue(start: number, pc: number, read: UnwindContext['read']): Prologue | null {
  const length = Math.min(pc - start, MAX_PROLOGUE_BYTES);
  const code = length === 0 ? new Uint8Array(0) : read(start, length);
  if (code === null) return null;
  let setsFramePointer = false;
  let savesReturnAddress = false;
  let frameSize = 0;
  let savedAt = 0;
  for (let at = 0; at + 2 <= length; ) {
    const half = code[at] | (code[at + 1] << 8);
    const long = (half & 3) === 3;
    const bits = long ? half | (((code[at + 2] ?? 0) | ((code[at + 3] ?? 0) << 8)) << 16) : half;
    const store = storeToStack(bits, long);
    if (store?.register === RA) savesReturnAddress = true;
    else if (store?.register === S0 && !setsFramePointer) savedAt = store.offset;
    const size = setsS0FromSp(bits, long);
    if (size !== null && !setsFramePointer) {
      setsFramePointer = true;
      frameSize = size;
    }
    at += long ? 4 : 2;
  }
  return { setsFramePointer, frameSize, savedAt, savesReturnAddress };
}

/** `sd reg, offset(sp)` or `c.sdsp`. */
function storeToStack(bits: number, long: boolean): { register: number; offset: number } | null {
  if (long) {
    if ((bits & 0x000ff07f) !== ((SP << 15) | (3 << 12) | 0x23)) return null;
    return { register: (bits >>> 20) & 31, offset: ((bits >> 25) << 5) | ((bits >>> 7) & 31) };
  }
  if ((bits & 0xe003) !== 0xe002) return null;
  return { register: (bits >>> 2) & 31, offset: ((bits >>> 7) & 0x38) | ((bits >>> 1) & 0x1c0) };
}

/** `addi s0, sp, n` or `c.addi4spn`: n. */
function setsS0FromSp(bits: number, long: boolean): number | null {
  if (long) return (bits & 0xfffff) === ((SP << 15) | (S0 << 7) | 0x13) ? bits >> 20 : null;
  if ((bits & 0xe01f) !== 0 || (bits & 0x1fe0) === 0) return null;
  return ((bits >>> 7) & 0x30) | ((bits >>> 1) & 0x3c0) | ((bits >>> 4) & 4) | ((bits >>> 2) & 8);
}
