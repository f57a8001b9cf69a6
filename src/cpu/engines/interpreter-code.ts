import { FunctionCode, type Signature, type ValueType } from '../wasm/code.js';
import type { OperandName } from './algebra.js';
import type { FloatHelpers } from './float-helpers.js';
import { FLOAT_SHAPES, type FloatName } from './float-shapes.js';
import { CONTROL, END_SLOT, HALF_MASK, PAGE_MASK, SLOT, STATUS, STOPPED_BIT } from './host-memory.js';
import { Lowering, registerAddress, type StopKind } from './lowering.js';
import { planOf, type Step } from './plan.js';
import type { Operation } from './transcript.js';

/** Codes of slots that hold no instruction, counted from the number of entries in the table. */
export const EXTRA = {
  /** Nothing was decoded here yet. It is code 0 of all: a cleared page has it everywhere. */
  undecoded: 0,
  /** Behind the last half-word of a page. */
  end: 1,
  /** An instruction that only the host can do: it reaches into the next page. */
  slow: 2,
  /** A region starts here. */
  region: 3,
} as const;
/** The code of the first instruction of the table. */
export const FIRST_CODE = 4;

/** How often an instruction is jumped to before a region is made that starts there. */
export const HOT_COUNT = 256;

/** Budget and call depth left; gives the budget left, with STOPPED_BIT when there is a status to look at. */
export const REGION_SIGNATURE: Signature = { params: ['i32', 'i32'], results: ['i32'] };
/** Budget, slot, decoded page, its address, and whether regions are to be ignored. */
const INTERPRETER_SIGNATURE: Signature = { params: ['i32', 'i32', 'i32', 'i64', 'i32'], results: ['i32'] };

const LEFT = 0;
const HERE = 1;
const PAGE = 2;
const PAGE_ADDRESS = 3;
const IGNORE = 4;

const OPERAND_SLOTS: Readonly<Record<string, number>> = {
  rd: SLOT.rd,
  rs1: SLOT.rs1,
  rs2: SLOT.rs2,
  rs3: SLOT.rs3,
};

export interface InterpretedSet {
  readonly pcSlot: number;
  readonly floatStatusSlot: number;
  readonly sinkSlot: number;
  readonly entries: readonly { readonly operations: readonly Operation[] }[];
}

/** One function that runs decoded instructions one by one: a loop around a switch with a case for each entry of the table. */
export class InterpreterCode extends Lowering {
  private readonly next: number;
  private readonly status: number;
  private readonly chosen: number;
  /** Cases that are still open around the code of this one. */
  private around = 0;

  constructor(
    private readonly isa: InterpretedSet,
    private readonly helpers: FloatHelpers,
  ) {
    super(new FunctionCode(INTERPRETER_SIGNATURE));
    this.next = this.code.local('i32');
    this.status = this.code.local('i32');
    this.chosen = this.code.local('i32');
  }

  /** The whole function. */
  write(): FunctionCode {
    const { code } = this;
    const plans = this.isa.entries.map(({ operations }) => planOf(operations));
    const cases: (() => void)[] = [
      () => this.unretired(STATUS.decode),
      () => this.pageEnd(),
      () => this.unretired(STATUS.slow),
      () => this.region(),
      ...plans.map((plan: readonly Step[]) => () => this.lower(plan)),
    ];
    code.block(); // left by `unretired`: the instruction was not done
    code.loop(); // over instructions
    code.get(LEFT).op('i32.eqz').if();
    this.storePc(() => this.pushPc());
    code.i32(0).op('return').op('end');
    code.get(LEFT).i32(1).op('i32.sub').set(LEFT);
    code.get(HERE).get(HERE).access('i32.load8_u', SLOT.length).op('i32.add').set(this.next);
    code.get(HERE).access('i32.load16_u', SLOT.code).set(this.chosen);
    code.block(); // left when the instruction is done
    code.loop(); // over the codes of one slot: where a region starts it has two
    for (const _ of cases) code.block();
    code.get(this.chosen).brTable(
      cases.map((_, i) => i),
      0,
    );
    cases.forEach((write, i) => {
      code.op('end');
      this.around = cases.length - 1 - i;
      this.depth = 0;
      write();
      code.br(this.around + 1);
    });
    code.op('end').op('end');
    code.get(this.next).set(HERE).br(0);
    code.op('end').op('unreachable').op('end');
    code.get(LEFT).i32(1).op('i32.add').set(LEFT);
    this.storePc(() => this.pushPc());
    this.returnStatus(() => code.get(this.status));
    code.op('unreachable');
    return code;
  }

  /** Depth of the block whose end is where instructions are left that were not done. */
  private get leaving(): number {
    return this.depth + this.around + 3;
  }

  private storePc(push: () => void): void {
    this.code.i32(0);
    push();
    this.code.access('i64.store', registerAddress(this.isa.pcSlot));
  }

  private returnStatus(push: () => void): void {
    const { code } = this;
    code.i32(0);
    push();
    code.access('i32.store', CONTROL.status);
    code.i32(0).i32(-1).access('i32.store', CONTROL.exit);
    code.i32(0).get(this.address).access('i64.store', CONTROL.address);
    code.get(LEFT).i32(STOPPED_BIT).op('i32.or').op('return');
  }

