import { HUGE, TINY } from '../softfloat/host.js';
import { NX } from '../softfloat.js';
import type { FunctionCode } from '../wasm/code.js';
import { type FloatArg, TO_INTEGER } from './float-code.js';
import { emitProductError, emitSumError, Temporaries } from './float-errors.js';
import { emitTerms } from './float-fused.js';
import type { GiveUp } from './float-guards.js';
import { FLOAT_SHAPES, type FloatName, type FloatWidth } from './float-shapes.js';

/**
 * Raises NX, unless it is raised already, if a test leaves a condition that is not 0. The test is inside of one block.
 * `statusAddress`: where the floating-point status is.
 */
export function emitNote(code: FunctionCode, statusAddress: number, test: () => void): void {
  code.i32(0).access('i32.load8_u', statusAddress).i32(NX).op('i32.and').op('i32.eqz').if();
  test();
  code.if().i32(0).i32(0).access('i32.load8_u', statusAddress).i32(NX).op('i32.or');
  code.access('i32.store8', statusAddress).op('end').op('end');
}

/**
 * The same of a result that `FastFloat` left on the stack, where it stays. `args`: what that was given. Only for
 * operations that can be inexact.
 */
export function emitResultNoted(
  code: FunctionCode,
  statusAddress: number,
  name: FloatName,
  args: readonly FloatArg[],
  giveUp: GiveUp,
): void {
  const shape = FLOAT_SHAPES.get(name)!;
  const result = code.local(shape.result);
  code.set(result);
  emitNote(code, statusAddress, () => {
    const operands = args.map((arg, i) => {
      const type = shape.operands[i]!;
      const local = code.local(type);
      arg[type]();
      code.set(local);
      return local;
    });
    new InexactTest(code, operands, result).emit(name, (nesting) => giveUp(nesting + 1));
  });
  code.get(result);
}

/**
 * Whether a result that `FastFloat` did not give up on is inexact, in WebAssembly. The binary64 tests give up outside
 * of the range of their error terms; those of binary32 are done in binary64 and have no such range.
 */
class InexactTest {
  private readonly temps: Temporaries;

  /** `operands` and `result` are locals of the operation's own types. */
  constructor(
    private readonly code: FunctionCode,
    private readonly operands: readonly number[],
    private readonly result: number,
  ) {
    this.temps = new Temporaries(code);
  }

  /** Leaves the answer (i32). Only for operations that can be inexact. */
  emit(name: FloatName, giveUp: GiveUp): void {
    const width = name.startsWith('f32') ? 'f32' : 'f64';
    const what = name.slice(width.length);
    if (TO_INTEGER.test(name)) this.toInteger(width);
    else if (what.startsWith('From')) this.fromInteger(width, what.slice('From'.length));
    else if (what === 'ToF32') this.narrowed();
    else if (width === 'f32') this.single(what);
    else this.double(what, giveUp);
  }

  /** A local widened to f64, in a local. */
  private widened(local: number): number {
    const wide = this.temps.take('f64');
    this.code.get(local).op('f64.promote_f32').set(wide);
    return wide;
  }

  /** An integer that was a number before is the same number again. */
  private toInteger(width: FloatWidth): void {
    const { code } = this;
    code.get(this.result).op('f64.convert_i64_s').get(this.operands[0]!);
    if (width === 'f32') code.op('f64.promote_f32');
    code.op('f64.ne');
  }

  private narrowed(): void {
    this.code.get(this.result).op('f64.promote_f32').get(this.operands[0]!).op('f64.ne');
  }

  private single(what: string): void {
    const { code } = this;
    const result = this.widened(this.result);
    const [x, y, z] = this.operands.map((local) => this.widened(local));
    switch (what) {
      case 'Add':
      case 'Sub':
        if (what === 'Sub') code.get(y!).op('f64.neg').set(y!);
        this.isNotSum(x!, y!, result);
        break;
      case 'Mul':
        code.get(x!).get(y!).op('f64.mul').get(result).op('f64.ne');
        break;
      case 'Div':
        // 0 / ∞ does not multiply back.
        code.get(result).get(y!).op('f64.mul').get(x!).op('f64.ne');
        code.get(result).f64(0).op('f64.ne').op('i32.and');
        break;
      case 'Sqrt':
        code.get(result).get(result).op('f64.mul').get(x!).op('f64.ne');
        break;
      default: {
        const product = this.temps.take('f64');
        code.get(x!).get(y!).op('f64.mul').set(product);
        this.isNotSum(product, z!, result);
      }
    }
  }

