import { IntMap } from '../../base/int-map.js';
import { copyOfShared } from './copies.js';
import type { Futex } from './futex.js';
import type { Kernel } from './kernel.js';
import type { HandleEntry, Mutable } from './object.js';

/**
 * What processes made by zx_process_create_shared have in common with their prototype; any other process has one for
 * itself. Named by the koid of the process it was made for, which it may outlive. The shared address space is named
 * the same way, by the `process` of its VMARs.
 */
export interface SharedState {
  /** Handles by slot; `handle-value.ts` turns slots into values. Slots are not reused, so stale values stay bad. */
  readonly handles: IntMap<HandleEntry>;
  readonly nextSlot: number;
  /** Mixed into handle values, so that they differ between tables. */
  readonly handleSecret: number;
  /** Futexes that somebody waits on, by address. */
  readonly futexes: IntMap<Futex>;
  /** Processes that use it and are not dead. With the last of them it goes. */
  readonly members: number;
}

/** What is left when the last process is dead. */
export const NO_SHARED_STATE: SharedState = {
  handles: IntMap.empty(),
  nextSlot: 1,
  handleSecret: 0,
  futexes: IntMap.empty(),
  members: 0,
};

/** A process is born into a state; the first one brings it along. */
export function joinShared(k: Kernel, id: number, handleSecret: number): void {
  const state = k.state.shared.get(id) ?? { ...NO_SHARED_STATE, handleSecret };
  k.setShared(id, copyOfShared({ ...state, members: state.members + 1 }));
}

/** A process died. */
export function leaveShared(k: Kernel, id: number): void {
  const state = k.state.shared.get(id);
  if (state === undefined) return;
  if (state.members === 1) k.removeShared(id);
  else k.setShared(id, copyOfShared({ ...state, members: state.members - 1 }));
}

/** Changes what a process shares. */
export function updateShared(
  k: Kernel,
  process: number,
  recipe: (draft: Mutable<SharedState>) => void,
): void {
  k.updateShared(k.get(process, 'process').shared, recipe);
}
