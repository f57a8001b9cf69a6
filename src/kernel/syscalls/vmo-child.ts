import { Right } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { VmoChildOption } from '../../abi/vm.js';
import type { Kernel } from '../objects/kernel.js';
import { type ChildKind, MAX_VMO_BYTES, type VmoState } from '../objects/vmo.js';
import { memoryOf, placeOf } from '../objects/vmo-pages.js';
import { isPageAligned, pageCeil } from './address-search.js';
import type { Handler } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';
import {
  isBacked,
  presentPages,
  requireCached,
  requireInside,
  requireMemory,
  requireUnpinned,
} from './vmo-range.js';

const { NO_WRITE, REFERENCE, RESIZABLE, SLICE, SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE, SNAPSHOT_MODIFIED } =
  VmoChildOption;

/** Of several kinds the first counts, and the others are options too many (object/vm_object_dispatcher). */
const SNAPSHOT_KINDS = [SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE, SNAPSHOT_MODIFIED];

/** Bytes of the parent that a child is asked for: whole pages, as far as a VMO can be large. */
interface Asked {
  readonly offset: bigint;
  readonly sizeBytes: bigint;
}

/** What a child has of others when it is made; see the event. */
interface Inheritance {
  readonly childKind: ChildKind;
  readonly from: number;
  readonly fromOffset: number;
  readonly lender: number;
  readonly lenderOffset: number;
  readonly lenderBytes: number;
  readonly resizable: boolean;
}

/** A slice or a reference: all pages are those of the VMO that holds the parent's. */
function borrow(
  k: Kernel,
  parent: VmoState,
  childKind: ChildKind,
  offset: number,
  bytes: number,
): Inheritance {
  requireCached(parent);
  if (parent.restrictedState !== 'none') refuse(Status.ERR_NOT_SUPPORTED);
  const place = placeOf(k.state, parent, offset);
  return {
    childKind,
    from: 0,
    fromOffset: 0,
    lender: place.vmo.koid,
    lenderOffset: place.offset,
    lenderBytes: bytes,
    resizable: parent.resizable,
  };
}

function slice(k: Kernel, parent: VmoState, { offset, sizeBytes }: Asked): Inheritance {
  const limit = BigInt(memoryOf(k.state, parent).sizeBytes);
  requireArgs(isPageAligned(offset) && sizeBytes <= limit && offset <= limit - sizeBytes);
  if (parent.resizable) refuse(Status.ERR_NOT_SUPPORTED);
  return borrow(k, parent, 'slice', Number(offset), Number(sizeBytes));
}

function reference(k: Kernel, parent: VmoState, options: number, { offset, sizeBytes }: Asked): Inheritance {
  requireArgs(offset === 0n && sizeBytes === 0n);
  if (parent.childKind === 'slice') refuse(Status.ERR_NOT_SUPPORTED);
  if ((options & RESIZABLE) !== 0 && !parent.resizable) refuse(Status.ERR_NOT_SUPPORTED);
  return borrow(k, parent, 'reference', 0, MAX_VMO_BYTES);
}

