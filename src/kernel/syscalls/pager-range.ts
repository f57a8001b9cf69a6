import { Status } from '../../abi/status.js';
import { encodeStruct, sizeOf } from '../../abi/structs.js';
import { DirtyRangeOption, PAGER_RESET_VMO_STATS, PAGER_VMO_STATS_MODIFIED, PagerOp } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { absentPages, entriesIn, type PageRun, type PageSource } from '../objects/page-source.js';
import type { PagerState } from '../objects/pager.js';
import type { VmoState } from '../objects/vmo.js';
import { isPageAligned } from './address-search.js';
import type { Call } from './call.js';
import type { Handler } from './dispatch.js';
import { settlePages } from './page-requests.js';
import { refuse, requireArgs } from './refusal.js';
import { hasZeroRunRoom, missingPages, requireInside } from './vmo-range.js';

/** What a pager can say that went wrong (vm/page_source, IsValidExternalFailureCode). */
const FAILURES: readonly bigint[] = [
  Status.ERR_IO,
  Status.ERR_IO_DATA_INTEGRITY,
  Status.ERR_BAD_STATE,
  Status.ERR_NO_SPACE,
  Status.ERR_BUFFER_TOO_SMALL,
].map(BigInt);

/** Refuses with INVALID_ARGS unless it is that pager's, also one that it was detached from. Children are nobody's. */
export function requireOwn(pager: PagerState, vmo: VmoState): PageSource {
  if (vmo.source?.pager !== pager.koid) refuse(Status.ERR_INVALID_ARGS);
  return vmo.source;
}

/** Nothing can be asked of a pager any more that was detached: refuses with BAD_STATE. */
export function requireAttached({ source }: VmoState): void {
  if (source?.detached !== false) refuse(Status.ERR_BAD_STATE);
}

/** Bytes of a pager's VMO that an operation is about, as they were given. */
interface Asked {
  readonly vmo: VmoState;
  readonly offset: bigint;
  readonly length: bigint;
}

function runOf(call: Call, { vmo, offset, length }: Asked): PageRun {
  requireInside(call.k, vmo, offset, length);
  return { page: Number(offset) / PAGE_SIZE, count: Number(length) / PAGE_SIZE };
}

function fail(call: Call, asked: Asked, data: bigint): void {
  const status = BigInt.asIntN(64, data);
  requireArgs(FAILURES.includes(status));
  const run = runOf(call, asked);
  requireAttached(asked.vmo);
  settlePages(call.m, asked.vmo.koid, ['read', 'dirty'], run, Number(status));
}

/**
 * Requests to write are over from here on, also when the operation fails: whoever waits asks again, if what it needs
 * is still there (vm/vm_cow_pages, DirtyPages).
 */
function dirty(call: Call, asked: Asked): number {
  const { vmo, offset, length } = asked;
  if (vmo.source?.trapsDirty !== true) refuse(Status.ERR_NOT_SUPPORTED);
  const size = BigInt(vmo.sizeBytes);
  if (offset > size || offset + length >= 1n << 64n) refuse(Status.ERR_OUT_OF_RANGE);
  const page = Number(offset) / PAGE_SIZE;
  const end = Math.min(Number(offset + length), vmo.sizeBytes) / PAGE_SIZE;
  const run = { page, count: end - page };
  const status = offset + length > size ? Status.ERR_OUT_OF_RANGE : dirtyStatus(call, vmo, run);
  if (status === Status.OK) call.emit({ type: 'vmo-pages-dirtied', vmo: vmo.koid, ...run });
  settlePages(call.m, vmo.koid, ['dirty'], run);
  return status;
}

function dirtyStatus({ k }: Call, vmo: VmoState, { page, count }: PageRun): number {
  if (vmo.source?.detached !== false) return Status.ERR_BAD_STATE;
  if (absentPages(vmo, page, page + count) > 0) return Status.ERR_NOT_FOUND;
  const missing = missingPages({ vmo, offset: page * PAGE_SIZE, length: count * PAGE_SIZE });
  const isRoom = k.state.committedPages + missing <= k.config.physicalPages;
  return isRoom && hasZeroRunRoom(k) ? Status.OK : Status.ERR_NO_MEMORY;
}

function beginWriteback(call: Call, asked: Asked, data: bigint): void {
  requireArgs(data === 0n || data === DirtyRangeOption.IS_ZERO);
  const run = runOf(call, asked);
  call.emit({
    type: 'vmo-writeback-begun',
    vmo: asked.vmo.koid,
    ...run,
    zerosOnly: data === DirtyRangeOption.IS_ZERO,
    keepRuns: !hasZeroRunRoom(call.k),
  });
}

