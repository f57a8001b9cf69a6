import { decodeStruct, type EncodeValues, encodeStruct, sizeOf } from '../../src/abi/structs.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import type { MachineConfig } from '../../src/kernel/objects/kernel.js';
import { Harness } from './harness.js';
import { koidOf } from './ipc-support.js';

export type State = EncodeValues<'zx_riscv64_restricted_state_t'>;
export const STATE_BYTES = sizeOf('zx_riscv64_restricted_state_t');
/** Where normal mode goes on. */
export const VECTOR = 0x1234560n;
export const CONTEXT = 0xfeedn;

/** A harness whose threads have real registers. */
export function restrictedHarness(
  config: Partial<MachineConfig> = {},
  mode: 'owned' | 'immer' = 'owned',
): Harness {
  return new Harness(config, mode, RISCV64);
}

/** Binds a state VMO to the main thread, or another; gives its handle. */
export function bind(h: Harness, thread = h.thread): number {
  const out = h.scratch(4);
  const result = h.call('zx_restricted_bind_state', [0, out, 0], thread);
  if (result !== 0n) throw new Error(`zx_restricted_bind_state: ${result}`);
  return h.u32(out);
}

/** Writes the registers that a thread will be entered with. */
export function setState(h: Harness, vmo: number, state: State): void {
  const buffer = h.scratch(encodeStruct('zx_riscv64_restricted_state_t', state));
  const result = h.call('zx_vmo_write', [vmo, buffer, 0, STATE_BYTES]);
  if (result !== 0n) throw new Error(`zx_vmo_write: ${result}`);
}

/** The registers that the VMO holds. */
export function savedState(h: Harness, vmo: number): Record<string, bigint> {
  const page = h.k.get(koidOf(h, vmo), 'vmo').pages.get(0);
  const bytes = page?.bytes.slice(0, STATE_BYTES) ?? new Uint8Array(STATE_BYTES);
  return { ...decodeStruct('zx_riscv64_restricted_state_t', bytes) };
}

/** General registers now, by name, without those that are 0. */
export function registersOf(h: Harness, thread = h.thread): Record<string, bigint> {
  const { arch } = h.k;
  return Object.fromEntries(arch.namedRegisters(h.k.registers(thread)).filter(([, value]) => value !== 0n));
}

/** Enters restricted mode, or what comes instead. */
export function enter(h: Harness, options = 0, thread = h.thread): ReturnType<Harness['call']> {
  return h.call('zx_restricted_enter', [options, VECTOR, CONTEXT], thread);
}

export function isRestricted(h: Harness, thread = h.thread): boolean {
  return h.k.get(thread, 'thread').restricted !== null;
}
