import { FastFloat, type FloatArg, isFastMode } from '../../src/cpu/engines/float-code.js';
import { FloatHelpers } from '../../src/cpu/engines/float-helpers.js';
import { FLOAT_SHAPES, type FloatName } from '../../src/cpu/engines/float-shapes.js';
import { createSlowFloat, FLOAT_SCRATCH_BYTES } from '../../src/cpu/engines/slow-float.js';
import { FunctionCode, ModuleBuilder } from '../../src/cpu/wasm/code.js';
import { createMemory, createTable, instantiate } from '../../src/cpu/wasm/web-assembly.js';
import { ROUNDING_MODES } from './operations.js';

/** Every floating-point operation as WebAssembly: inline code in a function of its own, and the helpers. */

const MEMORY_BYTES = 65536;
const LAYOUT = { statusAddress: 8, scratchAddress: 64 };
const GAVE_UP_ADDRESS = 64 + FLOAT_SCRATCH_BYTES;

type Run = (...args: (bigint | number)[]) => bigint | number;

/** Pushes an i64 local that holds raw bits, or an integer. */
export function rawArgument(code: FunctionCode, local: number): FloatArg {
  return {
    f32: () => code.get(local).op('i32.wrap_i64').op('f32.reinterpret_i32'),
    f64: () => code.get(local).op('f64.reinterpret_i64'),
    i64: () => code.get(local),
  };
}

/** Takes the operands' raw bits, leaves the result's, and notes when it gave up. */
function inlineFunction(name: FloatName, mode: number, fuses: boolean): FunctionCode {
  const { operands } = FLOAT_SHAPES.get(name)!;
  const code = new FunctionCode({ params: operands.map(() => 'i64'), results: ['i64'] });
  const args = operands.map((_, index) => rawArgument(code, index));
  code.block();
  const type = new FastFloat(code, fuses).emit(name, args, mode, (nesting) => code.brIf(nesting));
  if (type === 'f32') code.op('i32.reinterpret_f32');
  if (type === 'f64') code.op('i64.reinterpret_f64');
  if (type === 'f32' || type === 'i32') code.op('i64.extend_i32_u');
  code.op('return').op('end');
  code.i32(0).i32(1).access('i32.store8', GAVE_UP_ADDRESS).i64(0);
  return code;
}

export class CompiledFloat {
  private readonly bytes: Uint8Array;
  private readonly exports: Readonly<Record<string, unknown>>;
  /** How often the helpers needed softfloat. */
  slowCalls = 0;

  constructor(fuses: boolean) {
    const builder = new ModuleBuilder(MEMORY_BYTES);
    const helpers = new FloatHelpers(builder, LAYOUT, fuses);
    for (const name of FLOAT_SHAPES.keys()) {
      builder.export(name, helpers.functionOf(name));
      for (const mode of ROUNDING_MODES.filter((m) => isFastMode(name, m))) {
        builder.export(`${name} ${mode}`, builder.add(inlineFunction(name, mode, fuses)));
      }
    }
    const memory = createMemory(MEMORY_BYTES);
    const slow = createSlowFloat(memory, LAYOUT);
    const slowFloat = (operation: number, mode: number): void => {
      this.slowCalls++;
      slow(operation, mode);
    };
    const env = { memory, table: createTable(1), slowFloat };
    this.exports = instantiate(builder.result(), { env }).exports;
    this.bytes = new Uint8Array(memory.buffer);
  }

  /** The result as 64 raw bits, or undefined: given up. */
  inline(name: FloatName, mode: number, operands: readonly bigint[]): bigint | undefined {
    this.bytes[GAVE_UP_ADDRESS] = 0;
    const result = (this.exports[`${name} ${mode}`] as Run)(...operands);
    return this.bytes[GAVE_UP_ADDRESS] === 0 ? BigInt.asUintN(64, BigInt(result)) : undefined;
  }

  /** The result as 64 raw bits, and the flags after it. */
  helper(name: FloatName, mode: number, operands: readonly bigint[], flags: number): [bigint, number] {
    // Another mode in the status word than is asked for: it may not be looked at.
    const before = ((mode ^ 7) << 5) | flags;
    this.bytes[LAYOUT.statusAddress] = before;
    const { rounded } = FLOAT_SHAPES.get(name)!;
    const result = (this.exports[name] as Run)(...operands, ...(rounded ? [mode] : []));
    const after = this.bytes[LAYOUT.statusAddress]!;
    if (after >> 5 !== before >> 5) throw new Error(`${name} changed the rounding mode`);
    return [BigInt.asUintN(64, BigInt(result)), after & 31];
  }
}
