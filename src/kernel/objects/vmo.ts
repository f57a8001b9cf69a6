import { Signal } from '../../abi/signals.js';
import { CachePolicy } from '../../abi/vm.js';
import { IntMap } from '../../base/int-map.js';
import { PAGE_SIZE, type Page, ZERO_PAGE } from '../../memory/page.js';
import { sharedPage } from '../../memory/shared-pages.js';
import { heldCharge, heldVmos } from './belongings.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import { cutAt, entriesIn, type PageSource, streamEnd, streamMoved, written } from './page-source.js';
import type { Reducers } from './reducer.js';
import {
  dropPages,
  pageForRead,
  pageForWrite,
  setPage,
  setSource,
  takePages,
  zeroPages,
} from './vmo-pages.js';

/** The largest VMO: how far offsets go is private to a kernel; here, as far as numbers stay exact. */
export const MAX_VMO_BYTES = 2 ** 52;

export interface VmoState extends ObjectBase {
  readonly kind: 'vmo';
  readonly name: string;
  /** A multiple of the page size. Of a reference: 0, ask `memoryOf` for this and the next. */
  readonly sizeBytes: number;
  /** ZX_PROP_VMO_CONTENT_SIZE, bytes. */
  readonly contentSizeBytes: number;
  readonly resizable: boolean;
  /** Pages it holds, by page number. Where there is none, the lender's shows, or it reads as zeros. */
  readonly pages: IntMap<Page>;
  /** Mappings of it, in all address spaces. */
  readonly mappings: number;
  /** How many of them each process has. */
  readonly mappingsByProcess: IntMap<number>;
  /** Objects of other kinds that keep it: streams over it, the clock or the IO buffer that it is part of. */
  readonly holders: IntMap<true>;
  /** 0, or the VMO it is a child of: the nearest ancestor that still lives. */
  readonly parent: number;
  readonly childKind: 'none' | ChildKind;
  readonly children: IntMap<true>;
  /**
   * 0, or the VMO that lends it pages: a slice or a reference has no others. Lenders have no lender themselves, and
   * stay while anybody borrows, without handles, mappings and family if need be.
   */
  readonly lender: number;
  /** Where the lender's pages begin to show, and as many bytes of them; both 0 without one. */
  readonly lenderOffset: number;
  readonly lenderBytes: number;
  readonly borrowers: IntMap<true>;
  /** Its user pager; null for most, whose pages are zero at first. */
  readonly source: PageSource | null;
  /** The vDSO's image: where its code is, the only part of it that may be mapped executable. Size 0: it is none. */
  readonly vdsoCodeOffset: number;
  readonly vdsoCodeSizeBytes: number;
  /** ZX_CACHE_POLICY_*. */
  readonly cachePolicy: number;
  /** ZX_VMO_DISCARDABLE. Nothing is ever discarded, because memory is never reclaimed. */
  readonly discardable: boolean;
  /** Whether it was made to hold a thread's restricted state, and does. The pages of such a VMO stay. */
  readonly restrictedState: 'none' | 'bound' | 'unbound';
  /** ZX_VMO_OP_LOCK less ZX_VMO_OP_UNLOCK. */
  readonly locks: number;
  /** ZX_INFO_VMO_IMMUTABLE: a snapshot that was made never to be written. */
  readonly immutable: boolean;
}

export type ChildKind = 'snapshot' | 'slice' | 'reference';

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
  /** It begins with the pages that `from` (0: nobody) has in its range from `fromOffset` on. */
  'vmo-child-created': {
    koid: number;
    parent: number;
    childKind: ChildKind;
    from: number;
    fromOffset: number;
    lender: number;
    lenderOffset: number;
    lenderBytes: number;
    sizeBytes: number;
    contentSizeBytes: number;
    resizable: boolean;
    immutable: boolean;
    name: string;
  };
  /** It has neither handles nor mappings any more, but somebody borrows its pages: its children are its parent's now. */
  'vmo-left-family': { koid: number };
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
  /** Whole pages changed places; those that were there before are gone, and where they came from there are zeros. */
  'vmo-pages-moved': { from: number; fromPage: number; to: number; toPage: number; count: number };
  /** Of these pages, those that were not there are there now, zero-filled. */
  'vmo-pages-committed': { vmo: number; page: number; count: number };
  'object-destroyed': { koid: number };
}

