import { Status } from '../../abi/status.js';
import { handleValue, MAX_SLOT } from '../objects/handle-value.js';
import type { Kernel } from '../objects/kernel.js';
import type { Decider } from './decider.js';
import { releaseObjects } from './lifetime.js';
import { refuse } from './refusal.js';
import { cancelObserversOf } from './signals.js';

/** Handles one process may have, as many as all of Zircon has (kernel/object/handle, 2020). */
export const MAX_HANDLES = 256 * 1024;

/** What one machine may have: a guest can make more processes, and has a table in each. */
const MAX_ALL_HANDLES = 4 * MAX_HANDLES;
export const MAX_OBJECTS = 512 * 1024;

export function hasHandleRoom(k: Kernel, process: number, count: number): boolean {
  const { handles, nextSlot } = k.sharedBy(process);
  return (
    handles.size + count <= MAX_HANDLES &&
    nextSlot + count <= MAX_SLOT &&
    k.state.handles + count <= MAX_ALL_HANDLES
  );
}

/**
 * Refuses with NO_MEMORY unless the process can take so many more handles, to new objects at that. Calls check before
 * they emit.
 */
export function requireHandleRoom(k: Kernel, process: number, count: number): void {
  if (!hasHandleRoom(k, process, count) || k.state.objects.size >= MAX_OBJECTS) refuse(Status.ERR_NO_MEMORY);
}

/** A new handle to an object; gives its value. */
export function addHandle(m: Decider, process: number, koid: number, rights: number): number {
  const { nextSlot: slot, handleSecret } = m.k.sharedBy(process);
  m.emit({ type: 'handle-added', process, slot, koid, rights });
  return handleValue(slot, handleSecret);
}

/** A handle that was in flight arrives; gives its value. */
export function receiveHandle(m: Decider, process: number, koid: number, rights: number): number {
  const { nextSlot: slot, handleSecret } = m.k.sharedBy(process);
  m.emit({ type: 'handle-arrived', process, slot, koid, rights });
  return handleValue(slot, handleSecret);
}

/** Takes a handle out of the table into flight: waits made through it end, the object stays referenced. */
export function takeHandle(m: Decider, process: number, slot: number): void {
  const entry = m.k.sharedBy(process).handles.get(slot);
  if (entry === undefined) return;
  m.emit({ type: 'handle-removed', process, slot, koid: entry.koid, kept: true });
  cancelObserversOf(m, entry.koid, m.k.get(process, 'process').shared, slot);
}

/** Closes a handle of the table, with all that follows from it. */
export function closeHandle(m: Decider, process: number, slot: number): void {
  const entry = m.k.sharedBy(process).handles.get(slot);
  if (entry === undefined) return;
  m.emit({ type: 'handle-removed', process, slot, koid: entry.koid, kept: false });
  cancelObserversOf(m, entry.koid, m.k.get(process, 'process').shared, slot);
  releaseObjects(m, [entry.koid]);
}

/** Ends a handle that is in flight. */
export function dropHandle(m: Decider, koid: number): void {
  m.emit({ type: 'handle-dropped', koid });
  releaseObjects(m, [koid]);
}
