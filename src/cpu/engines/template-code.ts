import { assert } from '../../base/assert.js';
import { FunctionCode } from '../wasm/code.js';
import { OTHER, type ValueType } from '../wasm/opcodes.js';
import { type Tape, TapeWriter } from '../wasm/tape.js';
import { REGION_SIGNATURE } from './interpreter-code.js';

const TYPES: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64'];
/** Locals of one type that an instruction uses, at most. */
const TEMPORARIES = 32;
/** Variables before the others: guest registers by slot. */
export const REGISTER_SLOTS = 64;

/** Groups of accesses of one block, at most. */
export const GROUPS = 32;

/**
 * Locals of a region by number, before it is known which of them it has: guest registers by slot, what instructions use
 * for themselves, and some for the region's own use.
 */
export const VARIABLE = {
  /** The address (i64) of the access at hand: the first that `Lowering` takes. And where control goes. */
  address: REGISTER_SLOTS + TYPES.indexOf('i64') * TEMPORARIES,
  /** Its place, and more if it has none (i64): the second that `Lowering` takes. */
  place: REGISTER_SLOTS + TYPES.indexOf('i64') * TEMPORARIES + 1,
  /** Which instruction the region is left at. */
  exit: REGISTER_SLOTS + TYPES.length * TEMPORARIES,
  /** Two (i32) for looking a region up. */
  page: REGISTER_SLOTS + TYPES.length * TEMPORARIES + 1,
  index: REGISTER_SLOTS + TYPES.length * TEMPORARIES + 2,
  /** From here on the places (i32) of a block's groups of accesses. */
  groups: REGISTER_SLOTS + TYPES.length * TEMPORARIES + 3,
  /** From here on registers (i64) as they were where a chunk of a loop started, by slot. */
  starts: REGISTER_SLOTS + TYPES.length * TEMPORARIES + 3 + GROUPS,
} as const;
export const VARIABLES = VARIABLE.starts + REGISTER_SLOTS;

/** The type of a variable that is no register. */
export function variableType(variable: number): ValueType {
  if (variable >= VARIABLE.starts) return 'i64';
  if (variable >= VARIABLE.exit) return 'i32';
  return TYPES[Math.floor((variable - REGISTER_SLOTS) / TEMPORARIES)]!;
}

/** Numbers for locals of registers, in tapes: which they are depends on the instruction's operands. */
export const OPERAND = {
  rd: VARIABLES,
  rs1: VARIABLES + 1,
  rs2: VARIABLES + 2,
  rs3: VARIABLES + 3,
  /** Of the instruction's group of accesses. */
  place: VARIABLES + 4,
} as const;

/** Holes of a tape: instructions that push a constant, but for the last. */
export const HOLE = {
  /** The immediate, the instruction's address, the one behind it, address and immediate added. */
  imm: 0,
  pc: 1,
  link: 2,
  pcOffset: 3,
  /** The number of this exit. */
  exit: 4,
  /** The low half (i32) of the immediate. */
  imm32: 5,
  /** No instruction but where an access is from its group's place on. */
  offset: 6,
  /** No instruction but the depth of the label for this exit, plus how much further in the code is. */
  label: 7,
} as const;

/** Code with holes. */
export class TemplateCode extends FunctionCode {
  private readonly taken: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0 };
  private readonly writer = new TapeWriter();

  constructor() {
    super(REGION_SIGNATURE);
  }

  override local(type: ValueType): number {
    const index = this.taken[type]++;
    assert(index < TEMPORARIES, 'an instruction has too many locals');
    return REGISTER_SLOTS + TYPES.indexOf(type) * TEMPORARIES + index;
  }

  /** What was written since the last hole goes before the next. */
  private flush(): void {
    if (this.size > 0) this.writer.bytes(this.result());
    this.clear();
  }

  hole(hole: number): this {
    this.flush();
    this.writer.hole(hole);
    return this;
  }

  private onLocal(opcode: number, local: number): this {
    this.flush();
    this.writer.local(opcode, local);
    return this;
  }

  override get(local: number): this {
    return this.onLocal(OTHER['local.get'], local);
  }

  override set(local: number): this {
    return this.onLocal(OTHER['local.set'], local);
  }

  override tee(local: number): this {
    return this.onLocal(OTHER['local.tee'], local);
  }

  /** Parameters are locals that have their numbers already. */
  param(index: number): this {
    return this.byte(OTHER['local.get']).u32(index);
  }

  setParam(index: number): this {
    return this.byte(OTHER['local.set']).u32(index);
  }

  taped(): Tape {
    this.flush();
    this.release();
    return this.writer.tape();
  }
}
