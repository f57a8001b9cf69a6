import { Status } from '../../abi/status.js';
import { VmOption } from '../../abi/vm.js';
import { PAGE_SIZE, ZERO_PAGE } from '../../memory/page.js';
import { type AddressMode, mappingAt } from '../objects/address-space.js';
import type { Kernel } from '../objects/kernel.js';
import type { Mapping } from '../objects/vmar.js';
import { isThere, isWritable, type Place, pageForRead, placeBehind } from '../objects/vmo-pages.js';
import type { Decider } from './decider.js';
import { type PageAccess, requirePages } from './page-requests.js';
import { refuse } from './refusal.js';

/** No call copies more than this between itself and its caller at once. */
export const USER_COPY_MAX_BYTES = 0x4000000;

/** One page's worth of a user range, and where its bytes are held. */
export interface Piece {
  readonly address: number;
  readonly vmo: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * What is asked of pages that have a pager: nothing, that they are there, or that they can be accessed without asking
 * the pager. The kernel writes what is there, if need be: for calls that were blocked meanwhile.
 */
type Need = 'nothing' | 'there' | 'ready';

/**
 * The user range by pages, or null when part of it is not mapped with that permission, lies past its VMO, or is not
 * what is needed. Callers bound the length.
 */
export function pieces(
  k: Kernel,
  process: number,
  address: number,
  length: number,
  permission: number,
  mode: AddressMode = 'normal',
  need: Need = 'ready',
): Piece[] | null {
  const owner = k.find(process);
  if (owner?.kind !== 'process' || !Number.isSafeInteger(address + length)) return null;
  const out: Piece[] = [];
  let mapping: Mapping | undefined;
  for (let at = address; at < address + length; ) {
    if (mapping === undefined || at >= mapping.base + mapping.sizeBytes) {
      mapping = mappingAt(k, owner, at, mode);
      if (mapping === undefined || (mapping.permissions & permission) === 0) return null;
    }
    const place = placeBehind(k, mapping, at);
    if (place === null || !has(k, place, permission, need)) return null;
    const count = Math.min(PAGE_SIZE - (at % PAGE_SIZE), address + length - at);
    out.push({ address: at, vmo: place.vmo.koid, offset: place.offset, length: count });
    at += count;
  }
  return out;
}

function has(k: Kernel, { vmo, offset }: Place, permission: number, need: Need): boolean {
  if (need === 'nothing' || (vmo.source === null && vmo.lender === 0)) return true;
  const page = Math.floor(offset / PAGE_SIZE);
  if (!isThere(k.state, vmo, page)) return false;
  return need === 'there' || permission !== VmOption.PERM_WRITE || isWritable(vmo, page);
}

/**
 * Makes sure that nothing but a pager stands between a process and its memory: throws PagesNeeded, page by page. What
 * is not mapped at all is left to others to complain about.
 * @param failure see `requirePages`
 */
export function requireUserPages(
  k: Kernel,
  process: number,
  address: number,
  length: number,
  access: PageAccess,
  failure: number | null,
): void {
  if (length > USER_COPY_MAX_BYTES) return;
  const permission = access === 'read' ? VmOption.PERM_READ : VmOption.PERM_WRITE;
  for (const part of pieces(k, process, address, length, permission, 'normal', 'nothing') ?? []) {
    requirePages(k, { ...part, vmo: k.get(part.vmo, 'vmo') }, access, failure);
  }
}

/** Bytes of a process's memory, or null when it may not read all of them. Longer than 64 MiB is never readable. */
export function readUser(
  k: Kernel,
  process: number,
  address: number,
  length: number,
  mode: AddressMode = 'normal',
): Uint8Array | null {
  if (length === 0) return new Uint8Array(0);
  if (length > USER_COPY_MAX_BYTES) return null;
  const parts = pieces(k, process, address, length, VmOption.PERM_READ, mode);
  if (parts === null) return null;
  const out = new Uint8Array(length);
  for (const part of parts) {
    const page = pageForRead(k.state, k.get(part.vmo, 'vmo'), Math.floor(part.offset / PAGE_SIZE));
    if (page === ZERO_PAGE) continue;
    const inPage = part.offset % PAGE_SIZE;
    copy(page.bytes, inPage, out, part.address - address, part.length);
  }
  return out;
}

/** Four bytes of a process's memory, at a multiple of 4, as a signed number; null when it may not read them. */
export function readUserInt32(k: Kernel, process: number, address: number): number | null {
  const owner = k.find(process);
  if (owner?.kind !== 'process' || !Number.isSafeInteger(address)) return null;
  const mapping = mappingAt(k, owner, address, 'normal');
  if (mapping === undefined || (mapping.permissions & VmOption.PERM_READ) === 0) return null;
  const place = placeBehind(k, mapping, address);
  if (place === null || !has(k, place, VmOption.PERM_READ, 'ready')) return null;
  return pageForRead(k.state, place.vmo, Math.floor(place.offset / PAGE_SIZE)).view.getInt32(
    place.offset % PAGE_SIZE,
    true,
  );
}

/** Below this a view of the bytes costs more than copying them one by one. */
const SHORT_BYTES = 64;

function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  if (length >= SHORT_BYTES) to.set(from.subarray(at, at + length), toAt);
  else for (let i = 0; i < length; i++) to[toAt + i] = from[at + i];
}

/** The low bytes of an integer as memory holds them. */
export function littleEndian(value: number | bigint, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let word = typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value;
  for (let i = 0; i < Math.min(sizeBytes, 4); i++, word >>>= 8) bytes[i] = word;
  if (sizeBytes > 4) bytes.set(littleEndian(BigInt(value) >> 32n, sizeBytes - 4), 4);
  return bytes;
}

/** Whether the process itself could write the range now, and memory is left to do it. */
export function isUserWritable(
  k: Kernel,
  process: number,
  address: number,
  length: number,
  need: Need = 'ready',
): boolean {
  if (length === 0) return true;
  if (length > USER_COPY_MAX_BYTES) return false;
  const parts = pieces(k, process, address, length, VmOption.PERM_WRITE, 'normal', need);
  return parts !== null && hasMemoryFor(k, parts);
}

/** Whether the pages that writing these pieces would make can be had. */
export function hasMemoryFor(k: Kernel, parts: readonly Piece[]): boolean {
  const free = k.config.physicalPages - k.state.committedPages;
  if (parts.length <= free) return true;
  const missing = new Set<string>();
  for (const { vmo, offset } of parts) {
    const page = Math.floor(offset / PAGE_SIZE);
    if (!k.get(vmo, 'vmo').pages.has(page)) missing.add(`${vmo} ${page}`);
  }
  return missing.size <= free;
}

/** Writes memory that was found writable before. Writing nothing is fine. The bytes are the event's from then on. */
export function writeUser(
  m: Decider,
  process: number,
  thread: number,
  address: number,
  bytes: Uint8Array,
): void {
  if (bytes.length === 0) return;
  const parts = pieces(m.k, process, address, bytes.length, VmOption.PERM_WRITE, 'normal', 'there');
  if (parts === null) refuse(Status.ERR_INVALID_ARGS);
  for (const { address: at, vmo, offset, length } of parts) {
    const from = at - address;
    m.emit({
      type: 'user-memory-written',
      process,
      thread,
      address: at,
      vmo,
      offset,
      bytes: length === bytes.length ? bytes : bytes.slice(from, from + length),
    });
  }
}
