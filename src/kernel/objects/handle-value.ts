import { nextU32, seedPrng } from '../../base/prng.js';

/**
 * Handle values: the two low bits always set, the top bit clear, the slot in between mixed with a secret of the
 * process, so that a value means nothing to another process (concepts/kernel/handles).
 */
export const MAX_SLOT = 0x1fffffff;

export function newHandleSecret(entropySeed: number, processKoid: number): number {
  return nextU32(seedPrng(entropySeed, `handles ${processKoid}`)).value & MAX_SLOT;
}

export function handleValue(slot: number, secret: number): number {
  return ((slot ^ secret) << 2) | 3;
}

/** The slot a value may stand for; the table says whether it does. */
export function handleSlot(value: number, secret: number): number {
  return (value & 0x80000003) === 3 ? (value >>> 2) ^ secret : 0;
}
