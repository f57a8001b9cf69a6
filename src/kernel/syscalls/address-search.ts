import { Status } from '../../abi/status.js';
import { VM_ALIGN_LOG2_MAX, VM_ALIGN_LOG2_MIN, VM_ALIGN_SHIFT, VmOption } from '../../abi/vm.js';
import { Prng, type PrngState } from '../../base/prng.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import { regionsBetween, type VmarState } from '../objects/vmar.js';
import type { Decider } from './decider.js';
import { lowestGap, randomGap } from './gap-search.js';
import { refuse, requireArgs } from './refusal.js';

/** Mappings and VMARs that all address spaces together may have: each costs the host memory, none costs the guest any. */
export const MAX_REGIONS = 65536;
/** How many places a random address is chosen from, log2: aslr.entropy_bits, and less in compact VMARs (vm/vm_aspace). */
const ENTROPY_BITS = 30;
const COMPACT_ENTROPY_BITS = 8;
/** VMARs inside VMARs: a look-up walks through all of them. */
const MAX_DEPTH = 128;

/** Rounds an ABI size up to pages; 0n when that overflows 64 bits. */
export function pageCeil(sizeBytes: bigint): bigint {
  return BigInt.asUintN(64, (sizeBytes + 4095n) & ~4095n);
}

export function isPageAligned(value: bigint): boolean {
  return (value & 4095n) === 0n;
}

/** Refuses with NO_MEMORY unless the machine can hold so many more mappings and VMARs. */
export function requireRegionRoom(k: Kernel, count: number): void {
  if (k.state.regions + count > MAX_REGIONS) refuse(Status.ERR_NO_MEMORY);
}

/** Refuses with NO_MEMORY when a VMAR inside this one would be too deep. */
export function requireDepth(k: Kernel, vmar: VmarState): void {
  let depth = 1;
  for (let parent = vmar.parent; parent !== 0; parent = k.get(parent, 'vmar').parent) depth++;
  if (depth >= MAX_DEPTH) refuse(Status.ERR_NO_MEMORY);
}

/** The alignment that ZX_VM_ALIGN_* asks for, bytes: a page at least. */
export function alignmentOf(options: number): number {
  const log2 = options >>> VM_ALIGN_SHIFT;
  requireArgs(log2 === 0 || (log2 >= VM_ALIGN_LOG2_MIN && log2 <= VM_ALIGN_LOG2_MAX));
  return Math.max(PAGE_SIZE, 2 ** log2);
}

/** A place in a VMAR for something new. */
export interface Place {
  readonly base: number;
  readonly sizeBytes: number;
  /** Something is there that SPECIFIC_OVERWRITE allows to replace. */
  readonly occupied: boolean;
  /** What is left of the machine's random addresses, to be emitted; null when none was drawn. */
  readonly drawn: PrngState | null;
}

export interface PlaceRequest {
  readonly options: number;
  /** Bytes, from `alignmentOf`. */
  readonly alignment: number;
  readonly offset: bigint;
  /** Whole pages. */
  readonly sizeBytes: bigint;
  /** ZX_VM_CAN_MAP_READ, _WRITE, _EXECUTE bits that the new region will have. */
  readonly capabilities: number;
}

/**
 * Where zx_vmar_allocate or zx_vmar_map puts something: all checks of the place, in the kernel's order
 * (vm/vm_address_region, CreateSubVmarInternal), then the choice. Where the caller leaves the choice it is random, or
 * the lowest place that fits, as with Zircon's ASLR off.
 */
export function choosePlace(
  k: Kernel,
  vmar: VmarState,
  { options, alignment, offset, sizeBytes, capabilities }: PlaceRequest,
): Place {
  const overwrite = (options & VmOption.SPECIFIC_OVERWRITE) !== 0;
  const specific = overwrite || (options & VmOption.SPECIFIC) !== 0;
  const upperLimit = (options & VmOption.OFFSET_IS_UPPER_LIMIT) !== 0;
  if (vmar.destroyed) refuse(Status.ERR_BAD_STATE);
  requireArgs(sizeBytes !== 0n);
  if ((capabilities & ~vmar.flags) !== 0) refuse(Status.ERR_ACCESS_DENIED);
  requireArgs(
    !(specific && upperLimit) && (specific || upperLimit || offset === 0n) && isPageAligned(offset),
  );
  if ((specific || upperLimit) && (vmar.flags & VmOption.CAN_MAP_SPECIFIC) === 0) {
    refuse(Status.ERR_ACCESS_DENIED);
  }
  const limit = BigInt(vmar.sizeBytes);
  if (upperLimit) requireArgs(offset <= limit && sizeBytes <= offset);
  else requireArgs(offset < limit && sizeBytes <= limit - offset);
  const size = Number(sizeBytes);
  if (!specific) {
    const end = vmar.base + (upperLimit ? Number(offset) : vmar.sizeBytes);
    return freePlace(k, vmar, end, size, alignment);
  }
  const base = vmar.base + Number(offset);
  requireArgs(base % alignment === 0);
  const occupied = !regionsBetween(vmar, base, base + size).next().done;
  if (occupied && !overwrite) refuse(Status.ERR_ALREADY_EXISTS);
  return { base, sizeBytes: size, occupied, drawn: null };
}

/** A place that the kernel chooses, up to an address; refuses with NO_RESOURCES. */
function freePlace(k: Kernel, vmar: VmarState, end: number, sizeBytes: number, alignment: number): Place {
  const { regions, base: start, flags } = vmar;
  if (!k.config.aslr) {
    const base = lowestGap(regions, k.owner, start, sizeBytes, alignment);
    if (base + sizeBytes > end) refuse(Status.ERR_NO_RESOURCES);
    return { base, sizeBytes, occupied: false, drawn: null };
  }
  const random = new Prng(k.state.addressEntropy);
  const bits = (flags & VmOption.COMPACT) === 0 ? ENTROPY_BITS : COMPACT_ENTROPY_BITS;
  const search = { regions, owner: k.owner, start, end, sizeBytes, alignment };
  const base = randomGap(search, 2 ** bits, random) ?? refuse(Status.ERR_NO_RESOURCES);
  return { base, sizeBytes, occupied: false, drawn: random.state };
}

/** Says that random addresses were drawn, once nothing can be refused any more. */
export function emitDrawn(m: Decider, { drawn }: Place): void {
  if (drawn !== null) m.emit({ type: 'addresses-drawn', state: drawn });
}
