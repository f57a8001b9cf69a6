import { assert } from '../../base/assert.js';
import { RNE } from '../softfloat.js';
import { FunctionCode, type ModuleBuilder, type Signature, type ValueType } from '../wasm/code.js';
import { NO_EXIT } from './exit-stubs.js';
import { FastFloat } from './float-code.js';
import { FloatHelpers } from './float-helpers.js';
import { FLOAT_SHAPES, type FloatName } from './float-shapes.js';
import { CONTROL, HALF_MASK, PAGE_MASK, SLOT, STATUS, STOPPED_BIT } from './host-memory.js';
import { registerAddress, type StopKind } from './lowering.js';
import { planOf } from './plan.js';
import { RareCode, rareChoice } from './rare-code.js';
import { emitDecodedPage, emitIsOtherFloatState } from './region-index.js';
import { EXTRA, FIRST_CODE, type Form, type SlotCodes } from './slot-codes.js';
import { type InterpretedSet, SlotLowering } from './slot-lowering.js';
import type { FloatLayout } from './slow-float.js';
import type { Operation } from './transcript.js';

/** How often an instruction is jumped to before it is hot, for the first time. */
export const HOT_COUNT = 512;
/** The bits of counts at which the host is told: it may leave the first of them. */
export const HOT_COUNTS = HOT_COUNT * 15;

/** Budget and call depth left; gives the budget left, with STOPPED_BIT when there is a status to look at. */
export const REGION_SIGNATURE: Signature = { params: ['i32', 'i32'], results: ['i32'] };
/** Budget, slot, and whether regions are to be ignored. */
const INTERPRETER_SIGNATURE: Signature = { params: ['i32', 'i32', 'i32'], results: ['i32'] };

const LEFT = 0;
const HERE = 1;
const IGNORE = 2;

/** Where code goes on: `case N` does what code N stands for, `next` looks at HERE, `elsewhere` is out of the page. */
type Label = `case ${number}` | 'dispatch' | 'rare' | 'done' | 'next' | 'elsewhere' | Exit;
/** Forms in which nothing but where to go is left to do. */
const LINKLESS: ReadonlySet<Form> = new Set(['near', 'back', 'plain']);

function isNotLink({ op }: Operation): boolean {
  return op !== 'link' && op !== 'set';
}

/** Ways out: no budget or a region; an instruction that was not done; an access; a jump that made code hot. */
type Exit = 'out' | 'unretired' | 'miss' | 'hot';

/**
 * One function that runs decoded instructions one by one: a loop around a switch. What it does for every instruction
 * is as little as can be, and what it seldom does must not cost others: V8 computes what two cases have in common
 * for all of them, and keeps on the stack what is alive across any call.
 */
class InterpreterCode extends SlotLowering {
  private readonly fastFloat: FastFloat;
  private readonly status: number;
  private readonly chosen: number;
  private readonly target: number;
  private readonly labels: Label[] = [];
  private form: Form = 'general';

  /**
   * @param rare number of the function that `rareChoice` makes
   * @param hasFloats whether there is code for floating-point operations; else they count as not decoded
   */
  constructor(
    isa: InterpretedSet,
    private readonly codes: SlotCodes,
    private readonly rare: number,
    private readonly hasFloats: boolean,
    fuses: boolean,
  ) {
    super(new FunctionCode(INTERPRETER_SIGNATURE), isa, HERE);
    this.fastFloat = new FastFloat(this.code, fuses);
    this.status = this.code.local('i32');
    this.chosen = this.code.local('i32');
    this.target = this.code.local('i64');
  }

  /** The whole function. */
  write(): FunctionCode {
    const { code } = this;
    for (const exit of ['out', 'hot', 'unretired', 'miss'] as const) this.block(exit);
    this.takeOne();
    code.loop();
    this.labels.push('dispatch');
    for (const label of ['next', 'elsewhere', 'done'] as const) this.block(label);
    this.cases();
    this.end();
    this.advance();
    this.goTo('next');
    this.end();
    this.findElsewhere();
    this.end();
    this.goOn();
    this.end();
    code.op('unreachable');
    this.exits();
    return code;
  }

  // Labels

  private block(label: Label): void {
    this.code.block();
    this.labels.push(label);
  }

  private end(): void {
    this.labels.pop();
    this.code.op('end');
  }

