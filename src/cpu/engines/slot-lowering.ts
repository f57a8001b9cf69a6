import type { FunctionCode, ValueType } from '../wasm/code.js';
import type { OperandName } from './algebra.js';
import { CONTROL, SLOT } from './host-memory.js';
import { Lowering, registerAddress } from './lowering.js';
import type { CodedSet } from './slot-codes.js';

/** What interpreters must know of an instruction set. */
export interface InterpretedSet extends CodedSet {
  readonly pcSlot: number;
  readonly floatStatusSlot: number;
}

const OPERAND_SLOTS: Readonly<Record<string, number>> = {
  rd: SLOT.rd,
  rs1: SLOT.rs1,
  rs2: SLOT.rs2,
  rs3: SLOT.rs3,
};

/** Code for an instruction whose operands are in the slot that a local points to. */
export abstract class SlotLowering extends Lowering {
  constructor(
    code: FunctionCode,
    protected readonly isa: InterpretedSet,
    /** The local (i32). */
    protected readonly here: number,
  ) {
    super(code);
  }

  protected get statusAddress(): number {
    return registerAddress(this.isa.floatStatusSlot);
  }

  protected pushRegister(operand: OperandName): ValueType {
    this.code.get(this.here).access('i32.load16_u', OPERAND_SLOTS[operand]!).access('i64.load', 0);
    return 'i64';
  }

  protected registerType(): ValueType {
    return 'i64';
  }

  protected setRegister(operand: OperandName): void {
    const { code, here } = this;
    const value = this.temporary('i64');
    code.set(value).get(here).access('i32.load16_u', OPERAND_SLOTS[operand]!);
    code.get(value).access('i64.store', 0);
  }

  protected pushImmediate(): void {
    this.code.get(this.here).access('i64.load32_s', SLOT.imm);
  }

  protected pushPc(): void {
    this.pushAddress(() => this.code.get(this.here));
  }

  protected pushLink(): void {
    this.pushAddress(() => this.pushNext());
  }

  protected pushNext(): void {
    const { code, here } = this;
    code.get(here).get(here).access('i32.load8_u', SLOT.length).op('i32.add');
  }

  /**
   * The address of the instruction in a slot of the current page. Where that is comes from memory each time: as a
   * value of the whole function V8 would compute all of this for every instruction.
   */
  protected pushAddress(pushSlot: () => void): void {
    const { code } = this;
    pushSlot();
    code.i32(0).access('i32.load', CONTROL.page).op('i32.sub').i32(3).op('i32.shr_u').op('i64.extend_i32_u');
    code.i32(0).access('i64.load', CONTROL.pageAddress).op('i64.add');
  }
}
