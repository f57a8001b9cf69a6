import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface EventpairState extends ObjectBase {
  readonly kind: 'eventpair';
  /** The other end's koid, also after its death. */
  readonly peer: number;
}

export interface EventpairEvents {
  /** Both ends; `koid1` is `koid0` + 1. */
  'eventpair-created': { koid0: number; koid1: number };
}

export const eventpairReducers: Reducers<EventpairEvents> = {
  'eventpair-created': (k, e) => {
    k.create({ kind: 'eventpair', ...newObject(e.koid0, 0, IntMap.empty()), peer: e.koid1 });
    k.create({ kind: 'eventpair', ...newObject(e.koid1, 0, IntMap.empty()), peer: e.koid0 });
  },
};
