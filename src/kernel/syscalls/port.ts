import { PORT_MAX_USER_PACKETS } from '../../abi/limits.js';
import { PacketType, PortOption } from '../../abi/ports.js';
import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { PACKET_CHARGE, type Packet, type PortState } from '../objects/port.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { PACKET_BYTES, packetBytes, queuePacket } from './packets.js';
import { requirePolicy } from './policy.js';
import { requireMessageRoom, requireWaitable } from './quota.js';
import { refuse } from './refusal.js';
import { block } from './waits.js';

export const portCalls: Handlers = {
  // ZX_PORT_BIND_TO_INTERRUPT waits for interrupt objects.
  zx_port_create: (call, { options }) => {
    call.allowOptions(options, PortOption.BIND_TO_INTERRUPT);
    if (options !== 0) refuse(Status.ERR_NOT_SUPPORTED);
    requirePolicy(call, 'NEW_PORT');
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'port-created', koid });
    call.putHandle('out', koid, DEFAULT_RIGHTS.port);
    return Status.OK;
  },

  zx_port_queue: (call, { packet }) => {
    const port = call.object('handle', 'port');
    const view = call.readView(packet, PACKET_BYTES);
    if (port.userPackets >= PORT_MAX_USER_PACKETS) refuse(Status.ERR_SHOULD_WAIT);
    requireMessageRoom(call.k, PACKET_CHARGE);
    queuePacket(call.m, port.koid, {
      key: view.getBigUint64(0, true),
      type: PacketType.USER,
      status: view.getInt32(12, true),
      payload: new Uint8Array(view.buffer, view.byteOffset + 16, 32),
      source: 0,
      table: 0,
      handle: 0,
    });
    return Status.OK;
  },

  zx_port_wait: (call, { deadline, packet }) => {
    const { koid, packets } = call.object('handle', 'port');
    if (packet !== 0) call.requireWritable(packet, PACKET_BYTES);
    const first = packets.ceiling(0);
    if (first !== undefined) {
      call.emit({ type: 'port-packet-removed', koid, number: first[0] });
      if (packet !== 0) call.write(packet, packetBytes(first[1]));
      return Status.OK;
    }
    if (deadline <= call.k.nowNs) return Status.ERR_TIMED_OUT;
    const order = call.k.state.nextOrder;
    call.emit({ type: 'port-waiter-added', koid, order, thread: call.thread });
    return block(call, { kind: 'port', port: koid, packetAddress: packet }, deadline);
  },

  // Only what was registered through this handle (port_cancel).
  zx_port_cancel: (call, { key }) => {
    const port = call.object('handle', 'port');
    const source = call.anyHandle('source');
    requireWaitable(source.object);
    const waits: Registration[] = [];
    for (const [order, observer] of source.object.observers) {
      if (observer.kind !== 'async' || observer.port !== port.koid || observer.key !== key) continue;
      if (observer.table === call.caller.shared && observer.handle === source.slot) {
        waits.push({ koid: source.object.koid, order });
      }
    }
    const isOurs = (packet: Packet): boolean =>
      packet.key === key && packet.table === call.caller.shared && packet.handle === source.slot;
    return cancel(call, port, waits, isOurs);
  },

  // All registrations with the key and the packets they left, whatever object they are for (port_cancel_key).
  zx_port_cancel_key: (call, { options, key }) => {
    call.allowOptions(options);
    const port = call.object('handle', 'port');
    const waits: Registration[] = [];
    for (const [order, koid] of port.registrations) {
      const observer = call.k.find(koid)?.observers.get(order);
      if (observer?.kind === 'async' && observer.key === key) waits.push({ koid, order });
    }
    return cancel(call, port, waits, (packet) => packet.key === key && packet.handle !== 0);
  },
};

interface Registration {
  readonly koid: number;
  readonly order: number;
}

function cancel(
  call: Call,
  port: PortState,
  waits: readonly Registration[],
  isOurs: (packet: Packet) => boolean,
): number {
  const { koid, packets } = port;
  const numbers: number[] = [];
  for (const [number, packet] of packets) if (isOurs(packet)) numbers.push(number);
  for (const wait of waits) call.emit({ type: 'observer-removed', ...wait });
  for (const number of numbers) call.emit({ type: 'port-packet-removed', koid, number });
  return waits.length + numbers.length > 0 ? Status.OK : Status.ERR_NOT_FOUND;
}
