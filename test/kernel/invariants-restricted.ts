import type { KernelState } from '../../src/kernel/objects/kernel.js';
import type { ObjectKind, ObjectOf } from '../../src/kernel/objects/object.js';
import type { SharedState } from '../../src/kernel/objects/shared-state.js';

function find<K extends ObjectKind>(
  { objects }: KernelState,
  koid: number,
  kind: K,
): ObjectOf<K> | undefined {
  const object = objects.get(koid);
  return object?.kind === kind ? (object as ObjectOf<K>) : undefined;
}

/** What holds of what processes share: who uses it, and who waits at its futexes. */
export function brokenSharedStates(state: KernelState): string[] {
  return [...state.shared].flatMap(([id, shared]) => {
    let users = 0;
    for (const object of state.objects.values()) {
      if (object.kind === 'process' && object.life !== 'dead' && object.shared === id) users++;
    }
    const { handles, nextSlot, members } = shared;
    const found = brokenFutexes(state, id, shared);
    if (members === 0 || members !== users) found.push(`${members} members, ${users} processes`);
    for (const slot of handles.keys()) {
      if (slot <= 0 || slot >= nextSlot) found.push(`slot ${slot} of ${nextSlot}`);
    }
    return found.map((text) => `shared state ${id}: ${text}`);
  });
}

function brokenFutexes(state: KernelState, id: number, { futexes }: SharedState): string[] {
  const found: string[] = [];
  for (const [address, futex] of futexes) {
    if (futex.waiters.size === 0) found.push(`futex ${address} without waiters`);
    for (const [order, thread] of futex.waiters) {
      const waiter = find(state, thread, 'thread');
      const wait = waiter?.wait;
      const waits = wait?.kind === 'futex' && wait.address === address && wait.order === order;
      const own = waiter !== undefined && find(state, waiter.process, 'process')?.shared === id;
      if (!waits || !own) found.push(`thread ${thread} not at futex ${address}`);
    }
  }
  return found;
}

/** What holds of restricted state: threads and the VMOs that are bound to them know each other, one to one. */
export function brokenBindings({ objects }: KernelState): string[] {
  const found: string[] = [];
  const bound = new Map<number, number>();
  for (const object of objects.values()) {
    if (object.kind !== 'thread') continue;
    const { koid, life, restricted, restrictedState } = object;
    if (restrictedState === 0) {
      if (restricted !== null) found.push(`thread ${koid}: in restricted mode without a state`);
      continue;
    }
    if (life === 'dead' || life === 'new') found.push(`thread ${koid}: ${life} with a restricted state`);
    if (bound.has(restrictedState)) found.push(`thread ${koid}: its restricted state is another's, too`);
    bound.set(restrictedState, koid);
  }
  for (const object of objects.values()) {
    if (object.kind !== 'vmo') continue;
    const { koid, restrictedState, pages } = object;
    if ((restrictedState === 'bound') !== bound.has(koid)) found.push(`vmo ${koid}: ${restrictedState}`);
    if (restrictedState !== 'none' && pages.size !== 1) found.push(`vmo ${koid}: ${pages.size} pinned pages`);
  }
  return found;
}
