import { IntMap } from '../../base/int-map.js';
import { PAGE_SHIFT, PAGE_SIZE, Page, ZERO_PAGE } from '../../memory/page.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import { PACKET_CHARGE } from './port.js';
import type { Reducers } from './reducer.js';

export interface VmoState extends ObjectBase {
  readonly kind: 'vmo';
  readonly name: string;
  /** A multiple of the page size. */
  readonly sizeBytes: number;
  /** ZX_PROP_VMO_CONTENT_SIZE, bytes. */
  readonly contentSizeBytes: number;
  readonly resizable: boolean;
  /** Pages that were written, by page number; the others read as zeros. */
  readonly pages: IntMap<Page>;
  /** Mappings of it, in all address spaces. */
  readonly mappings: number;
  /** 0, or the VMO it is a child of (which lives as long as its children). */
  readonly parent: number;
  readonly childKind: 'none' | 'snapshot';
  readonly children: number;
  /** The vDSO's image: may be mapped executable only as the kernel says. */
  readonly isVdso: boolean;
  readonly cachePolicy: number;
}

export interface VmoEvents {
  'vmo-created': {
    koid: number;
    sizeBytes: number;
    contentSizeBytes: number;
    resizable: boolean;
    name: string;
    isVdso: boolean;
  };
  /** A copy-on-write child: it shares what the parent has there now. */
  'vmo-child-created': {
    koid: number;
    parent: number;
    offset: number;
    sizeBytes: number;
    resizable: boolean;
    signals: number;
  };
  'vmo-child-removed': { parent: number };
  'vmo-resized': { koid: number; sizeBytes: number; contentSizeBytes: number };
  'vmo-content-size-set': { koid: number; contentSizeBytes: number };
  'vmo-cache-policy-set': { koid: number; policy: number };
  /** Bytes a system call or the loader put into a VMO; all inside one page. */
  'vmo-written': { vmo: number; offset: number; bytes: Uint8Array };
  /** As `vmo-written`, through an address of a process: what the kernel wrote to user memory. */
  'user-memory-written': {
    process: number;
    thread: number;
    address: number;
    vmo: number;
    offset: number;
    bytes: Uint8Array;
  };
  /** Whole pages became zero pages again; page numbers, `count` pages. */
  'vmo-pages-dropped': { vmo: number; page: number; count: number };
  /** Pages that were not there are there now, zero-filled. */
  'vmo-pages-committed': { vmo: number; page: number; count: number };
  'object-destroyed': { koid: number };
}

