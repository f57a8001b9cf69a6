import { TIME_INFINITE_NS } from '../../abi/clocks.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { assert } from '../../base/assert.js';
import type { Wait } from '../objects/thread.js';
import { BLOCKED, type Call } from './call.js';
import type { Decider } from './decider.js';
import { endException } from './exceptions.js';
import { cancelPageWait } from './page-requests.js';
import { isUserWritable, littleEndian, writeUser } from './user-memory.js';

/** What a finished call leaves in its caller's memory. */
export interface Output {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * Blocks the calling thread. `wait` has everything that finishing the call will need. Deadlines at or before now
 * are the caller's business: they poll.
 */
export function block(call: Call, wait: Wait, deadlineNs: bigint): typeof BLOCKED {
  call.emit({
    type: 'thread-blocked',
    thread: call.thread,
    wait,
    deadlineNs,
    deadlineOrder: deadlineNs === TIME_INFINITE_NS ? 0 : call.k.state.nextOrder,
  });
  return BLOCKED;
}

/** Undoes what a wait registered elsewhere. */
function withdrawWait(m: Decider, thread: number, wait: Wait): void {
  switch (wait.kind) {
    case 'sleep':
      return;
    case 'exception':
      endException(m, wait.exception);
      return;
    case 'wait-one':
      if (m.k.find(wait.object) !== undefined) {
        m.emit({ type: 'observer-removed', koid: wait.object, order: wait.observer });
      }
      return;
    case 'wait-many':
      for (const item of wait.items) {
        if (m.k.find(item.object) !== undefined) {
          m.emit({ type: 'observer-removed', koid: item.object, order: item.observer });
        }
      }
      return;
    case 'port': {
      const port = m.k.find(wait.port);
      if (port?.kind !== 'port') return;
      for (const [order, waiter] of port.waiters) {
        if (waiter === thread) {
          m.emit({ type: 'port-waiter-removed', koid: wait.port, order });
          return;
        }
      }
      return;
    }
    case 'futex':
      m.emit({
        type: 'futex-waiter-removed',
        process: m.k.get(thread, 'thread').process,
        address: wait.address,
        order: wait.order,
      });
      return;
    case 'page':
      cancelPageWait(m, wait);
      return;
    case 'channel-call':
      if (m.k.find(wait.channel) !== undefined) {
        m.emit({ type: 'channel-call-ended', koid: wait.channel, txid: wait.txid });
      }
      return;
  }
}

/** Finishes a blocked call: withdraws the wait, writes its outputs, wakes the thread with the result. */
export function finishCall(
  m: Decider,
  thread: number,
  result: number,
  outputs: readonly Output[] = [],
): void {
  const { wait, process, syscall } = m.k.get(thread, 'thread');
  assert(wait !== null, 'the thread is not blocked');
  withdrawWait(m, thread, wait);
  let status = result;
  for (const { address, bytes } of outputs) {
    if (address === 0) continue;
    // The range was writable when the call began; another thread may have unmapped it since.
    if (isUserWritable(m.k, process, address, bytes.length, 'there'))
      writeUser(m, process, thread, address, bytes);
    else status = Status.ERR_INVALID_ARGS;
  }
  m.emit({ type: 'thread-woken', thread });
  m.emit({ type: 'syscall-returned', thread, number: syscall, result: BigInt(status) });
}

/**
 * Finishes zx_object_wait_one or _many with the signals that the objects have now. `closedSlot` is the handle whose
 * end ended the wait: HANDLE_CLOSED shows where it was waited through, and only there.
 */
export function finishWait(m: Decider, thread: number, status: number, closedSlot = 0): void {
  const { wait } = m.k.get(thread, 'thread');
  const output = (address: number, koid: number, order: number): Output => {
    const object = m.k.find(koid);
    const closed = closedSlot !== 0 && object?.observers.get(order)?.handle === closedSlot;
    const signals = (object?.signals ?? 0) | (closed ? Signal.HANDLE_CLOSED : 0);
    return { address, bytes: littleEndian(signals, 4) };
  };
  if (wait?.kind === 'wait-one') {
    const { observedAddress: address, object, observer } = wait;
    finishCall(m, thread, status, address === 0 ? [] : [output(address, object, observer)]);
  } else if (wait?.kind === 'wait-many') {
    // zx_wait_item_t: handle, waitfor, pending.
    const outputs = wait.items.map(({ object, observer }, index) =>
      output(wait.itemsAddress + 12 * index + 8, object, observer),
    );
    finishCall(m, thread, status, outputs);
  }
}

/** A blocked thread's deadline passed: the call ends as its kind says. */
export function expireWait(m: Decider, thread: number): void {
  const { wait } = m.k.get(thread, 'thread');
  if (wait === null) return;
  if (wait.kind === 'sleep') finishCall(m, thread, Status.OK);
  else if (wait.kind === 'wait-one' || wait.kind === 'wait-many') finishWait(m, thread, Status.ERR_TIMED_OUT);
  else finishCall(m, thread, Status.ERR_TIMED_OUT);
}

/** The thread dies: its wait goes without a result. */
export function abandonWait(m: Decider, thread: number): void {
  const { wait } = m.k.get(thread, 'thread');
  if (wait !== null) withdrawWait(m, thread, wait);
}
