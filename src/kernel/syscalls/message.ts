import { HandleOp } from '../../abi/ipc.js';
import { CHANNEL_MAX_MSG_BYTES, CHANNEL_MAX_MSG_HANDLES, CHANNEL_MAX_MSG_IOVECS } from '../../abi/limits.js';
import { OBJECT_TYPE_NONE } from '../../abi/object-types.js';
import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { pointerNumber } from '../../abi/syscalls.js';
import { handleSlot } from '../objects/handle-value.js';
import type { HandleEntry } from '../objects/object.js';
import { type Call, typeNumber } from './call.js';
import { closeHandle, dropHandle, MAX_HANDLES, takeHandle } from './handles.js';
import { applyBadHandlePolicy } from './policy.js';
import { Refusal, refuse, requireArgs } from './refusal.js';
import { isUserWritable, readUser } from './user-memory.js';

/** The handles of a message to write: values, or (`etc`) dispositions. */
export interface HandleList {
  readonly address: number;
  readonly count: number;
  readonly etc: boolean;
}

/** zx_handle_disposition_t: operation, handle, type, rights, result; 4 bytes each. */
const DISPOSITION_BYTES = 20;

function itemBytes(list: HandleList): number {
  return list.etc ? DISPOSITION_BYTES : 4;
}

/** zx_channel_iovec_t: buffer (8), capacity (4), reserved (4). */
const IOVEC_BYTES = 16;

/**
 * Reads what a message says. Refuses with OUT_OF_RANGE above the limits, else INVALID_ARGS.
 * @param count bytes, or iovec entries
 */
export function readMessageBytes(
  call: Call,
  iovec: boolean,
  address: number,
  count: number,
  handles: number,
): Uint8Array {
  if (iovec) return gather(call, address, count, handles);
  if (count > CHANNEL_MAX_MSG_BYTES || handles > CHANNEL_MAX_MSG_HANDLES) refuse(Status.ERR_OUT_OF_RANGE);
  return call.read(address, count);
}

