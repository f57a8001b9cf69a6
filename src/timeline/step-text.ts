import type { Arch } from '../cpu/arch.js';
import type { Access, Step } from './expand.js';
import type { Names } from './names.js';
import { hex64 } from './text.js';

/** Instructions whose text is kept: loops run through few. */
const MAX_KNOWN = 1 << 14;

export interface Instruction {
  /** `function+0x12`. */
  readonly symbol: string;
  /** Assembly. */
  readonly text: string;
}

/** Texts of instructions; each place is worked out once. */
export class Disassembler {
  private readonly known = new Map<
    bigint,
    Instruction & { readonly bits: number; readonly process: number }
  >();

  constructor(
    private readonly arch: Arch,
    private readonly names: Names,
  ) {}

  at({ pc, bits, process }: Pick<Step, 'pc' | 'bits' | 'process'>): Instruction {
    const found = this.known.get(pc);
    if (found !== undefined && found.bits === bits && found.process === process) return found;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    const text = this.arch.disassemble(pc, bits);
    const made = { symbol: this.names.address(process, pc), text, bits, process };
    this.known.set(pc, made);
    return made;
  }

  /** Registers written, by name. */
  registers(step: Step): [name: string, value: string][] {
    return step.registers.map(({ number, value }) => [this.arch.registerName(number), hex64(value)]);
  }
}

/** Memory accesses as fields for JSON. */
export function accessFields({ address, sizeBytes, value }: Access): Record<string, unknown> {
  return { address: hex64(address), size: sizeBytes, value: hex64(value) };
}
