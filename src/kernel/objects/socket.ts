import { Signal } from '../../abi/signals.js';
import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface SocketState extends ObjectBase {
  readonly kind: 'socket';
  /** The other end's koid, also after its death. */
  readonly peer: number;
  /** ZX_SOCKET_DATAGRAM. */
  readonly datagram: boolean;
  /** Waiting to be read at this end, by number: datagrams, or pieces of a stream; `head` is the oldest. */
  readonly chunks: IntMap<Uint8Array>;
  readonly head: number;
  readonly tail: number;
  /** Bytes of the oldest chunk that were read already. */
  readonly headOffset: number;
  /** Bytes waiting to be read at this end. */
  readonly sizeBytes: number;
  /** ZX_PROP_SOCKET_RX_THRESHOLD, ZX_PROP_SOCKET_TX_THRESHOLD. */
  readonly readThresholdBytes: number;
  readonly writeThresholdBytes: number;
  /** Nothing will be written to this end any more: once it is empty, reading fails. */
  readonly readDisabled: boolean;
}

/** Bytes that wait at one end of a socket, at most: private to a kernel (256 KiB and a little since 2022). */
export const SOCKET_BUFFER_BYTES = 256 * 1024;

/** What bytes of a stream are gathered into, so that a stream of single bytes is not a list of them. */
const STREAM_CHUNK_BYTES = 4096;

/** What a write is charged in `messageBytes`: datagrams cost something each. */
export function socketCharge(datagram: boolean, sizeBytes: number): number {
  return datagram ? 128 + sizeBytes : sizeBytes;
}

/** What all that waits at an end is charged. */
export function bufferedCharge({ datagram, chunks, sizeBytes }: SocketState): number {
  return datagram ? 128 * chunks.size + sizeBytes : sizeBytes;
}

export interface SocketEvents {
  /** Both ends; `koid1` is `koid0` + 1. */
  'socket-created': { koid0: number; koid1: number; datagram: boolean };
  /** Bytes arrived at an end: one datagram, or so much more of a stream. */
  'socket-written': { koid: number; bytes: Uint8Array };
  /** The oldest datagram left an end, whole, or so many bytes of a stream. */
  'socket-read': { koid: number; sizeBytes: number };
  'socket-thresholds-set': { koid: number; readThresholdBytes: number; writeThresholdBytes: number };
  'socket-reading-changed': { koid: number; disabled: boolean };
}

export const socketReducers: Reducers<SocketEvents> = {
  'socket-created': (k, e) => {
    for (const [koid, peer] of [
      [e.koid0, e.koid1],
      [e.koid1, e.koid0],
    ]) {
      k.create({
        kind: 'socket',
        ...newObject(koid, Signal.SOCKET_WRITABLE, IntMap.empty()),
        peer,
        datagram: e.datagram,
        chunks: IntMap.empty(),
        head: 0,
        tail: 0,
        headOffset: 0,
        sizeBytes: 0,
        readThresholdBytes: 0,
        writeThresholdBytes: 0,
        readDisabled: false,
      });
    }
  },
  'socket-written': (k, e) => {
    k.update(e.koid, 'socket', (socket) => {
      let { chunks, tail } = socket;
      let rest = e.bytes;
      const last = socket.datagram ? undefined : chunks.get(tail - 1);
      if (last !== undefined && last.length < STREAM_CHUNK_BYTES) {
        const taken = rest.subarray(0, STREAM_CHUNK_BYTES - last.length);
        chunks = chunks.set(tail - 1, joined(last, taken), k.owner);
        rest = rest.subarray(taken.length);
      }
      const most = socket.datagram ? rest.length : STREAM_CHUNK_BYTES;
      for (; rest.length > 0; rest = rest.subarray(most)) {
        chunks = chunks.set(tail++, rest.slice(0, most), k.owner);
      }
      socket.chunks = chunks;
      socket.tail = tail;
      socket.sizeBytes += e.bytes.length;
      k.state.messageBytes += socketCharge(socket.datagram, e.bytes.length);
    });
  },
  'socket-read': (k, e) => {
    k.update(e.koid, 'socket', (socket) => {
      let { chunks, head } = socket;
      let headOffset = socket.headOffset + e.sizeBytes;
      for (let chunk = chunks.get(head); chunk !== undefined; chunk = chunks.get(head)) {
        if (headOffset < chunk.length) break;
        headOffset -= chunk.length;
        chunks = chunks.delete(head++, k.owner);
        if (socket.datagram) break;
      }
      socket.chunks = chunks;
      socket.head = head;
      socket.headOffset = headOffset;
      socket.sizeBytes -= e.sizeBytes;
      k.state.messageBytes -= socketCharge(socket.datagram, e.sizeBytes);
    });
  },
  'socket-thresholds-set': (k, e) => {
    k.update(e.koid, 'socket', (socket) => {
      socket.readThresholdBytes = e.readThresholdBytes;
      socket.writeThresholdBytes = e.writeThresholdBytes;
    });
  },
  'socket-reading-changed': (k, e) => {
    k.update(e.koid, 'socket', (socket) => {
      socket.readDisabled = e.disabled;
    });
  },
};

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** The first bytes that wait, as many as asked for or there are: of the oldest datagram, or of the stream. */
export function peekSocket({ datagram, chunks, head, headOffset }: SocketState, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  let from = headOffset;
  for (let number = head; size < length; number++) {
    const chunk = chunks.get(number);
    if (chunk === undefined) break;
    const part = chunk.subarray(from, from + length - size);
    parts.push(part);
    size += part.length;
    from = 0;
    if (datagram) break;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
