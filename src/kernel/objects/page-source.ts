import type { IntMap, Owner } from '../../base/int-map.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { VmoState } from './vmo.js';

/**
 * Where the pages of a VMO come from: a program that answers requests, its pager. What is neither held nor known to
 * be zero has to be asked for. Page numbers throughout.
 */
export interface PageSource {
  readonly pager: number;
  /** Where requests go, and their key. */
  readonly port: number;
  readonly key: bigint;
  /** ZX_VMO_TRAP_DIRTY: the pager is asked before a page is written. */
  readonly trapsDirty: boolean;
  /** Nothing can be asked for any more. */
  readonly detached: boolean;
  /** Pages that the pager's own copy differs from: `cleaning` while it writes them back. The others are clean. */
  readonly dirty: IntMap<'dirty' | 'cleaning'>;
  /** Zeros that the pager does not have yet, by first page: apart from each other, and nowhere a page is held. */
  readonly zeros: IntMap<ZeroRun>;
  /** What was asked for and has not come yet, by order of asking. */
  readonly requests: IntMap<PageRequest>;
  /** Whether anything was written since zx_pager_query_vmo_stats last reset it. */
  readonly modified: boolean;
}

/** Zeros up to a page; those before `cleanEnd` are being written back. */
export interface ZeroRun {
  readonly end: number;
  readonly cleanEnd: number;
}

export interface PageRequest {
  readonly command: 'read' | 'dirty';
  readonly page: number;
  readonly count: number;
  /** How many of them have not come yet. */
  readonly missing: number;
  /** Its packet's number in the port; -1 when somebody waited for it there. */
  readonly packet: number;
  /** Threads that go on when all has come, by order. */
  readonly waiters: IntMap<PageWaiter>;
}

export interface PageWaiter {
  readonly thread: number;
  /** The page that it cannot do without. */
  readonly page: number;
}

/** Pages that follow each other. */
export interface PageRun {
  readonly page: number;
  readonly count: number;
}

/** The entries of a range, apart from the map: that may change meanwhile. */
export function entriesIn<V>(map: IntMap<V>, first: number, end: number): (readonly [number, V])[] {
  const found: (readonly [number, V])[] = [];
  for (const entry of map.entries(first)) {
    if (entry[0] >= end) break;
    found.push(entry);
  }
  return found;
}

/** The page behind the last one that the stream has some of: zeros from there on are nothing that a pager keeps. */
export function streamEnd({ contentSizeBytes }: VmoState): number {
  return Math.ceil(contentSizeBytes / PAGE_SIZE);
}

function runAt(zeros: IntMap<ZeroRun>, page: number): ZeroRun | undefined {
  const run = zeros.floor(page)?.[1];
  return run !== undefined && page < run.end ? run : undefined;
}

/** Whether a page has to be asked for before it can be read. */
export function isAbsent(vmo: VmoState, page: number): boolean {
  const { source, pages } = vmo;
  if (source === null || pages.has(page)) return false;
  return page < streamEnd(vmo) && runAt(source.zeros, page) === undefined;
}

/** The pages of a range that have to be asked for, gap by gap. */
export function* absentRuns(vmo: VmoState, first: number, end: number): IterableIterator<PageRun> {
  const { source, pages } = vmo;
  if (source === null) return;
  const limit = Math.min(end, streamEnd(vmo));
  for (let page = first; page < limit; ) {
    const run = runAt(source.zeros, page);
    if (run !== undefined) page = run.end;
    else if (pages.has(page)) page++;
    else {
      const nextPage = pages.ceiling(page)?.[0] ?? limit;
      const nextRun = source.zeros.ceiling(page)?.[0] ?? limit;
      const stop = Math.min(limit, nextPage, nextRun);
      yield { page, count: stop - page };
      page = stop;
    }
  }
}

export function absentPages(vmo: VmoState, first: number, end: number): number {
  let count = 0;
  for (const run of absentRuns(vmo, first, end)) count += run.count;
  return count;
}

/** Zeros without those of a range. What is left of a run goes on being written back if it was. */
function without(zeros: IntMap<ZeroRun>, first: number, end: number, owner: Owner): IntMap<ZeroRun> {
  let left = zeros;
  const before = zeros.floor(first);
  const touched = before === undefined || before[1].end <= first ? [] : [before];
  touched.push(...entriesIn(zeros, first + 1, end));
  for (const [start, { end: stop, cleanEnd }] of touched) {
    left = left.delete(start, owner);
    if (start < first) left = left.set(start, { end: first, cleanEnd: Math.min(first, cleanEnd) }, owner);
    if (stop > end) left = left.set(end, { end: stop, cleanEnd: Math.max(end, cleanEnd) }, owner);
  }
  return left;
}

