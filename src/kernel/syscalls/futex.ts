import { Status } from '../../abi/status.js';
import { handleSlot } from '../objects/handle-value.js';
import type { Kernel } from '../objects/kernel.js';
import type { Call } from './call.js';
import { GONE } from './call.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { exitThread, raiseException } from './exceptions.js';
import { closeHandle } from './handles.js';
import { refuse, requireArgs } from './refusal.js';
import { isUserWritable, writeUser } from './user-memory.js';
import { block, finishCall } from './waits.js';

/** No user address is as high: keeps what is not an address out of the tables. */
const ADDRESS_LIMIT = 2 ** 47;

/** What a wake does with the futex's owner: nobody owns it, or the thread that was woken. */
type OwnerAction = 'release' | 'assign-woken';

export const futexCalls: Handlers = {
  zx_futex_wait: (call, { value_ptr, current_value, new_futex_owner, deadline }) => {
    requireFutex(value_ptr);
    requireValue(call, value_ptr, current_value);
    const owner = newOwner(call, new_futex_owner);
    requireArgs(owner !== call.thread && !waitsAt(call.k, owner, value_ptr));
    if (deadline <= call.k.nowNs) {
      // It does not block, and yet names the owner (object/owned_wait_queue).
      setOwner(call.m, call.process, value_ptr, owner);
      return Status.ERR_TIMED_OUT;
    }
    const order = call.k.state.nextOrder;
    call.emit({
      type: 'futex-waiter-added',
      process: call.process,
      address: value_ptr,
      order,
      thread: call.thread,
    });
    setOwner(call.m, call.process, value_ptr, owner);
    return block(call, { kind: 'futex', address: value_ptr, order }, deadline);
  },

  // The memory is not looked at, so it need not be there.
  zx_futex_wake: (call, { value_ptr, wake_count }) => {
    requireFutex(value_ptr);
    wake(call.m, call.process, value_ptr, wake_count, 'release');
    return Status.OK;
  },

  zx_futex_wake_single_owner: (call, { value_ptr }) => {
    requireFutex(value_ptr);
    wake(call.m, call.process, value_ptr, 1, 'assign-woken');
    return Status.OK;
  },

  zx_futex_requeue: (call, args) => requeue(call, args, args.wake_count, 'release'),
  zx_futex_requeue_single_owner: (call, args) => requeue(call, args, 1, 'assign-woken'),

  zx_futex_get_owner: (call, { value_ptr }) => {
    requireFutex(value_ptr);
    call.requireOut('koid');
    const owner = call.table.futexes.get(value_ptr)?.owner ?? 0;
    call.put('koid', isAlive(call.k, owner) ? owner : 0);
    return Status.OK;
  },

  /**
   * Store, wake, close, exit. Zircon's vDSO does it in user code: a store that faults and a handle that cannot be
   * closed (it traps then) end the process as an unhandled exception.
   */
  zx_futex_wake_handle_close_thread_exit: (call, { value_ptr, wake_count, new_value, close_handle }) => {
    const { m, process, thread } = call;
    if (!isUserWritable(call.k, process, value_ptr, 4)) return fault(call, value_ptr);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, new_value, true);
    writeUser(m, process, thread, value_ptr, bytes);
    if (value_ptr % 4 === 0) wake(m, process, value_ptr, wake_count, 'release');
    if (close_handle !== 0) {
      const { handles, handleSecret } = call.table;
      const slot = handleSlot(close_handle, handleSecret);
      if (!handles.has(slot)) return fault(call, null);
      closeHandle(m, process, slot);
    }
    exitThread(m, thread);
    return GONE;
  },
};

/** Refuses with INVALID_ARGS what cannot be a futex's address. */
function requireFutex(address: number): void {
  requireArgs(address !== 0 && address % 4 === 0 && address < ADDRESS_LIMIT);
}

/** Refuses with BAD_STATE when the futex's value is another one. */
function requireValue(call: Call, address: number, value: number): void {
  if (call.readInt32(address) !== value) refuse(Status.ERR_BAD_STATE);
}

function isAlive(k: Kernel, thread: number): boolean {
  const object = k.find(thread);
  return object?.kind === 'thread' && object.life !== 'dead';
}

function waitsAt(k: Kernel, thread: number, address: number): boolean {
  if (thread === 0) return false;
  const { wait } = k.get(thread, 'thread');
  return wait?.kind === 'futex' && wait.address === address;
}

/**
 * The thread that a handle argument names as owner: a started one of the caller's process; a dead one owns nothing.
 * Asked after the value was compared (object/futex_context).
 */
function newOwner(call: Call, value: number): number {
  if (value === 0) return 0;
  const { object } = call.resolve(value, 'thread', 0);
  requireArgs(object.process === call.process && object.life !== 'new');
  return object.life === 'dead' ? 0 : object.koid;
}

/** A futex that nobody waits on has no owner. */
function setOwner(m: Decider, process: number, address: number, owner: number): void {
  const futex = m.k.sharedBy(process).futexes.get(address);
  if (futex !== undefined && futex.owner !== owner) {
    m.emit({ type: 'futex-owner-set', process, address, owner });
  }
}

/** Wakes up to `count` waiters, longest waiting first. */
function wake(m: Decider, process: number, address: number, count: number, action: OwnerAction): void {
  const futex = m.k.sharedBy(process).futexes.get(address);
  if (futex === undefined) return;
  const woken: number[] = [];
  // Not by an iterator: most wake one.
  for (let from = 0; woken.length < count; ) {
    const next = futex.waiters.ceiling(from);
    if (next === undefined) break;
    woken.push(next[1]);
    from = next[0] + 1;
  }
  for (const thread of woken) finishCall(m, thread, Status.OK);
  setOwner(m, process, address, action === 'assign-woken' ? (woken[0] ?? 0) : 0);
}

interface RequeueArgs {
  readonly value_ptr: number;
  readonly current_value: number;
  readonly requeue_ptr: number;
  readonly requeue_count: number;
  readonly new_requeue_owner: number;
}

function requeue(call: Call, args: RequeueArgs, wakeCount: number, action: OwnerAction): number {
  const { m, k, process } = call;
  const { value_ptr: from, requeue_ptr: to } = args;
  requireFutex(from);
  requireFutex(to);
  requireArgs(from !== to);
  requireValue(call, from, args.current_value);
  const owner = newOwner(call, args.new_requeue_owner);
  requireArgs(!waitsAt(k, owner, from) && !waitsAt(k, owner, to));
  wake(m, process, from, wakeCount, action);
  const moved: number[] = [];
  for (const order of call.table.futexes.get(from)?.waiters.keys() ?? []) {
    if (moved.length >= args.requeue_count) break;
    moved.push(order);
  }
  for (const order of moved) {
    const newOrder = k.state.nextOrder;
    m.emit({ type: 'futex-waiter-moved', process, address: from, order, newAddress: to, newOrder });
  }
  setOwner(m, process, to, owner);
  return Status.OK;
}

/** An exception of the caller in the middle of a call: a store to where it cannot, or (null) a trap. */
function fault(call: Call, storeAddress: number | null): typeof GONE {
  const { m, thread } = call;
  m.emit({ type: 'syscall-trapped', thread });
  raiseException(m, thread, {
    exception: storeAddress === null ? 'undefined-instruction' : 'page-fault',
    access: storeAddress === null ? 'none' : 'store',
    address: BigInt(storeAddress ?? 0),
    code: storeAddress === null ? 0 : Status.ERR_NOT_FOUND >>> 0,
    data: 0,
  });
  return GONE;
}
