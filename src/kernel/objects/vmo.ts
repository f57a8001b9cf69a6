import { Signal } from '../../abi/signals.js';
import { CachePolicy } from '../../abi/vm.js';
import { IntMap } from '../../base/int-map.js';
import { PAGE_SIZE, Page, ZERO_PAGE } from '../../memory/page.js';
import { heldCharge } from './held-charge.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

/** The largest VMO: how far offsets go is private to a kernel; here, as far as numbers stay exact. */
export const MAX_VMO_BYTES = 2 ** 52;

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
  /** How many of them each process has. */
  readonly mappingsByProcess: IntMap<number>;
  /** 0, or the VMO it is a child of: the nearest ancestor that still lives. */
  readonly parent: number;
  readonly childKind: 'none' | 'snapshot';
  readonly children: IntMap<true>;
  /** The vDSO's image: where its code is, the only part of it that may be mapped executable. Size 0: it is none. */
  readonly vdsoCodeOffset: number;
  readonly vdsoCodeSizeBytes: number;
  /** ZX_CACHE_POLICY_*. */
  readonly cachePolicy: number;
  /** ZX_VMO_DISCARDABLE. Nothing is ever discarded, because memory is never reclaimed. */
  readonly discardable: boolean;
  /** ZX_VMO_OP_LOCK less ZX_VMO_OP_UNLOCK. */
  readonly locks: number;
}

export interface VmoEvents {
  'vmo-created': {
    koid: number;
    sizeBytes: number;
    contentSizeBytes: number;
    resizable: boolean;
    discardable: boolean;
    name: string;
    vdsoCodeOffset: number;
    vdsoCodeSizeBytes: number;
  };
  /** A copy-on-write child: it shares what the parent has there now. */
  'vmo-child-created': {
    koid: number;
    parent: number;
    offset: number;
    sizeBytes: number;
    contentSizeBytes: number;
    resizable: boolean;
    name: string;
  };
  'vmo-resized': { koid: number; sizeBytes: number; contentSizeBytes: number };
  'vmo-content-size-set': { koid: number; contentSizeBytes: number };
  'vmo-cache-policy-set': { koid: number; policy: number };
  'vmo-locks-changed': { koid: number; locks: number };
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
  /** Of these pages, those that were not there are there now, zero-filled. */
  'vmo-pages-committed': { vmo: number; page: number; count: number };
  'object-destroyed': { koid: number };
}

export const vmoReducers: Reducers<VmoEvents> = {
  'vmo-created': (k, e) => {
    k.create({
      kind: 'vmo',
      ...newObject(e.koid, Signal.VMO_ZERO_CHILDREN, IntMap.empty()),
      name: e.name,
      sizeBytes: e.sizeBytes,
      contentSizeBytes: e.contentSizeBytes,
      resizable: e.resizable,
      pages: IntMap.empty(),
      mappings: 0,
      mappingsByProcess: IntMap.empty(),
      parent: 0,
      childKind: 'none',
      children: IntMap.empty(),
      vdsoCodeOffset: e.vdsoCodeOffset,
      vdsoCodeSizeBytes: e.vdsoCodeSizeBytes,
      cachePolicy: CachePolicy.CACHED,
      discardable: e.discardable,
      locks: 0,
    });
  },
  'vmo-child-created': (k, e) => {
    // Both sides hold the same pages from here on, so neither may write them in place.
    k.newEpoch();
    const pages = sharedPages(k, k.get(e.parent, 'vmo'), e.offset, e.sizeBytes);
    k.create({
      kind: 'vmo',
      ...newObject(e.koid, Signal.VMO_ZERO_CHILDREN, IntMap.empty()),
      name: e.name,
      sizeBytes: e.sizeBytes,
      contentSizeBytes: e.contentSizeBytes,
      resizable: e.resizable,
      pages,
      mappings: 0,
      mappingsByProcess: IntMap.empty(),
      parent: e.parent,
      childKind: 'snapshot',
      children: IntMap.empty(),
      vdsoCodeOffset: 0,
      vdsoCodeSizeBytes: 0,
      cachePolicy: CachePolicy.CACHED,
      discardable: false,
      locks: 0,
    });
    k.state.committedPages += pages.size;
    k.update(e.parent, 'vmo', (vmo) => {
      vmo.children = vmo.children.set(e.koid, true, k.owner);
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
  'vmo-locks-changed': (k, e) => {
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.locks = e.locks;
    });
  },
  'vmo-written': (k, e) => writePage(k, e.vmo, e.offset, e.bytes),
  'user-memory-written': (k, e) => writePage(k, e.vmo, e.offset, e.bytes),
  'vmo-pages-dropped': (k, e) => dropPages(k, e.vmo, e.page, e.count),
  'vmo-pages-committed': (k, e) => {
    const before = k.get(e.vmo, 'vmo').pages;
    let pages = before;
    for (let number = e.page; number < e.page + e.count; number++) {
      if (!pages.has(number)) pages = pages.set(number, ZERO_PAGE, k.owner);
    }
    const added = pages.size - before.size;
    k.update(e.vmo, 'vmo', (vmo) => {
      vmo.pages = pages;
    });
    k.state.committedPages += added;
  },
  'object-destroyed': (k, e) => {
    const object = k.find(e.koid);
    if (object?.kind === 'vmo') leaveFamily(k, object);
    if (object !== undefined) k.state.messageBytes -= heldCharge(object);
    k.remove(e.koid);
  },
};

/** What a child at this range of its parent has in common with it. */
function sharedPages(k: Kernel, parent: VmoState, offset: number, sizeBytes: number): IntMap<Page> {
  if (offset === 0 && sizeBytes >= parent.sizeBytes) return parent.pages;
  const first = offset / PAGE_SIZE;
  const end = first + sizeBytes / PAGE_SIZE;
  let pages = IntMap.empty<Page>();
  for (const [number, page] of parent.pages.entries(first)) {
    if (number >= end) break;
    pages = pages.set(number - first, page, k.owner);
  }
  return pages;
}

/** A VMO goes: its children are its parent's now (they hold their own pages), its pages are free. */
function leaveFamily(k: Kernel, vmo: VmoState): void {
  const { koid, parent, children } = vmo;
  k.state.committedPages -= vmo.pages.size;
  for (const child of children.keys()) {
    k.update(child, 'vmo', (c) => {
      c.parent = parent;
      if (parent === 0) c.childKind = 'none';
    });
  }
  if (parent === 0) return;
  k.update(parent, 'vmo', (p) => {
    let family = p.children.delete(koid, k.owner);
    for (const child of children.keys()) family = family.set(child, true, k.owner);
    p.children = family;
  });
}

/** The page for reading; the zero page where nothing was written. */
export function pageForRead(vmo: VmoState, pageNumber: number): Page {
  return vmo.pages.get(pageNumber) ?? ZERO_PAGE;
}

/**
 * The page to write in place until the next epoch: made, or copied, when need be. Caches that may hold the old
 * page are told through `memoryGeneration`.
 */
export function pageForWrite(k: Kernel, vmoKoid: number, pageNumber: number): Page {
  const vmo = k.get(vmoKoid, 'vmo');
  const page = vmo.pages.get(pageNumber);
  if (page !== undefined && page.owner === k.owner) return page;
  const fresh = page === undefined ? Page.zeroed(k.owner) : page.copy(k.owner);
  k.update(vmoKoid, 'vmo', (v) => {
    v.pages = v.pages.set(pageNumber, fresh, k.owner);
  });
  if (page === undefined) k.state.committedPages++;
  k.memoryGeneration++;
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
