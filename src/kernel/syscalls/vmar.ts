import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { VM_ALLOCATE_OPTIONS, VmOption } from '../../abi/vm.js';
import { handleSlot } from '../objects/handle-value.js';
import type { VmarState } from '../objects/vmar.js';
import {
  alignmentOf,
  choosePlace,
  emitDrawn,
  isPageAligned,
  pageCeil,
  requireDepth,
  requireRegionRoom,
} from './address-search.js';
import { type Call, GONE, type ResolvedHandle } from './call.js';
import type { Handler, Handlers } from './dispatch.js';
import { exitThread } from './exceptions.js';
import { closeHandle, requireHandleRoom } from './handles.js';
import { refuse, requireArgs } from './refusal.js';
import { destroyVmar } from './tasks.js';
import { mapVmo } from './vmar-map.js';
import { rangeOperation } from './vmar-op-range.js';
import { protect } from './vmar-protect.js';
import { checkUnmap, protectVdsoCode, requireRange, unmapRange } from './vmar-unmap.js';

const CAN_MAP_ANY = VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;

/** READ, WRITE and EXECUTE rights for ZX_VM_CAN_MAP_* bits, which are in the same order. */
function rightsForCapabilities(options: number): number {
  return ((options & CAN_MAP_ANY) / VmOption.CAN_MAP_READ) * Right.READ;
}

const allocate: Handler<'zx_vmar_allocate'> = (call, { options, offset, size }) => {
  const rights = rightsForCapabilities(options);
  const parent = call.object('parent_vmar', 'vmar', rights);
  call.allowOptions(options, VM_ALLOCATE_OPTIONS);
  const alignment = alignmentOf(options);
  requireArgs(isPageAligned(size));
  const place = choosePlace(call.k, parent, {
    options,
    alignment,
    offset,
    sizeBytes: size,
    capabilities: options & CAN_MAP_ANY,
  });
  requireDepth(call.k, parent);
  requireRegionRoom(call.k, 1);
  call.requireOut('child_vmar', 'child_addr');
  requireHandleRoom(call.k, call.process, 1);
  emitDrawn(call.m, place);
  const koid = call.k.state.nextKoid;
  call.emit({
    type: 'vmar-created',
    koid,
    process: parent.process,
    parent: parent.koid,
    base: place.base,
    sizeBytes: place.sizeBytes,
    flags: options & (CAN_MAP_ANY | VmOption.CAN_MAP_SPECIFIC | VmOption.COMPACT),
  });
  call.putHandle('child_vmar', koid, DEFAULT_RIGHTS.vmar | rights);
  call.put('child_addr', place.base);
  return Status.OK;
};

const destroy: Handler<'zx_vmar_destroy'> = (call) => {
  const vmar = call.object('handle', 'vmar');
  if (vmar.parent === 0) refuse(Status.ERR_NOT_SUPPORTED);
  if (vmar.destroyed) refuse(Status.ERR_BAD_STATE);
  protectVdsoCode(call.k, vmar, { start: vmar.base, end: vmar.base + vmar.sizeBytes });
  destroyVmar(call.m, vmar.koid);
  return Status.OK;
};

/** Unmaps for zx_vmar_unmap and its relative; refuses before anything happened. */
function unmap(
  call: Pick<Call, 'k' | 'm'>,
  { object: vmar, rights }: ResolvedHandle<VmarState>,
  addr: bigint,
  len: bigint,
): void {
  requireArgs(isPageAligned(addr) && pageCeil(len) !== 0n);
  if (vmar.destroyed) refuse(Status.ERR_BAD_STATE);
  const range = requireRange(vmar, addr, len, Status.ERR_INVALID_ARGS);
  if (!checkUnmap(call.k, vmar, range, (rights & Right.OP_CHILDREN) !== 0)) refuse(Status.ERR_NOT_FOUND);
  unmapRange(call.m, vmar, range);
}

export const vmarCalls: Handlers = {
  zx_vmar_allocate: allocate,
  zx_vmar_destroy: destroy,
  zx_vmar_map: mapVmo,
  zx_vmar_op_range: rangeOperation,
  zx_vmar_protect: protect,

  zx_vmar_unmap: (call, { addr, len }) => {
    unmap(call, call.handle('handle', 'vmar'), addr, len);
    return Status.OK;
  },

  // Nobody is left to be told that the handle was bad (vmar_unmap_handle_close_thread_exit).
  zx_vmar_unmap_handle_close_thread_exit: (call, { addr, size, close_handle }) => {
    unmap(call, call.handle('vmar_handle', 'vmar'), addr, size);
    closeHandle(call.m, call.process, handleSlot(close_handle, call.table.handleSecret));
    exitThread(call.m, call.thread);
    return GONE;
  },
};
