import { Status } from '../../abi/status.js';
import { encodeStruct } from '../../abi/structs.js';
import { MapsType, VmoInfoFlag } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { rootVmarsOf } from '../objects/address-space.js';
import { type IobState, regionKoid } from '../objects/iob.js';
import type { Kernel } from '../objects/kernel.js';
import type { ProcessState } from '../objects/process.js';
import { type Mapping, mappingsBetween, type Region, type VmarState } from '../objects/vmar.js';
import type { VmoState } from '../objects/vmo.js';
import { memoryOf } from '../objects/vmo-pages.js';
import type { Asked, Lists, Records } from './info-record.js';
import { mapRights } from './iob.js';
import { nameBytes } from './names.js';
import { refuse } from './refusal.js';
import { isBacked, presentPages } from './vmo-range.js';

function* mappingsOf(k: Kernel, vmar: VmarState): Iterable<Mapping> {
  for (const { mapping } of mappingsBetween(k, vmar, vmar.base, vmar.base + vmar.sizeBytes)) yield mapping;
}

/** The roots of all parts of an address space, by address. */
function rootsOf(k: Kernel, process: ProcessState): VmarState[] {
  if (process.life === 'dying' || process.life === 'dead') refuse(Status.ERR_BAD_STATE);
  return rootVmarsOf(process).map((koid) => k.get(koid, 'vmar'));
}

/** The koid that a VMO is told by: memory that is part of another object goes by that one's. */
function shownKoid(k: Kernel, { koid, holders }: VmoState): number {
  for (const holder of holders.keys()) {
    const object = k.find(holder);
    if (object?.kind === 'clock') return holder;
    const region = object?.kind === 'iob' && object.regions.find(({ views }) => views.includes(koid));
    if (region) return regionKoid(region);
  }
  return koid;
}

/**
 * A VMO's pages are its own, those it still has in common with a snapshot too: nothing is counted by shares. What it
 * borrows is its lender's.
 */
function vmoRecord(k: Kernel, vmo: VmoState, via: number, rights: number): Uint8Array {
  const committed = vmo.pages.size * PAGE_SIZE;
  const flags =
    VmoInfoFlag.TYPE_PAGED |
    via |
    (vmo.resizable ? VmoInfoFlag.RESIZABLE : 0) |
    (vmo.childKind === 'snapshot' ? VmoInfoFlag.IS_COW_CLONE : 0) |
    (vmo.discardable ? VmoInfoFlag.DISCARDABLE : 0) |
    (isBacked(k, vmo) ? VmoInfoFlag.PAGER_BACKED : 0) |
    (vmo.immutable && via === VmoInfoFlag.VIA_HANDLE ? VmoInfoFlag.IMMUTABLE : 0);
  return encodeStruct('zx_info_vmo_t', {
    koid: shownKoid(k, vmo),
    name: nameBytes(vmo.name),
    size_bytes: memoryOf(k.state, vmo).sizeBytes,
    parent_koid: vmo.parent,
    num_children: vmo.children.size,
    num_mappings: vmo.mappings,
    share_count: vmo.mappingsByProcess.size,
    flags,
    committed_bytes: committed,
    handle_rights: rights,
    cache_policy: vmo.cachePolicy,
    populated_bytes: committed,
    committed_private_bytes: committed,
    populated_private_bytes: committed,
    committed_scaled_bytes: committed,
    populated_scaled_bytes: committed,
  });
}

/**
 * The VMOs of its handles by slots, then those of its mappings by address, those of the shared part first
 * (object/process_dispatcher, GetVmos); one may be there more than once.
 */
