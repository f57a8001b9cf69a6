import { IntMap } from '../../base/int-map.js';
import { enqueueThread, withdrawThread } from './core.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface SuspendTokenState extends ObjectBase {
  readonly kind: 'suspend-token';
  /** The thread or process that does not run while the token lives. */
  readonly task: number;
}

export interface SuspendTokenEvents {
  'suspend-token-created': { koid: number; task: number };
  'process-suspended': { koid: number };
  'process-resumed': { koid: number };
  /** Once more: a thread runs when it was resumed as often as it was suspended. */
  'thread-suspended': { koid: number };
  'thread-resumed': { koid: number };
}

export const suspendTokenReducers: Reducers<SuspendTokenEvents> = {
  'suspend-token-created': (k, e) => {
    k.create({ kind: 'suspend-token', ...newObject(e.koid, 0, IntMap.empty()), task: e.task });
  },
  'process-suspended': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      process.suspends++;
    });
  },
  'process-resumed': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      process.suspends--;
    });
  },
  'thread-suspended': (k, e) => {
    k.update(e.koid, 'thread', (thread) => {
      thread.suspends++;
    });
    if (k.get(e.koid, 'thread').life === 'ready') withdrawThread(k, e.koid);
  },
  'thread-resumed': (k, e) => {
    k.update(e.koid, 'thread', (thread) => {
      thread.suspends--;
    });
    const { life, suspends } = k.get(e.koid, 'thread');
    if (life === 'ready' && suspends === 0) enqueueThread(k, e.koid);
  },
};
