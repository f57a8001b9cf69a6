import { IntMap } from '../../base/int-map.js';
import { ZERO_PAGE } from '../../memory/page.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import { absentRuns, cleaned, cleaning, type PageRequest, type PageSource, written } from './page-source.js';
import type { Reducers } from './reducer.js';
import { pageForRead, setSource, takePages } from './vmo-pages.js';

export interface PagerState extends ObjectBase {
  readonly kind: 'pager';
  /** VMOs that it is the pager of, and was not detached from. */
  readonly vmos: IntMap<true>;
}

export interface PagerEvents {
  'pager-created': { koid: number };
  /** A VMO that nothing was written to yet has a pager. */
  'vmo-backed': { vmo: number; pager: number; port: number; key: bigint; trapsDirty: boolean };
  /** Page numbers and counts, here and below. The packet has this number in the port, or -1. */
  'page-requested': {
    vmo: number;
    order: number;
    command: PageRequest['command'];
    page: number;
    count: number;
    packet: number;
  };
  'page-waiter-added': { vmo: number; request: number; order: number; thread: number; page: number };
  'page-waiter-removed': { vmo: number; request: number; order: number };
  /** So many pages of a request have come, or never will. */
  'page-request-settled': { vmo: number; request: number; count: number };
  'page-request-ended': { vmo: number; request: number };
  /** A page came from another VMO, which has zeros now, wherever it was missing; others stay as they are. */
  'vmo-pages-supplied': { vmo: number; page: number; count: number; from: number; fromPage: number };
  /** The pager knows that these pages will be written. */
  'vmo-pages-dirtied': { vmo: number; page: number; count: number };
  'vmo-writeback-begun': { vmo: number; page: number; count: number; zerosOnly: boolean; keepRuns: boolean };
  'vmo-writeback-ended': { vmo: number; page: number; count: number };
  'vmo-modified-reset': { vmo: number };
  /** Nothing can be asked of the pager any more; what it could supply again goes, when `dropClean`. */
  'vmo-detached': { vmo: number; dropClean: boolean };
}

export const pagerReducers: Reducers<PagerEvents> = {
  'pager-created': (k, e) => {
    k.create({ kind: 'pager', ...newObject(e.koid, 0, IntMap.empty()), vmos: IntMap.empty() });
  },
  'vmo-backed': (k, e) => {
    const { pager, port, key, trapsDirty } = e;
    setSource(k, e.vmo, {
      pager,
      port,
      key,
      trapsDirty,
      detached: false,
      dirty: IntMap.empty(),
      zeros: IntMap.empty(),
      requests: IntMap.empty(),
      modified: false,
    });
    k.update(pager, 'pager', (p) => {
      p.vmos = p.vmos.set(e.vmo, true, k.owner);
    });
  },
  'page-requested': (k, e) => {
    k.state.nextOrder = Math.max(k.state.nextOrder, e.order + 1);
    const { command, page, count, packet } = e;
    const request = { command, page, count, missing: count, packet, waiters: IntMap.empty<never>() };
    const source = sourceOf(k, e.vmo);
    setSource(k, e.vmo, { ...source, requests: source.requests.set(e.order, request, k.owner) });
  },
  'page-waiter-added': (k, e) => {
    k.state.nextOrder = Math.max(k.state.nextOrder, e.order + 1);
    const waiter = { thread: e.thread, page: e.page };
    changeRequest(k, e.vmo, e.request, (request) => {
      return { ...request, waiters: request.waiters.set(e.order, waiter, k.owner) };
    });
  },
  'page-waiter-removed': (k, e) => {
    changeRequest(k, e.vmo, e.request, (request) => {
      return { ...request, waiters: request.waiters.delete(e.order, k.owner) };
    });
  },
  'page-request-settled': (k, e) => {
    changeRequest(k, e.vmo, e.request, (request) => {
      return { ...request, missing: request.missing - e.count };
    });
  },
  'page-request-ended': (k, e) => {
    const source = sourceOf(k, e.vmo);
    setSource(k, e.vmo, { ...source, requests: source.requests.delete(e.request, k.owner) });
  },
  'vmo-pages-supplied': (k, e) => {
    const taken = new Map(takePages(k, e.from, e.fromPage, e.count));
    const vmo = k.get(e.vmo, 'vmo');
    let { pages } = vmo;
    for (const run of absentRuns(vmo, e.page, e.page + e.count)) {
      for (let page = run.page; page < run.page + run.count; page++) {
        pages = pages.set(page, taken.get(page - e.page + e.fromPage) ?? ZERO_PAGE, k.owner);
      }
    }
    k.state.committedPages += pages.size - vmo.pages.size;
    k.update(e.vmo, 'vmo', (v) => {
      v.pages = pages;
    });
    k.memoryGeneration++;
  },
  'vmo-pages-dirtied': (k, e) => {
    const vmo = k.get(e.vmo, 'vmo');
    const before = vmo.pages.size;
    let { pages } = vmo;
    for (let page = e.page; page < e.page + e.count; page++) {
      if (pages.has(page)) continue;
      const shown = pageForRead(k.state, vmo, page);
      shown.exclusive = false;
      pages = pages.set(page, shown, k.owner);
    }
    k.update(e.vmo, 'vmo', (v) => {
      v.pages = pages;
    });
    k.state.committedPages += pages.size - before;
    setSource(k, e.vmo, written(sourceOf(k, e.vmo), e.page, e.page + e.count, k.owner));
  },
  'vmo-writeback-begun': (k, e) => {
    setSource(k, e.vmo, cleaning(sourceOf(k, e.vmo), e, e.zerosOnly, e.keepRuns, k.owner));
    // From here on stores have to be noticed again.
    k.memoryGeneration++;
  },
  'vmo-writeback-ended': (k, e) => setSource(k, e.vmo, cleaned(sourceOf(k, e.vmo), e, k.owner)),
  'vmo-modified-reset': (k, e) => {
    setSource(k, e.vmo, { ...sourceOf(k, e.vmo), modified: false });
    k.memoryGeneration++;
  },
  'vmo-detached': (k, e) => {
    const source = sourceOf(k, e.vmo);
    setSource(k, e.vmo, { ...source, detached: true });
    if (k.find(source.pager) !== undefined) {
      k.update(source.pager, 'pager', (pager) => {
        pager.vmos = pager.vmos.delete(e.vmo, k.owner);
      });
    }
    if (e.dropClean) dropClean(k, e.vmo, source);
  },
};

function sourceOf(k: Kernel, vmo: number): PageSource {
  return k.get(vmo, 'vmo').source as PageSource;
}

function changeRequest(
  k: Kernel,
  vmo: number,
  order: number,
  change: (request: PageRequest) => PageRequest,
): void {
  const source = sourceOf(k, vmo);
  const request = source.requests.get(order);
  if (request === undefined) return;
  setSource(k, vmo, { ...source, requests: source.requests.set(order, change(request), k.owner) });
}

function dropClean(k: Kernel, koid: number, { dirty }: PageSource): void {
  const { pages } = k.get(koid, 'vmo');
  let kept = pages;
  for (const page of [...pages.keys()]) if (!dirty.has(page)) kept = kept.delete(page, k.owner);
  k.state.committedPages -= pages.size - kept.size;
  k.update(koid, 'vmo', (vmo) => {
    vmo.pages = kept;
  });
  k.memoryGeneration++;
}
