import * as soft from '../softfloat.js';
import type { Signature } from '../wasm/code.js';
import { FLOAT_SHAPES } from './float-shapes.js';

/** Where in the memory of WebAssembly code its floating-point state is: addresses that are multiples of 8. */
export interface FloatLayout {
  /** 8 bytes: the rounding mode times 32, and the accrued flags. */
  readonly statusAddress: number;
  /** `FLOAT_SCRATCH_BYTES`, for nothing else. */
  readonly scratchAddress: number;
}

/** Up to three operands, and behind them the result. */
export const RESULT_OFFSET = 24;
export const FLOAT_SCRATCH_BYTES = RESULT_OFFSET + 8;

/** The operation's place in FLOAT_SHAPES, and the rounding mode (0 to 4). */
export const SLOW_FLOAT_SIGNATURE: Signature = { params: ['i32', 'i32'], results: [] };

type Compute = (...args: (bigint | soft.FloatEnv)[]) => bigint | number | boolean;

const FUNCTIONS = soft as unknown as Readonly<Record<string, Compute>>;

/** The import `slowFloat` of helpers: softfloat on operands in the scratch area, with its flags added to the status. */
export function createSlowFloat(
  memory: { readonly buffer: ArrayBuffer },
  { statusAddress, scratchAddress }: FloatLayout,
): (operation: number, mode: number) => void {
  const operations = [...FLOAT_SHAPES].map(([name, { operands }]) => ({
    compute: FUNCTIONS[name]!,
    arity: operands.length,
  }));
  const views = () => ({
    operands: new BigUint64Array(memory.buffer, scratchAddress, RESULT_OFFSET / 8),
    result: new BigUint64Array(memory.buffer, scratchAddress + RESULT_OFFSET, 1),
    status: new Uint8Array(memory.buffer, statusAddress, 1),
  });
  let made = views();
  const env = new soft.FloatEnv();
  return (operation, mode) => {
    const { compute, arity } = operations[operation]!;
    env.rounding = mode;
    env.flags = 0;
    // A memory that grew leaves views of it empty.
    if (made.status.length === 0) made = views();
    const { operands, result, status } = made;
    result[0] = BigInt(compute(...operands.subarray(0, arity), env));
    status[0] = status[0]! | env.flags;
  };
}