function processVmos({ call, object }: Asked): { avail: number; records: Iterable<Uint8Array> } {
  const process = object as ProcessState;
  if (process.life !== 'running') refuse(Status.ERR_BAD_STATE);
  const { k } = call;
  const byHandle: HeldVmo[] = [];
  for (const { koid, rights } of k.sharedBy(process.koid).handles.values()) {
    const object = k.find(koid);
    if (object?.kind === 'vmo') byHandle.push({ vmo: object, rights, via: VmoInfoFlag.VIA_HANDLE });
    else if (object?.kind === 'iob') byHandle.push(...regionVmos(k, object, rights));
  }
  const roots = rootsOf(k, process).reverse();
  const mappings = roots.flatMap((root) => [...mappingsOf(k, root)]);
  return { avail: byHandle.length + mappings.length, records: vmoRecords(k, byHandle, mappings) };
}

interface HeldVmo {
  readonly vmo: VmoState;
  readonly rights: number;
  /** ZX_INFO_VMO_VIA_*. */
  readonly via: number;
}

/** An end of an IO buffer stands for the memory of its regions. */
function regionVmos(k: Kernel, { regions, endpoint }: IobState, rights: number): HeldVmo[] {
  return regions.map((region) => ({
    vmo: k.get(region.views[endpoint], 'vmo'),
    rights: mapRights(region, endpoint, rights),
    via: VmoInfoFlag.VIA_IOB_HANDLE,
  }));
}

function* vmoRecords(
  k: Kernel,
  byHandle: readonly HeldVmo[],
  mappings: readonly Mapping[],
): Iterable<Uint8Array> {
  for (const { vmo, rights, via } of byHandle) yield vmoRecord(k, vmo, via, rights);
  for (const { vmo } of mappings) yield vmoRecord(k, k.get(vmo, 'vmo'), VmoInfoFlag.VIA_MAPPING, 0);
}

function mappingRecord(k: Kernel, mapping: Mapping, depth: number): Uint8Array {
  const { base, sizeBytes, vmoOffset, permissions } = mapping;
  const vmo = k.get(mapping.vmo, 'vmo');
  const committed = presentPages({ vmo, offset: vmoOffset, length: sizeBytes }) * PAGE_SIZE;
  return encodeStruct('zx_info_maps_t', {
    name: nameBytes(vmo.name),
    base,
    size: sizeBytes,
    depth,
    type: MapsType.MAPPING,
    u: encodeStruct('zx_info_maps_mapping_t', {
      mmu_flags: permissions,
      vmo_koid: shownKoid(k, vmo),
      vmo_offset: vmoOffset,
      committed_bytes: committed,
      populated_bytes: committed,
      committed_private_bytes: committed,
      populated_private_bytes: committed,
      committed_scaled_bytes: committed,
      populated_scaled_bytes: committed,
    }),
  });
}

function vmarRecord({ base, sizeBytes, parent }: VmarState, depth: number): Uint8Array {
  // What Zircon calls its regions: users cannot name them.
  const name = nameBytes(parent === 0 ? 'root' : 'useralloc');
  return encodeStruct('zx_info_maps_t', { name, base, size: sizeBytes, depth, type: MapsType.VMAR });
}

/** A VMAR and all in it, parents before children, by address. A stack of its own: guests may nest VMARs deeply. */
function* mapsRecords(k: Kernel, top: VmarState, topDepth: number): Iterable<Uint8Array> {
  yield vmarRecord(top, topDepth);
  const levels: Iterator<Region>[] = [top.regions.values()];
  while (levels.length > 0) {
    const next = levels[levels.length - 1].next();
    const depth = topDepth + levels.length;
    if (next.done) levels.pop();
    else if (next.value.kind === 'mapping') yield mappingRecord(k, next.value, depth);
    else {
      const vmar = k.get(next.value.koid, 'vmar');
      yield vmarRecord(vmar, depth);
      levels.push(vmar.regions.values());
    }
  }
}

/** Regions from a VMAR down, itself one of them. */
function countRegions(k: Kernel, top: VmarState): number {
  let count = 1;
  const pending = [top];
  for (let vmar = pending.pop(); vmar !== undefined; vmar = pending.pop()) {
    count += vmar.regions.size;
    for (const region of vmar.regions.values()) {
      if (region.kind === 'vmar') pending.push(k.get(region.koid, 'vmar'));
    }
  }
  return count;
}

