import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

/** A queued zx_port_packet_t. */
export interface Packet {
  readonly key: bigint;
  /** ZX_PKT_TYPE_*. */
  readonly type: number;
  readonly status: number;
  /** The 32 bytes of the packet's union. */
  readonly payload: Uint8Array;
  /** The object whose signals made it, or the VMO that needs pages; 0 for user packets. */
  readonly source: number;
  /** The handle table and the slot registered through, 0 for user packets and page requests. */
  readonly table: number;
  readonly handle: number;
}

export interface PortState extends ObjectBase {
  readonly kind: 'port';
  /** By number; `tail` is the next to give. */
  readonly packets: IntMap<Packet>;
  readonly tail: number;
  readonly userPackets: number;
  /** Asynchronous waits that end in this port: the koid of the object, by order of registration. */
  readonly registrations: IntMap<number>;
  /** Threads in zx_port_wait, by order of arrival. */
  readonly waiters: IntMap<number>;
}

/** What a queued packet, and a wait that will become one, is charged in `messageBytes`. */
export const PACKET_CHARGE = 128;

export interface PortEvents {
  'port-created': { koid: number };
  'port-packet-queued': { koid: number; packet: Packet };
  /** A packet left the queue: delivered or cancelled. */
  'port-packet-removed': { koid: number; number: number };
  'port-waiter-added': { koid: number; order: number; thread: number };
  'port-waiter-removed': { koid: number; order: number };
}

export const portReducers: Reducers<PortEvents> = {
  'port-created': (k, e) => {
    k.create({
      kind: 'port',
      ...newObject(e.koid, 0, IntMap.empty()),
      packets: IntMap.empty(),
      tail: 0,
      userPackets: 0,
      registrations: IntMap.empty(),
      waiters: IntMap.empty(),
    });
  },
  'port-packet-queued': (k, e) => {
    k.update(e.koid, 'port', (port) => {
      port.packets = port.packets.set(port.tail, e.packet, k.owner);
      port.tail++;
      if (e.packet.source === 0) port.userPackets++;
    });
    k.state.messageBytes += PACKET_CHARGE;
  },
  'port-packet-removed': (k, e) => {
    k.update(e.koid, 'port', (port) => {
      const packet = port.packets.get(e.number);
      if (packet === undefined) return;
      if (packet.source === 0) port.userPackets--;
      k.state.messageBytes -= PACKET_CHARGE;
      port.packets = port.packets.delete(e.number, k.owner);
    });
  },
  'port-waiter-added': (k, e) => {
    k.state.nextOrder = e.order + 1;
    k.update(e.koid, 'port', (port) => {
      port.waiters = port.waiters.set(e.order, e.thread, k.owner);
    });
  },
  'port-waiter-removed': (k, e) => {
    k.update(e.koid, 'port', (port) => {
      port.waiters = port.waiters.delete(e.order, k.owner);
    });
  },
};
