import { HANDLE_FIXED_BITS_MASK } from '../../abi/limits.js';
import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { handleSlot } from '../objects/handle-value.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { closeHandle, requireHandleRoom } from './handles.js';
import { applyBadHandlePolicy } from './policy.js';
import { refuse } from './refusal.js';

/** The rights asked for: SAME_RIGHTS, or a subset of what the source has. */
function subsetOf(rights: number, asked: number): number {
  if (asked === Right.SAME_RIGHTS) return rights;
  if ((asked & ~rights) !== 0) refuse(Status.ERR_INVALID_ARGS);
  return asked;
}

/** Closes a value of the caller's; false when it is none. */
function closeValue(call: Call, value: number): boolean {
  const { handles, handleSecret } = call.table;
  const slot = handleSlot(value, handleSecret);
  if (!handles.has(slot)) {
    applyBadHandlePolicy(call);
    return false;
  }
  closeHandle(call.m, call.process, slot);
  return true;
}

export const handleCalls: Handlers = {
  zx_handle_close: (call, { handle }) =>
    handle === 0 || closeValue(call, handle) ? Status.OK : Status.ERR_BAD_HANDLE,

  // Closes every valid one, and says BAD_HANDLE when any was not (syscalls/handle_close_many).
  zx_handle_close_many: (call, { handles, num_handles }) => {
    if (num_handles > 0x1000000n) refuse(Status.ERR_INVALID_ARGS);
    const count = Number(num_handles);
    const values = call.readView(handles, 4 * count);
    let status: number = Status.OK;
    for (let i = 0; i < count; i++) {
      const value = values.getUint32(4 * i, true);
      if (value !== 0 && !closeValue(call, value)) status = Status.ERR_BAD_HANDLE;
    }
    return status;
  },

  zx_handle_duplicate: (call, { rights: asked }) => {
    const { object, rights } = call.anyHandle('handle');
    const granted = subsetOf(rights, asked);
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    call.putHandle('out', object.koid, granted);
    return Status.OK;
  },

  // The source handle is consumed even when the rights are refused (syscalls/handle_replace).
  zx_handle_replace: (call, { handle, rights: asked }) => {
    const { object, rights, slot } = call.anyHandle('handle');
    call.requireOut('out');
    const granted = asked === Right.SAME_RIGHTS ? rights : asked;
    if ((granted & ~rights) !== 0) {
      closeValue(call, handle);
      return Status.ERR_INVALID_ARGS;
    }
    requireHandleRoom(call.k, call.process, 1);
    call.putHandle('out', object.koid, granted);
    closeHandle(call.m, call.process, slot);
    return Status.OK;
  },

  // A function of the vDSO, whose statuses are its own (zircon/system/ulib/c, handle_check_valid).
  zx_handle_check_valid: (call, { handle }) => {
    if (handle === 0) return Status.ERR_INVALID_ARGS;
    if ((handle & HANDLE_FIXED_BITS_MASK) !== HANDLE_FIXED_BITS_MASK) return Status.ERR_OUT_OF_RANGE;
    const { handles, handleSecret } = call.table;
    return handles.has(handleSlot(handle, handleSecret)) ? Status.OK : Status.ERR_NOT_FOUND;
  },
};
