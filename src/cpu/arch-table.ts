import type { Arch } from './arch.js';
import { RISCV64 } from './riscv64/arch.js';

/** Every instruction set there is. */
const ARCHS: readonly Arch[] = [RISCV64];

export function archByName(name: Arch['name']): Arch {
  return ARCHS.find((arch) => arch.name === name) as Arch;
}
