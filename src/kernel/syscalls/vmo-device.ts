import { Status } from '../../abi/status.js';
import { PAGE_SHIFT } from '../../memory/page.js';
import { isPageAligned } from './address-search.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';

/** Nothing here can give out physical memory: there are neither BTIs nor resources, so no handle is one. */
function refuseHandle(call: Call, value: number): never {
  call.lookup(value);
  refuse(Status.ERR_WRONG_TYPE);
}

/** Memory at physical addresses, for drivers. The checks before the handle are the kernel's (lib/syscalls/driver). */
export const deviceMemoryCalls: Handlers = {
  zx_vmo_create_contiguous: (call, { bti, size, alignment_log2 }) => {
    requireArgs(size !== 0n && isPageAligned(size));
    requireArgs(alignment_log2 === 0 || (alignment_log2 >= PAGE_SHIFT && alignment_log2 < 64));
    requirePolicy(call as Call, 'NEW_VMO');
    return refuseHandle(call as Call, bti);
  },

  zx_vmo_create_physical: (call, { resource, size }) => {
    requireArgs(size !== 0n && isPageAligned(size));
    requirePolicy(call as Call, 'NEW_VMO');
    return refuseHandle(call as Call, resource);
  },
};
