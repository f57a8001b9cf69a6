import type { IntMap, Leaf } from '../../base/int-map.js';
import { PAGE_SIZE, Page, ZERO_PAGE } from '../../memory/page.js';
import type { Kernel } from './kernel.js';
import type { KernelObject } from './object.js';
import { entriesIn, isAbsent, type PageSource, streamEnd, written, zeroed } from './page-source.js';
import type { Mapping } from './vmar.js';
import type { VmoState } from './vmo.js';

/** Where VMOs are looked up: a cursor's state or a snapshot. */
interface Objects {
  readonly objects: IntMap<KernelObject>;
}

/** Bytes of memory by the VMO that holds them: never a slice or a reference, which hold none. */
export interface Place {
  readonly vmo: VmoState;
  readonly offset: number;
}

function lenderOf({ objects }: Objects, { lender }: VmoState): VmoState {
  return objects.get(lender) as VmoState;
}

/** The VMO whose size and stream size it has: a reference is another name of what it refers to. */
export function memoryOf(state: Objects, vmo: VmoState): VmoState {
  return vmo.childKind === 'reference' ? lenderOf(state, vmo) : vmo;
}

/** Where an offset of a VMO is held. It need not lie inside the VMO. */
export function placeOf(state: Objects, vmo: VmoState, offset: number): Place {
  if (vmo.childKind !== 'slice' && vmo.childKind !== 'reference') return { vmo, offset };
  return { vmo: lenderOf(state, vmo), offset: vmo.lenderOffset + offset };
}

/** Where the byte at an address in a mapping is held; null past the end of what it shows. */
export function placeBehind(k: Kernel, mapping: Mapping, address: number): Place | null {
  const vmo = k.get(mapping.vmo, 'vmo');
  const offset = mapping.vmoOffset + (address - mapping.base);
  if (mapping.endsWithStream) {
    const { contentSizeBytes } = memoryOf(k.state, vmo);
    if (offset >= Math.ceil(contentSizeBytes / PAGE_SIZE) * PAGE_SIZE) return null;
  }
  return placeInside(k.state, vmo, offset);
}

/** As `placeOf`, null past the VMO's end. */
export function placeInside(state: Objects, vmo: VmoState, offset: number): Place | null {
  return offset < memoryOf(state, vmo).sizeBytes ? placeOf(state, vmo, offset) : null;
}

/** Whether a page can be read: else its pager has to be asked for it. */
export function isThere(state: Objects, vmo: VmoState, pageNumber: number): boolean {
  if (vmo.source !== null) return !isAbsent(vmo, pageNumber);
  if (pageNumber * PAGE_SIZE >= vmo.lenderBytes || vmo.pages.has(pageNumber)) return true;
  return isThere(state, lenderOf(state, vmo), pageNumber + vmo.lenderOffset / PAGE_SIZE);
}

/** Whether a page that is there can be written: else its pager has to be asked before. */
export function isWritable({ source }: VmoState, pageNumber: number): boolean {
  return source === null || !source.trapsDirty || source.dirty.get(pageNumber) === 'dirty';
}

/** The page for reading, by number in the VMO; the zero page where nothing was written, or nothing is there. */
export function pageForRead(state: Objects, vmo: VmoState, pageNumber: number): Page {
  const own = vmo.pages.get(pageNumber);
  if (own !== undefined) return own;
  if (pageNumber * PAGE_SIZE >= vmo.lenderBytes) return ZERO_PAGE;
  return pageForRead(state, lenderOf(state, vmo), pageNumber + vmo.lenderOffset / PAGE_SIZE);
}

/**
 * The page to write in place until the next epoch: made, or copied, when need be. Caches that may hold the old
 * page are told through `memoryGeneration`.
 * @param vmoKoid from `placeOf`
 */
export function pageForWrite(k: Kernel, vmoKoid: number, pageNumber: number): Page {
  return pageOfVmoForWrite(k, k.get(vmoKoid, 'vmo'), pageNumber);
}

/** The same for a VMO as it is now. */
export function pageOfVmoForWrite(k: Kernel, vmo: VmoState, pageNumber: number): Page {
  const { source } = vmo;
  const page = vmo.pages.get(pageNumber);
  const known = source === null || (source.modified && source.dirty.get(pageNumber) === 'dirty');
  if (page !== undefined && page.owner === k.owner && known) return page;
  const before = page ?? pageForRead(k.state, vmo, pageNumber);
  const fresh = before === ZERO_PAGE ? Page.zeroed(k.owner) : before.copy(k.owner);
  fresh.exclusive = true;
  if (page !== undefined) k.deadPages.replaced(page);
  if (source !== null && !known) setSource(k, vmo.koid, written(source, pageNumber, pageNumber + 1, k.owner));
  setPage(k, vmo.koid, pageNumber, fresh, page === undefined);
  return fresh;
}

/**
 * Copies of pages of a VMO without a source are in their places: to be written until the next epoch.
 * @param pageNumbers they ascend
 */
