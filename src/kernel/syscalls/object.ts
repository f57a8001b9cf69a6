import { WAIT_MANY_MAX_ITEMS } from '../../abi/limits.js';
import { WaitAsyncOption } from '../../abi/ports.js';
import { Right } from '../../abi/rights.js';
import { settableSignals } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { KernelObject } from '../objects/object.js';
import { PACKET_CHARGE } from '../objects/port.js';
import type { Call, Outcome } from './call.js';
import type { Handlers } from './dispatch.js';
import { MAX_OBSERVERS, MAX_PORT_LOAD, requireMessageRoom, requireWaitable } from './quota.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals, fireAsync } from './signals.js';
import { block } from './waits.js';

/** zx_wait_item_t: handle, waitfor, pending; 4 bytes each. */
const WAIT_ITEM_BYTES = 12;

/** One thing waited for. */
interface WaitItem {
  readonly object: KernelObject;
  readonly slot: number;
  readonly mask: number;
}

export const objectCalls: Handlers = {
  zx_object_wait_one: (call, { signals, deadline, observed }) => {
    const { object, slot } = call.anyHandle('handle');
    requireWaitable(object);
    if (observed !== 0) call.requireWritable(observed, 4);
    const satisfied = (object.signals & signals) !== 0;
    if (satisfied || deadline <= call.k.nowNs) {
      call.writeU32(observed, object.signals);
      return satisfied ? Status.OK : Status.ERR_TIMED_OUT;
    }
    const order = observe(call, { object, slot, mask: signals });
    return block(
      call,
      { kind: 'wait-one', object: object.koid, observer: order, observedAddress: observed },
      deadline,
    );
  },

  zx_object_wait_many: (call, { items, num_items, deadline }) => {
    if (num_items > BigInt(WAIT_MANY_MAX_ITEMS)) refuse(Status.ERR_OUT_OF_RANGE);
    return waitMany(call, items, Number(num_items), deadline);
  },

  zx_object_wait_async: (call, { key, signals, options }) => {
    const { TIMESTAMP, EDGE, BOOT_TIMESTAMP } = WaitAsyncOption;
    const stamps = TIMESTAMP | BOOT_TIMESTAMP;
    call.allowOptions(options, EDGE | stamps);
    requireArgs((options & stamps) !== stamps);
    const port = call.object('port', 'port');
    const { object, slot } = call.anyHandle('handle');
    requireWaitable(object);
    if (object.observers.size >= MAX_OBSERVERS) refuse(Status.ERR_NO_MEMORY);
    if (port.registrations.size + port.packets.size >= MAX_PORT_LOAD) refuse(Status.ERR_NO_MEMORY);
    requireMessageRoom(call.k, PACKET_CHARGE);
    const { koid, signals: now } = object;
    const order = call.k.state.nextOrder;
    const observer = {
      kind: 'async',
      port: port.koid,
      key,
      mask: signals,
      options,
      table: call.caller.shared,
      handle: slot,
    } as const;
    call.emit({ type: 'observer-added', koid, order, observer });
    if ((options & EDGE) === 0 && (now & signals) !== 0) fireAsync(call.m, koid, order, observer, now);
    return Status.OK;
  },

  zx_object_signal: (call, { clear_mask, set_mask }) => {
    const { object } = call.anyHandle('handle');
    requireSettable(object, clear_mask | set_mask);
    changeSignals(call.m, object.koid, clear_mask, set_mask);
    return Status.OK;
  },

  zx_object_signal_peer: (call, { clear_mask, set_mask }) => {
    const { object } = call.anyHandle('handle');
    if (!('peer' in object)) refuse(Status.ERR_NOT_SUPPORTED);
    requireSettable(object, clear_mask | set_mask);
    // An end that only its mappings keep is closed.
    if ((call.k.find(object.peer)?.handleCount ?? 0) === 0) refuse(Status.ERR_PEER_CLOSED);
    changeSignals(call.m, object.peer, clear_mask, set_mask);
    return Status.OK;
  },
};

function requireSettable(object: KernelObject, mask: number): void {
  requireArgs((mask & ~settableSignals(object.kind)) === 0);
}

/** Registers the calling thread's wait for one object; gives its order. */
function observe(call: Call, { object, slot, mask }: WaitItem): number {
  const order = call.k.state.nextOrder;
  call.emit({
    type: 'observer-added',
    koid: object.koid,
    order,
    observer: { kind: 'wait', thread: call.thread, mask, table: call.caller.shared, handle: slot },
  });
  return order;
}

/** No items at all: sleeps until the deadline, and that it passed is the only way it ends. */
function waitMany(call: Call, address: number, count: number, deadlineNs: bigint): Outcome {
  const view = call.readView(address, WAIT_ITEM_BYTES * count);
  const items: WaitItem[] = [];
  let satisfied = false;
  for (let at = 0; at < view.byteLength; at += WAIT_ITEM_BYTES) {
    const { koid, rights, slot } = call.lookup(view.getUint32(at, true));
    if ((rights & Right.WAIT) === 0) refuse(Status.ERR_ACCESS_DENIED);
    const object = call.k.find(koid) as KernelObject;
    requireWaitable(object);
    const mask = view.getUint32(at + 4, true);
    items.push({ object, slot, mask });
    if ((object.signals & mask) !== 0) satisfied = true;
  }
  call.requireWritable(address, view.byteLength);
  if (satisfied || deadlineNs <= call.k.nowNs) {
    items.forEach(({ object }, i) => {
      call.writeU32(address + WAIT_ITEM_BYTES * i + 8, object.signals);
    });
    return satisfied ? Status.OK : Status.ERR_TIMED_OUT;
  }
  const waits = items.map((item) => ({ object: item.object.koid, observer: observe(call, item) }));
  return block(call, { kind: 'wait-many', items: waits, itemsAddress: address }, deadlineNs);
}
