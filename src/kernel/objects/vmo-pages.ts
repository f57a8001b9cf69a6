import type { IntMap } from '../../base/int-map.js';
import { PAGE_SIZE, Page, ZERO_PAGE } from '../../memory/page.js';
import type { Kernel } from './kernel.js';
import type { KernelObject } from './object.js';
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

/** The page for reading, by number in the VMO; the zero page where nothing was written. */
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
  const vmo = k.get(vmoKoid, 'vmo');
  const page = vmo.pages.get(pageNumber);
  if (page !== undefined && page.owner === k.owner) return page;
  const before = pageForRead(k.state, vmo, pageNumber);
  const fresh = before === ZERO_PAGE ? Page.zeroed(k.owner) : before.copy(k.owner);
  k.update(vmoKoid, 'vmo', (v) => {
    v.pages = v.pages.set(pageNumber, fresh, k.owner);
  });
  if (page === undefined) k.state.committedPages++;
  k.memoryGeneration++;
  return fresh;
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
