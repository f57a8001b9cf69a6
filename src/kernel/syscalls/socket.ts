import type { PropertyName } from '../../abi/info.js';
import { SocketDisposition, SocketOption } from '../../abi/ipc.js';
import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { Kernel } from '../objects/kernel.js';
import { peekSocket, SOCKET_BUFFER_BYTES, type SocketState, socketCharge } from '../objects/socket.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { requirePolicy } from './policy.js';
import { hasMessageRoom } from './quota.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';

const { WRITE_DISABLED, WRITE_ENABLED } = SocketDisposition;
/** Lengths that socket calls take at all (object/socket_dispatcher). */
const MAX_LENGTH = 0xffffffffn;

export const socketCalls: Handlers = {
  zx_socket_create: (call, { options }) => {
    requirePolicy(call, 'NEW_SOCKET');
    call.allowOptions(options, SocketOption.DATAGRAM);
    call.requireOut('out0', 'out1');
    requireHandleRoom(call.k, call.process, 2);
    const koid0 = call.k.state.nextKoid;
    call.emit({ type: 'socket-created', koid0, koid1: koid0 + 1, datagram: options !== 0 });
    call.putHandle('out0', koid0, DEFAULT_RIGHTS.socket);
    call.putHandle('out1', koid0 + 1, DEFAULT_RIGHTS.socket);
    return Status.OK;
  },

  zx_socket_write: (call, { options, buffer, buffer_size }) => {
    requireArgs(buffer !== 0 || buffer_size === 0n);
    call.allowOptions(options);
    const socket = call.object('handle', 'socket');
    const peer = peerOf(call.k, socket);
    if (peer === null) refuse(Status.ERR_PEER_CLOSED);
    if ((socket.signals & Signal.SOCKET_WRITE_DISABLED) !== 0) refuse(Status.ERR_BAD_STATE);
    call.requireOut('actual');
    const length = writableLength(call.k, peer, buffer_size);
    if (length > 0) {
      const bytes = call.read(buffer, length);
      call.emit({ type: 'socket-written', koid: peer.koid, bytes });
    }
    call.put('actual', length);
    updateAfterMove(call.m, peer);
    return Status.OK;
  },

  zx_socket_read: (call, { options, buffer, buffer_size }) => {
    requireArgs(buffer !== 0 || buffer_size === 0n);
    call.allowOptions(options, SocketOption.PEEK);
    const socket = call.object('handle', 'socket');
    requireArgs(buffer_size <= MAX_LENGTH);
    if (socket.sizeBytes === 0) {
      if (peerOf(call.k, socket) === null) refuse(Status.ERR_PEER_CLOSED);
      refuse(socket.readDisabled ? Status.ERR_BAD_STATE : Status.ERR_SHOULD_WAIT);
    }
    const bytes = peekSocket(socket, Number(buffer_size));
    call.requireWritable(buffer, bytes.length);
    call.requireOut('actual');
    // Reading no bytes takes no datagram (object/mbuf).
    if ((options & SocketOption.PEEK) === 0 && bytes.length > 0) {
      const sizeBytes = socket.datagram ? firstDatagramBytes(socket) : bytes.length;
      call.emit({ type: 'socket-read', koid: socket.koid, sizeBytes });
    }
    call.write(buffer, bytes);
    call.put('actual', bytes.length);
    updateAfterMove(call.m, socket);
    return Status.OK;
  },

  zx_socket_set_disposition: (call, { disposition, disposition_peer }) => {
    for (const value of [disposition, disposition_peer]) {
      requireArgs(value === 0 || value === WRITE_DISABLED || value === WRITE_ENABLED);
    }
    const socket = call.object('handle', 'socket');
    const peer = peerOf(call.k, socket);
    requireDrained(socket, disposition_peer);
    if (peer !== null) requireDrained(peer, disposition);
    if (peer !== null) setReading(call.m, peer.koid, disposition);
    setReading(call.m, socket.koid, disposition_peer);
    const [forOwn, forPeer] = [dispositionSignals(disposition), dispositionSignals(disposition_peer)];
    updateEnd(call.m, socket.peer, forPeer.own, forOwn.peer);
    if (peer === null) updateEnd(call.m, socket.koid, forOwn.own);
    else updateEnd(call.m, socket.koid, forOwn.own, forPeer.peer);
    return Status.OK;
  },
};

function peerOf(k: Kernel, { peer }: SocketState): SocketState | null {
  const found = k.find(peer);
  return found?.kind === 'socket' ? found : null;
}

