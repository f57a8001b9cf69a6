import { type Argument, blocksOf, type Memory } from '../operation.js';

/** Zircon's stacks are aligned so. */
const ALIGN_BYTES = 16;

/** Where the memory of a call's arguments is on the stack. */
export interface StackFrame {
  readonly args: readonly bigint[];
  readonly blocks: readonly { readonly address: number; readonly memory: Memory }[];
}

/** Lays a call's blocks out below `top`, the first one lowest. It depends on nothing but its arguments. */
export function stackFrame(args: readonly Argument[], top: number): StackFrame {
  const blocks = blocksOf(args);
  const places = new Map<Memory, number>();
  let at = top - blocks.reduce((sum, { sizeBytes }) => sum + aligned(sizeBytes), 0);
  for (const block of blocks) {
    places.set(block, at);
    at += aligned(block.sizeBytes);
  }
  return {
    args: args.map((arg) => BigInt(typeof arg === 'object' ? places.get(arg)! : arg)),
    blocks: blocks.map((memory) => ({ address: places.get(memory)!, memory: withPointers(memory, places) })),
  };
}

function aligned(sizeBytes: number): number {
  return Math.ceil(sizeBytes / ALIGN_BYTES) * ALIGN_BYTES;
}

function withPointers(memory: Memory, places: ReadonlyMap<Memory, number>): Memory {
  if (memory.pointers.length === 0) return memory;
  const bytes = new Uint8Array(memory.sizeBytes);
  if (memory.bytes !== null) bytes.set(memory.bytes);
  const view = new DataView(bytes.buffer);
  for (const { offset, to } of memory.pointers) view.setBigUint64(offset, BigInt(places.get(to)!), true);
  return { ...memory, bytes };
}
