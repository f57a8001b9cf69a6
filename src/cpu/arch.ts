import type { ArgumentRegisters } from '../abi/syscalls.js';
import type { Page } from '../memory/page.js';

/**
 * What the machine and the kernel know of an instruction set: nothing but this page. One implementation a
 * folder (`riscv64/`), found through `arch-table.ts`.
 */

/**
 * One thread's user-visible CPU state. Everything that counts is in `bytes` (fixed layout per architecture), so
 * that states are copied, compared, hashed and stored without knowing the architecture. Reservations of LR/SC are
 * not part of it: they are dropped at every trap and switch.
 */
export interface Registers {
  readonly bytes: Uint8Array;
  copy(): Registers;
}

/** A copy that was made of a page, in its place. */
export interface RenewedPage {
  readonly pageNumber: number;
  /** Null where nobody ever asked for it. */
  readonly original: Page | null;
  readonly page: Page;
}

/** The same of several pages, one by one. */
export interface Renewal {
  readonly originals: readonly Page[];
  readonly copies: readonly Page[];
}

/** Some of 32 pages: those of a group have numbers from `group * 32` on, and a bit each. */
export interface PageGroup {
  readonly group: number;
  readonly pages: number;
}

/** Which pages were never written, group by group. */
export interface ZeroPages {
  readonly firstGroup: number;
  /** Of each, a bit for each page that reads as zeros and is committed by a store. */
  readonly groups: readonly number[];
  /** Whether a store does nothing else, and loads are allowed where stores are. */
  readonly isStorable: boolean;
}

/** How an engine sees the address space that a thread runs in. Page numbers are addresses / 4096. */
export interface MemoryView {
  /**
   * Goes up whenever a page that was handed out earlier may be stale (mapping changed, page replaced). An engine that
   * caches pages compares it when a run starts and after each call below.
   */
  readonly generation: number;
  /** Goes up when pages handed out for stores may no longer be written; they are good for the rest. */
  readonly epoch: number;
  /** The page user code may load from, or null. Never write to it. */
  pageForLoad(pageNumber: number): Page | null;
  /** The page user code may store to, or null. Writable in place until `generation` or `epoch` changes. */
  pageForStore(pageNumber: number): Page | null;
  /**
   * After `pageForStore` changed `generation`: nothing but the page at that number is stale in this view. Most first
   * writes after a snapshot are like that, and need not cost all that was cached.
   */
  readonly replacedAlone: boolean;
  /** After `pageForStore`: what it made a copy of, if nothing but snapshots has that any more; else null. */
  readonly original: Page | null;
  /** After `pageForStore` gave a page: it may be loaded from, too. Absent: that is not known. */
  readonly isLoadable?: boolean;
  /**
   * After `pageForStore` gave a page: until `generation` changes otherwise, the first store to it after `epoch` did does
   * nothing but to make a copy, which nobody can see. Absent: that is not known.
   */
  readonly isRenewable?: boolean;
  /**
   * Does what `pageForStore` does for pages of which `isRenewable` was so, and whose bytes were copied to rooms of the
   * piece where they are: there they are from now on, and copies are in their places (`Page.leaveFor`).
   */
  renew?(pageNumbers: readonly number[], rooms: readonly number[]): Renewal;
  /**
   * Looks at so many groups of pages, a power of 2, around one that may be loaded from, as far as they are in the same
   * mapping; null where none is known to be like that. It stays so until `generation` changes. Absent: as null.
   */
  zerosNear?(pageNumber: number, groups: number): ZeroPages | null;
  /** How many pages may be committed. */
  readonly pagesLeft?: number;
  /** Does what `pageForStore` does for pages of which `zerosNear` said so, at most `pagesLeft`. In ascending order. */
  commitZeros?(groups: readonly PageGroup[]): readonly Page[];
  /**
   * Copies pages near one, and itself, that await a store, as `pageForStore` does. Absent: none do.
   * @param reach how many are looked at, at most: a power of 2, at least 32
   */
  renewAwaited?(pageNumber: number, reach: number): readonly RenewedPage[];
  /** The page user code may execute, or null. */
  pageForFetch(pageNumber: number): Page | null;
}

