import { Status } from '../../abi/status.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { isPageAligned } from './address-search.js';
import type { Handler } from './dispatch.js';
import { refuse, requireArgs } from './refusal.js';
import { missingPages, requireInside, requireTake, requireUnpinned, requireZero } from './vmo-range.js';

/** zx_vmo_transfer_data. Ranges are checked before anything moves, where the kernel loses what it took already. */
export const transferData: Handler<'zx_vmo_transfer_data'> = (
  call,
  { options, offset, length, src_offset },
) => {
  call.allowOptions(options);
  requireArgs(isPageAligned(offset) && isPageAligned(length) && isPageAligned(src_offset));
  const target = call.object('dst_vmo', 'vmo');
  const source = call.object('src_vmo', 'vmo');
  if (target.koid === source.koid && offset === src_offset) return Status.OK;
  const from = requireInside(call.k, source, src_offset, length);
  const to = requireInside(call.k, target, offset, length);
  for (const range of [from, to]) {
    if (range.vmo.source !== null) refuse(Status.ERR_NOT_SUPPORTED);
    requireUnpinned(call.k, range);
  }
  requireTake(call.k, from, missingPages(to));
  requireZero(call.k, to);
  if (length === 0n) return Status.OK;
  call.emit({
    type: 'vmo-pages-moved',
    from: from.vmo.koid,
    fromPage: from.offset / PAGE_SIZE,
    to: to.vmo.koid,
    toPage: to.offset / PAGE_SIZE,
    count: from.length / PAGE_SIZE,
  });
  return Status.OK;
};