/** Each part of the address space is a record before all in it (syscalls/object_get_info). */
function processMaps({ call, object }: Asked): { avail: number; records: Iterable<Uint8Array> } {
  const { k } = call;
  const roots = rootsOf(k, object as ProcessState);
  function* all(): Iterable<Uint8Array> {
    for (const root of roots) {
      yield spaceRecord(root, root.koid === (object as ProcessState).restrictedVmar);
      yield* mapsRecords(k, root, 1);
    }
  }
  const avail = roots.reduce((count, root) => count + 1 + countRegions(k, root), 0);
  return { avail, records: all() };
}

function spaceRecord({ process, base, sizeBytes }: VmarState, restricted: boolean): Uint8Array {
  return encodeStruct('zx_info_maps_t', {
    name: nameBytes(restricted ? `proc(restricted):${process}` : `proc:${process}`),
    base,
    size: sizeBytes,
    type: MapsType.ASPACE,
  });
}

/** Depths count from the VMAR asked about (RFC-0253). */
function vmarMaps({ call, object }: Asked): { avail: number; records: Iterable<Uint8Array> } {
  const vmar = object as VmarState;
  if (vmar.destroyed) refuse(Status.ERR_BAD_STATE);
  return { avail: countRegions(call.k, vmar), records: mapsRecords(call.k, vmar, 0) };
}

function vmarInfo({ object }: Asked): Uint8Array {
  const { base, sizeBytes } = object as VmarState;
  return encodeStruct('zx_info_vmar_t', { base, len: sizeBytes });
}

interface Usage {
  mapped: number;
  private: number;
  shared: number;
  scaled: number;
}

/** Memory behind all mappings: a VMO that other address spaces map too is shared, by as many as they are. */
function usageOf(k: Kernel, root: VmarState): Usage {
  const usage = { mapped: 0, private: 0, shared: 0, scaled: 0 };
  for (const { vmo: koid, vmoOffset, sizeBytes } of mappingsOf(k, root)) {
    const vmo = k.get(koid, 'vmo');
    const committed = presentPages({ vmo, offset: vmoOffset, length: sizeBytes }) * PAGE_SIZE;
    const sharers = vmo.mappingsByProcess.size;
    usage.mapped += sizeBytes;
    if (sharers === 1) usage.private += committed;
    else {
      usage.shared += committed;
      usage.scaled += Math.floor(committed / sharers);
    }
  }
  return usage;
}

/** What is private to an address space that several processes share is shared by them (ProcessDispatcher::GetStats). */
function taskStats({ call, object }: Asked): Uint8Array {
  const { k } = call;
  const process = object as ProcessState;
  const { members } = k.sharedBy(process.koid);
  const sum = { mapped: 0, private: 0, shared: 0, scaled: 0 };
  for (const root of rootsOf(k, process)) {
    const usage = usageOf(k, root);
    const common = root.koid === process.rootVmar && members > 1;
    sum.mapped += usage.mapped;
    sum.private += common ? 0 : usage.private;
    sum.shared += usage.shared + (common ? usage.private : 0);
    sum.scaled += common ? Math.floor((usage.scaled + usage.private) / members) : usage.scaled;
  }
  return encodeStruct('zx_info_task_stats_t', {
    mem_mapped_bytes: sum.mapped,
    mem_private_bytes: sum.private,
    mem_shared_bytes: sum.shared,
    mem_scaled_shared_bytes: sum.scaled,
  });
}

export const memoryRecords: Records = {
  TASK_STATS: taskStats,
  VMAR: vmarInfo,
  VMO: ({ call, object, rights }) => vmoRecord(call.k, object as VmoState, VmoInfoFlag.VIA_HANDLE, rights),
};

export const memoryLists: Lists = {
  PROCESS_MAPS: processMaps,
  PROCESS_VMOS: processVmos,
  VMAR_MAPS: vmarMaps,
};
