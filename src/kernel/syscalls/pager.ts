import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { VmoOption } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { absentPages, absentRuns } from '../objects/page-source.js';
import { isPageAligned } from './address-search.js';
import type { Handler, Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { detachPager, settlePages } from './page-requests.js';
import { dirtyRanges, rangeOperation, requireAttached, requireOwn, vmoStats } from './pager-range.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import { createVmo, parseCreateOptions } from './vmo-create.js';
import { presentPages, requireInside, requireMemory, requireTake, requireUnpinned } from './vmo-range.js';

const create: Handler<'zx_pager_create'> = (call, { options }) => {
  requirePolicy(call, 'NEW_PAGER');
  call.allowOptions(options);
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const koid = call.k.state.nextKoid;
  call.emit({ type: 'pager-created', koid });
  call.putHandle('out', koid, DEFAULT_RIGHTS.pager);
  return Status.OK;
};

const createBacked: Handler<'zx_pager_create_vmo'> = (call, { options, key, size }) => {
  requirePolicy(call, 'NEW_VMO');
  const pager = call.object('pager', 'pager');
  const port = call.object('port', 'port');
  const asked = parseCreateOptions(call, options & ~VmoOption.TRAP_DIRTY, size);
  requireArgs(!asked.discardable);
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const vmo = createVmo(call.m, asked);
  const trapsDirty = (options & VmoOption.TRAP_DIRTY) !== 0;
  call.emit({ type: 'vmo-backed', vmo, pager: pager.koid, port: port.koid, key, trapsDirty });
  call.putHandle('out', vmo, DEFAULT_RIGHTS.vmo | (asked.resizable ? Right.RESIZE : 0));
  return Status.OK;
};

const detach: Handler<'zx_pager_detach_vmo'> = (call) => {
  const pager = call.object('pager', 'pager');
  const vmo = call.object('vmo', 'vmo');
  requireOwn(pager, vmo);
  detachPager(call.m, vmo.koid, true, true);
  return Status.OK;
};

/** Both ranges are checked before anything moves, where the kernel has taken the pages already. */
const supplyPages: Handler<'zx_pager_supply_pages'> = (call, { offset, length, aux_offset }) => {
  requireArgs(isPageAligned(offset) && isPageAligned(length) && isPageAligned(aux_offset));
  const pager = call.object('pager', 'pager');
  const vmo = call.object('pager_vmo', 'vmo');
  requireOwn(pager, vmo);
  const from = requireInside(call.k, call.object('aux_vmo', 'vmo'), aux_offset, length);
  if (from.vmo.source !== null) refuse(Status.ERR_NOT_SUPPORTED);
  requireUnpinned(call.k, from);
  const to = requireInside(call.k, vmo, offset, length);
  requireAttached(vmo);
  if (length === 0n) return Status.OK;
  const page = to.offset / PAGE_SIZE;
  const count = to.length / PAGE_SIZE;
  const absent = absentPages(vmo, page, page + count);
  requireTake(call.k, from, absent);
  if (from.vmo.lender === 0) requireMemory(call.k, absent - presentPages(from));
  const runs = [...absentRuns(vmo, page, page + count)];
  call.emit({
    type: 'vmo-pages-supplied',
    vmo: vmo.koid,
    page,
    count,
    from: from.vmo.koid,
    fromPage: from.offset / PAGE_SIZE,
  });
  for (const run of runs) settlePages(call.m, vmo.koid, ['read'], run);
  return Status.OK;
};

export const pagerCalls: Handlers = {
  zx_pager_create: create,
  zx_pager_create_vmo: createBacked,
  zx_pager_detach_vmo: detach,
  zx_pager_op_range: rangeOperation,
  zx_pager_query_dirty_ranges: dirtyRanges,
  zx_pager_query_vmo_stats: vmoStats,
  zx_pager_supply_pages: supplyPages,
};