  private depthOf(label: Label): number {
    const at = this.labels.lastIndexOf(label);
    assert(at >= 0, `no label ${label}`);
    return this.labels.length - 1 - at + this.depth;
  }

  private goTo(label: Label): void {
    this.code.br(this.depthOf(label));
  }

  /** If the condition on the stack holds. */
  private goToIf(label: Label): void {
    this.code.brIf(this.depthOf(label));
  }

  // The loop

  /** Takes the instruction at HERE from the budget, if there is any left. */
  private takeOne(): void {
    const { code } = this;
    code.get(LEFT).op('i32.eqz');
    this.goToIf('out');
    code.get(LEFT).i32(1).op('i32.sub').set(LEFT);
    code.get(HERE).access('i32.load16_u', SLOT.code).set(this.chosen);
  }

  private goOn(): void {
    this.takeOne();
    this.goTo('dispatch');
  }

  private advance(): void {
    this.pushNext();
    this.code.set(HERE);
  }

  /** The switch, and what stands behind each of its labels. */
  private cases(): void {
    const { code, codes, isa } = this;
    const cases = new Map<number, () => void>([
      [EXTRA.undecoded, () => this.unretired(STATUS.decode)],
      [EXTRA.end, () => this.unretired(STATUS.next)],
      [EXTRA.slow, () => this.unretired(STATUS.slow)],
      [EXTRA.region, () => this.region()],
    ]);
    codes.list.forEach(({ entry, form, isRare, isFloat }, i) => {
      if (isRare || (isFloat && !this.hasFloats)) return;
      const { operations } = isa.entries[entry]!;
      cases.set(FIRST_CODE + i, () => {
        this.form = form;
        this.lower(planOf(LINKLESS.has(form) ? operations.filter(isNotLink) : operations));
      });
    });
    const order = [...cases.keys()].sort((a, b) => a - b);
    this.block('rare');
    for (const number of [...order].reverse()) this.block(`case ${number}`);
    const last = FIRST_CODE + codes.list.length - 1;
    const labelOf = (number: number): Label => {
      if (cases.has(number)) return `case ${number}`;
      return codes.at(number)!.isFloat && !this.hasFloats ? `case ${EXTRA.undecoded}` : 'rare';
    };
    const depths = Array.from({ length: last + 1 }, (_, number) => this.depthOf(labelOf(number)));
    code.get(this.chosen).brTable(depths, this.depthOf('rare'));
    for (const number of order) {
      this.end();
      cases.get(number)!();
      // In each case by itself: to go to one place for all of them would cost a jump more.
      this.advance();
      this.goOn();
    }
    this.end();
    code.get(this.chosen).get(HERE).get(LEFT).call(this.rare).tee(this.status);
    this.goToIf('unretired');
  }

  /** Leaves for the region, or does the instruction that is there otherwise. */
  private region(): void {
    const { code } = this;
    code.get(IGNORE).op('i32.eqz').if();
    this.depth++;
    this.unretired(STATUS.next);
    this.depth--;
    code.op('end').get(HERE).access('i32.load16_u', SLOT.heat).set(this.chosen);
    this.goTo('dispatch');
  }

  /** Goes on at an address outside of the current page. */
  private findElsewhere(): void {
    const { code, target } = this;
    const page = this.temporary('i32');
    emitDecodedPage(code, target, page, () => {
      code.if();
      this.storePc(() => code.get(target));
      code.get(LEFT).op('return').op('end');
    });
    code.set(page);
    code.i32(0).get(page).access('i32.store', CONTROL.page);
    code.i32(0).get(target).i64(PAGE_MASK).op('i64.and').access('i64.store', CONTROL.pageAddress);
    this.setHere(() => code.get(page));
    this.countJump();
  }

  /** HERE, where the target is in a decoded page. */
  private setHere(pushPage: () => void): void {
    const { code } = this;
    code.get(this.target).op('i32.wrap_i64').i32(HALF_MASK).op('i32.and').i32(3).op('i32.shl');
    pushPage();
    code.op('i32.add').set(HERE);
  }

  /** Counts a jump to HERE; where it makes that hot, the host is told. */
  private countJump(): void {
    const { code } = this;
    const heat = this.temporary('i32');
    code.get(HERE).access('i32.load16_u', SLOT.code).i32(FIRST_CODE).op('i32.ge_u').if();
    this.depth++;
    code.get(HERE).get(HERE).access('i32.load16_u', SLOT.heat).i32(1).op('i32.add').tee(heat);
    code.access('i32.store16', SLOT.heat);
    code.get(heat).i32(~HOT_COUNTS).op('i32.and').op('i32.eqz');
    this.goToIf('hot');
    this.depth--;
    code.op('end');
  }