/** Why a run of instructions ended. `address` is the faulting data or fetch address (exact u64). */
export type Stop =
  /** As many instructions retired as were asked for (grace included). */
  | { readonly kind: 'budget' }
  /** At a system call instruction, which has not retired: pc is on it. */
  | { readonly kind: 'syscall' }
  /** At a breakpoint instruction (pc on it). */
  | { readonly kind: 'breakpoint' }
  | { readonly kind: 'illegal-instruction'; readonly bits: number }
  | { readonly kind: 'misaligned'; readonly access: Access; readonly address: bigint }
  | { readonly kind: 'page-fault'; readonly access: Access; readonly address: bigint };

export type Access = 'load' | 'store' | 'fetch';

/** Exceptions of instructions; `policy` is a system call that was not to be made. */
export type ExceptionKind = 'page-fault' | 'undefined-instruction' | 'breakpoint' | 'misaligned' | 'policy';

/**
 * Receives what instructions did, in program order, when a span is expanded. Values are raw bits, unsigned. For each
 * instruction that retires: `step`, then its loads and stores, then the registers it wrote (also with the value they
 * had; never a register that cannot change), then the float status register if its value changed. An instruction
 * that stops is not reported. Until `store` returns, memory is as it was before the store.
 */
export interface Trace {
  /** `length` is the instruction's size in bytes, `bits` as many bits. */
  step(pc: bigint, bits: number, length: number): void;
  /** Register numbers are the architecture's DWARF numbers (riscv64: x0-x31 = 0-31, f0-f31 = 32-63; fcsr = 64). */
  register(number: number, value: bigint): void;
  load(address: bigint, sizeBytes: number, value: bigint): void;
  store(address: bigint, sizeBytes: number, value: bigint): void;
}

export interface RunResult {
  /** Instructions retired, at most budget and grace. */
  readonly steps: number;
  readonly stop: Stop;
  /** Whether a reservation was held, which does not outlive the run. Absent: that is not known. */
  readonly reserved?: boolean;
}

/**
 * Runs instructions. Result, registers and memory depend on nothing but the arguments: two engines agree to the
 * bit, and `run(a); run(b)` equals `run(a+b)` but for reservations, which do not outlive a run.
 */
export interface Engine {
  /**
   * @param budget instructions to retire, ≥ 0
   * @param timeNs virtual time at the start, read by guests through time counters; one instruction is 1 ns
   * @param grace instructions that may follow the budget while a reservation (LR/SC) is held, so that no schedule,
   *   however fine, starves a loop that RISC-V promises to end
   * @param trace told of every effect when present
   */
  run(
    registers: Registers,
    memory: MemoryView,
    budget: number,
    timeNs: bigint,
    grace: number,
    trace?: Trace,
  ): RunResult;
  /** Goes on as one of another kind, with what it knows of memory; false, or absent, where only a new one can. */
  become?(kind: EngineKind): boolean;
}

/**
 * How instructions are run; it never shows in what they do. `reference` follows the table step by step, `interpreter`
 * and `jit` run code that is generated from the table, and `auto` is the quickest.
 */
export const ENGINE_KINDS = ['auto', 'jit', 'interpreter', 'reference'] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

/** What one instruction depends on and changes. Registers are DWARF numbers; constant ones are never among them. */
export interface DataFlow {
  readonly reads: readonly number[];
  /** Registers it writes if it retires; the float status if it may. */
  readonly writes: readonly number[];
  readonly loads: boolean;
  readonly stores: boolean;
  /** Whether execution goes on behind it: always, perhaps, never; or the instruction stops. */
  readonly control: 'next' | 'branch' | 'jump' | 'stop';
  /** Its result depends on virtual time. */
  readonly readsTime: boolean;
}

/** One frame register set for unwinding and printing: name and value, in the order crash texts list them. */
export type NamedRegister = readonly [name: string, value: bigint];