export const vmoReducers: Reducers<VmoEvents> = {
  'vmo-created': (k, e) => {
    k.create({
      ...newVmo(e),
      discardable: e.discardable,
      vdsoCodeOffset: e.vdsoCodeOffset,
      vdsoCodeSizeBytes: e.vdsoCodeSizeBytes,
    });
  },
  'vmo-child-created': (k, e) => {
    let pages = IntMap.empty<Page>();
    // Its parent may not be written any more without others to be told.
    k.memoryGeneration++;
    if (e.from !== 0) {
      // Both sides hold the same pages from here on, so neither may write them in place.
      k.newEpoch();
      pages = sharedPages(k, k.get(e.from, 'vmo'), e.fromOffset, e.sizeBytes);
      for (const [, page] of pages.entries()) page.exclusive = false;
    }
    const { parent, childKind, lender, lenderOffset, lenderBytes, immutable } = e;
    k.create({ ...newVmo(e), pages, parent, childKind, lender, lenderOffset, lenderBytes, immutable });
    k.state.committedPages += pages.size;
    k.update(parent, 'vmo', (vmo) => {
      vmo.children = vmo.children.set(e.koid, true, k.owner);
    });
    if (lender === 0) return;
    k.update(lender, 'vmo', (vmo) => {
      vmo.borrowers = vmo.borrowers.set(e.koid, true, k.owner);
    });
  },
  'vmo-left-family': (k, e) => {
    leaveFamily(k, k.get(e.koid, 'vmo'));
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.parent = 0;
      if (vmo.childKind === 'snapshot') vmo.childKind = 'none';
      vmo.children = IntMap.empty();
      vmo.signals |= Signal.VMO_ZERO_CHILDREN;
    });
  },
  'vmo-resized': (k, e) => {
    const old = k.get(e.koid, 'vmo');
    const endBefore = streamEnd(old);
    const keep = e.sizeBytes / PAGE_SIZE;
    dropPages(k, e.koid, keep, Math.max(keep, old.sizeBytes / PAGE_SIZE));
    if (old.source !== null) setSource(k, e.koid, cutAt(old.source, keep, k.owner));
    for (const borrower of old.borrowers.keys()) showLess(k, borrower, e.sizeBytes);
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.sizeBytes = e.sizeBytes;
      vmo.contentSizeBytes = e.contentSizeBytes;
      vmo.lenderBytes = Math.min(vmo.lenderBytes, e.sizeBytes);
    });
    moveStream(k, e.koid, endBefore);
    k.memoryGeneration++;
  },
  'vmo-content-size-set': (k, e) => {
    const endBefore = streamEnd(k.get(e.koid, 'vmo'));
    k.update(e.koid, 'vmo', (vmo) => {
      vmo.contentSizeBytes = e.contentSizeBytes;
    });
    moveStream(k, e.koid, endBefore);
    k.memoryGeneration++;
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
  'vmo-pages-dropped': (k, e) => zeroPages(k, e.vmo, e.page, e.page + e.count),
  'vmo-pages-moved': (k, e) => {
    const moved = takePages(k, e.from, e.fromPage, e.count);
    zeroPages(k, e.to, e.toPage, e.toPage + e.count);
    const before = k.get(e.to, 'vmo').pages.size;
    k.update(e.to, 'vmo', (vmo) => {
      for (const [number, page] of moved) {
        vmo.pages = vmo.pages.set(number - e.fromPage + e.toPage, page, k.owner);
      }
    });
    k.state.committedPages += k.get(e.to, 'vmo').pages.size - before;
    k.memoryGeneration++;
  },
  'vmo-pages-committed': (k, e) => {
    const vmo = k.get(e.vmo, 'vmo');
    let { pages } = vmo;
    for (let number = e.page; number < e.page + e.count; number++) {
      if (pages.has(number)) continue;
      const page = pageForRead(k.state, vmo, number);
      pages = pages.set(number, page === ZERO_PAGE ? page : page.copy(k.owner), k.owner);
    }
    const added = pages.size - vmo.pages.size;
    k.update(e.vmo, 'vmo', (v) => {
      v.pages = pages;
    });
    if (added === 0) return;
    k.state.committedPages += added;
    // Pages that were lent are written in place from now on.
    k.memoryGeneration++;
    if (vmo.source === null) return;
    // What the pager does not have is as good as written.
    for (let number = e.page; number < e.page + e.count; number++) {
      if (vmo.pages.has(number)) continue;
      const source = k.get(e.vmo, 'vmo').source as PageSource;
      setSource(k, e.vmo, written(source, number, number + 1, k.owner));
    }
  },
  'object-destroyed': (k, e) => {
    const object = k.find(e.koid);
    if (object?.kind === 'vmo') {
      leaveFamily(k, object);
      returnPages(k, object);
    }
    if (object !== undefined) {
      k.state.messageBytes -= heldCharge(object);
      for (const vmo of heldVmos(object)) letGoOfVmo(k, vmo, e.koid);
    }
    k.remove(e.koid);
  },
};

