import type { Instruction } from './facts.js';
import { RegisterSet } from './register-set.js';

/** Which registers are sign-extended from 32 bits, from instruction to instruction of a block. */
export class NarrowRegisters {
  private readonly registers = new RegisterSet();

  /** At a block's start nothing is known. */
  clear(): void {
    this.registers.clear();
  }

  /** Whether an instruction that has less to do then reads no others. */
  areAllFor({ kind, reads }: Instruction): boolean {
    return kind.likesNarrow && this.registers.hasAll(reads);
  }

  after({ writes, kind, reads }: Instruction): void {
    if (kind.isNarrow || (kind.keepsNarrow && this.registers.hasAll(reads))) this.registers.addAll(writes);
    else this.registers.removeAll(writes);
  }
}