  /** Leaves the instruction, which has had no effect. */
  private unretired(status: number): void {
    this.code.i32(status).set(this.status).br(this.leaving);
  }

  private pageEnd(): void {
    const { code } = this;
    code.get(LEFT).i32(1).op('i32.add').set(LEFT);
    this.storePc(() => this.pushPc());
    code.get(LEFT).op('return');
  }

  /** Goes on in the region, or does the instruction that is there otherwise. */
  private region(): void {
    const { code } = this;
    code.get(IGNORE).op('i32.eqz').if();
    code.get(LEFT).i32(1).op('i32.add').set(LEFT);
    this.storePc(() => this.pushPc());
    code.get(LEFT).op('return').op('end');
    code.get(HERE).access('i32.load16_u', SLOT.heat).set(this.chosen).br(this.around);
  }

  // Operands

  protected pushRegister(operand: OperandName): ValueType {
    this.code.get(HERE).access('i32.load16_u', OPERAND_SLOTS[operand]!).access('i64.load', 0);
    return 'i64';
  }

  protected registerType(): ValueType {
    return 'i64';
  }

  protected setRegister(operand: OperandName): void {
    const { code } = this;
    const value = this.temporary('i64');
    code
      .set(value)
      .get(HERE)
      .access('i32.load16_u', OPERAND_SLOTS[operand]!)
      .get(value)
      .access('i64.store', 0);
  }

  protected pushImmediate(): void {
    this.code.get(HERE).access('i64.load32_s', SLOT.imm);
  }

  private pushAddressOf(slot: number): void {
    const { code } = this;
    code.get(slot).get(PAGE).op('i32.sub').i32(3).op('i32.shr_s').op('i64.extend_i32_s');
    code.get(PAGE_ADDRESS).op('i64.add');
  }

  protected pushPc(): void {
    this.pushAddressOf(HERE);
  }

  protected pushLink(): void {
    this.code.get(HERE).get(HERE).access('i32.load8_u', SLOT.length).op('i32.add').set(this.next);
    this.pushAddressOf(this.next);
  }

  // Control

  protected slow(): void {
    const { code } = this;
    code.if();
    code
      .i32(STATUS.slow)
      .set(this.status)
      .br(this.leaving + 1);
    code.op('end');
  }

  protected branch(): void {
    this.code.if();
    this.depth++;
    this.jumpBy(() => this.code.i32(0));
    this.depth--;
    this.code.op('end');
  }

  protected jump(): void {
    const { code } = this;
    this.jumpBy(() => {
      code.get(HERE).access('i32.load16_u', SLOT.rd).i32(registerAddress(this.isa.sinkSlot)).op('i32.ne');
    });
  }

  /** Loops and calls are counted; whatever is jumped to inside a loop would be as hot. */
  private jumpBy(pushIsCall: () => void): void {
    const { code } = this;
    const distance = this.temporary('i32');
    code.get(HERE).access('i32.load', SLOT.imm).tee(distance).i32(3).op('i32.shl');
    code.get(HERE).op('i32.add').tee(this.next);
    code.get(PAGE).op('i32.sub').i32(END_SLOT).op('i32.ge_u').if();
    this.storePc(() => this.pushAddressOf(this.next));
    code.get(LEFT).op('return').op('end');
    code.get(distance).i32(0).op('i32.lt_s');
    pushIsCall();
    code.op('i32.or').if();
    this.depth++;
    this.countJump();
    this.depth--;
    code.op('end');
  }

  protected jumpTo(): void {
    const { code } = this;
    const target = this.temporary('i64');
    code.tee(target).get(PAGE_ADDRESS).op('i64.xor').i64(PAGE_MASK).op('i64.and').i64(0).op('i64.ne').if();
    this.storePc(() => code.get(target));
    code.get(LEFT).op('return').op('end');
    code.get(target).op('i32.wrap_i64').i32(HALF_MASK).op('i32.and').i32(3).op('i32.shl');
    code.get(PAGE).op('i32.add').set(this.next);
    this.countJump();
  }

  /** Counts a jump inside the page; where it makes the target hot, the host is told. */
  private countJump(): void {
    const { code } = this;
    const heat = this.temporary('i32');
    code.get(this.next).access('i32.load16_u', SLOT.code).i32(FIRST_CODE).op('i32.ge_u').if();
    code.get(this.next).get(this.next).access('i32.load16_u', SLOT.heat).i32(1).op('i32.add').tee(heat);
    code.access('i32.store16', SLOT.heat);
    code.get(heat).i32(HOT_COUNT).op('i32.eq').if();
    this.storePc(() => this.pushAddressOf(this.next));
    this.returnStatus(() => code.i32(STATUS.hot));
    code.op('end').op('end');
  }

  protected stop(kind: StopKind): void {
    this.unretired(STATUS[kind]);
  }

  // Floating point and time

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

  protected get statusAddress(): number {
    return registerAddress(this.isa.floatStatusSlot);
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
