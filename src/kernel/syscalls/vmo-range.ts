import { Status } from '../../abi/status.js';
import { CachePolicy } from '../../abi/vm.js';
import { PAGE_SIZE, ZERO_PAGE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import type { VmoState } from '../objects/vmo.js';
import { memoryOf, pageForRead, placeOf } from '../objects/vmo-pages.js';
import type { Decider } from './decider.js';
import { refuse, requireArgs } from './refusal.js';

/** Bytes of memory, with the VMO that holds them: never a slice or a reference. */
export interface VmoRange {
  readonly vmo: VmoState;
  readonly offset: number;
  readonly length: number;
}

/** Where the bytes of a VMO are held; refuses with OUT_OF_RANGE unless they lie in it. */
export function requireInside(k: Kernel, vmo: VmoState, offset: bigint, length: bigint): VmoRange {
  const size = BigInt(memoryOf(k.state, vmo).sizeBytes);
  if (length > size || offset > size - length) refuse(Status.ERR_OUT_OF_RANGE);
  return { ...placeOf(k.state, vmo, Number(offset)), length: Number(length) };
}

/** The kernel copies to and from cached memory only. */
export function requireCached(vmo: VmoState): void {
  if (vmo.cachePolicy !== CachePolicy.CACHED) refuse(Status.ERR_BAD_STATE);
}

/** The pages of a restricted state are pinned: refuses with BAD_STATE what would take them away or share them. */
export function requireUnpinned({ restrictedState }: VmoState): void {
  if (restrictedState !== 'none') refuse(Status.ERR_BAD_STATE);
}

/** Refuses with NO_MEMORY unless so many more pages can be had. */
export function requireMemory(k: Kernel, pages: number): void {
  if (k.state.committedPages + pages > k.config.physicalPages) refuse(Status.ERR_NO_MEMORY);
}

/** Numbers of the first page and of the one behind the last. */
function pagesOf({ offset, length }: VmoRange): { first: number; end: number } {
  return { first: Math.floor(offset / PAGE_SIZE), end: Math.ceil((offset + length) / PAGE_SIZE) };
}

export function presentPages(range: VmoRange): number {
  const { first, end } = pagesOf(range);
  let count = 0;
  for (const [number] of range.vmo.pages.entries(first)) {
    if (number >= end) break;
    count++;
  }
  return count;
}

/** How many pages would have to be made to have all of the range. */
export function missingPages(range: VmoRange): number {
  if (range.length === 0) return 0;
  const { first, end } = pagesOf(range);
  return end - first - presentPages(range);
}

export function commitRange(m: Decider, range: VmoRange): void {
  if (missingPages(range) === 0) return;
  const { first, end } = pagesOf(range);
  m.emit({ type: 'vmo-pages-committed', vmo: range.vmo.koid, page: first, count: end - first });
}

/** Only what has nothing in common with a snapshot can give pages back, and only whole ones (syscalls/vmo_op_range). */
export function requireDecommit(k: Kernel, { vmo, offset, length }: VmoRange): void {
  if (length === 0) return;
  requireUnpinned(vmo);
  if (vmo.childKind === 'snapshot') refuse(Status.ERR_NOT_SUPPORTED);
  for (const child of vmo.children.keys()) {
    if (k.get(child, 'vmo').childKind === 'snapshot') refuse(Status.ERR_NOT_SUPPORTED);
  }
  requireArgs(offset % PAGE_SIZE === 0 && length % PAGE_SIZE === 0);
}

/** Pages that the range cuts through are written, which uncached memory does not allow. */
export function requireZero(k: Kernel, range: VmoRange): void {
  if (range.vmo.cachePolicy === CachePolicy.CACHED) return;
  for (const edge of partialPages(range)) {
    if (!isZero(k, edge)) refuse(Status.ERR_BAD_STATE);
  }
}

/** The parts of a range that are less than a page: two at most. */
function partialPages({ vmo, offset, length }: VmoRange): VmoRange[] {
  const end = offset + length;
  const head = Math.min(length, (PAGE_SIZE - (offset % PAGE_SIZE)) % PAGE_SIZE);
  const tail = head === length ? 0 : end % PAGE_SIZE;
  const parts = [
    { vmo, offset, length: head },
    { vmo, offset: end - tail, length: tail },
  ];
  return parts.filter((part) => part.length > 0);
}

/** Whether nothing was ever written to the page that a range begins in. */
function isZero(k: Kernel, { vmo, offset }: VmoRange): boolean {
  return pageForRead(k.state, vmo, Math.floor(offset / PAGE_SIZE)) === ZERO_PAGE;
}

/** Makes bytes read as zeros: whole pages are given back, parts of pages that are there are written. */
export function zeroRange(m: Decider, range: VmoRange): void {
  const { vmo } = range;
  for (const part of partialPages(range)) {
    if (isZero(m.k, part)) continue;
    const bytes = new Uint8Array(part.length);
    m.emit({ type: 'vmo-written', vmo: vmo.koid, offset: part.offset, bytes });
  }
  const first = Math.ceil(range.offset / PAGE_SIZE);
  const end = Math.floor((range.offset + range.length) / PAGE_SIZE);
  if (vmo.restrictedState !== 'none') {
    zeroPinned(m, vmo, first, end);
    return;
  }
  if (end <= first || (vmo.pages.ceiling(first)?.[0] ?? end) >= end) return;
  m.emit({ type: 'vmo-pages-dropped', vmo: vmo.koid, page: first, count: end - first });
}

function zeroPinned(m: Decider, vmo: VmoState, first: number, end: number): void {
  for (let page = first; page < end; page++) {
    const bytes = new Uint8Array(PAGE_SIZE);
    m.emit({ type: 'vmo-written', vmo: vmo.koid, offset: page * PAGE_SIZE, bytes });
  }
}
