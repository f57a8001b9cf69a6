import { IntMap } from '../../base/int-map.js';
import type { Kernel } from './kernel.js';
import type { Reducers } from './reducer.js';
import { updateShared } from './shared-state.js';

/** An address that threads of one process, or of several that share, wait at. Nobody waits, nothing is known: there is no entry. */
export interface Futex {
  /** The thread that owns it; 0: nobody. A thread owns nothing after its death, whatever stands here. */
  readonly owner: number;
  /** Threads in zx_futex_wait, by order of arrival. */
  readonly waiters: IntMap<number>;
}

export interface FutexEvents {
  'futex-waiter-added': { process: number; address: number; order: number; thread: number };
  'futex-waiter-removed': { process: number; address: number; order: number };
  /** zx_futex_requeue moved a waiter to the end of another futex's queue. */
  'futex-waiter-moved': {
    process: number;
    address: number;
    order: number;
    newAddress: number;
    newOrder: number;
  };
  /** The thread that owns the futex now; 0: nobody. Somebody waits on it. */
  'futex-owner-set': { process: number; address: number; owner: number };
}

const UNKNOWN: Futex = { owner: 0, waiters: IntMap.empty() };

export const futexReducers: Reducers<FutexEvents> = {
  'futex-waiter-added': (k, e) => {
    k.state.nextOrder = e.order + 1;
    addWaiter(k, e.process, e.address, e.order, e.thread);
  },
  'futex-waiter-removed': (k, e) => removeWaiter(k, e.process, e.address, e.order),
  'futex-waiter-moved': (k, e) => {
    const thread = k.sharedBy(e.process).futexes.get(e.address)?.waiters.get(e.order);
    if (thread === undefined) return;
    k.state.nextOrder = e.newOrder + 1;
    removeWaiter(k, e.process, e.address, e.order);
    addWaiter(k, e.process, e.newAddress, e.newOrder, thread);
    k.update(thread, 'thread', (t) => {
      t.wait = { kind: 'futex', address: e.newAddress, order: e.newOrder };
    });
  },
  'futex-owner-set': (k, e) => {
    const futex = k.sharedBy(e.process).futexes.get(e.address);
    if (futex !== undefined) setFutex(k, e.process, e.address, { owner: e.owner, waiters: futex.waiters });
  },
};

function addWaiter(k: Kernel, process: number, address: number, order: number, thread: number): void {
  const futex = k.sharedBy(process).futexes.get(address) ?? UNKNOWN;
  setFutex(k, process, address, {
    owner: futex.owner,
    waiters: futex.waiters.set(order, thread, k.owner),
  });
}

function removeWaiter(k: Kernel, process: number, address: number, order: number): void {
  const futex = k.sharedBy(process).futexes.get(address);
  if (futex === undefined) return;
  const waiters = futex.waiters.delete(order, k.owner);
  if (waiters.size > 0) setFutex(k, process, address, { owner: futex.owner, waiters });
  else {
    updateShared(k, process, (state) => {
      state.futexes = state.futexes.delete(address, k.owner);
    });
  }
}

function setFutex(k: Kernel, process: number, address: number, futex: Futex): void {
  updateShared(k, process, (state) => {
    state.futexes = state.futexes.set(address, futex, k.owner);
  });
}
