import type { SyscallName } from '../../src/abi/syscalls.js';
import type { Harness } from './harness.js';
import { bytesAt, statusName } from './ipc-support.js';

/** Where tests keep what they pass to calls that move bytes: apart from what `scratch` gives. */
export const BUFFER = 0x10080000;
export const BUFFER_BYTES = 0x80000;

function made(h: Harness, name: SyscallName, args: readonly (number | bigint)[], count: number): number[] {
  const out = h.scratch(4 * count);
  const outs = Array.from({ length: count }, (_, i) => out + 4 * i);
  const status = statusName(h.call(name, [...args, ...outs]) as bigint);
  if (status !== 'OK') throw new Error(`${name}: ${status}`);
  return outs.map((address) => h.u32(address));
}

export function newCounter(h: Harness): number {
  return made(h, 'zx_counter_create', [0], 1)[0];
}

/** Both ends of a FIFO of so many elements of so many bytes. */
export function newFifo(h: Harness, elements: number, elementBytes: number): [number, number] {
  return made(h, 'zx_fifo_create', [elements, elementBytes, 0], 2) as [number, number];
}

/** Both ends. `options`: ZX_SOCKET_*. */
export function newSocket(h: Harness, options = 0): [number, number] {
  return made(h, 'zx_socket_create', [options], 2) as [number, number];
}

/** `options`: ZX_VMO_*. */
export function newVmo(h: Harness, sizeBytes: number, options = 0): number {
  return made(h, 'zx_vmo_create', [sizeBytes, options], 1)[0];
}

/** A stream over a VMO. */
export function newStream(h: Harness, vmo: number, mode: number, seek: number | bigint = 0): number {
  return made(h, 'zx_stream_create', [mode, vmo, seek], 1)[0];
}

/** A list of zx_iovec_t in scratch memory. */
export function iovecs(
  h: Harness,
  ...buffers: readonly (readonly [address: number, capacity: number | bigint])[]
): number {
  const bytes = new Uint8Array(16 * buffers.length);
  const view = new DataView(bytes.buffer);
  buffers.forEach(([address, capacity], i) => {
    view.setBigUint64(16 * i, BigInt(address), true);
    view.setBigUint64(16 * i + 8, BigInt(capacity), true);
  });
  return h.scratch(bytes);
}

/** A clock without arguments. `options`: ZX_CLOCK_OPT_*. */
export function newClock(h: Harness, options = 0): number {
  return made(h, 'zx_clock_create', [options, 0], 1)[0];
}

/** A zx_iob_region_t: private, of one page, without a discipline, that both ends may map to read and write. */
export interface Region {
  type?: number;
  access?: number;
  size?: number | bigint;
  /** ZX_IOB_DISCIPLINE_TYPE_*. */
  discipline?: number | bigint;
  tag?: bigint;
  /** ZX_VMO_* of a private region. */
  options?: number;
  sharedRegion?: number;
}

export function regionBytes(region: Region): Uint8Array {
  const { type = 0, access = 0x33, size = 4096, discipline = 0, tag = 0n, options = 0 } = region;
  const bytes = new Uint8Array(120);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, access, true);
  view.setBigUint64(8, BigInt(size), true);
  view.setBigUint64(16, BigInt(discipline), true);
  view.setBigUint64(24, tag, true);
  view.setUint32(88, options, true);
  view.setUint32(92, region.sharedRegion ?? 0, true);
  return bytes;
}

/** An array of zx_iob_region_t in scratch memory. */
export function regionList(h: Harness, ...regions: readonly Region[]): number {
  const bytes = new Uint8Array(120 * regions.length);
  regions.forEach((region, i) => {
    bytes.set(regionBytes(region), 120 * i);
  });
  return h.scratch(bytes);
}

/** Both ends of an IO buffer. */
export function newIob(h: Harness, ...regions: readonly Region[]): [number, number] {
  const args = [0, regionList(h, ...regions), regions.length];
  return made(h, 'zx_iob_create', args, 2) as [number, number];
}

export function newSharedRegion(h: Harness, sizeBytes: number): number {
  return made(h, 'zx_iob_create_shared_region', [0, sizeBytes], 1)[0];
}

/** A region of a shared one, into which end 0 writes messages that bear the tag. */
export function ringRegion(sharedRegion: number, tag = 0n): Region {
  return { type: 1, access: 0x18, size: 0, discipline: 2, tag, sharedRegion };
}

/** Maps a region of an end; gives its address. `permissions`: ZX_VM_PERM_*. */
export function mapIob(h: Harness, end: number, index: number, sizeBytes: number, permissions = 3): number {
  const out = h.scratch(8);
  const args = [h.handles.rootVmar, permissions, 0, end, index, 0, sizeBytes, out];
  const status = statusName(h.call('zx_vmar_map_iob', args));
  if (status !== 'OK') throw new Error(`zx_vmar_map_iob: ${status}`);
  return Number(h.u64(out));
}

/** `count` bytes that tell where they are from: `first`, `first` + 1, … */
export function ramp(first: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (first + i) % 251);
}

/** What a call that moves bytes gave: its status, and when that is OK the number that it wrote to `actual`. */
export interface Moved {
  readonly status: string;
  readonly actual: number;
}

/** Makes such a call: `args` are those before the pointer for what it moved. */
export function move(h: Harness, name: SyscallName, args: readonly (number | bigint)[]): Moved {
  const out = h.scratch(8);
  const status = statusName(h.call(name, [...args, out]));
  return { status, actual: status === 'OK' ? Number(h.u64(out)) : 0 };
}

export function writeSocket(h: Harness, socket: number, bytes: Uint8Array): Moved {
  h.poke(BUFFER, bytes);
  return move(h, 'zx_socket_write', [socket, 0, BUFFER, bytes.length]);
}

/** What a read gave, and the bytes. */
export function readSocket(
  h: Harness,
  socket: number,
  count: number,
  options = 0,
): Moved & { bytes: Uint8Array } {
  const moved = move(h, 'zx_socket_read', [socket, options, BUFFER, count]);
  return { ...moved, bytes: bytesAt(h, BUFFER, moved.actual) };
}