/** Zeros and those of a range, joined with what is next to them. Nothing of the range is being written back. */
function including(zeros: IntMap<ZeroRun>, first: number, end: number, owner: Owner): IntMap<ZeroRun> {
  if (first >= end) return zeros;
  let joined = without(zeros, first, end, owner);
  let run = { start: first, end, cleanEnd: first };
  const before = joined.floor(first);
  if (before?.[1].end === first) {
    run = { ...run, start: before[0], cleanEnd: before[1].cleanEnd };
    joined = joined.delete(before[0], owner);
  }
  const after = joined.get(end);
  if (after !== undefined) {
    run = { ...run, end: after.end };
    joined = joined.delete(end, owner);
  }
  return joined.set(run.start, { end: run.end, cleanEnd: run.cleanEnd }, owner);
}

function forget(dirty: PageSource['dirty'], first: number, end: number, owner: Owner): PageSource['dirty'] {
  let left = dirty;
  for (const [page] of entriesIn(dirty, first, end)) left = left.delete(page, owner);
  return left;
}

/** After these pages were written: they are held now. */
export function written(source: PageSource, first: number, end: number, owner: Owner): PageSource {
  let { dirty } = source;
  for (let page = first; page < end; page++) dirty = dirty.set(page, 'dirty', owner);
  return { ...source, dirty, zeros: without(source.zeros, first, end, owner), modified: true };
}

/** After these pages became zeros, none of which is held any more; those from `limit` on are of no concern. */
export function zeroed(
  source: PageSource,
  first: number,
  end: number,
  limit: number,
  owner: Owner,
): PageSource {
  const dirty = forget(source.dirty, first, end, owner);
  const zeros = including(source.zeros, first, Math.min(end, limit), owner);
  return { ...source, dirty, zeros, modified: true };
}

/** After the stream got another end: what it has new and nobody holds are zeros. */
export function streamMoved(vmo: VmoState, source: PageSource, endBefore: number, owner: Owner): PageSource {
  const end = streamEnd(vmo);
  let zeros = end < endBefore ? without(source.zeros, end, endBefore, owner) : source.zeros;
  for (const { page, count } of [...absentRuns(vmo, endBefore, end)]) {
    zeros = including(zeros, page, page + count, owner);
  }
  return { ...source, zeros, modified: true };
}

/** After everything from a page on is gone. */
export function cutAt(source: PageSource, end: number, owner: Owner): PageSource {
  const dirty = forget(source.dirty, end, Number.MAX_SAFE_INTEGER, owner);
  const zeros = without(source.zeros, end, Number.MAX_SAFE_INTEGER, owner);
  return { ...source, dirty, zeros, modified: true };
}

/** Zeros of which `first` is the first, where they went over it before; so that what comes after can be cleaned. */
function splitAt(zeros: IntMap<ZeroRun>, first: number, owner: Owner): IntMap<ZeroRun> {
  const before = zeros.floor(first - 1);
  if (before === undefined || before[1].end <= first || before[1].cleanEnd >= first) return zeros;
  const [start, { end, cleanEnd }] = before;
  return zeros.set(start, { end: first, cleanEnd }, owner).set(first, { end, cleanEnd: first }, owner);
}

/**
 * After the pager began to write back a range, or only the zeros of it.
 * @param keepRuns no run of zeros may be cut in two
 */
export function cleaning(
  source: PageSource,
  { page: first, count }: PageRun,
  zerosOnly: boolean,
  keepRuns: boolean,
  owner: Owner,
): PageSource {
  const end = first + count;
  let { dirty } = source;
  for (const [page, state] of zerosOnly ? [] : entriesIn(dirty, first, end)) {
    if (state === 'dirty') dirty = dirty.set(page, 'cleaning', owner);
  }
  let zeros = keepRuns ? source.zeros : splitAt(source.zeros, first, owner);
  for (const [start, run] of entriesIn(zeros, zeros.floor(first)?.[0] ?? first, end)) {
    const reached = Math.min(run.end, end);
    // Only from a run's beginning on is known how far it is clean.
    if (start >= first || run.cleanEnd >= first) {
      zeros = zeros.set(start, { end: run.end, cleanEnd: Math.max(run.cleanEnd, reached) }, owner);
    }
  }
  return { ...source, dirty, zeros };
}

/** After the pager wrote back what it had begun to in a range. */
export function cleaned(source: PageSource, { page: first, count }: PageRun, owner: Owner): PageSource {
  const end = first + count;
  let { dirty, zeros } = source;
  for (const [page, state] of entriesIn(dirty, first, end)) {
    if (state === 'cleaning') dirty = dirty.delete(page, owner);
  }
  for (const [start, run] of entriesIn(zeros, zeros.floor(first)?.[0] ?? first, end)) {
    const [from, to] = [Math.max(start, first), Math.min(run.cleanEnd, end)];
    if (from < to) zeros = without(zeros, from, to, owner);
  }
  return { ...source, dirty, zeros };
}
