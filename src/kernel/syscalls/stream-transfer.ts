import { Status } from '../../abi/status.js';
import { VmOption } from '../../abi/vm.js';
import type { StreamState } from '../objects/stream.js';
import { MAX_VMO_BYTES, type VmoState } from '../objects/vmo.js';
import { memoryOf, placeOf, readVmo } from '../objects/vmo-pages.js';
import { pageCeil } from './address-search.js';
import type { Call } from './call.js';
import { partsOf, type Vectors } from './iovec.js';
import { refuse } from './refusal.js';
import { hasMemoryFor, pieces, readUser, USER_COPY_MAX_BYTES } from './user-memory.js';
import { missingPages, requireCached, requireMemory, zeroRange } from './vmo-range.js';

const MAX_END = 0xffff_ffff_ffff_ffffn;

/** Bytes moved, and where in the stream they end. */
export interface Transfer {
  readonly actual: number;
  readonly end: bigint;
}

type Part = { readonly address: number; readonly length: number };

/** As much of a transfer as one call makes: more is left to the next call, as with any short one. */
function bounded(length: bigint): number {
  return length < BigInt(USER_COPY_MAX_BYTES) ? Number(length) : USER_COPY_MAX_BYTES;
}

/**
 * Moves bytes part by part until one cannot be moved. What was moved before stays and is the call's success; refuses
 * with the reason when that was nothing (object/stream_dispatcher).
 */
function moveParts(
  vectors: Vectors,
  offset: number,
  length: number,
  move: (part: Part, at: number) => number,
): number {
  let actual = 0;
  for (const part of partsOf(vectors, length, offset)) {
    const status = move(part, offset + actual);
    if (status !== Status.OK) return actual > 0 ? actual : refuse(status);
    actual += part.length;
  }
  return actual;
}

/**
 * Reads from an offset of the stream to its end at most; nothing behind it is no error. Refuses with NOT_FOUND when
 * the first buffer is not there.
 */
export function readStream(call: Call, stream: StreamState, offset: bigint, vectors: Vectors): Transfer {
  const vmo = call.k.get(stream.vmo, 'vmo');
  requireCached(vmo);
  const contentBytes = BigInt(memoryOf(call.k.state, vmo).contentSizeBytes);
  if (offset >= contentBytes) return { actual: 0, end: offset };
  const rest = contentBytes - offset;
  const length = bounded(vectors.total < rest ? vectors.total : rest);
  const actual = moveParts(vectors, Number(offset), length, (part, at) => readPart(call, vmo, part, at));
  return { actual, end: offset + BigInt(actual) };
}

function readPart(call: Call, { koid }: VmoState, { address, length }: Part, at: number): number {
  const { k } = call;
  const parts = pieces(k, call.process, address, length, VmOption.PERM_WRITE);
  if (parts === null) return Status.ERR_NOT_FOUND;
  if (!hasMemoryFor(k, parts)) return Status.ERR_NO_MEMORY;
  call.write(address, readVmo(k.state, k.get(koid, 'vmo'), at, length));
  return Status.OK;
}

/** Writes at an offset of the stream, whose end and, when it may, whose VMO grows with it. */
export function writeStream(call: Call, stream: StreamState, offset: bigint, vectors: Vectors): Transfer {
  const vmo = call.k.get(stream.vmo, 'vmo');
  requireCached(vmo);
  if (vectors.total === 0n) return { actual: 0, end: offset };
  if (offset + vectors.total > MAX_END) refuse(Status.ERR_FILE_BIG);
  const asked = bounded(vectors.total);
  const wanted = wantedSize(call, stream, offset, asked);
  requireFirst(call, vmo, Number(offset), vectors);
  const memory = memoryOf(call.k.state, vmo);
  const { contentSizeBytes } = memory;
  if (wanted > memory.sizeBytes) {
    call.emit({ type: 'vmo-resized', koid: memory.koid, sizeBytes: wanted, contentSizeBytes });
  }
  const at = Number(offset);
  const length = Math.min(asked, wanted - at);
  zeroGap(call, vmo, at);
  const actual = moveParts(vectors, at, length, (part, place) => writePart(call, vmo, part, place));
  const end = at + actual;
  if (end > contentSizeBytes) {
    call.emit({ type: 'vmo-content-size-set', koid: memory.koid, contentSizeBytes: end });
  }
  return { actual, end: BigInt(end) };
}

/**
 * The size that the VMO is to have for a write: the one it has, or a larger one. Refuses when not even the first byte
 * would have a place; else there is room for a part.
 */
function wantedSize(call: Call, stream: StreamState, offset: bigint, length: number): number {
  const { sizeBytes, resizable } = memoryOf(call.k.state, call.k.get(stream.vmo, 'vmo'));
  const size = pageCeil(offset + BigInt(length));
  if (size !== 0n && size <= BigInt(sizeBytes)) return sizeBytes;
  const mayGrow = stream.canResize && resizable;
  if (mayGrow && size !== 0n && size <= BigInt(MAX_VMO_BYTES)) return Number(size);
  if (offset >= BigInt(sizeBytes)) refuse(mayGrow ? Status.ERR_OUT_OF_RANGE : Status.ERR_NO_SPACE);
  return sizeBytes;
}

/** Refuses before anything happened when not even the first byte can be had, or kept. */
function requireFirst(call: Call, vmo: VmoState, at: number, vectors: Vectors): void {
  const [first] = partsOf(vectors, 1, at);
  if (readUser(call.k, call.process, first.address, 1) === null) refuse(Status.ERR_NOT_FOUND);
  requireMemory(call.k, missingPages({ ...placeOf(call.k.state, vmo, at), length: 1 }));
}

/** What lies between the stream's end and a write behind it reads as zeros, whatever was mapped and written there. */
function zeroGap(call: Call, { koid }: VmoState, until: number): void {
  const vmo = call.k.get(koid, 'vmo');
  const { contentSizeBytes } = memoryOf(call.k.state, vmo);
  if (until <= contentSizeBytes) return;
  zeroRange(call.m, { ...placeOf(call.k.state, vmo, contentSizeBytes), length: until - contentSizeBytes });
}

function writePart(call: Call, { koid }: VmoState, { address, length }: Part, at: number): number {
  const { k } = call;
  const bytes = readUser(k, call.process, address, length);
  if (bytes === null) return Status.ERR_NOT_FOUND;
  const { vmo, offset } = placeOf(k.state, k.get(koid, 'vmo'), at);
  const missing = missingPages({ vmo, offset, length });
  if (k.state.committedPages + missing > k.config.physicalPages) return Status.ERR_NO_MEMORY;
  call.emit({ type: 'vmo-written', vmo: vmo.koid, offset, bytes });
  return Status.OK;
}