/** All kinds of snapshot are full ones: "at least on write" allows that. But of what has a pager none is. */
function snapshot(k: Kernel, parent: VmoState, options: number, asked: Asked): Inheritance {
  requireArgs(isPageAligned(asked.offset));
  if (asked.offset + asked.sizeBytes > BigInt(MAX_VMO_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
  requireCached(parent);
  if (isBacked(k, parent)) return clone(k, parent, options, asked);
  requireUnpinned(k, { vmo: parent, offset: 0, length: parent.sizeBytes });
  // What the parent would write afterwards is not defined (vm/vm_cow_pages, CreateCloneLocked).
  if (parent.childKind === 'slice') refuse(Status.ERR_NOT_SUPPORTED);
  const from = placeOf(k.state, parent, Number(asked.offset));
  requireMemory(k, presentPages({ ...from, length: Number(asked.sizeBytes) }));
  return {
    childKind: 'snapshot',
    from: from.vmo.koid,
    fromOffset: from.offset,
    lender: 0,
    lenderOffset: 0,
    lenderBytes: 0,
    resizable: (options & RESIZABLE) !== 0,
  };
}

/**
 * A snapshot of memory that has a pager: it shows what the pager supplies, and later writes to that, up to its own
 * first write to a page. What its parent wrote itself it begins with.
 */
function clone(k: Kernel, parent: VmoState, options: number, { offset, sizeBytes }: Asked): Inheritance {
  if ((options & SNAPSHOT) !== 0) refuse(Status.ERR_NOT_SUPPORTED);
  const range = { offset: Number(offset), length: Number(sizeBytes) };
  if (parent.childKind === 'slice') requireInside(k, parent, offset, sizeBytes);
  const { vmo, offset: from } = placeOf(k.state, parent, range.offset);
  const isRoot = vmo.source !== null;
  const shown = (isRoot ? vmo.sizeBytes : vmo.lenderBytes) - from;
  const lenderBytes = Math.min(range.length, Math.max(0, shown));
  const lender = isRoot ? vmo.koid : vmo.lender;
  if (!isRoot) requireMemory(k, presentPages({ vmo, offset: from, length: range.length }));
  return {
    childKind: 'snapshot',
    from: isRoot ? 0 : vmo.koid,
    fromOffset: isRoot ? 0 : from,
    lender: lenderBytes === 0 ? 0 : lender,
    lenderOffset: lenderBytes === 0 ? 0 : from + (isRoot ? 0 : vmo.lenderOffset),
    lenderBytes,
    resizable: (options & RESIZABLE) !== 0,
  };
}

/** The kind that the options ask for, and its checks. */
function inherit(k: Kernel, parent: VmoState, options: number, asked: Asked): Inheritance {
  if (parent.discardable) refuse(Status.ERR_NOT_SUPPORTED);
  if ((options & SLICE) !== 0) {
    requireArgs(options === SLICE);
    return slice(k, parent, asked);
  }
  if ((options & REFERENCE) !== 0) {
    requireArgs((options & ~(REFERENCE | RESIZABLE)) === 0);
    return reference(k, parent, options, asked);
  }
  const kind = SNAPSHOT_KINDS.find((bit) => (options & bit) !== 0);
  requireArgs(kind !== undefined && (options & ~(kind | RESIZABLE)) === 0);
  return snapshot(k, parent, options, asked);
}

/** Snapshots can be written but for NO_WRITE, at the cost of being run; the others are as their parent's handle. */
function childRights(parentRights: number, options: number, childKind: ChildKind): number {
  const rights = (parentRights & ~Right.RESIZE) | Right.GET_PROPERTY | Right.SET_PROPERTY;
  if ((options & NO_WRITE) !== 0) return rights & ~Right.WRITE;
  const resize = (options & RESIZABLE) === 0 ? 0 : Right.RESIZE;
  return (childKind === 'snapshot' ? (rights & ~Right.EXECUTE) | Right.WRITE : rights) | resize;
}

export const createChild: Handler<'zx_vmo_create_child'> = (call, { options, offset, size }) => {
  const sizeBytes = pageCeil(size);
  if (sizeBytes < size || sizeBytes > BigInt(MAX_VMO_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
  const noWrite = (options & NO_WRITE) !== 0;
  requireArgs(!(noWrite && (options & RESIZABLE) !== 0));
  const { object: parent, rights } = call.handle('handle', 'vmo');
  const inheritance = inherit(call.k, parent, options & ~NO_WRITE, { offset, sizeBytes });
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const koid = call.k.state.nextKoid;
  call.emit({
    type: 'vmo-child-created',
    koid,
    parent: parent.koid,
    ...inheritance,
    sizeBytes: Number(sizeBytes),
    contentSizeBytes: Number(size),
    immutable: noWrite && (options & SNAPSHOT) !== 0,
    name: (rights & Right.GET_PROPERTY) === 0 ? '' : parent.name,
  });
  changeSignals(call.m, parent.koid, Signal.VMO_ZERO_CHILDREN, 0);
  call.putHandle('out', koid, childRights(rights, options, inheritance.childKind));
  return Status.OK;
};
