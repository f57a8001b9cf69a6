import type { SyscallName } from '../abi/syscalls.js';
import type { Engine, MemoryView } from '../cpu/arch.js';
import type { Kernel } from '../kernel/objects/kernel.js';

/**
 * Programs in the language of the host: what the machine knows of them. Their threads are scheduled, interrupted and
 * killed like all others; what differs is who says what a step does. One implementation, in `sdk/runtime/`.
 */
export interface ProgramHost {
  /** The engine of a thread that is about to run; null when its code is the machine's own. */
  engineFor(thread: number, memory: MemoryView): ProgramEngine | null;
  /** A thread or process is dead: nothing of it will run again but after `restore`. */
  ended(koid: number): void;
  /** Where all programs are, to come back to by `restore`. */
  mark(): number;
  restore(mark: number): void;
}

/** Runs one thread. It stops with `syscall` at a call, which `call` tells: there is no instruction to decode. */
export interface ProgramEngine extends Engine {
  readonly call: ProgramCall;
}

export interface ProgramCall {
  readonly name: SyscallName;
  readonly args: readonly bigint[];
}

/** The programs that a run may meet, by name. */
export interface ProgramSet {
  readonly names: readonly string[];
  /** For one machine. */
  host(k: Kernel): ProgramHost;
}

/**
 * Thrown by a host when a program, run again with the answers that it got before, does something else: it reads the
 * clock, draws random numbers, or keeps something outside of its main function.
 */
export class ProgramNotDeterministic extends Error {
  override name = 'ProgramNotDeterministic';
  constructor(
    readonly program: string,
    readonly thread: number,
    readonly now: string,
  ) {
    super(
      `program ${JSON.stringify(program)} is not deterministic: run again, thread ${thread} ${now} in the place of something else`,
    );
  }
}