export const vmoReducers: Reducers<VmoEvents> = {
  'vmo-created': (k, e) => {
    k.create({
      kind: 'vmo',
      ...newObject(e.koid, 0, IntMap.empty()),
      name: e.name,
      sizeBytes: e.sizeBytes,
      contentSizeBytes: e.contentSizeBytes,
      resizable: e.resizable,
      pages: IntMap.empty(),
      mappings: 0,
      parent: 0,
      childKind: 'none',
      children: 0,
      isVdso: e.isVdso,
      cachePolicy: 0,
    });
  },
  'vmo-child-created': (k, e) => {
    // Both sides hold the same pages from here on, so neither may write them in place.
    k.newEpoch();
    const parent = k.get(e.parent, 'vmo');
    const first = e.offset >>> PAGE_SHIFT;
    const count = e.sizeBytes / PAGE_SIZE;
    let pages = first === 0 && e.sizeBytes >= parent.sizeBytes ? parent.pages : IntMap.empty<Page>();
    if (pages !== parent.pages) {
      for (const [number, page] of parent.pages.entries(first)) {
        if (number >= first + count) break;
        pages = pages.set(number - first, page, k.owner);
      }
    }
    k.create({
      ...parent,
      ...newObject(e.koid, e.signals, IntMap.empty()),
      sizeBytes: e.sizeBytes,
      contentSizeBytes: e.sizeBytes,
      resizable: e.resizable,
      pages,
      mappings: 0,
      parent: e.parent,
      childKind: 'snapshot',
      children: 0,
    });
    k.state.committedPages += pages.size;
    k.update(e.parent, 'vmo', (vmo) => {
      vmo.children++;
    });
  },
  'vmo-child-removed': (k, e) => {
    k.update(e.parent, 'vmo', (vmo) => {
      vmo.children--;
    });
  },
  'vmo-resized': (k, e) => {
    const old = k.get(e.koid, 'vmo');
    const keep = e.sizeBytes / PAGE_SIZE;
    dropPages(k, e.koid, keep, Math.max(0, old.sizeBytes / PAGE_SIZE - keep));
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.sizeBytes = e.sizeBytes;
      vmo.contentSizeBytes = e.contentSizeBytes;
    });
    k.memoryGeneration++;
  },
  'vmo-content-size-set': (k, e) => {
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.contentSizeBytes = e.contentSizeBytes;
    });
  },
  'vmo-cache-policy-set': (k, e) => {
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.cachePolicy = e.policy;
    });
  },
  'vmo-written': (k, e) => writePage(k, e.vmo, e.offset, e.bytes),
  'user-memory-written': (k, e) => writePage(k, e.vmo, e.offset, e.bytes),
  'vmo-pages-dropped': (k, e) => dropPages(k, e.vmo, e.page, e.count),
  'vmo-pages-committed': (k, e) => {
    for (let i = 0; i < e.count; i++) pageForWrite(k, e.vmo, e.page + i);
  },
  'object-destroyed': (k, e) => {
    const object = k.find(e.koid);
    if (object?.kind === 'vmo') k.state.committedPages -= object.pages.size;
    if (object?.kind === 'port') k.state.messageBytes -= PACKET_CHARGE * object.packets.size;
    k.remove(e.koid);
  },
};

/** The page for reading; the zero page where nothing was written. */
export function pageForRead(vmo: VmoState, pageNumber: number): Page {
  return vmo.pages.get(pageNumber) ?? ZERO_PAGE;
}

/**
 * The page to write in place until the next epoch: made, or copied, when need be. Caches that may hold the old
 * page are told through `memoryGeneration`; a view with the only mapping of the VMO may pass `soleMapper`, because
 * it replaces its own entry.
 */
export function pageForWrite(k: Kernel, vmoKoid: number, pageNumber: number, soleMapper = false): Page {
  const vmo = k.get(vmoKoid, 'vmo');
  const page = vmo.pages.get(pageNumber);
  if (page !== undefined && page.owner === k.owner) return page;
  const fresh = page === undefined ? Page.zeroed(k.owner) : page.copy(k.owner);
  k.update(vmoKoid, 'vmo', (v) => {
    v.pages = v.pages.set(pageNumber, fresh, k.owner);
  });
  if (page === undefined) k.state.committedPages++;
  if (!soleMapper || vmo.mappings !== 1) k.memoryGeneration++;
  return fresh;
}

function writePage(k: Kernel, vmo: number, offset: number, bytes: Uint8Array): void {
  const page = pageForWrite(k, vmo, Math.floor(offset / PAGE_SIZE));
  page.bytes.set(bytes, offset % PAGE_SIZE);
  page.code = null;
}

function dropPages(k: Kernel, vmoKoid: number, first: number, count: number): void {
  const vmo = k.get(vmoKoid, 'vmo');
  const numbers: number[] = [];
  for (const [number] of vmo.pages.entries(first)) {
    if (number >= first + count) break;
    numbers.push(number);
  }
  if (numbers.length === 0) return;
  k.update(vmoKoid, 'vmo', (v) => {
    for (const number of numbers) v.pages = v.pages.delete(number, k.owner);
  });
  k.state.committedPages -= numbers.length;
  k.memoryGeneration++;
}

/** Bytes of a VMO; the range must lie inside it. */
export function readVmo(vmo: VmoState, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const at = offset + done;
    const inPage = at % PAGE_SIZE;
    const count = Math.min(length - done, PAGE_SIZE - inPage);
    const page = vmo.pages.get(Math.floor(at / PAGE_SIZE));
    if (page !== undefined) out.set(page.bytes.subarray(inPage, inPage + count), done);
    done += count;
  }
  return out;
}
