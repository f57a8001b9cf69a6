import { type Argument, blocksOf, type Memory } from '../operation.js';

/** Zircon's stacks are aligned so. */
const ALIGN_BYTES = 16;

/** A block and where it is. */
export interface Placed {
  readonly address: number;
  readonly memory: Memory;
}

/** Where the memory of a call's arguments is on the stack. */
export interface StackFrame {
  readonly args: readonly bigint[];
  /** What the program puts there; what it wants to see afterwards. */
  readonly filled: readonly Placed[];
  readonly wanted: readonly Placed[];
}

/** Lays a call's blocks out below `top`, the first one lowest. It depends on nothing but its arguments. */
export function stackFrame(args: readonly Argument[], top: number): StackFrame {
  const blocks = blocksOf(args);
  let at = top;
  for (const { sizeBytes } of blocks) at -= aligned(sizeBytes);
  const places: Placed[] = [];
  for (const memory of blocks) {
    places.push({ address: at, memory });
    at += aligned(memory.sizeBytes);
  }
  const addressOf = (block: Memory): number => places[blocks.indexOf(block)].address;
  return {
    args: args.map((arg) => BigInt(typeof arg === 'object' ? addressOf(arg) : arg)),
    filled: places
      .filter(({ memory }) => memory.bytes !== null)
      .map(({ address, memory }) => ({ address, memory: withPointers(memory, addressOf) })),
    wanted: places.filter(({ memory }) => memory.wanted),
  };
}

function aligned(sizeBytes: number): number {
  return sizeBytes + ((ALIGN_BYTES - (sizeBytes % ALIGN_BYTES)) % ALIGN_BYTES);
}

function withPointers(memory: Memory, addressOf: (block: Memory) => number): Memory {
  if (memory.pointers.length === 0) return memory;
  const bytes = new Uint8Array(memory.sizeBytes);
  if (memory.bytes !== null) bytes.set(memory.bytes);
  const view = new DataView(bytes.buffer);
  for (const { offset, to } of memory.pointers) view.setBigUint64(offset, BigInt(addressOf(to)), true);
  return { ...memory, bytes };
}
