import { PacketType, WaitAsyncOption } from '../../abi/ports.js';
import { Status } from '../../abi/status.js';
import { encodeStruct } from '../../abi/structs.js';
import type { ChannelState } from '../objects/channel.js';
import type { Observer } from '../objects/object.js';
import type { Decider } from './decider.js';
import { queuePacket } from './packets.js';
import { finishCall, finishWait } from './waits.js';

/** Clears and sets signals of an object and tells who waits for them, in order of registration. */
export function changeSignals(m: Decider, koid: number, clear: number, set: number): void {
  const object = m.k.find(koid);
  if (object === undefined) return;
  const before = object.signals;
  const signals = ((before & ~clear) | set) >>> 0;
  if (signals === before) return;
  m.emit({ type: 'signals-changed', koid, signals });
  if (object.observers.size === 0) return;
  // A list first: what an observer sets off may change the observers.
  for (const [order, observer] of object.observers.list()) {
    if ((observer.mask & signals) === 0) continue;
    if (observer.kind === 'wait') finishWait(m, observer.thread, Status.OK);
    else if ((observer.options & WaitAsyncOption.EDGE) === 0 || (observer.mask & signals & ~before) !== 0) {
      fireAsync(m, koid, order, observer, signals);
    }
  }
}

/** Ends a zx_object_wait_async registration with its packet. */
export function fireAsync(
  m: Decider,
  koid: number,
  order: number,
  observer: Extract<Observer, { kind: 'async' }>,
  observed: number,
): void {
  // An earlier observer of the same change may have ended this one.
  if (m.k.find(koid)?.observers.get(order) === undefined) return;
  m.emit({ type: 'observer-removed', koid, order });
  queuePacket(m, observer.port, {
    key: observer.key,
    type: PacketType.SIGNAL_ONE,
    status: Status.OK,
    payload: encodeStruct('zx_packet_signal_t', {
      trigger: observer.mask,
      observed,
      count: 1n,
      timestamp:
        (observer.options & (WaitAsyncOption.TIMESTAMP | WaitAsyncOption.BOOT_TIMESTAMP)) !== 0
          ? m.k.nowNs
          : 0n,
    }),
    source: koid,
    table: observer.table,
    handle: observer.handle,
  });
}

/**
 * A handle was closed or went into flight: waits made through it end with CANCELED, registrations made through it
 * end silently; other handles to the object are not concerned (object_wait_one, object_wait_async).
 */
export function cancelObserversOf(m: Decider, koid: number, table: number, slot: number): void {
  const object = m.k.find(koid);
  if (object === undefined) return;
  if (object.kind === 'channel' && object.calls.size > 0) cancelCallsOf(m, object, table, slot);
  if (object.observers.size === 0) return;
  for (const [order, observer] of object.observers.list()) {
    if (observer.table !== table || observer.handle !== slot) continue;
    if (observer.kind === 'async') m.emit({ type: 'observer-removed', koid, order });
    else finishWait(m, observer.thread, Status.ERR_CANCELED, slot);
  }
}

/** zx_channel_call through the handle ends with CANCELED, like a wait. */
function cancelCallsOf(m: Decider, channel: ChannelState, table: number, slot: number): void {
  for (const thread of [...channel.calls.values()]) {
    const { process: owner, wait } = m.k.get(thread, 'thread');
    if (m.k.get(owner, 'process').shared === table && wait?.kind === 'channel-call' && wait.handle === slot) {
      finishCall(m, thread, Status.ERR_CANCELED);
    }
  }
}
