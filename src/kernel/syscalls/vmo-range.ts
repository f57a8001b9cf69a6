import { Status } from '../../abi/status.js';
import { CachePolicy } from '../../abi/vm.js';
import { PAGE_SIZE, ZERO_PAGE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import { absentRuns } from '../objects/page-source.js';
import { rseqPages } from '../objects/rseq.js';
import type { VmoState } from '../objects/vmo.js';
import { isThere, lentEnd, memoryOf, pageForRead, placeOf } from '../objects/vmo-pages.js';
import type { Decider } from './decider.js';
import { requirePages, settlePages } from './page-requests.js';
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

/** Whether pages of a VMO come from a user pager. */
export function isBacked(k: Kernel, { source, lender }: VmoState): boolean {
  return source !== null || (lender !== 0 && k.get(lender, 'vmo').source !== null);
}

/** The kernel copies to and from cached memory only. */
export function requireCached(vmo: VmoState): void {
  if (vmo.cachePolicy !== CachePolicy.CACHED) refuse(Status.ERR_BAD_STATE);
}

/** Pages that the kernel itself uses, in order: of a restricted state, and what zx_thread_set_rseq was told of. */
function pinnedPages(
  k: Kernel,
  { holders, restrictedState }: VmoState,
  first: number,
  end: number,
): number[] {
  const pages = restrictedState === 'none' ? rseqPages(k, holders.keys(), PAGE_SIZE) : [0];
  return pages.filter((page) => page >= first && page < end);
}

/** Refuses with BAD_STATE what would take pinned pages away or share them. */
export function requireUnpinned(k: Kernel, range: VmoRange): void {
  const { first, end } = pagesOf(range);
  if (pinnedPages(k, range.vmo, first, end).length > 0) refuse(Status.ERR_BAD_STATE);
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

/**
 * Only what has nothing in common with a snapshot, and has no pager, can give pages back, and only whole ones
 * (syscalls/vmo_op_range).
 */
export function requireDecommit(k: Kernel, { vmo, offset, length }: VmoRange): void {
  if (length === 0) return;
  requireUnpinned(k, { vmo, offset, length });
  if (vmo.childKind === 'snapshot' || vmo.source !== null || vmo.lender !== 0)
    refuse(Status.ERR_NOT_SUPPORTED);
  for (const child of vmo.children.keys()) {
    if (k.get(child, 'vmo').childKind === 'snapshot') refuse(Status.ERR_NOT_SUPPORTED);
  }
  requireArgs(offset % PAGE_SIZE === 0 && length % PAGE_SIZE === 0);
}

/** Runs of zeros that pagers have to learn of, in the whole machine. Writing in their midst may make some more. */
const MAX_ZERO_RUNS = 65536;

export function hasZeroRunRoom(k: Kernel): boolean {
  return k.state.zeroRuns + 2 <= MAX_ZERO_RUNS;
}

/**
 * Makes sure that bytes can be made zeros. Pages that the range cuts through are written: refuses with BAD_STATE for
 * uncached memory; and a clone has pages of zeros where its lender's would show: refuses with NO_MEMORY.
 */
export function requireZero(k: Kernel, range: VmoRange): void {
  const { vmo } = range;
  let missing = 0;
  for (const edge of partialPages(range)) {
    if (isZero(k, edge)) continue;
    requireCached(vmo);
    requirePages(k, edge, 'write');
    missing += missingPages(edge);
  }
  const { first, end } = wholePages(range);
  const offset = first * PAGE_SIZE;
  const length = lentEnd(vmo, end) * PAGE_SIZE - offset;
  if (length > 0) missing += missingPages({ vmo, offset, length });
  if (missing > 0) requireMemory(k, missing);
  if (vmo.source !== null && !hasZeroRunRoom(k)) refuse(Status.ERR_NO_MEMORY);
}

/**
 * Makes sure that whole pages can be taken away, and so many made where they go. A clone takes copies of what it shows
 * of its lender.
 */
export function requireTake(k: Kernel, range: VmoRange, made: number): void {
  const { vmo, offset } = range;
  const length = Math.min(range.length, vmo.lenderBytes - offset);
  if (length <= 0) return;
  requireMemory(k, 2 * missingPages({ vmo, offset, length }) + made);
  requirePages(k, range, 'read');
}

/** Numbers of the first page that is in a range as a whole, and of the one behind the last. */
function wholePages({ offset, length }: VmoRange): { first: number; end: number } {
  return { first: Math.ceil(offset / PAGE_SIZE), end: Math.floor((offset + length) / PAGE_SIZE) };
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

/** Whether the page that a range begins in is known to be zero. */
function isZero(k: Kernel, { vmo, offset }: VmoRange): boolean {
  const page = Math.floor(offset / PAGE_SIZE);
  return isThere(k.state, vmo, page) && pageForRead(k.state, vmo, page) === ZERO_PAGE;
}

/** Makes bytes read as zeros: whole pages are given back, parts of pages that are there are written. */
export function zeroRange(m: Decider, range: VmoRange): void {
  const { vmo } = range;
  for (const part of partialPages(range)) {
    if (isZero(m.k, part)) continue;
    const bytes = new Uint8Array(part.length);
    m.emit({ type: 'vmo-written', vmo: vmo.koid, offset: part.offset, bytes });
  }
  const { first, end } = wholePages(range);
  let from = first;
  for (const page of pinnedPages(m.k, vmo, first, end)) {
    dropRange(m, vmo, from, page);
    const bytes = new Uint8Array(PAGE_SIZE);
    m.emit({ type: 'vmo-written', vmo: vmo.koid, offset: page * PAGE_SIZE, bytes });
    from = page + 1;
  }
  dropRange(m, vmo, from, end);
}

function dropRange(m: Decider, { koid }: VmoState, first: number, end: number): void {
  const vmo = m.k.get(koid, 'vmo');
  const isHeld = (vmo.pages.ceiling(first)?.[0] ?? end) < end;
  if (end <= first || !(isHeld || vmo.source !== null || first < lentEnd(vmo, end))) return;
  const wanted = [...absentRuns(vmo, first, end)];
  m.emit({ type: 'vmo-pages-dropped', vmo: vmo.koid, page: first, count: end - first });
  for (const run of wanted) settlePages(m, vmo.koid, ['read'], run);
}

/** Writes what the kernel itself keeps in a VMO's memory; refuses with NO_MEMORY before anything is written. */
export function writeMemory(
  { k, m }: { readonly k: Kernel; readonly m: Decider },
  koid: number,
  writes: readonly { readonly offset: number; readonly bytes: Uint8Array }[],
): void {
  const vmo = k.get(koid, 'vmo');
  const missing = writes.map(({ offset, bytes }) => missingPages({ vmo, offset, length: bytes.length }));
  requireMemory(
    k,
    missing.reduce((sum, pages) => sum + pages, 0),
  );
  for (const { offset, bytes } of writes) {
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done;
      const part = bytes.slice(done, done + PAGE_SIZE - (at % PAGE_SIZE));
      m.emit({ type: 'vmo-written', vmo: koid, offset: at, bytes: part });
      done += part.length;
    }
  }
}
