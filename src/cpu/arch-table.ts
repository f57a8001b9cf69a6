import type { Arch } from './arch.js';
import { RISCV64 } from './riscv64/arch.js';

/** Every instruction set there is. */
const ARCHS: readonly Arch[] = [RISCV64];

export function archByName(name: string): Arch | undefined {
  return ARCHS.find((arch) => arch.name === name);
}

/** By ELF e_machine. */
export function archByElfMachine(machine: number): Arch | undefined {
  return ARCHS.find((arch) => arch.elfMachine === machine);
}