/** How much of a write goes into an end's buffer; refuses what does not fit at all. */
function writableLength(k: Kernel, end: SocketState, asked: bigint): number {
  if (asked === 0n) return 0;
  requireArgs(asked <= MAX_LENGTH);
  const room = SOCKET_BUFFER_BYTES - end.sizeBytes;
  if (room === 0) refuse(Status.ERR_SHOULD_WAIT);
  if (end.datagram && asked > BigInt(SOCKET_BUFFER_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
  if (end.datagram && asked > BigInt(room)) refuse(Status.ERR_SHOULD_WAIT);
  const length = Math.min(room, Number(asked));
  // No memory for the data is no room for it (object/mbuf).
  if (!hasMessageRoom(k, socketCharge(end.datagram, length))) refuse(Status.ERR_SHOULD_WAIT);
  return length;
}

/** Bytes of the datagram that a read would take; of a stream, 0. */
export function firstDatagramBytes({ datagram, chunks, head }: SocketState): number {
  return datagram ? (chunks.get(head)?.length ?? 0) : 0;
}

/** Who writes to an end must not be enabled again before all that was written is read (RFC-0099). */
function requireDrained({ sizeBytes, signals }: SocketState, writer: number): void {
  const disabled = (signals & Signal.SOCKET_PEER_WRITE_DISABLED) !== 0;
  if (writer === WRITE_ENABLED && sizeBytes > 0 && disabled) refuse(Status.ERR_BAD_STATE);
}

/** What the writer's new disposition means to the end that reads. */
function setReading(m: Decider, koid: number, writer: number): void {
  if (writer === 0) return;
  m.emit({ type: 'socket-reading-changed', koid, disabled: writer === WRITE_DISABLED });
}

/** The signals that a disposition clears and sets at the end it is for, and at the other one. */
function dispositionSignals(disposition: number): { own: Masks; peer: Masks } {
  const { SOCKET_WRITE_DISABLED, SOCKET_PEER_WRITE_DISABLED } = Signal;
  const masks = (signal: number): Masks =>
    disposition === WRITE_DISABLED ? [0, signal] : disposition === WRITE_ENABLED ? [signal, 0] : [0, 0];
  return { own: masks(SOCKET_WRITE_DISABLED), peer: masks(SOCKET_PEER_WRITE_DISABLED) };
}

type Masks = readonly [clear: number, set: number];

/**
 * Gives an end the signals that follow from the bytes that wait there and at its peer, after others were cleared and
 * set: all in one change.
 */
function updateEnd(m: Decider, koid: number, ...changes: readonly Masks[]): void {
  const end = m.k.find(koid);
  if (end?.kind !== 'socket') return;
  let clear = 0;
  let set = 0;
  for (const [cleared, added] of changes) {
    clear |= cleared;
    set |= added;
  }
  const assert = (signal: number, condition: boolean): void => {
    if (condition) set |= signal;
    else clear |= signal;
  };
  const disabled = (((end.signals & ~clear) | set) & Signal.SOCKET_WRITE_DISABLED) !== 0;
  const { sizeBytes, readThresholdBytes, writeThresholdBytes } = end;
  assert(Signal.SOCKET_READABLE, sizeBytes > 0);
  assert(Signal.SOCKET_READ_THRESHOLD, readThresholdBytes > 0 && sizeBytes >= readThresholdBytes);
  const peer = peerOf(m.k, end);
  if (peer !== null) {
    const room = SOCKET_BUFFER_BYTES - peer.sizeBytes;
    assert(Signal.SOCKET_WRITABLE, !disabled && room > 0);
    assert(Signal.SOCKET_WRITE_THRESHOLD, writeThresholdBytes > 0 && room >= writeThresholdBytes);
  }
  changeSignals(m, koid, clear, set);
}

/** After the bytes that wait at an end changed. */
function updateAfterMove(m: Decider, { koid, peer }: SocketState): void {
  updateEnd(m, koid);
  updateEnd(m, peer);
}

/** ZX_PROP_SOCKET_RX_THRESHOLD or _TX_THRESHOLD, the only ones that sockets have; 0: none. */
export function socketThreshold(socket: SocketState, property: PropertyName): number {
  return property === 'SOCKET_RX_THRESHOLD' ? socket.readThresholdBytes : socket.writeThresholdBytes;
}

/** Refuses with INVALID_ARGS more than can ever be there. */
export function setSocketThreshold(
  m: Decider,
  socket: SocketState,
  property: PropertyName,
  value: bigint,
): void {
  const { koid, readThresholdBytes, writeThresholdBytes } = socket;
  const reading = property === 'SOCKET_RX_THRESHOLD';
  if (!reading && peerOf(m.k, socket) === null) refuse(Status.ERR_PEER_CLOSED);
  requireArgs(value <= BigInt(SOCKET_BUFFER_BYTES));
  m.emit({
    type: 'socket-thresholds-set',
    koid,
    readThresholdBytes: reading ? Number(value) : readThresholdBytes,
    writeThresholdBytes: reading ? writeThresholdBytes : Number(value),
  });
  updateEnd(m, koid);
}

/** An end without handles goes; the other can only be read until it is empty. */
export function releaseSocket(m: Decider, { koid, peer }: SocketState): void {
  m.emit({ type: 'object-destroyed', koid });
  changeSignals(m, peer, Signal.SOCKET_WRITABLE, Signal.SOCKET_PEER_CLOSED);
}