export const rangeOperation: Handler<'zx_pager_op_range'> = (call, { op, offset, length, data }) => {
  requireArgs(isPageAligned(offset) && isPageAligned(length));
  const pager = call.object('pager', 'pager');
  const vmo = call.object('pager_vmo', 'vmo');
  requireOwn(pager, vmo);
  const asked = { vmo, offset, length };
  switch (op) {
    case PagerOp.FAIL:
      fail(call, asked, data);
      return Status.OK;
    case PagerOp.DIRTY:
      requireArgs(data === 0n);
      return dirty(call, asked);
    case PagerOp.WRITEBACK_BEGIN:
      beginWriteback(call, asked, data);
      return Status.OK;
    case PagerOp.WRITEBACK_END: {
      requireArgs(data === 0n);
      const run = runOf(call, asked);
      call.emit({ type: 'vmo-writeback-ended', vmo: vmo.koid, ...run });
      return Status.OK;
    }
    default:
      return Status.ERR_NOT_SUPPORTED;
  }
};

/** Pages that differ from what the pager has, as far as they follow each other and are all zeros known to be, or not. */
interface DirtyRange {
  readonly first: number;
  readonly end: number;
  readonly isZero: boolean;
}

/** The dirty ranges between two pages, in order. What is being written back is dirty until that ends. */
function dirtyRangesIn({ source }: VmoState, first: number, end: number): DirtyRange[] {
  if (source === null) return [];
  const found: DirtyRange[] = [];
  for (const [page] of entriesIn(source.dirty, first, end)) {
    const last = found.at(-1);
    if (last?.end === page) found[found.length - 1] = { ...last, end: page + 1 };
    else found.push({ first: page, end: page + 1, isZero: false });
  }
  const start = source.zeros.floor(first)?.[0] ?? first;
  for (const [page, run] of entriesIn(source.zeros, start, end)) {
    const zeros = { first: Math.max(page, first), end: Math.min(run.end, end), isZero: true };
    if (zeros.first < zeros.end) found.push(zeros);
  }
  return found.sort((a, b) => a.first - b.first);
}

const RANGE_BYTES = sizeOf('zx_vmo_dirty_range_t');

function rangeBytes({ first, end, isZero }: DirtyRange): Uint8Array {
  return encodeStruct('zx_vmo_dirty_range_t', {
    offset: first * PAGE_SIZE,
    length: (end - first) * PAGE_SIZE,
    options: isZero ? DirtyRangeOption.IS_ZERO : 0n,
  });
}

export const dirtyRanges: Handler<'zx_pager_query_dirty_ranges'> = (
  call,
  { offset, length, buffer, buffer_size },
) => {
  const pager = call.object('pager', 'pager');
  const vmo = call.object('pager_vmo', 'vmo');
  requireOwn(pager, vmo);
  const range = requireInside(call.k, vmo, offset, length);
  const end = Math.ceil((range.offset + range.length) / PAGE_SIZE);
  const found = dirtyRangesIn(vmo, Math.floor(range.offset / PAGE_SIZE), end);
  const room = buffer_size / BigInt(RANGE_BYTES);
  const told = room < BigInt(found.length) ? found.slice(0, Number(room)) : found;
  call.requireWritable(buffer, told.length * RANGE_BYTES);
  call.requireOut('actual', 'avail');
  const bytes = new Uint8Array(told.length * RANGE_BYTES);
  for (const [i, dirtyRange] of told.entries()) bytes.set(rangeBytes(dirtyRange), i * RANGE_BYTES);
  call.write(buffer, bytes);
  call.put('actual', told.length);
  call.put('avail', found.length);
  return Status.OK;
};

export const vmoStats: Handler<'zx_pager_query_vmo_stats'> = (call, { options, buffer, buffer_size }) => {
  const pager = call.object('pager', 'pager');
  const vmo = call.object('pager_vmo', 'vmo');
  const { modified } = requireOwn(pager, vmo);
  const sizeBytes = sizeOf('zx_pager_vmo_stats_t');
  if (buffer_size < BigInt(sizeBytes)) refuse(Status.ERR_BUFFER_TOO_SMALL);
  call.allowOptions(options, PAGER_RESET_VMO_STATS);
  call.requireWritable(buffer, sizeBytes);
  if ((options & PAGER_RESET_VMO_STATS) !== 0) call.emit({ type: 'vmo-modified-reset', vmo: vmo.koid });
  call.writeU32(buffer, modified ? PAGER_VMO_STATS_MODIFIED : 0);
  return Status.OK;
};
