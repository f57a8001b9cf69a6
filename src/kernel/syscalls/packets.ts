import { Status } from '../../abi/status.js';
import type { Packet } from '../objects/port.js';
import type { Decider } from './decider.js';
import { finishCall } from './waits.js';

/** zx_port_packet_t: key (8), type (4), status (4), union (32). */
export const PACKET_BYTES = 48;

export function packetBytes(packet: Packet): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, packet.key), true);
  view.setUint32(8, packet.type, true);
  view.setInt32(12, packet.status, true);
  bytes.set(packet.payload, 16);
  return bytes;
}

/** Gives a packet to the thread that waits longest in zx_port_wait, or puts it at the queue's end. */
export function queuePacket(m: Decider, port: number, packet: Packet): void {
  const target = m.k.find(port);
  if (target?.kind !== 'port') return;
  const first = target.waiters.ceiling(0);
  if (first === undefined) {
    m.emit({ type: 'port-packet-queued', koid: port, packet });
    return;
  }
  const thread = m.k.get(first[1], 'thread');
  const address = thread.wait?.kind === 'port' ? thread.wait.packetAddress : 0;
  finishCall(m, thread.koid, Status.OK, [{ address, bytes: packetBytes(packet) }]);
}