/** Restricted mode. States are `zx_restricted_state_t` of the architecture: src/abi/restricted.ts. */
export interface RestrictedArch {
  /** Registers ← the state at the start of a page. What a state does not hold (floating point, say) stays: it belongs to both modes. */
  load(r: Registers, page: Uint8Array): void;
  save(r: Registers): Uint8Array;
  /** As `save`, for a thread that stands at a system call instruction: what is left of it behind that. */
  saveSyscall(r: Registers): Uint8Array;
  /** The registers of normal mode that are kept while the thread is in restricted mode. */
  keep(r: Registers): Uint8Array;
  /** What the vector finds: `context` and the reason in their registers, what was kept, and zeros. */
  toVector(r: Registers, kept: Uint8Array, vector: { pc: bigint; context: bigint; reason: bigint }): void;
}

export interface Arch {
  readonly name: 'riscv64';
  /** ELF e_machine. */
  readonly elfMachine: number;
  readonly registersSizeBytes: number;
  /** Wraps bytes (not copied); throws nothing: length is checked by the caller. */
  registersFrom(bytes: Uint8Array): Registers;
  /** State at thread start (Zircon's initial register state): everything else zero. */
  initialRegisters(start: {
    pc: bigint;
    sp: bigint;
    arg1: bigint;
    arg2: bigint;
    tp: bigint;
    abiReg: bigint;
  }): Registers;
  createEngine(kind?: EngineKind): Engine;
  pc(r: Registers): bigint;
  /** The same, rounded above 2^53. */
  pcNumber(r: Registers): number;
  setPc(r: Registers, pc: bigint): void;
  sp(r: Registers): bigint;
  framePointer(r: Registers): bigint;
  returnAddress(r: Registers): bigint;
  /** System call convention. */
  syscallNumber(r: Registers): bigint;
  /** The same where it takes at most 16 bits, else -1. */
  shortSyscallNumber(r: Registers): number;
  syscallArgument(r: Registers, index: number): bigint;
  syscallArguments(r: Registers): ArgumentRegisters;
  /** Moves pc behind the system call instruction. */
  skipSyscall(r: Registers): void;
  setResult(r: Registers, value: bigint): void;
  /** What the last system call gave, as i64. */
  result(r: Registers): bigint;
  /** Moves pc back on to the system call instruction that it stands behind. */
  returnToSyscall(r: Registers): void;
  /**
   * Sets of registers as zx_thread_read_state gives them (zircon/syscalls/debug.h), by ZX_THREAD_STATE_*. Size null
   * and reading null: there is no such set. What is written has passed `isStateValid`.
   */
  stateSizeBytes(kind: number): number | null;
  readState(r: Registers, kind: number): Uint8Array | null;
  isStateValid(kind: number, bytes: Uint8Array): boolean;
  writeState(r: Registers, kind: number, bytes: Uint8Array): void;
  readonly restricted: RestrictedArch;
  /** For crash texts, in the platform's customary order. */
  namedRegisters(r: Registers): readonly NamedRegister[];
  /** Those that crash texts leave out: floating point and its status. */
  floatRegisters(r: Registers): readonly NamedRegister[];
  /** What the hardware would tell of an exception: the registers that crash texts list after the others. */
  exceptionRegisters(
    exception: ExceptionKind,
    access: Access | 'none',
    value: bigint,
  ): readonly NamedRegister[];
  /** The same as 24 bytes, the architecture's part of a zx_exception_context_t. */
  exceptionData(exception: ExceptionKind, access: Access | 'none', value: bigint): Uint8Array;
  /** DWARF register number to name, as in Trace. */
  registerName(number: number): string;
  setRegister(r: Registers, number: number, value: bigint): void;
  /** Assembly text of one instruction. */
  disassemble(pc: bigint, bits: number): string;
  /** Undefined when the bits are no instruction. */
  dataFlow(bits: number): DataFlow | undefined;
  /** Bytes of the instruction that starts with these 16 bits. */
  instructionLength(firstHalf: number): number;
}
