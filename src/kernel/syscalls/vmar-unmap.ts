import { Status } from '../../abi/status.js';
import type { Kernel } from '../objects/kernel.js';
import {
  findMapping,
  type Mapping,
  type Region,
  regionsBetween,
  rootOf,
  type VmarState,
} from '../objects/vmar.js';
import { pageCeil, requireRegionRoom } from './address-search.js';
import type { Decider } from './decider.js';
import { releaseObjects } from './lifetime.js';
import { refuse, requireArgs } from './refusal.js';
import { destroyVmar } from './tasks.js';

/** Addresses from `start` up to and without `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The pages that `address` and `size` name: the size is rounded up, the address must be at a page's start
 * (vm/vm_address_region). Refuses with INVALID_ARGS, and with `outside` what is not all in the VMAR.
 */
export function requireRange(vmar: VmarState, address: bigint, size: bigint, outside: number): Range {
  const sizeBytes = pageCeil(size);
  requireArgs(sizeBytes !== 0n && (address & 4095n) === 0n);
  const base = BigInt(vmar.base);
  const limit = BigInt(vmar.sizeBytes);
  if (address < base || sizeBytes > limit || address - base > limit - sizeBytes) refuse(outside);
  const start = Number(address);
  return { start, end: start + Number(sizeBytes) };
}

/** Refuses with ACCESS_DENIED what would touch the vDSO's code: it stays as it is until the process ends. */
export function protectVdsoCode(k: Kernel, vmar: VmarState, { start, end }: Range): void {
  const { koid: root, vdsoCode } = rootOf(k, vmar);
  if (vdsoCode === 0) return;
  const code = findMapping(k, root, vdsoCode);
  if (code !== undefined && code.base < end && code.base + code.sizeBytes > start) {
    refuse(Status.ERR_ACCESS_DENIED);
  }
}

/** How many ends of the range are inside the region: 0, it is covered; 2, it falls into three. */
export function cutsOf({ base, sizeBytes }: Region, { start, end }: Range): number {
  return (base < start ? 1 : 0) + (base + sizeBytes > end ? 1 : 0);
}

/**
 * The checks of unmapping: the vDSO stays, and VMARs in the range must be in it as a whole and go only when
 * `childrenToo`. Says whether there is anything in the range.
 */
export function checkUnmap(k: Kernel, vmar: VmarState, range: Range, childrenToo: boolean): boolean {
  protectVdsoCode(k, vmar, range);
  let found = false;
  for (const region of regionsBetween(vmar, range.start, range.end)) {
    found = true;
    const cuts = cutsOf(region, range);
    requireArgs(region.kind === 'mapping' || (childrenToo && cuts === 0));
    if (cuts === 2) requireRegionRoom(k, 1);
  }
  return found;
}

/** Unmaps what `checkUnmap` allowed. VMOs that nothing holds any more go too. */
export function unmapRange(m: Decider, vmar: VmarState, range: Range): void {
  const vmos: number[] = [];
  for (const region of [...regionsBetween(vmar, range.start, range.end)]) {
    if (region.kind === 'vmar') destroyVmar(m, region.koid);
    else {
      cutMapping(m, vmar.koid, region, range);
      vmos.push(region.vmo);
    }
  }
  releaseObjects(m, vmos);
}

/** Takes a mapping away where it is in the range; what is outside stays. */
function cutMapping(m: Decider, vmar: number, mapping: Mapping, range: Range): void {
  const { base, sizeBytes } = mapping;
  const end = base + sizeBytes;
  m.emit({ type: 'mapping-removed', vmar, base });
  if (base < range.start) addMapping(m, vmar, partOf(mapping, { start: base, end: range.start }));
  if (range.end < end) addMapping(m, vmar, partOf(mapping, { start: range.end, end }));
}

/** The part of a mapping that is in a range inside it. */
export function partOf(whole: Mapping, { start, end }: Range): Mapping {
  return {
    ...whole,
    base: start,
    sizeBytes: end - start,
    vmoOffset: whole.vmoOffset + (start - whole.base),
  };
}

export function addMapping(m: Decider, vmar: number, mapping: Mapping): void {
  const { kind: _, ...rest } = mapping;
  m.emit({ type: 'mapping-added', vmar, ...rest });
}