  // Ways out

  private unretired(status: number): void {
    this.code.i32(status).set(this.status);
    this.goTo('unretired');
  }

  private exits(): void {
    const { code } = this;
    this.end(); // miss
    code.i32(0).get(this.address).access('i64.store', CONTROL.address);
    code.i32(STATUS.slow).set(this.status);
    this.end(); // unretired
    code.get(LEFT).i32(1).op('i32.add').set(LEFT);
    this.storePc(() => this.pushPc());
    code.get(this.status).op('i32.eqz').if().get(LEFT).op('return').op('end');
    this.returnStatus(() => code.get(this.status));
    this.end(); // hot
    this.storePc(() => this.pushPc());
    this.returnStatus(() => code.i32(STATUS.hot));
    this.end(); // out
    this.storePc(() => this.pushPc());
    code.get(LEFT);
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
    code.i32(0).i32(NO_EXIT).access('i32.store', CONTROL.exit);
    code.get(LEFT).i32(STOPPED_BIT).op('i32.or').op('return');
  }

  // What descriptions ask for

  /** Of what is not rare, only accesses can be left to the host. */
  protected slow(): void {
    this.goToIf('miss');
  }

  protected branch(): void {
    this.code.if();
    this.depth++;
    this.jump();
    this.depth--;
    this.code.op('end');
  }

  protected jump(): void {
    const { code } = this;
    if (this.form === 'general') {
      this.pushPc();
      this.pushImmediate();
      code.op('i64.add').set(this.target);
      this.goTo('elsewhere');
      return;
    }
    code.get(HERE).get(HERE).access('i32.load', SLOT.imm).op('i32.add').set(HERE);
    if (this.form !== 'near') this.countJump();
    this.goTo('next');
  }

  protected jumpTo(): void {
    const { code, target } = this;
    code.tee(target).i32(0).access('i64.load', CONTROL.pageAddress).op('i64.xor');
    code.i64(PAGE_MASK).op('i64.and').i64(0).op('i64.ne');
    this.goToIf('elsewhere');
    this.setHere(() => code.i32(0).access('i32.load', CONTROL.page));
    this.countJump();
    this.goTo('next');
  }

  protected stop(kind: StopKind): void {
    throw new Error(`${kind} is rare`);
  }

  protected float({ op, args }: Operation): ValueType {
    const { code } = this;
    const name = op as FloatName;
    const { operands, rounded } = FLOAT_SHAPES.get(name)!;
    if (rounded) {
      emitIsOtherFloatState(code, this.statusAddress);
      this.goToIf('rare');
    }
    const pushes = operands.map((_, i) => ({
      f32: () => this.push(args[i], 'f32'),
      f64: () => this.push(args[i], 'f64'),
      i64: () => this.push(args[i], 'i64'),
    }));
    return this.fastFloat.emit(name, pushes, RNE, (nesting) => {
      this.depth += nesting;
      this.goToIf('rare');
      this.depth -= nesting;
    });
  }

  protected special({ op }: Operation): ValueType | null {
    throw new Error(`${op} is rare`);
  }
}

/** Puts the interpreter of an instruction set into a module; gives its number there. */
export function addInterpreter(
  module: ModuleBuilder,
  isa: InterpretedSet,
  codes: SlotCodes,
  hasFloats: boolean,
  { layout, fuses }: { readonly layout: FloatLayout; readonly fuses: boolean },
): number {
  const helpers = new FloatHelpers(module, layout, fuses);
  const byEntry = new Map<number, number>();
  for (const { entry, isRare, isFloat } of codes.list) {
    if (!isRare || (isFloat && !hasFloats)) continue;
    byEntry.set(entry, module.add(new RareCode(isa, helpers).write(isa.entries[entry]!.operations)));
  }
  const byCode = codes.list.map(({ entry }) => byEntry.get(entry) ?? null);
  const none = Array.from({ length: FIRST_CODE }, () => null);
  const rare = module.add(rareChoice([...none, ...byCode]));
  return module.add(new InterpreterCode(isa, codes, rare, hasFloats, fuses).write());
}
