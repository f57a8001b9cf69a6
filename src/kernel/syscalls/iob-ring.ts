import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { IobRegion } from '../objects/iob.js';
import { readVmo } from '../objects/vmo-pages.js';
import type { Call } from './call.js';
import { partsOf, readVectors, type Vectors } from './iovec.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';
import { writeMemory } from './vmo-range.js';

// What a region of the discipline MEDIATED_WRITE_RING_BUFFER holds (RFC-0267): a page that begins with `head` and
// `tail`, uint64_t both, which only ever grow; behind it the ring, in which a message is its region's tag and its own
// length, uint64_t both, and its bytes, up to the next multiple of 8. Programs can map it and write anything there.
const MESSAGE_HEADER_BYTES = 16;
const MAX_MESSAGE_BYTES = 65535;
const MAX_VECTORS = 8n;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** The message that the caller's vectors are; refuses with INVALID_ARGS. */
function readMessage(call: Call, tag: bigint, address: number, count: bigint): Uint8Array {
  requireArgs(count <= MAX_VECTORS);
  const vectors: Vectors = readVectors(call, address, count);
  requireArgs(vectors.total <= BigInt(MAX_MESSAGE_BYTES - MESSAGE_HEADER_BYTES));
  const length = Number(vectors.total);
  const message = new Uint8Array(MESSAGE_HEADER_BYTES + length);
  const view = new DataView(message.buffer);
  view.setBigUint64(0, tag, true);
  view.setBigUint64(8, vectors.total, true);
  let at = MESSAGE_HEADER_BYTES;
  for (const part of partsOf(vectors, length, 0)) {
    message.set(call.read(part.address, part.length), at);
    at += part.length;
  }
  return message;
}

function roundUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}

/**
 * Puts a message into the ring, whole, and tells who waits for the shared region. Refuses with NO_SPACE when it does
 * not fit now or ever, and with IO_DATA_INTEGRITY when `head` and `tail` cannot be.
 */
export function writeRing(call: Call, region: IobRegion, address: number, count: bigint): void {
  const message = readMessage(call, region.tag, address, count);
  const ringBytes = region.sizeBytes - PAGE_SIZE;
  const taken = BigInt(roundUp(message.length));
  if (taken > BigInt(ringBytes)) refuse(Status.ERR_NO_SPACE);
  const view = new DataView(readVmo(call.k.state, call.k.get(region.vmo, 'vmo'), 0, 16).buffer);
  const head = view.getBigUint64(0, true);
  const tail = view.getBigUint64(8, true);
  if (tail > head || head % 8n !== 0n || head + taken > U64_MAX) refuse(Status.ERR_IO_DATA_INTEGRITY);
  if (head - tail > BigInt(ringBytes) - taken) refuse(Status.ERR_NO_SPACE);
  const at = Number(head % BigInt(ringBytes));
  const first = message.subarray(0, ringBytes - at);
  const moved = new Uint8Array(8);
  new DataView(moved.buffer).setBigUint64(0, head + taken, true);
  writeMemory(call, region.vmo, [
    { offset: PAGE_SIZE + at, bytes: first },
    { offset: PAGE_SIZE, bytes: message.subarray(first.length) },
    { offset: 0, bytes: moved },
  ]);
  // An update is only ever seen by who waits for it.
  changeSignals(call.m, region.sharedRegion, 0, Signal.IOB_SHARED_REGION_UPDATED);
  changeSignals(call.m, region.sharedRegion, Signal.IOB_SHARED_REGION_UPDATED, 0);
}
