import type { Instruction } from './region.js';

/** Instructions that can be left with the same registers to put into memory. */
export interface ExitGroup {
  /** Its first instruction. */
  readonly first: number;
  /** Registers written since the group before. */
  readonly written: readonly number[];
}

/** The groups of a block's instructions, in order. */
export function exitGroups(instructions: readonly Instruction[]): ExitGroup[] {
  const groups: ExitGroup[] = [];
  const before = new Set<number>();
  let written: number[] = [];
  instructions.forEach((instruction, i) => {
    if (instruction.facts.canLeave && (groups.length === 0 || written.length > 0)) {
      groups.push({ first: i, written });
      written = [];
    }
    for (const slot of instruction.facts.writes) {
      if (before.has(slot)) continue;
      before.add(slot);
      written.push(slot);
    }
  });
  return groups;
}
