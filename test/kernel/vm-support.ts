import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { VmOption } from '../../src/abi/vm.js';
import type { VmarState } from '../../src/kernel/objects/vmar.js';
import type { VmoState } from '../../src/kernel/objects/vmo.js';
import type { Harness } from './harness.js';
import { brokenInvariants } from './invariants.js';
import { koidOf, statusName } from './ipc-support.js';

export const PAGE = 4096;
export const { PERM_READ: R, PERM_WRITE: W, PERM_EXECUTE: X } = VmOption;
export const RW = R | W;
export const CAN_MAP_RWX = VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;
/** A VMO's rights with EXECUTE, as after zx_vmo_replace_as_executable. */
export const ALL_VMO_RIGHTS = DEFAULT_RIGHTS.vmo | Right.EXECUTE;

export function newVmo(h: Harness, sizeBytes: number | bigint, options = 0): number {
  const out = h.scratch(4);
  const result = h.call('zx_vmo_create', [sizeBytes, options, out]);
  if (result !== 0n) throw new Error(`zx_vmo_create: ${statusName(result)}`);
  return h.u32(out);
}

export function newChild(
  h: Harness,
  vmo: number,
  options: number,
  offset: number | bigint,
  size: number,
): number {
  const out = h.scratch(4);
  const result = h.call('zx_vmo_create_child', [vmo, options, offset, size, out]);
  if (result !== 0n) throw new Error(`zx_vmo_create_child: ${statusName(result)}`);
  return h.u32(out);
}

/** Maps and gives the address. */
export function map(
  h: Harness,
  options: number,
  offset: number,
  vmo: number,
  vmoOffset: number,
  len: number,
  vmar = h.handles.rootVmar,
): number {
  const out = h.scratch(8);
  const result = h.call('zx_vmar_map', [vmar, options, offset, vmo, vmoOffset, len, out]);
  if (result !== 0n) throw new Error(`zx_vmar_map: ${statusName(result)}`);
  return Number(h.u64(out));
}

/** A child of a VMAR: its handle and address. */
export function newVmar(
  h: Harness,
  options: number,
  offset: number,
  size: number,
  parent = h.handles.rootVmar,
): { vmar: number; address: number } {
  const out = h.scratch(16);
  const result = h.call('zx_vmar_allocate', [parent, options, offset, size, out, out + 8]);
  if (result !== 0n) throw new Error(`zx_vmar_allocate: ${statusName(result)}`);
  return { vmar: h.u32(out), address: Number(h.u64(out + 8)) };
}

export function vmoOf(h: Harness, handle: number): VmoState {
  return h.k.get(koidOf(h, handle), 'vmo');
}

export function vmarOf(h: Harness, handle: number): VmarState {
  return h.k.get(koidOf(h, handle), 'vmar');
}

export function rightsOf(h: Harness, handle: number): number {
  const { handles, handleSecret } = h.k.sharedBy(h.process);
  return handles.get((handle >>> 2) ^ handleSecret)?.rights ?? 0;
}

/** Writes bytes to a VMO through zx_vmo_write. */
export function fill(h: Harness, vmo: number, offset: number, bytes: number[]): void {
  const buffer = h.scratch(Uint8Array.from(bytes));
  const result = h.call('zx_vmo_write', [vmo, buffer, offset, bytes.length]);
  if (result !== 0n) throw new Error(`zx_vmo_write: ${statusName(result)}`);
}

/** Bytes of a VMO as zx_vmo_read gives them. */
export function contents(h: Harness, vmo: number, offset: number, length: number): number[] {
  const buffer = h.scratch(length);
  const result = h.call('zx_vmo_read', [vmo, buffer, offset, length]);
  if (result !== 0n) throw new Error(`zx_vmo_read: ${statusName(result)}`);
  return [...new Uint8Array(h.peek(buffer, length).buffer)];
}

/** Pages held by all VMOs: what `committedPages` must say. */
export function heldPages(h: Harness): number {
  let pages = 0;
  for (const object of h.k.state.objects.values()) if (object.kind === 'vmo') pages += object.pages.size;
  return pages;
}

/** What is wrong with VMOs and VMARs. The harness's own tasks do not have all the signals they should. */
export function brokenMemory(h: Harness): string[] {
  return brokenInvariants(h.k.state).filter((text) => !/^(?:job|thread) /.test(text));
}
