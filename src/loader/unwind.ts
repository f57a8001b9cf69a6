/** One line of a backtrace, innermost first. */
export interface Frame {
  /** Exact: a thread that jumped into the void has a pc that no process can have mapped. */
  readonly address: bigint;
  /** `pc`: where the thread is. `ra`: where it will return to, so that the call is the instruction before. */
  readonly kind: 'pc' | 'ra';
}

/** What a backtrace starts from; exact register values. */
export interface UnwindRegisters {
  readonly pc: bigint;
  readonly sp: bigint;
  readonly framePointer: bigint;
  readonly returnAddress: bigint;
}

export interface UnwindContext {
  /** Exactly that many bytes of memory, or null when one of them is not mapped. */
  read(address: number, sizeBytes: number): Uint8Array | null;
  /** Where the function that holds the address begins, if that is known. */
  functionStart(address: number): number | null;
}

/** What the code around some pc says about the function's frame; offsets are from the frame pointer. */
export interface InnermostFrame {
  /** `made`: the frame pointer is this function's. `none`: it is still, or again, the caller's. */
  readonly frame: 'made' | 'none' | 'unknown';
  readonly framePointerOffset: number;
  readonly savesReturnAddress: boolean;
}

/** How code of one architecture keeps its frames. */
export interface FrameLayout {
  /** Where functions that call others keep the return address and the caller's frame pointer. */
  readonly returnAddressOffset: number;
  readonly framePointerOffset: number;
  /** Reads the code of the function at `start`, around the pc. */
  innermost(start: number, registers: UnwindRegisters, context: UnwindContext): InnermostFrame;
}

const MAX_FRAMES = 128;
const MAX_ADDRESS = 2n ** 47n;

/**
 * The calls a thread is in, followed along frame pointers (code compiled with -fno-omit-frame-pointer). At most
 * 128 frames. A chain ends where a frame pointer is not mapped, not aligned or not above the one before, so that
 * loops end; what a function without frame pointers left in the register is at worst one wrong frame.
 *
 * Only the innermost function can be without a frame of its own (a leaf, a system call stub, a prologue, an
 * epilogue), or be no function at all (a call through a bad pointer): its caller is then in the return address
 * register. Where its code does not tell, the register is believed if it neither repeats what the frame holds nor
 * points into the function itself, which is what a call made from there leaves behind.
 */
export function unwind(layout: FrameLayout, registers: UnwindRegisters, context: UnwindContext): Frame[] {
  const frames: Frame[] = [{ address: registers.pc, kind: 'pc' }];
  let below = registers.sp;
  let frame = toAddress(registers.framePointer);
  const inner = innermostCaller(layout, registers, context);
  if (inner !== null) {
    frames.push({ address: registers.returnAddress, kind: 'ra' });
    if (inner.framePointerOffset !== null && frame !== null) {
      below = BigInt(frame);
      frame = readAddress(context, frame + inner.framePointerOffset);
    }
  }
  while (frame !== null && frames.length < MAX_FRAMES) {
    if (BigInt(frame) <= below || frame % 8 !== 0) break;
    const address = readAddress(context, frame + layout.returnAddressOffset);
    if (address === null || address === 0) break;
    frames.push({ address: BigInt(address), kind: 'ra' });
    below = BigInt(frame);
    frame = readAddress(context, frame + layout.framePointerOffset);
  }
  return frames;
}

/**
 * Null when the innermost function's caller is to be read from its frame. Otherwise the register holds it, and the
 * caller's frame pointer is at the offset given from the frame pointer, or is the frame pointer (null).
 */
function innermostCaller(
  layout: FrameLayout,
  registers: UnwindRegisters,
  context: UnwindContext,
): { framePointerOffset: number | null } | null {
  const ra = toAddress(registers.returnAddress);
  if (ra === null || ra === 0) return null;
  const pc = toAddress(registers.pc);
  const start = pc === null ? null : context.functionStart(pc);
  const code = start === null ? null : layout.innermost(start, registers, context);
  if (code?.frame === 'none') return { framePointerOffset: null };
  const made = code?.frame === 'made' ? { framePointerOffset: code.framePointerOffset } : null;
  if (made !== null && !code?.savesReturnAddress) return made;
  const fp = toAddress(registers.framePointer);
  const saved = fp === null ? null : readAddress(context, fp + layout.returnAddressOffset);
  if (ra === saved || (start !== null && context.functionStart(ra - 1) === start)) return null;
  return made ?? { framePointerOffset: null };
}

function toAddress(value: bigint): number | null {
  return value < MAX_ADDRESS ? Number(value) : null;
}

function readAddress(context: UnwindContext, address: number): number | null {
  const bytes = address < 0 ? null : context.read(address, 8);
  if (bytes === null) return null;
  return toAddress(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
}
