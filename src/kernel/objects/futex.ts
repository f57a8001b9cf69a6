import type { Reducers } from './reducer.js';

/** A thread blocked in zx_futex_wait. Futexes are known by address inside one process. */
export interface FutexWaiter {
  readonly process: number;
  readonly address: number;
  readonly thread: number;
}

/** Who owns a futex lasts only while somebody waits on it (zx_futex_wait, "ownership"). */
export interface FutexEvents {
  'futex-waiter-added': { order: number; process: number; address: number; thread: number };
  'futex-waiter-removed': { order: number };
  /** zx_futex_requeue moved a waiter to the end of another futex's queue. */
  'futex-waiter-moved': { order: number; newOrder: number; address: number };
  /** The thread that owns the futex now; 0: nobody. */
  'futex-owner-set': { process: number; address: number; owner: number };
}

export const futexReducers: Reducers<FutexEvents> = {
  'futex-waiter-added': (k, e) => {
    k.state.nextOrder = e.order + 1;
    k.state.futexWaiters = k.state.futexWaiters.set(
      e.order,
      { process: e.process, address: e.address, thread: e.thread },
      k.owner,
    );
  },
  'futex-waiter-removed': (k, e) => {
    k.state.futexWaiters = k.state.futexWaiters.delete(e.order, k.owner);
  },
  'futex-waiter-moved': (k, e) => {
    const waiter = k.state.futexWaiters.get(e.order);
    if (waiter === undefined) return;
    k.state.nextOrder = e.newOrder + 1;
    k.state.futexWaiters = k.state.futexWaiters
      .delete(e.order, k.owner)
      .set(e.newOrder, { ...waiter, address: e.address }, k.owner);
  },
  'futex-owner-set': (k, e) => {
    k.update(e.process, 'process', (process) => {
      process.futexOwners =
        e.owner === 0
          ? process.futexOwners.delete(e.address, k.owner)
          : process.futexOwners.set(e.address, e.owner, k.owner);
    });
  },
};
