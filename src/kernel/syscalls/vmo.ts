import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { CachePolicy, VmOption } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { absentRuns } from '../objects/page-source.js';
import type { VmoState } from '../objects/vmo.js';
import { memoryOf, placeOf, readVmo } from '../objects/vmo-pages.js';
import { pageCeil } from './address-search.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import type { Handler, Handlers } from './dispatch.js';
import { closeHandle, hasHandleRoom, requireHandleRoom } from './handles.js';
import { requirePages, settlePages } from './page-requests.js';
import { applyBadHandlePolicy, isAllowed, requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import { hasMemoryFor, pieces, readUser, requireUserPages } from './user-memory.js';
import { createChild } from './vmo-child.js';
import { createVmo, parseCreateOptions, requireSize } from './vmo-create.js';
import { deviceMemoryCalls } from './vmo-device.js';
import { rangeOperation } from './vmo-op-range.js';
import {
  isBacked,
  missingPages,
  requireCached,
  requireInside,
  requireMemory,
  requireUnpinned,
  requireZero,
  zeroRange,
} from './vmo-range.js';
import { transferData } from './vmo-transfer.js';

const create: Handler<'zx_vmo_create'> = (call, { size, options }) => {
  requirePolicy(call, 'NEW_VMO');
  const asked = parseCreateOptions(call, options, size);
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const koid = createVmo(call.m, asked);
  call.putHandle('out', koid, DEFAULT_RIGHTS.vmo | (asked.resizable ? Right.RESIZE : 0));
  return Status.OK;
};

/** A buffer of the caller's, whose length is that of a range in a VMO. */
interface Buffer {
  readonly address: number;
  readonly length: number;
}

/** The checks of a copy that is not empty: Zircon says NOT_FOUND for a buffer that is not there, but not for null. */
function requireBuffer(call: Call, { address, length }: Buffer, permission: number) {
  requireArgs(address !== 0);
  // More than all of memory cannot be copied, and is not worth looking for.
  if (length > call.k.config.physicalPages * PAGE_SIZE) refuse(Status.ERR_NO_MEMORY);
  const parts = pieces(call.k, call.process, address, length, permission);
  if (parts !== null) return parts;
  const access = permission === VmOption.PERM_READ ? 'read' : 'write';
  requireUserPages(call.k, call.process, address, length, access, null);
  return refuse(Status.ERR_NOT_FOUND);
}

/** Copies page by page; all of it or, when the buffer is not all there, nothing: where the kernel stops half way. */
const read: Handler<'zx_vmo_read'> = (call, { buffer, offset, buffer_size }) => {
  const vmo = call.object('handle', 'vmo');
  requireCached(vmo);
  const range = requireInside(call.k, vmo, offset, buffer_size);
  if (range.length === 0) return Status.OK;
  const parts = requireBuffer(call, { address: buffer, length: range.length }, VmOption.PERM_WRITE);
  if (!hasMemoryFor(call.k, parts)) refuse(Status.ERR_NO_MEMORY);
  requirePages(call.k, range, 'read');
  for (const part of parts) {
    const from = range.offset + (part.address - buffer);
    call.emit({
      type: 'user-memory-written',
      process: call.process,
      thread: call.thread,
      address: part.address,
      vmo: part.vmo,
      offset: part.offset,
      bytes: readVmo(call.k.state, call.k.get(range.vmo.koid, 'vmo'), from, part.length),
    });
  }
  return Status.OK;
};

const write: Handler<'zx_vmo_write'> = (call, { buffer, offset, buffer_size }) => {
  const vmo = call.object('handle', 'vmo');
  requireCached(vmo);
  const range = requireInside(call.k, vmo, offset, buffer_size);
  if (range.length === 0) return Status.OK;
  requireBuffer(call, { address: buffer, length: range.length }, VmOption.PERM_READ);
  requireMemory(call.k, missingPages(range));
  requirePages(call.k, range, 'write');
  for (let done = 0; done < range.length; ) {
    const at = range.offset + done;
    const length = Math.min(PAGE_SIZE - (at % PAGE_SIZE), range.length - done);
    const bytes = readUser(call.k, call.process, buffer + done, length) ?? refuse(Status.ERR_NOT_FOUND);
    call.emit({ type: 'vmo-written', vmo: range.vmo.koid, offset: at, bytes });
    done += length;
  }
  return Status.OK;
};

// RESIZE is asked of resizable VMOs only: the others have never had it and say UNAVAILABLE (lib/syscalls/vmo).
const setSize: Handler<'zx_vmo_set_size'> = (call, { handle, size }) => {
  const { object, rights } = call.resolve(handle, 'vmo', Right.WRITE);
  const vmo = memoryOf(call.k.state, object);
  if (vmo.resizable && (rights & Right.RESIZE) === 0) refuse(Status.ERR_ACCESS_DENIED);
  if (pageCeil(size) < size) refuse(Status.ERR_OUT_OF_RANGE);
  if (!vmo.resizable) refuse(Status.ERR_UNAVAILABLE);
  const sizeBytes = requireSize(size);
  const contentSizeBytes = Number(size);
  const tail = { offset: contentSizeBytes, length: sizeBytes - contentSizeBytes };
  if (sizeBytes < vmo.sizeBytes)
    requireUnpinned(call.k, { vmo, offset: sizeBytes, length: vmo.sizeBytes - sizeBytes });
  if (isBacked(call.k, vmo)) requireZero(call.k, { vmo, ...tail });
  call.emit({ type: 'vmo-resized', koid: vmo.koid, sizeBytes, contentSizeBytes });
  zeroRange(call.m, { vmo: call.k.get(vmo.koid, 'vmo'), ...tail });
  const gone = { page: sizeBytes / PAGE_SIZE, count: (vmo.sizeBytes - sizeBytes) / PAGE_SIZE };
  if (vmo.source !== null && gone.count > 0) settlePages(call.m, vmo.koid, ['read', 'dirty'], gone);
  return Status.OK;
};

/**
 * Gives a VMO another stream size (content size, in older words), for zx_vmo_set_stream_size and the property.
 * Everything past the smaller of the old and the new is zero then. Refuses with OUT_OF_RANGE past the VMO's end.
 */
export function setStreamSize(m: Decider, object: VmoState, size: bigint): void {
  const vmo = memoryOf(m.k.state, object);
  if (size > BigInt(vmo.sizeBytes)) refuse(Status.ERR_OUT_OF_RANGE);
  const contentSizeBytes = Number(size);
  if (contentSizeBytes === vmo.contentSizeBytes) return;
  const offset = Math.min(contentSizeBytes, vmo.contentSizeBytes);
  const length = vmo.sizeBytes - offset;
  requireZero(m.k, { ...placeOf(m.k.state, vmo, offset), length });
  const wanted = [...absentRuns(vmo, Math.ceil(offset / PAGE_SIZE), vmo.sizeBytes / PAGE_SIZE)];
  m.emit({ type: 'vmo-content-size-set', koid: vmo.koid, contentSizeBytes });
  zeroRange(m, { ...placeOf(m.k.state, m.k.get(vmo.koid, 'vmo'), offset), length });
  for (const run of wanted) settlePages(m, vmo.koid, ['read'], run);
}

const setCachePolicy: Handler<'zx_vmo_set_cache_policy'> = (call, { cache_policy }) => {
  requireArgs(cache_policy <= CachePolicy.WRITE_COMBINING);
  const vmo = call.object('handle', 'vmo');
  requireUnpinned(call.k, { vmo, offset: 0, length: vmo.sizeBytes });
  if (vmo.mappings > 0 || vmo.children.size > 0 || vmo.parent !== 0) refuse(Status.ERR_BAD_STATE);
  if (vmo.borrowers.size > 0 || vmo.lender !== 0) refuse(Status.ERR_BAD_STATE);
  const isFixed = vmo.discardable || vmo.source !== null;
  if (isFixed && cache_policy !== CachePolicy.CACHED) refuse(Status.ERR_BAD_STATE);
  call.emit({ type: 'vmo-cache-policy-set', koid: vmo.koid, policy: cache_policy });
  return Status.OK;
};

/** What zx_vmo_replace_as_executable says to its `vmex`: no resources exist here, so no handle is a good one. */
function vmexStatus(call: Call, vmex: number): number {
  if (vmex === 0) return isAllowed(call, 'AMBIENT_MARK_VMO_EXEC') ? Status.OK : Status.ERR_ACCESS_DENIED;
  if (call.isHandle(vmex)) return Status.ERR_WRONG_TYPE;
  applyBadHandlePolicy(call);
  return Status.ERR_BAD_HANDLE;
}

// The handle is consumed whatever comes, also when it is no VMO's (lib/syscalls/vmo).
const replaceAsExecutable: Handler<'zx_vmo_replace_as_executable'> = (call, { handle, vmex }) => {
  const { koid, rights, slot } = call.lookup(handle);
  call.requireOut('out');
  const isVmo = call.k.find(koid)?.kind === 'vmo';
  let status = isVmo ? vmexStatus(call, vmex) : Status.ERR_BAD_HANDLE;
  if (status === Status.OK && !hasHandleRoom(call.k, call.process, 1)) status = Status.ERR_NO_MEMORY;
  if (status === Status.OK) call.putHandle('out', koid, rights | Right.EXECUTE);
  closeHandle(call.m, call.process, slot);
  return status;
};

export const vmoCalls: Handlers = {
  ...deviceMemoryCalls,
  zx_vmo_create: create,
  zx_vmo_create_child: createChild,
  zx_vmo_op_range: rangeOperation,
  zx_vmo_read: read,
  zx_vmo_replace_as_executable: replaceAsExecutable,
  zx_vmo_set_cache_policy: setCachePolicy,
  zx_vmo_set_size: setSize,
  zx_vmo_transfer_data: transferData,
  zx_vmo_write: write,

  zx_vmo_get_size: (call) => {
    const vmo = call.object('handle', 'vmo');
    call.requireOut('size');
    call.put('size', memoryOf(call.k.state, vmo).sizeBytes);
    return Status.OK;
  },

  zx_vmo_get_stream_size: (call) => {
    const vmo = call.object('handle', 'vmo');
    call.requireOut('size');
    call.put('size', memoryOf(call.k.state, vmo).contentSizeBytes);
    return Status.OK;
  },

  zx_vmo_set_stream_size: (call, { size }) => {
    setStreamSize(call.m, call.object('handle', 'vmo'), size);
    return Status.OK;
  },
};