  /** Whether x + y, as the sum of two doubles, is not the result. */
  private isNotSum(x: number, y: number, result: number): void {
    const { code } = this;
    const sum = this.temps.take('f64');
    code.get(x).get(y).op('f64.add').tee(sum).get(result).op('f64.ne');
    emitSumError(code, this.temps, x, y, sum);
    code.f64(0).op('f64.ne').op('i32.or');
  }

  private double(what: string, giveUp: GiveUp): void {
    const { code, result } = this;
    const [x, y, z] = this.operands;
    switch (what) {
      case 'Add':
        this.sum(x!, y!, giveUp);
        break;
      case 'Sub': {
        const negated = this.temps.take('f64');
        code.get(y!).op('f64.neg').set(negated);
        this.sum(x!, negated, giveUp);
        break;
      }
      case 'Mul':
        this.unlessZero(result, () => this.isNotProduct(x!, y!, result, giveUp));
        break;
      case 'Div':
        this.unlessZero(result, () => this.isNotProduct(result, y!, x!, giveUp));
        break;
      case 'Sqrt':
        this.unlessZero(result, () => this.isNotProduct(result, result, x!, giveUp));
        break;
      default:
        this.fused([x!, y!, z!], giveUp);
    }
  }

  private sum(x: number, y: number, giveUp: GiveUp): void {
    const { code, result } = this;
    this.isBelow(result, HUGE);
    code.op('i32.eqz');
    giveUp(0);
    emitSumError(code, this.temps, x, y, result);
    code.f64(0).op('f64.ne');
  }

  /** `FastFloat` lets a product, quotient or root be zero only where that is exact. */
  private unlessZero(x: number, test: () => void): void {
    const { code } = this;
    code.get(x).f64(0).op('f64.eq').if('i32').i32(0).op('else');
    test();
    code.op('end');
  }

  /** Whether x × y is not exactly z. Inside of one block. */
  private isNotProduct(x: number, y: number, z: number, giveUp: GiveUp): void {
    const { code } = this;
    const product = this.temps.take('f64');
    code.get(x).get(y).op('f64.mul').set(product);
    this.isOutOfRange([x, y], product);
    giveUp(1);
    code.get(product).get(z).op('f64.ne');
    emitProductError(code, this.temps, x, y, product);
    code.f64(0).op('f64.ne').op('i32.or');
  }

  private isBelow(x: number, limit: number): void {
    this.code.get(x).op('f64.abs').f64(limit).op('f64.lt');
  }

  private isOutOfRange(operands: readonly number[], product: number): void {
    const { code } = this;
    code.get(product).op('f64.abs').f64(TINY).op('f64.ge');
    for (const local of [product, ...operands]) {
      this.isBelow(local, HUGE);
      code.op('i32.and');
    }
    code.op('i32.eqz');
  }

  private fused(operands: readonly [number, number, number], giveUp: GiveUp): void {
    const { code, temps, result } = this;
    const [x, y, z] = operands;
    code.get(x).f64(0).op('f64.eq').get(y).f64(0).op('f64.eq').op('i32.or').if('i32').i32(0).op('else');
    const { product, sum, sumRest, productRest, rest } = emitTerms(code, temps, operands);
    this.isOutOfRange([x, y, z], product);
    giveUp(1);
    // Both errors, of the rest and of the result, are exact; the whole one is their sum.
    emitSumError(code, temps, sumRest, productRest, rest);
    emitSumError(code, temps, sum, rest, result);
    code.op('f64.add').f64(0).op('f64.ne').op('end');
  }

  /** An integer is exact if from its first to its last 1 it is no longer than a significand. */
  private fromInteger(width: FloatWidth, type: string): void {
    const { code } = this;
    const magnitude = this.temps.take('i64');
    code.get(this.operands[0]!);
    if (type === 'I32') code.op('i64.extend32_s');
    if (type === 'U32') code.i64(0xffff_ffff).op('i64.and');
    code.set(magnitude);
    if (type.startsWith('I')) {
      code.i64(0).get(magnitude).op('i64.sub').get(magnitude);
      code.get(magnitude).i64(0).op('i64.lt_s').op('select').set(magnitude);
    }
    code.i64(64).get(magnitude).op('i64.clz').op('i64.sub').get(magnitude).op('i64.ctz').op('i64.sub');
    code.i64(width === 'f32' ? 24 : 53).op('i64.gt_s');
  }
}