/** A VMO that is nobody's child and holds nothing. */
function newVmo(
  e: Pick<VmoState, 'koid' | 'name' | 'sizeBytes' | 'contentSizeBytes' | 'resizable'>,
): VmoState {
  return {
    kind: 'vmo',
    ...newObject(e.koid, Signal.VMO_ZERO_CHILDREN, IntMap.empty()),
    name: e.name,
    sizeBytes: e.sizeBytes,
    contentSizeBytes: e.contentSizeBytes,
    resizable: e.resizable,
    pages: IntMap.empty(),
    mappings: 0,
    mappingsByProcess: IntMap.empty(),
    holders: IntMap.empty(),
    parent: 0,
    childKind: 'none',
    children: IntMap.empty(),
    lender: 0,
    lenderOffset: 0,
    lenderBytes: 0,
    borrowers: IntMap.empty(),
    source: null,
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: 0,
    cachePolicy: CachePolicy.CACHED,
    discardable: false,
    restrictedState: 'none',
    locks: 0,
    immutable: false,
  };
}

/** An object that is made keeps the VMO from now on. */
export function holdVmo(k: Kernel, vmoKoid: number, holder: number): void {
  k.update(vmoKoid, 'vmo', (vmo) => {
    vmo.holders = vmo.holders.set(holder, true, k.owner);
  });
}

export function letGoOfVmo(k: Kernel, vmoKoid: number, holder: number): void {
  k.update(vmoKoid, 'vmo', (vmo) => {
    vmo.holders = vmo.holders.delete(holder, k.owner);
  });
}

/** What a child at this range of another VMO's pages has in common with it. */
function sharedPages(k: Kernel, parent: VmoState, offset: number, sizeBytes: number): IntMap<Page> {
  if (offset === 0 && sizeBytes >= parent.sizeBytes) return parent.pages;
  const first = offset / PAGE_SIZE;
  let pages = IntMap.empty<Page>();
  for (const [number, page] of entriesIn(parent.pages, first, first + sizeBytes / PAGE_SIZE)) {
    pages = pages.set(number - first, page, k.owner);
  }
  return pages;
}

/** A VMO leaves its family: its children are its parent's now. */
function leaveFamily(k: Kernel, { koid, parent, children }: VmoState): void {
  for (const child of children.keys()) {
    k.update(child, 'vmo', (c) => {
      c.parent = parent;
      if (parent === 0 && c.childKind === 'snapshot') c.childKind = 'none';
    });
  }
  if (parent === 0) return;
  k.update(parent, 'vmo', (p) => {
    let family = p.children.delete(koid, k.owner);
    for (const child of children.keys()) family = family.set(child, true, k.owner);
    p.children = family;
  });
}

/** What a VMO holds is free, what it borrowed goes back, and its pager has nothing to do with it any more. */
function returnPages(k: Kernel, { koid, pages, lender, source }: VmoState): void {
  k.state.committedPages -= pages.size;
  if (lender !== 0) {
    k.update(lender, 'vmo', (vmo) => {
      vmo.borrowers = vmo.borrowers.delete(koid, k.owner);
    });
  }
  if (source === null) return;
  k.state.zeroRuns -= source.zeros.size;
  if (k.find(source.pager) === undefined) return;
  k.update(source.pager, 'pager', (pager) => {
    pager.vmos = pager.vmos.delete(koid, k.owner);
  });
}

function writePage(k: Kernel, vmo: number, offset: number, bytes: Uint8Array): void {
  // Programs are written before anything runs.
  if (k.state.steps === 0 && isNewPage(k.get(vmo, 'vmo'), offset, bytes)) {
    setPage(k, vmo, offset / PAGE_SIZE, sharedPage(bytes), true);
    return;
  }
  const page = pageForWrite(k, vmo, Math.floor(offset / PAGE_SIZE));
  page.bytes.set(bytes, offset % PAGE_SIZE);
  page.code = null;
}

/** A whole page, where there is none. */
function isNewPage({ pages, source, lenderBytes }: VmoState, offset: number, bytes: Uint8Array): boolean {
  if (bytes.length !== PAGE_SIZE || offset % PAGE_SIZE !== 0) return false;
  return !pages.has(offset / PAGE_SIZE) && source === null && offset >= lenderBytes;
}

/** The stream of a VMO with a pager has another end. */
function moveStream(k: Kernel, koid: number, endBefore: number): void {
  const vmo = k.get(koid, 'vmo');
  if (vmo.source !== null) setSource(k, koid, streamMoved(vmo, vmo.source, endBefore, k.owner));
}

/** A lender has so many bytes now: what it lost is not shown again when it grows. */
function showLess(k: Kernel, borrower: number, sizeBytes: number): void {
  const { childKind, lenderOffset, lenderBytes } = k.get(borrower, 'vmo');
  if (childKind === 'reference' || lenderOffset + lenderBytes <= sizeBytes) return;
  k.update(borrower, 'vmo', (vmo) => {
    vmo.lenderBytes = Math.max(0, sizeBytes - lenderOffset);
  });
}