export function renewPages(
  k: Kernel,
  vmo: VmoState,
  pageNumbers: readonly number[],
  pages: readonly Page[],
  copies: readonly Page[],
): void {
  for (const page of pages) k.deadPages.replaced(page);
  for (const copy of copies) copy.exclusive = true;
  k.update(vmo.koid, 'vmo', (v) => {
    v.pages = v.pages.setAll(pageNumbers, copies, k.owner);
  });
  k.memoryGeneration += copies.length;
}

/** Pages of a VMO without a source are others, in their places. */
export function replaceLeaves(k: Kernel, vmo: VmoState, leaves: readonly Leaf[]): void {
  k.update(vmo.koid, 'vmo', (v) => {
    v.pages = v.pages.withLeaves(leaves, k.owner);
  });
  for (const [, { slots }] of leaves) k.memoryGeneration += slots.length;
}

/** A page of a VMO that nobody has: it is not held yet, has no source, and nobody lends it. */
export function newPage(k: Kernel, vmo: VmoState, pageNumber: number): Page {
  const fresh = Page.zeroed(k.owner);
  fresh.exclusive = true;
  setPage(k, vmo.koid, pageNumber, fresh, true);
  return fresh;
}

/** As `newPage` for each of the numbers, which ascend. */
export function newPages(k: Kernel, vmo: VmoState, pageNumbers: readonly number[]): Page[] {
  const made: Page[] = [];
  for (let i = 0; i < pageNumbers.length; i++) {
    const fresh = Page.zeroed(k.owner);
    fresh.exclusive = true;
    made.push(fresh);
  }
  k.update(vmo.koid, 'vmo', (v) => {
    v.pages = v.pages.setAll(pageNumbers, made, k.owner);
  });
  k.state.committedPages += made.length;
  k.memoryGeneration += made.length;
  return made;
}

/** A VMO has another page, or a new one. */
export function setPage(k: Kernel, vmoKoid: number, pageNumber: number, page: Page, isNew: boolean): void {
  k.update(vmoKoid, 'vmo', (vmo) => {
    vmo.pages = vmo.pages.set(pageNumber, page, k.owner);
  });
  if (isNew) k.state.committedPages++;
  k.memoryGeneration++;
}

export function setSource(k: Kernel, vmoKoid: number, source: PageSource): void {
  const before = k.get(vmoKoid, 'vmo').source?.zeros.size ?? 0;
  k.update(vmoKoid, 'vmo', (vmo) => {
    vmo.source = source;
  });
  k.state.zeroRuns += source.zeros.size - before;
}

/** Makes pages not be held. */
export function dropPages(k: Kernel, vmoKoid: number, first: number, end: number): void {
  const dropped = entriesIn(k.get(vmoKoid, 'vmo').pages, first, end);
  if (dropped.length === 0) return;
  k.update(vmoKoid, 'vmo', (v) => {
    for (const [number] of dropped) v.pages = v.pages.delete(number, k.owner);
  });
  k.state.committedPages -= dropped.length;
  k.memoryGeneration++;
}

/** The page behind the last one of a range that shows a lender's. */
export function lentEnd({ lenderBytes }: VmoState, end: number): number {
  return Math.min(end, Math.ceil(lenderBytes / PAGE_SIZE));
}

/** Makes pages zero pages. */
export function zeroPages(k: Kernel, vmoKoid: number, first: number, end: number): void {
  dropPages(k, vmoKoid, first, end);
  const vmo = k.get(vmoKoid, 'vmo');
  if (vmo.source !== null) {
    setSource(k, vmoKoid, zeroed(vmo.source, first, end, streamEnd(vmo), k.owner));
    k.memoryGeneration++;
  }
  let { pages } = vmo;
  for (let number = first; number < lentEnd(vmo, end); number++) {
    pages = pages.set(number, ZERO_PAGE, k.owner);
  }
  if (pages.size === vmo.pages.size) return;
  k.state.committedPages += pages.size - vmo.pages.size;
  k.update(vmoKoid, 'vmo', (v) => {
    v.pages = pages;
  });
  k.memoryGeneration++;
}

/** Takes pages away from a VMO, which has zeros there then. */
export function takePages(
  k: Kernel,
  vmoKoid: number,
  first: number,
  count: number,
): (readonly [number, Page])[] {
  const end = first + count;
  const vmo = k.get(vmoKoid, 'vmo');
  const taken = entriesIn(vmo.pages, first, end);
  for (let number = first; number < lentEnd(vmo, end); number++) {
    const page = pageForRead(k.state, vmo, number);
    if (page !== ZERO_PAGE && !vmo.pages.has(number)) taken.push([number, page.copy(k.owner)]);
  }
  zeroPages(k, vmoKoid, first, end);
  return taken;
}

/** Bytes of a VMO; the range must lie inside it. */
export function readVmo(state: Objects, vmo: VmoState, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const at = offset + done;
    const inPage = at % PAGE_SIZE;
    const count = Math.min(length - done, PAGE_SIZE - inPage);
    const page = pageForRead(state, vmo, Math.floor(at / PAGE_SIZE));
    if (page !== ZERO_PAGE) out.set(page.bytes.subarray(inPage, inPage + count), done);
    done += count;
  }
  return out;
}
