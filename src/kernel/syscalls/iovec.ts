import { Status } from '../../abi/status.js';
import { pointerNumber } from '../../abi/syscalls.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Call } from './call.js';
import { refuse, requireArgs } from './refusal.js';

/** zx_iovec_t: buffer, capacity; 8 bytes each. */
const IOVEC_BYTES = 16;

/** Vectors of one call, at most. Zircon has no bound, because it never holds them all. */
const MAX_VECTORS = 8192;

const MAX_TOTAL = 0xffff_ffff_ffff_ffffn;

/** Buffers of the caller's, in order, as one. */
export interface Vectors {
  readonly buffers: readonly { readonly address: number; readonly capacity: bigint }[];
  readonly total: bigint;
}

/** Refuses with INVALID_ARGS a list that cannot be read, is too long, or whose capacities are more than a size_t. */
export function readVectors(call: Call, address: number, count: bigint): Vectors {
  requireArgs(address !== 0 && count <= BigInt(MAX_VECTORS));
  const view = call.readView(address, IOVEC_BYTES * Number(count));
  const buffers: { address: number; capacity: bigint }[] = [];
  let total = 0n;
  for (let at = 0; at < view.byteLength; at += IOVEC_BYTES) {
    const capacity = view.getBigUint64(at + 8, true);
    buffers.push({ address: pointerNumber(view.getBigUint64(at, true)), capacity });
    total += capacity;
  }
  if (total > MAX_TOTAL) refuse(Status.ERR_INVALID_ARGS);
  return { buffers, total };
}

/**
 * The first `length` bytes of the buffers, in parts that lie in one page of memory each, and one page of a VMO when
 * they are those from `offset` on there.
 */
export function* partsOf(
  { buffers }: Vectors,
  length: number,
  offset: number,
): IterableIterator<{ readonly address: number; readonly length: number }> {
  let rest = length;
  let place = offset;
  for (const { address, capacity } of buffers) {
    const end = address + (capacity < BigInt(rest) ? Number(capacity) : rest);
    rest -= end - address;
    for (let at = address; at < end; ) {
      const count = Math.min(PAGE_SIZE - (at % PAGE_SIZE), PAGE_SIZE - (place % PAGE_SIZE), end - at);
      yield { address: at, length: count };
      at += count;
      place += count;
    }
    if (rest === 0) return;
  }
}
