import { IntMap } from '../../base/int-map.js';
import { type HandleEntry, newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

/** A message on its way. Its handles are in flight: they count for their objects and are in no table. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly handles: readonly HandleEntry[];
}

export interface ChannelState extends ObjectBase {
  readonly kind: 'channel';
  /** The other end's koid, also after its death. */
  readonly peer: number;
  /** The handle table that its handle is in (`SharedState`); 0 while that is in flight. */
  readonly holder: number;
  /** Waiting to be read at this end, by number; `head` is the oldest. */
  readonly messages: IntMap<Message>;
  readonly head: number;
  readonly tail: number;
  /** Threads in zx_channel_call through this end, by transaction id (with KERNEL_TXID). */
  readonly calls: IntMap<number>;
  /** Without KERNEL_TXID. */
  readonly nextTxid: number;
}

/** What a message is charged in `messageBytes`: more than it takes, so that small ones are bounded as well. */
export function messageCharge(bytes: number, handles: number): number {
  return 128 + bytes + 32 * handles;
}

/** The numbers that zx_channel_call gives its messages have this bit. */
export const KERNEL_TXID = 0x80000000;

export interface ChannelEvents {
  /** Both ends; `koid1` is `koid0` + 1. */
  'channel-created': { koid0: number; koid1: number; signals: number };
  /** A message arrived at an end's queue. */
  'channel-message-queued': { koid: number; bytes: Uint8Array; handles: readonly HandleEntry[] };
  /** The oldest message left the queue: read, or discarded. */
  'channel-message-taken': { koid: number };
  'channel-call-started': { koid: number; txid: number; thread: number };
  'channel-call-ended': { koid: number; txid: number };
}

export const channelReducers: Reducers<ChannelEvents> = {
  'channel-created': (k, e) => {
    for (const [koid, peer] of [
      [e.koid0, e.koid1],
      [e.koid1, e.koid0],
    ]) {
      k.create({
        kind: 'channel',
        ...newObject(koid, e.signals, IntMap.empty()),
        peer,
        holder: 0,
        messages: IntMap.empty(),
        head: 0,
        tail: 0,
        calls: IntMap.empty(),
        nextTxid: 1,
      });
    }
  },
  'channel-message-queued': (k, e) => {
    k.update(e.koid, 'channel', (channel) => {
      channel.messages = channel.messages.set(channel.tail, { bytes: e.bytes, handles: e.handles }, k.owner);
      channel.tail++;
    });
    k.state.messageBytes += messageCharge(e.bytes.length, e.handles.length);
  },
  'channel-message-taken': (k, e) => {
    k.update(e.koid, 'channel', (channel) => {
      const message = channel.messages.get(channel.head);
      if (message === undefined) return;
      k.state.messageBytes -= messageCharge(message.bytes.length, message.handles.length);
      channel.messages = channel.messages.delete(channel.head, k.owner);
      channel.head++;
    });
  },
  'channel-call-started': (k, e) => {
    k.update(e.koid, 'channel', (channel) => {
      channel.calls = channel.calls.set(e.txid, e.thread, k.owner);
      channel.nextTxid = (e.txid + 1) & (KERNEL_TXID - 1);
    });
  },
  'channel-call-ended': (k, e) => {
    k.update(e.koid, 'channel', (channel) => {
      channel.calls = channel.calls.delete(e.txid, k.owner);
    });
  },
};
