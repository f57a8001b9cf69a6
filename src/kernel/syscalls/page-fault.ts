import { Status } from '../../abi/status.js';
import { VmOption } from '../../abi/vm.js';
import type { Access } from '../../cpu/arch.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { mappingAt } from '../objects/address-space.js';
import { placeBehind } from '../objects/vmo-pages.js';
import type { Decider } from './decider.js';
import { failureOf, lackIn, waitForPages } from './page-requests.js';

const NEEDED: Readonly<Record<Access, number>> = {
  load: VmOption.PERM_READ,
  store: VmOption.PERM_WRITE,
  fetch: VmOption.PERM_EXECUTE,
};

/**
 * An instruction of the thread did not get the page that it asked for: why, as ZX_ERR_* that exception reports have;
 * or OK when a pager is asked for the page, and the thread waits to try the instruction again.
 */
export function decidePageFault(m: Decider, thread: number, access: Access, address: bigint): number {
  const { k } = m;
  const at = Number(address);
  if (!Number.isSafeInteger(at)) return Status.ERR_NOT_FOUND;
  const { process, restricted } = k.get(thread, 'thread');
  const mapping = mappingAt(k, k.get(process, 'process'), at, restricted === null ? 'normal' : 'restricted');
  if (mapping === undefined) return Status.ERR_NOT_FOUND;
  if ((mapping.permissions & NEEDED[access]) === 0) return Status.ERR_ACCESS_DENIED;
  const place = placeBehind(k, mapping, at);
  if (place === null) return Status.ERR_OUT_OF_RANGE;
  const page = Math.floor(place.offset / PAGE_SIZE);
  const lack = lackIn(k, place.vmo, page, page + 1, access === 'store' ? 'write' : 'read');
  if (lack === null) return Status.ERR_NO_MEMORY;
  const failure = failureOf(m, thread, lack);
  if (failure !== null) return failure;
  waitForPages(m, thread, lack);
  return Status.OK;
}
