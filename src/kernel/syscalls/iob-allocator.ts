import { Status } from '../../abi/status.js';
import type { IobRegion } from '../objects/iob.js';
import { readVmo } from '../objects/vmo-pages.js';
import type { Call } from './call.js';
import { refuse } from './refusal.js';
import { writeMemory } from './vmo-range.js';

// What a region of the discipline ID_ALLOCATOR holds (lib/iob/blob-id-allocator): a header of the next number and the
// offset of the last blob, uint32_t both; from there on upwards, for each number the size and offset of its blob,
// uint32_t both; from the end on downwards, the blobs. Programs can map it and write anything there.
const HEADER_BYTES = 8;
const INDEX_BYTES = 8;

/** Offsets are 32 bits wide. */
export const MAX_ALLOCATOR_BYTES = 0xffffffff;

function header(next: number, head: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(next, head).buffer);
}

/** The header of a region without any blob. */
export function firstHeader(sizeBytes: number): Uint8Array {
  return header(0, sizeBytes);
}

function pair(call: Call, { vmo }: IobRegion, offset: number): [number, number] {
  const bytes = readVmo(call.k.state, call.k.get(vmo, 'vmo'), offset, INDEX_BYTES);
  const view = new DataView(bytes.buffer);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/**
 * Puts a blob of the caller's into the region; gives its number. Refuses with IO_DATA_INTEGRITY when what is in the
 * region cannot be, and with NO_MEMORY when the blob and its place in the index do not fit.
 */
export function allocateId(call: Call, region: IobRegion, address: number, sizeBytes: bigint): number {
  const [next, head] = pair(call, region, 0);
  const indexEnd = HEADER_BYTES + INDEX_BYTES * next;
  if (indexEnd > head || head > region.sizeBytes) refuse(Status.ERR_IO_DATA_INTEGRITY);
  if (BigInt(head - indexEnd) < sizeBytes + BigInt(INDEX_BYTES)) refuse(Status.ERR_NO_MEMORY);
  if (pair(call, region, indexEnd).some((field) => field !== 0)) refuse(Status.ERR_IO_DATA_INTEGRITY);
  const blob = call.read(address, Number(sizeBytes));
  const at = head - blob.length;
  writeMemory(call, region.vmo, [
    { offset: at, bytes: blob },
    { offset: indexEnd, bytes: header(blob.length, at) },
    { offset: 0, bytes: header(next + 1, at) },
  ]);
  return next;
}
