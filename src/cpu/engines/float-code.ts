import { RDN, RNE, RTZ, RUP } from '../softfloat.js';
import type { FunctionCode, SimpleName } from '../wasm/code.js';
import { Temporaries } from './float-errors.js';
import { emitFusedDouble, emitFusedSingle, emitHostFused } from './float-fused.js';
import { emitInteger, emitIsNotFinite, emitIsNotNormal, type GiveUp } from './float-guards.js';
import { FLOAT_SHAPES, type FloatName, type FloatShape, type FloatWidth } from './float-shapes.js';

/**
 * Floating-point arithmetic as inline WebAssembly, for code that runs while the thread's NX flag is set already and
 * rounds to nearest. WebAssembly fixes all bits of a result but those of NaNs, so that leaves to be watched: NaNs, and
 * the other flags. Where they could be raised the code gives up, which costs a test of the result's exponent.
 */

/** Emits code that pushes an operand. May be asked once for each type. */
export interface FloatArg {
  f32(): void;
  f64(): void;
  i64(): void;
}

/** What rounding to an integer is in WebAssembly; converting truncates. */
const INTEGER_ROUNDING: ReadonlyMap<number, SimpleName | null> = new Map([
  [RNE, 'f64.nearest'],
  [RTZ, null],
  [RDN, 'f64.floor'],
  [RUP, 'f64.ceil'],
]);

export const TO_INTEGER = /^f(?:32|64)To[IU](?:32|64)$/;
/** Rounded operations that never have anything to round. */
export const EXACT = /^(?:f64From[IU]32|f32ToF64)$/;

/** Whether `FastFloat` has code for the operation under a rounding mode (0 to 4). */
export function isFastMode(name: FloatName, mode: number): boolean {
  if (TO_INTEGER.test(name)) return INTEGER_ROUNDING.has(mode);
  return mode === RNE || EXACT.test(name) || !FLOAT_SHAPES.get(name)!.rounded;
}

const INSTRUCTIONS = {
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  Sqrt: 'sqrt',
  Min: 'min',
  Max: 'max',
  Eq: 'eq',
  Lt: 'lt',
  Le: 'le',
} as const;

function instruction(width: FloatWidth, what: keyof typeof INSTRUCTIONS): SimpleName {
  return `${width}.${INSTRUCTIONS[what]}`;
}

/** Writes floating-point operations into one function, with locals that they share. */
export class FastFloat {
  private readonly temps: Temporaries;

  /** `fuses`: what `hasFusedMultiplyAdd` says of the host. Results are the same either way. */
  constructor(
    private readonly code: FunctionCode,
    private readonly fuses: boolean,
  ) {
    this.temps = new Temporaries(code);
  }

  /** Leaves the result, and answers with its type. The mode (0 to 4) has to be one that `isFastMode`. */
  emit(name: FloatName, args: readonly FloatArg[], mode: number, giveUp: GiveUp): FloatShape['result'] {
    this.temps.release();
    const width = name.startsWith('f32') ? 'f32' : 'f64';
    const what = name.slice(width.length);
    switch (what) {
      case 'Add':
      case 'Sub':
      case 'Sqrt':
        this.sum(instruction(width, what), width, args, giveUp);
        break;
      case 'Mul':
      case 'Div':
        this.product(what, width, args, giveUp);
        break;
      case 'MulAdd':
        this.fused(width, args, giveUp);
        break;
      case 'Min':
      case 'Max':
        this.extreme(instruction(width, what), width, args, giveUp);
        break;
      case 'Eq':
      case 'Lt':
      case 'Le':
        this.comparison(instruction(width, what), width, args, giveUp);
        break;
      case 'Classify':
        this.classification(width, args[0]!);
        break;
      case 'ToF32':
        this.narrowed(args[0]!, giveUp);
        break;
      case 'ToF64':
        this.widened(args[0]!, giveUp);
        break;
      default:
        if (what.startsWith('To')) this.toInteger(width, what.slice(2), args[0]!, mode, giveUp);
        else this.fromInteger(width, what.slice('From'.length), args[0]!);
    }
    return FLOAT_SHAPES.get(name)!.result;
  }

  private saved(width: FloatWidth, arg: FloatArg): number {
    const local = this.temps.take(width);
    arg[width]();
    this.code.set(local);
    return local;
  }

  /** Sums that are too small to be normal are exact, and roots never are; what is left is infinity and NaN. */
  private sum(op: SimpleName, width: FloatWidth, args: readonly FloatArg[], giveUp: GiveUp): void {
    const { code } = this;
    const result = this.temps.take(width);
    for (const arg of args) arg[width]();
    code.op(op).set(result);
    emitIsNotFinite(code, width, result);
    giveUp(0);
    code.get(result);
  }

  private product(what: 'Mul' | 'Div', width: FloatWidth, args: readonly FloatArg[], giveUp: GiveUp): void {
    const { code } = this;
    const x = this.saved(width, args[0]!);
    const y = this.saved(width, args[1]!);
    const result = this.temps.take(width);
    code.get(x).get(y).op(instruction(width, what)).set(result);
    emitIsNotNormal(code, width, result);
    code.if();
    this.isNotZero(width, x);
    if (what === 'Mul') {
      this.isNotZero(width, y);
      code.op('i32.and');
    }
    this.isNotZero(width, result);
    code.op('i32.or');
    giveUp(1);
    code.op('end').get(result);
  }

