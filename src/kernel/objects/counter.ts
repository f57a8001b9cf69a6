import { Signal } from '../../abi/signals.js';
import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface CounterState extends ObjectBase {
  readonly kind: 'counter';
  /** An int64. */
  readonly value: bigint;
}

export interface CounterEvents {
  'counter-created': { koid: number };
  'counter-changed': { koid: number; value: bigint };
}

export const counterReducers: Reducers<CounterEvents> = {
  'counter-created': (k, e) => {
    k.create({
      kind: 'counter',
      ...newObject(e.koid, Signal.COUNTER_NON_POSITIVE, IntMap.empty()),
      value: 0n,
    });
  },
  'counter-changed': (k, e) => {
    k.update(e.koid, 'counter', (counter) => {
      counter.value = e.value;
    });
  },
};
