import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { encodeStruct, sizeOf } from '../../abi/structs.js';
import type { SyscallArgs } from '../../abi/syscalls.js';
import { VmoOp } from '../../abi/vm.js';
import type { VmoState } from '../objects/vmo.js';
import type { Call } from './call.js';
import type { Handler } from './dispatch.js';
import { requirePages } from './page-requests.js';
import { refuse, requireArgs } from './refusal.js';
import {
  commitRange,
  isBacked,
  missingPages,
  requireDecommit,
  requireInside,
  requireMemory,
  requireZero,
  zeroRange,
} from './vmo-range.js';

type Operation = (call: Call, vmo: VmoState, args: SyscallArgs['zx_vmo_op_range']) => void;

const commit: Operation = (call, vmo, { offset, size }) => {
  const range = requireInside(call.k, vmo, offset, size);
  requireMemory(call.k, missingPages(range));
  requirePages(call.k, range, 'commit');
  commitRange(call.m, range);
};

const decommit: Operation = (call, vmo, { offset, size }) => {
  const range = requireInside(call.k, vmo, offset, size);
  requireDecommit(call.k, range);
  zeroRange(call.m, range);
};

const zero: Operation = (call, vmo, { offset, size }) => {
  if (size === 0n) return;
  const range = requireInside(call.k, vmo, offset, size);
  requireZero(call.k, range);
  zeroRange(call.m, range);
};

/** All of a discardable VMO, at once: what can be locked (syscalls/vmo_op_range). */
function requireLockable(vmo: VmoState, offset: bigint, size: bigint): void {
  if (!vmo.discardable) refuse(Status.ERR_NOT_SUPPORTED);
  if (offset !== 0n || size !== BigInt(vmo.sizeBytes)) refuse(Status.ERR_OUT_OF_RANGE);
}

function changeLocks(call: Call, { koid, locks }: VmoState, by: number): void {
  call.emit({ type: 'vmo-locks-changed', koid, locks: locks + by });
}

const lock: Operation = (call, vmo, { offset, size, buffer, buffer_size }) => {
  requireLockable(vmo, offset, size);
  const sizeBytes = sizeOf('zx_vmo_lock_state_t');
  requireArgs(buffer_size >= BigInt(sizeBytes));
  call.requireWritable(buffer, sizeBytes);
  changeLocks(call, vmo, 1);
  call.write(buffer, encodeStruct('zx_vmo_lock_state_t', { offset, size }));
};

const tryLock: Operation = (call, vmo, { offset, size }) => {
  requireLockable(vmo, offset, size);
  changeLocks(call, vmo, 1);
};

const unlock: Operation = (call, vmo, { offset, size }) => {
  requireLockable(vmo, offset, size);
  if (vmo.locks === 0) refuse(Status.ERR_BAD_STATE);
  changeLocks(call, vmo, -1);
};

/** Caches are always coherent: there is nothing to do for a range that is one. */
const cache: Operation = (call, vmo, { offset, size }) => {
  requireArgs(size !== 0n);
  requireInside(call.k, vmo, offset, size);
};

const prefetch: Operation = (call, vmo, { offset, size }) => {
  requirePages(call.k, requireInside(call.k, vmo, offset, size), 'read');
};

/** Needs the debugging calls, which are off (syscalls/vmo_op_range). */
const invalidate: Operation = () => refuse(Status.ERR_NOT_SUPPORTED);

/** What is not needed stays, for memory is never reclaimed. Only memory that has a pager is looked at. */
const dontNeed: Operation = (call, vmo, { offset, size }) => {
  if (isBacked(call.k, vmo)) requireInside(call.k, vmo, offset, size);
};

/** Pages are wanted, but it is no error when they do not come. */
const alwaysNeed: Operation = (call, vmo, { offset, size }) => {
  if (!isBacked(call.k, vmo)) return;
  requirePages(call.k, requireInside(call.k, vmo, offset, size), 'read', Status.OK);
};

/** ZX_VMO_OP_* → any of the rights it needs (0: none), and what it does. */
const OPERATIONS: ReadonlyMap<number, readonly [anyOfRights: number, Operation]> = new Map([
  [VmoOp.COMMIT, [Right.WRITE, commit]],
  [VmoOp.DECOMMIT, [Right.WRITE, decommit]],
  [VmoOp.ZERO, [Right.WRITE, zero]],
  [VmoOp.LOCK, [Right.READ | Right.WRITE, lock]],
  [VmoOp.TRY_LOCK, [Right.READ | Right.WRITE, tryLock]],
  [VmoOp.UNLOCK, [Right.READ | Right.WRITE, unlock]],
  [VmoOp.CACHE_SYNC, [Right.READ, cache]],
  [VmoOp.CACHE_INVALIDATE, [0, invalidate]],
  [VmoOp.CACHE_CLEAN, [Right.READ, cache]],
  [VmoOp.CACHE_CLEAN_INVALIDATE, [Right.READ, cache]],
  [VmoOp.ALWAYS_NEED, [0, alwaysNeed]],
  [VmoOp.DONT_NEED, [0, dontNeed]],
  [VmoOp.PREFETCH, [Right.READ, prefetch]],
] as const);

export const rangeOperation: Handler<'zx_vmo_op_range'> = (call, args) => {
  const { object: vmo, rights } = call.handle('handle', 'vmo');
  const found = OPERATIONS.get(args.op);
  if (found === undefined) refuse(Status.ERR_INVALID_ARGS);
  const [anyOfRights, operation] = found;
  if (anyOfRights !== 0 && (rights & anyOfRights) === 0) refuse(Status.ERR_ACCESS_DENIED);
  operation(call as Call, vmo, args);
  return Status.OK;
};
