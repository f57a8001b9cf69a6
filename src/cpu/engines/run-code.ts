import { FunctionCode, type Signature } from '../wasm/code.js';
import { CONTROL, HALF_MASK, PAGE_MASK, REGION_INDEXES, SLOT, STATUS, STOPPED_BIT } from './host-memory.js';
import { HOT_COUNTS } from './interpreter-code.js';
import { registerAddress } from './lowering.js';
import { emitDecodedPage, emitIsOtherFloatState } from './region-index.js';
import { EXTRA, FIRST_CODE } from './slot-codes.js';
import type { InterpretedSet } from './slot-lowering.js';

/** Takes a budget, gives what is left of it, with STOPPED_BIT when there is a status to look at. */
const SIGNATURE: Signature = { params: ['i32'], results: ['i32'] };
/** Frames of generated code that may be on the host's stack. */
const CALL_DEPTH = 200;
const LEFT = 0;

/** The function that the host calls: runs from pc, in regions where there are some, until a status or the budget's end. */
export class RunCode {
  private readonly code = new FunctionCode(SIGNATURE);
  private readonly pc = this.code.local('i64');
  private readonly page = this.code.local('i32');
  private readonly offset = this.code.local('i32');
  private readonly slot = this.code.local('i32');
  /** Regions are not entered any more: the budget left is too short for one. */
  private readonly ignore = this.code.local('i32');
  /** Code led here: where a run starts is chance. */
  private readonly came = this.code.local('i32');

  /** @param interpreter and others: numbers of it, of what `TouchCode` writes and of REGION_SIGNATURE in the module */
  constructor(
    private readonly isa: InterpretedSet,
    private readonly interpreter: number,
    private readonly touch: number,
    private readonly regionType: number,
  ) {}

  write(): FunctionCode {
    const { code, slot } = this;
    code.loop();
    this.find();
    code.get(this.ignore).op('i32.eqz');
    code.get(slot).access('i32.load16_u', SLOT.code).i32(EXTRA.region).op('i32.eq').op('i32.and').if();
    this.enterRegion();
    code.op('else');
    this.countJump();
    this.interpret();
    code.op('end');
    code.get(LEFT).op('i32.eqz').if();
    code.i32(0).op('return').op('end');
    return code.i32(1).set(this.came).br(0).op('end').op('unreachable') as FunctionCode;
  }

  /** The decoded instruction at pc. */
  private find(): void {
    const { code, pc, page, offset } = this;
    code.i32(0).access('i64.load', registerAddress(this.isa.pcSlot)).set(pc);
    emitDecodedPage(code, pc, page, () => {
      code.if();
      this.stop(STATUS.fetch);
      code.op('end');
    });
    code.set(page);
    code.get(pc).op('i32.wrap_i64').i32(HALF_MASK).op('i32.and').set(offset);
    code.get(offset).i32(3).op('i32.shl').get(page).op('i32.add').set(this.slot);
  }

  private enterRegion(): void {
    const { code, page, offset } = this;
    code.get(LEFT).i32(CALL_DEPTH);
    code.get(page).get(offset).i32(1).op('i32.shl').op('i32.add').access('i32.load', REGION_INDEXES);
    emitIsOtherFloatState(code, registerAddress(this.isa.floatStatusSlot));
    code.op('i32.add').callIndirect(this.regionType).tee(LEFT).i32(0).op('i32.lt_s').if();
    code.i32(0).access('i32.load', CONTROL.status).i32(STATUS.short).op('i32.ne').if();
    this.stopped(3);
    code.op('end');
    code.get(LEFT).i32(~STOPPED_BIT).op('i32.and').set(LEFT);
    code.i32(1).set(this.ignore).op('end');
  }

  private countJump(): void {
    const { code, slot } = this;
    const heat = code.local('i32');
    code.get(this.came).get(slot).access('i32.load16_u', SLOT.code);
    code.i32(FIRST_CODE).op('i32.ge_u').op('i32.and').if();
    code.get(slot).get(slot).access('i32.load16_u', SLOT.heat).i32(1).op('i32.add').tee(heat);
    code.access('i32.store16', SLOT.heat);
    code.get(heat).i32(~HOT_COUNTS).op('i32.and').op('i32.eqz').if();
    this.stop(STATUS.hot);
    code.op('end').op('end');
  }

  private interpret(): void {
    const { code } = this;
    code.i32(0).get(this.page).access('i32.store', CONTROL.page);
    code.i32(0).get(this.pc).i64(PAGE_MASK).op('i64.and').access('i64.store', CONTROL.pageAddress);
    code
      .get(LEFT)
      .get(this.slot)
      .get(this.ignore)
      .call(this.interpreter)
      .tee(LEFT)
      .i32(0)
      .op('i32.lt_s')
      .if();
    this.stopped(2);
    code.op('end');
  }

  /**
   * Back to the host, or on after a page was touched that it need not be asked for.
   * @param depth of what is inside the loop
   */
  private stopped(depth: number): void {
    const { code } = this;
    code.get(LEFT).call(this.touch).tee(LEFT).i32(0).op('i32.lt_s').if();
    code.get(LEFT).op('return').op('end');
    code.i32(0).set(this.came).br(depth);
  }

  private stop(status: number): void {
    const { code } = this;
    code.i32(0).i32(status).access('i32.store', CONTROL.status);
    code.i32(0).i32(-1).access('i32.store', CONTROL.exit);
    code.get(LEFT).i32(STOPPED_BIT).op('i32.or').op('return');
  }
}