  private isNotZero(width: FloatWidth, local: number): void {
    const { code } = this;
    code.get(local);
    if (width === 'f32') code.f32(0).op('f32.ne');
    else code.f64(0).op('f64.ne');
  }

  private fused(width: FloatWidth, args: readonly FloatArg[], giveUp: GiveUp): void {
    const [x, y, z] = args.map((arg) => this.saved(width, arg));
    if (this.fuses) emitHostFused(this.code, this.temps, width, [x!, y!, z!], giveUp);
    else if (width === 'f32') emitFusedSingle(this.code, this.temps, [x!, y!, z!], giveUp);
    else emitFusedDouble(this.code, this.temps, [x!, y!, z!], giveUp);
  }

  /** WebAssembly's min and max know -0 from +0. */
  private extreme(op: SimpleName, width: FloatWidth, args: readonly FloatArg[], giveUp: GiveUp): void {
    const { code } = this;
    const result = this.temps.take(width);
    for (const arg of args) arg[width]();
    code.op(op).tee(result).get(result).op(`${width}.ne`);
    giveUp(0);
    code.get(result);
  }

  /** Gives up on NaNs, by the cheapest test there is: of the sum. It also gives up on infinities of both signs. */
  private comparison(op: SimpleName, width: FloatWidth, args: readonly FloatArg[], giveUp: GiveUp): void {
    const { code } = this;
    const x = this.saved(width, args[0]!);
    const y = this.saved(width, args[1]!);
    const sum = this.temps.take(width);
    code.get(x).get(y).op(`${width}.add`).tee(sum).get(sum).op(`${width}.ne`);
    giveUp(0);
    code.get(x).get(y).op(op);
  }

  /** FCLASS: bits 0 to 3 are the negative infinity, normals, subnormals and zero, 7 to 4 the positive ones. */
  private classification(width: FloatWidth, arg: FloatArg): void {
    const { code } = this;
    const [bits, fraction] = width === 'f32' ? [32n, 23n] : [64n, 52n];
    const x = this.temps.take('i64');
    const magnitude = this.temps.take('i64');
    const infinity = (1n << (bits - 1n)) - (1n << fraction);
    arg.i64();
    code
      .tee(x)
      .i64((1n << (bits - 1n)) - 1n)
      .op('i64.and')
      .set(magnitude);
    code.i64(1);
    code
      .get(x)
      .i64(fraction - 1n)
      .op('i64.shr_u')
      .i64(1)
      .op('i64.and')
      .i64(8)
      .op('i64.or');
    code.get(magnitude).i64(infinity).op('i64.lt_u').op('i64.extend_i32_u');
    code
      .get(magnitude)
      .i64(1n << fraction)
      .op('i64.lt_u')
      .op('i64.extend_i32_u')
      .op('i64.add');
    code.get(magnitude).op('i64.eqz').op('i64.extend_i32_u').op('i64.add');
    // 7 where the sign is 0, and 0 where it is 1.
    code
      .get(x)
      .i64(bits - 1n)
      .op('i64.shr_u')
      .i64(1)
      .op('i64.sub')
      .i64(7)
      .op('i64.and')
      .op('i64.xor');
    code.get(magnitude).i64(infinity).op('i64.gt_u').op('select').op('i64.shl');
  }

  private narrowed(arg: FloatArg, giveUp: GiveUp): void {
    const { code } = this;
    const x = this.saved('f64', arg);
    const result = this.temps.take('f32');
    code.get(x).op('f32.demote_f64').set(result);
    emitIsNotNormal(code, 'f32', result);
    code.if();
    this.isNotZero('f64', x);
    giveUp(1);
    code.op('end').get(result);
  }

  private widened(arg: FloatArg, giveUp: GiveUp): void {
    const { code } = this;
    const x = this.saved('f32', arg);
    code.get(x).get(x).op('f32.ne');
    giveUp(0);
    code.get(x).op('f64.promote_f32');
  }

  private toInteger(width: FloatWidth, type: string, arg: FloatArg, mode: number, giveUp: GiveUp): void {
    const { code } = this;
    const x = this.temps.take('f64');
    const rounding = INTEGER_ROUNDING.get(mode) ?? null;
    arg[width]();
    if (width === 'f32') code.op('f64.promote_f32');
    if (rounding !== null) code.op(rounding);
    code.set(x);
    emitInteger(code, type, x, giveUp);
  }

  private fromInteger(width: FloatWidth, type: string, arg: FloatArg): void {
    const { code } = this;
    arg.i64();
    if (type.endsWith('32')) code.op('i32.wrap_i64');
    const sign = type.startsWith('I') ? 's' : 'u';
    code.op(type.endsWith('32') ? `${width}.convert_i32_${sign}` : `${width}.convert_i64_${sign}`);
  }
}
