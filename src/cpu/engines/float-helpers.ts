import { RNE } from '../softfloat.js';
import { FunctionCode, type ModuleBuilder, type Signature } from '../wasm/code.js';
import { EXACT, FastFloat, type FloatArg, TO_INTEGER } from './float-code.js';
import { emitInteger, type GiveUp } from './float-guards.js';
import { emitNote, emitResultNoted } from './float-inexact.js';
import { FLOAT_SHAPES, type FloatName, type FloatShape } from './float-shapes.js';
import { type FloatLayout, RESULT_OFFSET, SLOW_FLOAT_SIGNATURE } from './slow-float.js';

/** Rounding to an integer in WebAssembly, by rounding mode from 0 on. */
const INTEGER_MODES = ['f64.nearest', 'f64.trunc', 'f64.floor', 'f64.ceil'] as const;

const NAMES = [...FLOAT_SHAPES.keys()];

/**
 * The type of a helper: the operands' raw bits or integers, then, if the operation rounds, its mode (0 to 4); the
 * result's raw bits or integer, or a condition.
 */
function helperSignature(name: FloatName): Signature {
  const { operands, result, rounded } = FLOAT_SHAPES.get(name)!;
  const params = [...operands.map(() => 'i64' as const), ...(rounded ? ['i32' as const] : [])];
  return { params, results: [result === 'i32' ? 'i32' : 'i64'] };
}

/**
 * A WebAssembly function for each floating-point operation, exact in every case: it accrues flags in the status word.
 * Rounding to nearest, numbers well inside the range of normals are done here, others by the import `slowFloat`.
 */
export class FloatHelpers {
  private readonly functions = new Map<FloatName, number>();
  private readonly slowFloat: number;

  /** Imports, so that it comes before functions. `fuses`: what `hasFusedMultiplyAdd` says of the host. */
  constructor(
    private readonly builder: ModuleBuilder,
    private readonly layout: FloatLayout,
    private readonly fuses: boolean,
  ) {
    this.slowFloat = builder.import('slowFloat', SLOW_FLOAT_SIGNATURE);
  }

  /** The number of the operation's helper in the module, which has it from the first time on that it is asked for. */
  functionOf(name: FloatName): number {
    let fn = this.functions.get(name);
    if (fn === undefined) {
      fn = this.builder.add(new Helper(name, this.layout, this.slowFloat, this.fuses).code);
      this.functions.set(name, fn);
    }
    return fn;
  }
}

class Helper {
  readonly code: FunctionCode;
  private readonly shape: FloatShape;
  private readonly mode: number;

  constructor(
    private readonly name: FloatName,
    private readonly layout: FloatLayout,
    slowFloat: number,
    private readonly fuses: boolean,
  ) {
    this.code = new FunctionCode(helperSignature(name));
    this.shape = FLOAT_SHAPES.get(name)!;
    this.mode = this.shape.operands.length;
    this.code.block();
    if (TO_INTEGER.test(name)) this.toInteger();
    else this.fast();
    this.code.op('return').op('end');
    this.slow(slowFloat);
  }

  private readonly giveUp: GiveUp = (nesting) => void this.code.brIf(nesting);

  private argument(index: number): FloatArg {
    const { code } = this;
    return {
      f32: () => code.get(index).op('i32.wrap_i64').op('f32.reinterpret_i32'),
      f64: () => code.get(index).op('f64.reinterpret_i64'),
      i64: () => code.get(index),
    };
  }

  private fast(): void {
    const { code, name, shape } = this;
    const inexact = shape.rounded && !EXACT.test(name);
    if (inexact) {
      code.get(this.mode);
      this.giveUp(0);
    }
    const args = shape.operands.map((_, index) => this.argument(index));
    new FastFloat(code, this.fuses).emit(name, args, RNE, this.giveUp);
    if (inexact) emitResultNoted(code, this.layout.statusAddress, name, args, this.giveUp);
    this.asBits();
  }

  private asBits(): void {
    const { code } = this;
    const { result } = this.shape;
    if (result === 'f32') code.op('i32.reinterpret_f32').op('i64.extend_i32_u');
    if (result === 'f64') code.op('i64.reinterpret_f64');
  }

  /** In every mode but one: what C asks for is truncation. */
  private toInteger(): void {
    const { code, mode } = this;
    const width = this.shape.operands[0]!;
    const x = code.local('f64');
    const rounded = code.local('f64');
    const integer = code.local('i64');
    this.argument(0)[width]();
    if (width === 'f32') code.op('f64.promote_f32');
    code.set(x);
    code.block().block().block().block().block();
    code.get(mode).brTable([0, 1, 2, 3], 5);
    for (const [index, op] of INTEGER_MODES.entries()) {
      code
        .op('end')
        .get(x)
        .op(op)
        .set(rounded)
        .br(INTEGER_MODES.length - 1 - index);
    }
    code.op('end');
    emitInteger(code, this.name.slice('f64To'.length), rounded, this.giveUp);
    code.set(integer);
    emitNote(code, this.layout.statusAddress, () => code.get(x).get(rounded).op('f64.ne'));
    code.get(integer);
  }

  private slow(slowFloat: number): void {
    const { code, shape } = this;
    const { scratchAddress } = this.layout;
    for (const index of shape.operands.keys()) {
      code
        .i32(0)
        .get(index)
        .access('i64.store', scratchAddress + 8 * index);
    }
    code.i32(NAMES.indexOf(this.name));
    if (shape.rounded) code.get(this.mode);
    else code.i32(RNE);
    code
      .call(slowFloat)
      .i32(0)
      .access('i64.load', scratchAddress + RESULT_OFFSET);
    if (shape.result === 'i32') code.op('i32.wrap_i64');
  }
}
