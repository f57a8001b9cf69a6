import type { SyscallName } from '../abi/syscalls.js';

/**
 * What a program can do, one `yield` each. Everything else it computes by itself, in no time. Programs do not make
 * operations, they use `Zx` and the classes over handles.
 */
export type Operation =
  | { readonly kind: 'call'; readonly name: SyscallName; readonly args: readonly Argument[] }
  /** Memory of the process, at addresses that are mapped: else the thread faults, as machine code would. */
  | { readonly kind: 'load'; readonly address: number; readonly sizeBytes: number }
  | { readonly kind: 'store'; readonly address: number; readonly bytes: Uint8Array }
  /** Puts a 32-bit value where it finds another, in one step; tells what it found. */
  | {
      readonly kind: 'compare-exchange';
      readonly address: number;
      readonly expected: number;
      readonly desired: number;
    }
  /** Lets steps pass, as instructions that compute would. */
  | { readonly kind: 'work'; readonly steps: number }
  /** Ends as an illegal instruction does. */
  | { readonly kind: 'abort' };

/** A value, or memory whose address is passed. */
export type Argument = number | bigint | Memory;

/** A block on the thread's stack for the time of one call. */
export interface Memory {
  readonly sizeBytes: number;
  /** What stands at its start when the call is made; the rest is as the stack happens to be. */
  readonly bytes: Uint8Array | null;
  /** Whether the program wants to see it after the call. */
  readonly wanted: boolean;
  /** Addresses of other blocks, put into this one. */
  readonly pointers: readonly { readonly offset: number; readonly to: Memory }[];
}

/** The answer to an operation. */
export interface Reply {
  /**
   * First the result of a call, or what compare-exchange found. After zx_restricted_enter came back: 0, then context
   * and reason.
   */
  readonly values: readonly [bigint, bigint, bigint];
  /** What was loaded; after a call, what the blocks that are `wanted` hold, in the order of `blocksOf`. */
  readonly blocks: readonly Uint8Array[];
}

/** A part of a program: a generator that is run by `yield*`. */
export type Task<T> = Generator<Operation, T, Reply>;

export const NO_BYTES = new Uint8Array(0);

/** Memory that a call reads. */
export function input(bytes: Uint8Array): Memory {
  return { sizeBytes: bytes.length, bytes, wanted: false, pointers: [] };
}

/** Memory that a call writes. */
export function output(sizeBytes: number): Memory {
  return { sizeBytes, bytes: null, wanted: true, pointers: [] };
}

/** Memory that a call reads and writes. */
export function inOut(bytes: Uint8Array): Memory {
  return { sizeBytes: bytes.length, bytes, wanted: true, pointers: [] };
}

/** The blocks of a call, those that others point to after them. */
export function blocksOf(args: readonly Argument[]): Memory[] {
  const blocks: Memory[] = [];
  for (const arg of args) if (typeof arg === 'object' && !blocks.includes(arg)) blocks.push(arg);
  for (let i = 0; i < blocks.length; i++) {
    for (const { to } of blocks[i].pointers) if (!blocks.includes(to)) blocks.push(to);
  }
  return blocks;
}
