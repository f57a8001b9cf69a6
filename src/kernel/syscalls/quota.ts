import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { Kernel } from '../objects/kernel.js';
import type { KernelObject } from '../objects/object.js';
import { refuse } from './refusal.js';

/**
 * What messages, packets and asynchronous waits may be charged together (`messageBytes`). Zircon has no such bound;
 * it stops a single writer by a policy exception at a count, and then the whole machine is out of memory.
 */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Asynchronous waits on one object, and asynchronous waits and packets of one port. */
export const MAX_OBSERVERS = 16 * 1024;
export const MAX_PORT_LOAD = 64 * 1024;

export function hasMessageRoom(k: Kernel, charge: number): boolean {
  return k.state.messageBytes + charge <= MAX_MESSAGE_BYTES;
}

/** Refuses with NO_MEMORY when the charge does not fit. */
export function requireMessageRoom(k: Kernel, charge: number): void {
  if (!hasMessageRoom(k, charge)) refuse(Status.ERR_NO_MEMORY);
}

/** Refuses with NOT_SUPPORTED for types that no handle can be waited on: those made without the right. */
export function requireWaitable(object: KernelObject): void {
  if ((DEFAULT_RIGHTS[object.kind] & Right.WAIT) === 0) refuse(Status.ERR_NOT_SUPPORTED);
}
