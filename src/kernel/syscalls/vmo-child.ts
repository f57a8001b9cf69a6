import { Right } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { VmoChildOption } from '../../abi/vm.js';
import { MAX_VMO_BYTES } from '../objects/vmo.js';
import { isPageAligned, pageCeil } from './address-search.js';
import type { Handler } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';
import { presentPages, requireCached, requireMemory } from './vmo-range.js';

const { NO_WRITE, REFERENCE, RESIZABLE, SLICE, SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE, SNAPSHOT_MODIFIED } =
  VmoChildOption;

/** Of several kinds the first counts, and the others are options too many (object/vm_object_dispatcher). */
const SNAPSHOT_KINDS = [SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE, SNAPSHOT_MODIFIED];

/** Children that share their parent's pages are not built. Refuses what is not a snapshot. */
function requireSnapshot(options: number): void {
  if ((options & SLICE) !== 0) {
    requireArgs(options === SLICE);
    refuse(Status.ERR_NOT_SUPPORTED);
  }
  if ((options & REFERENCE) !== 0) {
    requireArgs((options & ~(REFERENCE | RESIZABLE)) === 0);
    refuse(Status.ERR_NOT_SUPPORTED);
  }
  const kind = SNAPSHOT_KINDS.find((bit) => (options & bit) !== 0);
  requireArgs(kind !== undefined && (options & ~(kind | RESIZABLE)) === 0);
}

/**
 * zx_vmo_create_child. All kinds of snapshot are full ones: "at least on write" allows that, and nothing here is
 * backed by a pager.
 */
export const createChild: Handler<'zx_vmo_create_child'> = (call, { options, offset, size }) => {
  const sizeBytes = pageCeil(size);
  if (sizeBytes < size || sizeBytes > BigInt(MAX_VMO_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
  const noWrite = (options & NO_WRITE) !== 0;
  const resizable = (options & RESIZABLE) !== 0;
  requireArgs(!(noWrite && resizable));
  const { object: parent, rights } = call.handle('handle', 'vmo');
  if (parent.discardable) refuse(Status.ERR_NOT_SUPPORTED);
  requireSnapshot(options & ~NO_WRITE);
  requireArgs(isPageAligned(offset));
  if (offset + sizeBytes > BigInt(MAX_VMO_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
  requireCached(parent);
  const range = { offset: Number(offset), length: Number(sizeBytes) };
  requireMemory(call.k, presentPages(parent, range));
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const koid = call.k.state.nextKoid;
  call.emit({
    type: 'vmo-child-created',
    koid,
    parent: parent.koid,
    offset: range.offset,
    sizeBytes: range.length,
    contentSizeBytes: Number(size),
    resizable,
    name: (rights & Right.GET_PROPERTY) === 0 ? '' : parent.name,
  });
  changeSignals(call.m, parent.koid, Signal.VMO_ZERO_CHILDREN, 0);
  const kept = (rights & ~Right.RESIZE) | Right.GET_PROPERTY | Right.SET_PROPERTY;
  const asked = noWrite ? kept & ~Right.WRITE : (kept & ~Right.EXECUTE) | Right.WRITE;
  call.putHandle('out', koid, asked | (resizable ? Right.RESIZE : 0));
  return Status.OK;
};
