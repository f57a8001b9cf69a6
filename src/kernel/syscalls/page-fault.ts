import { Status } from '../../abi/status.js';
import { VmOption } from '../../abi/vm.js';
import type { Access } from '../../cpu/arch.js';
import { mappingAt } from '../objects/address-space.js';
import type { Kernel } from '../objects/kernel.js';
import { placeBehind } from '../objects/vmo-pages.js';

const NEEDED: Readonly<Record<Access, number>> = {
  load: VmOption.PERM_READ,
  store: VmOption.PERM_WRITE,
  fetch: VmOption.PERM_EXECUTE,
};

/** Why an instruction of the thread cannot have the page that it asked for: ZX_ERR_*, as exception reports have it. */
export function faultStatus(k: Kernel, thread: number, access: Access, address: bigint): number {
  const at = Number(address);
  if (!Number.isSafeInteger(at)) return Status.ERR_NOT_FOUND;
  const { process, restricted } = k.get(thread, 'thread');
  const mapping = mappingAt(k, k.get(process, 'process'), at, restricted === null ? 'normal' : 'restricted');
  if (mapping === undefined) return Status.ERR_NOT_FOUND;
  if ((mapping.permissions & NEEDED[access]) === 0) return Status.ERR_ACCESS_DENIED;
  return placeBehind(k, mapping, at) === null ? Status.ERR_OUT_OF_RANGE : Status.ERR_NO_MEMORY;
}
