import { Signal } from '../../abi/signals.js';
import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface FifoState extends ObjectBase {
  readonly kind: 'fifo';
  /** The other end's koid, also after its death. */
  readonly peer: number;
  readonly elementBytes: number;
  /** Elements that fit: together FIFO_MAX_SIZE_BYTES at most. */
  readonly capacity: number;
  /** Waiting to be read at this end, whole elements, the oldest first. */
  readonly data: Uint8Array;
}

/** What an end is charged in `messageBytes` as long as it lives: its memory is taken when it is made. */
export function fifoCharge({ elementBytes, capacity }: Pick<FifoState, 'elementBytes' | 'capacity'>): number {
  return elementBytes * capacity;
}

export interface FifoEvents {
  /** Both ends; `koid1` is `koid0` + 1. */
  'fifo-created': { koid0: number; koid1: number; elementBytes: number; capacity: number };
  /** Elements arrived at an end. */
  'fifo-written': { koid: number; bytes: Uint8Array };
  /** The oldest elements left an end. */
  'fifo-read': { koid: number; sizeBytes: number };
}

export const fifoReducers: Reducers<FifoEvents> = {
  'fifo-created': (k, e) => {
    const { elementBytes, capacity } = e;
    for (const [koid, peer] of [
      [e.koid0, e.koid1],
      [e.koid1, e.koid0],
    ]) {
      k.create({
        kind: 'fifo',
        ...newObject(koid, Signal.FIFO_WRITABLE, IntMap.empty()),
        peer,
        elementBytes,
        capacity,
        data: new Uint8Array(0),
      });
      k.state.messageBytes += fifoCharge(e);
    }
  },
  'fifo-written': (k, e) => {
    k.update(e.koid, 'fifo', (fifo) => {
      const data = new Uint8Array(fifo.data.length + e.bytes.length);
      data.set(fifo.data);
      data.set(e.bytes, fifo.data.length);
      fifo.data = data;
    });
  },
  'fifo-read': (k, e) => {
    k.update(e.koid, 'fifo', (fifo) => {
      fifo.data = fifo.data.slice(e.sizeBytes);
    });
  },
};
