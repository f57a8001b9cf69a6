import { FunctionCode, ModuleBuilder } from './code.js';
import type { Code } from './instructions.js';
import { createMemory, createTable, instantiate } from './web-assembly.js';

/**
 * x × y + z by the one instruction for it, of relaxed SIMD. Whether it rounds once or twice is up to the host, but it
 * does always the same ("Relaxed operations" of the core specification), so that trying it out once tells.
 */

const VECTOR = 0xfd;
const OPCODES = {
  f32: { splat: 0x13, extractLane: 0x1f, relaxedMadd: 0x105 },
  f64: { splat: 0x14, extractLane: 0x21, relaxedMadd: 0x107 },
} as const;

/** Leaves x × y + z, of locals. Only where `hasFusedMultiplyAdd`. */
export function emitMultiplyAdd(code: Code, width: 'f32' | 'f64', locals: readonly number[]): void {
  const { splat, extractLane, relaxedMadd } = OPCODES[width];
  for (const local of locals) code.get(local).byte(VECTOR).u32(splat);
  code.byte(VECTOR).u32(relaxedMadd);
  code.byte(VECTOR).u32(extractLane).byte(0);
}

type MultiplyAdd = (x: number, y: number, z: number) => number;

const PAGE_BYTES = 65536;

/** Whether the host has the instruction, and rounds once. */
export function hasFusedMultiplyAdd(): boolean {
  const builder = new ModuleBuilder(PAGE_BYTES);
  for (const width of ['f32', 'f64'] as const) {
    const code = new FunctionCode({ params: [width, width, width], results: [width] });
    emitMultiplyAdd(code, width, [0, 1, 2]);
    builder.export(width, builder.add(code));
  }
  try {
    const env = { memory: createMemory(PAGE_BYTES), table: createTable(1) };
    const { f32, f64 } = instantiate(builder.result(), { env }).exports as Record<string, MultiplyAdd>;
    // (1 + e)(1 - e) - 1 = -e²: nothing, if the product is rounded.
    return [f32!(1 + 2 ** -23, 1 - 2 ** -23, -1), f64!(1 + 2 ** -52, 1 - 2 ** -52, -1)].every((r) => r < 0);
  } catch {
    return false;
  }
}
