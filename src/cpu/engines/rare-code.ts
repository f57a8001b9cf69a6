import { FunctionCode, type Signature, type ValueType } from '../wasm/code.js';
import type { FloatHelpers } from './float-helpers.js';
import { FLOAT_SHAPES, type FloatName } from './float-shapes.js';
import { CONTROL, SLOT, STATUS } from './host-memory.js';
import { registerAddress, type StopKind } from './lowering.js';
import { planOf } from './plan.js';
import { type InterpretedSet, SlotLowering } from './slot-lowering.js';
import type { Operation } from './transcript.js';

/** Slot and budget left behind the instruction; 0, or the STATUS for which it was not done. */
const RARE_SIGNATURE: Signature = { params: ['i32', 'i32'], results: ['i32'] };

const HERE = 0;
const LEFT = 1;

/** The function of one instruction. */
export class RareCode extends SlotLowering {
  constructor(
    isa: InterpretedSet,
    private readonly helpers: FloatHelpers,
  ) {
    super(new FunctionCode(RARE_SIGNATURE), isa, HERE);
  }

  write(operations: readonly Operation[]): FunctionCode {
    this.lower(planOf(operations));
    return this.code.i32(0) as FunctionCode;
  }

  private leave(status: number): void {
    this.code.i32(status).op('return');
  }

  protected slow(): void {
    const { code } = this;
    code.if().i32(0).get(this.address).access('i64.store', CONTROL.address);
    this.leave(STATUS.slow);
    code.op('end');
  }

  protected stop(kind: StopKind): void {
    this.leave(STATUS[kind]);
  }

  protected branch(): void {
    throw new Error('a rare instruction does not branch');
  }

  protected jump(): void {
    this.branch();
  }

  protected jumpTo(): void {
    this.branch();
  }

  protected float({ op, args }: Operation): ValueType {
    const name = op as FloatName;
    const { operands, result, rounded } = FLOAT_SHAPES.get(name)!;
    for (const i of operands.keys()) this.push(args[i], 'i64');
    if (rounded) this.pushMode();
    this.code.call(this.helpers.functionOf(name));
    return result === 'i32' ? 'i32' : 'i64';
  }

  /** The rounding mode in force, 0 to 4; others are for the host, who finds them illegal. */
  private pushMode(): void {
    const { code } = this;
    const mode = this.temporary('i32');
    code.get(HERE).access('i32.load8_u', SLOT.rm).tee(mode).i32(7).op('i32.eq').if();
    code
      .i32(0)
      .access('i32.load', registerAddress(this.isa.floatStatusSlot))
      .i32(5)
      .op('i32.shr_u')
      .set(mode);
    code.op('end');
    code.get(mode).i32(4).op('i32.gt_u');
    this.slow();
    code.get(mode);
  }

  protected special({ op, args }: Operation): ValueType | null {
    const { code, statusAddress: status } = this;
    switch (op) {
      case 'floatFlags':
      case 'floatRounding':
        return this.readStatus(op);
      case 'setFloatFlags':
        code.i32(0).i32(0).access('i64.load', status).i64(-32).op('i64.and');
        this.push(args[0], 'i64');
        code.i64(31).op('i64.and').op('i64.or').access('i64.store', status);
        return null;
      case 'setFloatRounding':
        code.i32(0).i32(0).access('i64.load', status).i64(31).op('i64.and');
        this.push(args[0], 'i64');
        code.i64(7).op('i64.and').i64(5).op('i64.shl').op('i64.or').access('i64.store', status);
        return null;
      case 'time':
        // This instruction is taken off the budget already.
        code.i32(0).access('i64.load', CONTROL.endTime);
        code.get(LEFT).i32(1).op('i32.add').op('i64.extend_i32_u').op('i64.sub');
        return 'i64';
      default:
        throw new Error(`no code for ${op}`);
    }
  }
}

/** Code of the slot, slot, budget left: calls the instruction's function. */
const CHOICE_SIGNATURE: Signature = { params: ['i32', 'i32', 'i32'], results: ['i32'] };

/**
 * One call for all rare instructions: with a call for each, the interpreter would keep its state on the stack.
 * @param functions by code of the slot; null where there is none
 */
export function rareChoice(functions: readonly (number | null)[]): FunctionCode {
  const code = new FunctionCode(CHOICE_SIGNATURE);
  const used = functions.filter((fn) => fn !== null);
  const depths: number[] = [];
  for (const fn of functions) depths.push(fn === null ? used.length : used.indexOf(fn));
  code.block();
  for (const _ of used) code.block();
  code.get(0).brTable(depths, used.length);
  for (const fn of used) code.op('end').get(1).get(2).call(fn).op('return');
  return code.op('end').op('unreachable') as FunctionCode;
}
