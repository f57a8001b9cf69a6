import { Status } from '../../abi/status.js';
import { CachePolicy } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import type { VmoState } from '../objects/vmo.js';
import type { Decider } from './decider.js';
import { refuse, requireArgs } from './refusal.js';

/** Bytes of a VMO, inside it. */
export interface VmoRange {
  readonly offset: number;
  readonly length: number;
}

/** Refuses with OUT_OF_RANGE unless the bytes lie in the VMO. */
export function requireInside(vmo: VmoState, offset: bigint, length: bigint): VmoRange {
  const size = BigInt(vmo.sizeBytes);
  if (length > size || offset > size - length) refuse(Status.ERR_OUT_OF_RANGE);
  return { offset: Number(offset), length: Number(length) };
}

/** The kernel copies to and from cached memory only. */
export function requireCached(vmo: VmoState): void {
  if (vmo.cachePolicy !== CachePolicy.CACHED) refuse(Status.ERR_BAD_STATE);
}

/** Refuses with NO_MEMORY unless so many more pages can be had. */
export function requireMemory(k: Kernel, pages: number): void {
  if (k.state.committedPages + pages > k.config.physicalPages) refuse(Status.ERR_NO_MEMORY);
}

/** Numbers of the first page and of the one behind the last. */
function pagesOf({ offset, length }: VmoRange): { first: number; end: number } {
  return { first: Math.floor(offset / PAGE_SIZE), end: Math.ceil((offset + length) / PAGE_SIZE) };
}

export function presentPages(vmo: VmoState, range: VmoRange): number {
  const { first, end } = pagesOf(range);
  let count = 0;
  for (const [number] of vmo.pages.entries(first)) {
    if (number >= end) break;
    count++;
  }
  return count;
}

/** How many pages would have to be made to have all of the range. */
export function missingPages(vmo: VmoState, range: VmoRange): number {
  if (range.length === 0) return 0;
  const { first, end } = pagesOf(range);
  return end - first - presentPages(vmo, range);
}

export function commitRange(m: Decider, vmo: VmoState, range: VmoRange): void {
  if (missingPages(vmo, range) === 0) return;
  const { first, end } = pagesOf(range);
  m.emit({ type: 'vmo-pages-committed', vmo: vmo.koid, page: first, count: end - first });
}

/** Only what shares nothing can give pages back, and only whole ones (syscalls/vmo_op_range). */
export function requireDecommit(vmo: VmoState, { offset, length }: VmoRange): void {
  if (length === 0) return;
  if (vmo.parent !== 0 || vmo.children.size > 0) refuse(Status.ERR_NOT_SUPPORTED);
  requireArgs(offset % PAGE_SIZE === 0 && length % PAGE_SIZE === 0);
}

/** Pages that the range cuts through are written, which uncached memory does not allow. */
export function requireZero(vmo: VmoState, range: VmoRange): void {
  if (vmo.cachePolicy === CachePolicy.CACHED) return;
  for (const edge of partialPages(range)) {
    if (vmo.pages.has(Math.floor(edge.offset / PAGE_SIZE))) refuse(Status.ERR_BAD_STATE);
  }
}

/** The parts of a range that are less than a page: two at most. */
function partialPages({ offset, length }: VmoRange): VmoRange[] {
  const end = offset + length;
  const head = Math.min(length, (PAGE_SIZE - (offset % PAGE_SIZE)) % PAGE_SIZE);
  const tail = head === length ? 0 : end % PAGE_SIZE;
  const parts = [
    { offset, length: head },
    { offset: end - tail, length: tail },
  ];
  return parts.filter((part) => part.length > 0);
}

/** Makes bytes read as zeros: whole pages are given back, parts of pages that are there are written. */
export function zeroRange(m: Decider, vmo: VmoState, range: VmoRange): void {
  for (const part of partialPages(range)) {
    if (!vmo.pages.has(Math.floor(part.offset / PAGE_SIZE))) continue;
    m.emit({ type: 'vmo-written', vmo: vmo.koid, offset: part.offset, bytes: new Uint8Array(part.length) });
  }
  const first = Math.ceil(range.offset / PAGE_SIZE);
  const end = Math.floor((range.offset + range.length) / PAGE_SIZE);
  if (end <= first || (vmo.pages.ceiling(first)?.[0] ?? end) >= end) return;
  m.emit({ type: 'vmo-pages-dropped', vmo: vmo.koid, page: first, count: end - first });
}