function gather(call: Call, address: number, count: number, handles: number): Uint8Array {
  if (count > CHANNEL_MAX_MSG_IOVECS) refuse(Status.ERR_OUT_OF_RANGE);
  const view = call.readView(address, IOVEC_BYTES * count);
  let size = 0;
  for (let at = 0; at < view.byteLength; at += IOVEC_BYTES) {
    requireArgs(view.getUint32(at + 12, true) === 0);
    size += view.getUint32(at + 8, true);
  }
  if (size > CHANNEL_MAX_MSG_BYTES || handles > CHANNEL_MAX_MSG_HANDLES) refuse(Status.ERR_OUT_OF_RANGE);
  const bytes = new Uint8Array(size);
  let done = 0;
  for (let at = 0; at < view.byteLength; at += IOVEC_BYTES) {
    const part = call.read(pointerNumber(view.getBigUint64(at, true)), view.getUint32(at + 8, true));
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/**
 * Runs the checks that come before the handles are looked at. When they refuse, the listed handles are closed all
 * the same, as far as the list can be read: a message's handles are gone whatever happens (channel_write).
 */
export function checkBeforeHandles<T>(call: Call, list: HandleList, checks: () => T): T {
  try {
    return checks();
  } catch (reason) {
    if (reason instanceof Refusal) closeListed(call, list);
    throw reason;
  }
}

function closeListed(call: Call, list: HandleList): void {
  const size = itemBytes(list);
  // A longer list names nothing more: no process has so many handles.
  const count = Math.min(list.count, MAX_HANDLES);
  for (let i = 0; i < count && call.callerLives; i += CHANNEL_MAX_MSG_HANDLES) {
    const chunk = Math.min(CHANNEL_MAX_MSG_HANDLES, count - i);
    const bytes = readUser(call.k, call.process, list.address + size * i, size * chunk);
    if (bytes === null) return;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += size) {
      if (!list.etc) closeValue(call, view.getUint32(at, true));
      else if (view.getUint32(at, true) !== HandleOp.DUPLICATE)
        closeValue(call, view.getUint32(at + 4, true));
    }
  }
}

function closeValue(call: Call, value: number): void {
  // First: a list may claim to be long and be memory that nobody wrote.
  if (value === 0) return;
  const { handles, handleSecret } = call.table;
  const slot = handleSlot(value, handleSecret);
  if (handles.has(slot)) closeHandle(call.m, call.process, slot);
  else applyBadHandlePolicy(call);
}

/**
 * Takes the listed handles out of the caller's table into flight. On failure all that were named are gone, but those
 * to duplicate, and each disposition that failed has its reason in `result`.
 */
export function takeHandles(
  call: Call,
  channel: number,
  list: HandleList,
): { readonly status: number; readonly handles: readonly HandleEntry[] } {
  if (list.count === 0) return { status: Status.OK, handles: [] };
  const size = itemBytes(list);
  const view = call.readView(list.address, size * list.count);
  const handles: HandleEntry[] = [];
  let status: number = Status.OK;
  for (let at = 0; at < view.byteLength; at += size) {
    const taken = list.etc
      ? takeDisposition(call, channel, view, at)
      : takeValue(call, channel, view.getUint32(at, true));
    if (typeof taken !== 'number') {
      handles.push(taken);
      continue;
    }
    if (status === Status.OK) status = taken;
    if (list.etc) view.setInt32(at + 16, taken, true);
  }
  if (status === Status.OK) return { status, handles };
  dropHandles(call, handles);
  if (list.etc && call.callerLives) {
    if (!isUserWritable(call.k, call.process, list.address, view.byteLength))
      status = Status.ERR_INVALID_ARGS;
    else call.write(list.address, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
  return { status, handles: [] };
}

export function dropHandles(call: Call, handles: readonly HandleEntry[]): void {
  for (const { koid } of handles) dropHandle(call.m, koid);
}

/** The order of these checks is that of the kernel (object/user_handles). */
function checkTransfer(call: Call, channel: number, entry: HandleEntry, type: number, asked: number): number {
  if ((entry.rights & Right.TRANSFER) === 0) return Status.ERR_ACCESS_DENIED;
  if (entry.koid === channel) return Status.ERR_NOT_SUPPORTED;
  const object = call.k.find(entry.koid);
  if (object === undefined || (type !== OBJECT_TYPE_NONE && typeNumber(object) !== type)) {
    return Status.ERR_WRONG_TYPE;
  }
  if (asked !== Right.SAME_RIGHTS && (asked & ~entry.rights) !== 0) return Status.ERR_INVALID_ARGS;
  return Status.OK;
}

/** A handle on its way, or why not; gone from the table in either case. */
function takeValue(
  call: Call,
  channel: number,
  value: number,
  type: number = OBJECT_TYPE_NONE,
  asked: number = Right.SAME_RIGHTS,
): HandleEntry | number {
  const { handles, handleSecret } = call.table;
  const slot = handleSlot(value, handleSecret);
  const entry = handles.get(slot);
  if (entry === undefined) {
    applyBadHandlePolicy(call);
    return Status.ERR_BAD_HANDLE;
  }
  const status = checkTransfer(call, channel, entry, type, asked);
  if (status !== Status.OK) {
    closeHandle(call.m, call.process, slot);
    return status;
  }
  takeHandle(call.m, call.process, slot);
  return asked === Right.SAME_RIGHTS ? entry : { koid: entry.koid, rights: asked };
}

function takeDisposition(call: Call, channel: number, view: DataView, at: number): HandleEntry | number {
  const operation = view.getUint32(at, true);
  const value = view.getUint32(at + 4, true);
  const type = view.getUint32(at + 8, true);
  const asked = view.getUint32(at + 12, true);
  if (operation === HandleOp.MOVE) return takeValue(call, channel, value, type, asked);
  const { handles, handleSecret } = call.table;
  const slot = handleSlot(value, handleSecret);
  const entry = handles.get(slot);
  if (entry === undefined) {
    applyBadHandlePolicy(call);
    return Status.ERR_BAD_HANDLE;
  }
  if (operation !== HandleOp.DUPLICATE) {
    closeHandle(call.m, call.process, slot);
    return Status.ERR_INVALID_ARGS;
  }
  const status = checkTransfer(call, channel, entry, type, asked);
  if (status !== Status.OK) return status;
  if ((entry.rights & Right.DUPLICATE) === 0) return Status.ERR_ACCESS_DENIED;
  call.emit({ type: 'handle-made', koid: entry.koid });
  return { koid: entry.koid, rights: asked === Right.SAME_RIGHTS ? entry.rights : asked };
}
