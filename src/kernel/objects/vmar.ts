import { IntMap } from '../../base/int-map.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

/** Pages of a VMO placed in an address space. A value, not an object: it has no handle and no koid. */
export interface Mapping {
  readonly kind: 'mapping';
  readonly base: number;
  readonly sizeBytes: number;
  readonly vmo: number;
  readonly vmoOffset: number;
  /** ZX_VM_PERM_* bits in force. */
  readonly permissions: number;
  /** ZX_VM_PERM_* bits that protect may grant: what VMO rights and VMAR flags allowed at map time. */
  readonly maxPermissions: number;
  /** ZX_VM_FAULT_BEYOND_STREAM_SIZE: whole pages past the VMO's stream size are not there. */
  readonly endsWithStream: boolean;
}

export interface ChildVmar {
  readonly kind: 'vmar';
  readonly base: number;
  readonly sizeBytes: number;
  readonly koid: number;
}

export type Region = Mapping | ChildVmar;

export interface VmarState extends ObjectBase {
  readonly kind: 'vmar';
  /** Names the address space: the process it was made for, which a shared one may outlive. */
  readonly process: number;
  /** 0 for the root of an address space. */
  readonly parent: number;
  readonly base: number;
  readonly sizeBytes: number;
  /** ZX_VM_CAN_MAP_* and ZX_VM_COMPACT bits. */
  readonly flags: number;
  /** Mappings and child regions by base page number; they do not overlap. */
  readonly regions: IntMap<Region>;
  readonly destroyed: boolean;
  /** Of a root: where the vDSO's code was mapped, or 0. System calls are accepted from there only. */
  readonly vdsoCode: number;
}

export interface VmarEvents {
  'vmar-created': {
    koid: number;
    process: number;
    parent: number;
    base: number;
    sizeBytes: number;
    flags: number;
  };
  /** It left its parent; its handles stay valid and useless. */
  'vmar-destroyed': { koid: number };
  'mapping-added': {
    vmar: number;
    base: number;
    sizeBytes: number;
    vmo: number;
    vmoOffset: number;
    permissions: number;
    maxPermissions: number;
    endsWithStream: boolean;
  };
  'mapping-removed': { vmar: number; base: number };
  /** `vmar` is the root of the address space. */
  'vdso-mapped': { vmar: number; codeAddress: number };
}

export const vmarReducers: Reducers<VmarEvents> = {
  'vmar-created': (k, e) => {
    k.create({
      kind: 'vmar',
      ...newObject(e.koid, 0, IntMap.empty()),
      process: e.process,
      parent: e.parent,
      base: e.base,
      sizeBytes: e.sizeBytes,
      flags: e.flags,
      regions: IntMap.empty(),
      destroyed: false,
      vdsoCode: 0,
    });
    if (e.parent !== 0) {
      const { koid, base, sizeBytes } = e;
      k.update(e.parent, 'vmar', (parent) => {
        parent.regions = parent.regions.set(
          base / PAGE_SIZE,
          { kind: 'vmar', base, sizeBytes, koid },
          k.owner,
        );
      });
    }
    k.state.regions++;
  },
  'vmar-destroyed': (k, e) => {
    const { parent, base } = k.get(e.koid, 'vmar');
    k.update(e.koid, 'vmar', (vmar) => {
      vmar.destroyed = true;
    });
    if (parent !== 0) {
      k.update(parent, 'vmar', (p) => {
        p.regions = p.regions.delete(base / PAGE_SIZE, k.owner);
      });
    }
    k.state.regions--;
    k.mappingsChanged();
  },
  'mapping-added': (k, e) => {
    const { vmar: koid, base, sizeBytes, vmo, vmoOffset, permissions, maxPermissions, endsWithStream } = e;
    const kind = 'mapping';
    k.update(koid, 'vmar', (vmar) => {
      vmar.regions = vmar.regions.set(
        base / PAGE_SIZE,
        { kind, base, sizeBytes, vmo, vmoOffset, permissions, maxPermissions, endsWithStream },
        k.owner,
      );
    });
    countMapping(k, e.vmo, e.vmar, 1);
    k.state.regions++;
    k.mappingsChanged();
  },
  'mapping-removed': (k, e) => {
    const region = k.get(e.vmar, 'vmar').regions.get(e.base / PAGE_SIZE);
    if (region?.kind !== 'mapping') return;
    k.update(e.vmar, 'vmar', (vmar) => {
      vmar.regions = vmar.regions.delete(e.base / PAGE_SIZE, k.owner);
    });
    countMapping(k, region.vmo, e.vmar, -1);
    k.state.regions--;
    k.mappingsChanged();
  },
  'vdso-mapped': (k, e) => {
    k.update(e.vmar, 'vmar', (vmar) => {
      vmar.vdsoCode = e.codeAddress;
    });
  },
};

function countMapping(k: Kernel, vmoKoid: number, vmarKoid: number, by: 1 | -1): void {
  const { process } = k.get(vmarKoid, 'vmar');
  k.update(vmoKoid, 'vmo', (vmo) => {
    const own = (vmo.mappingsByProcess.get(process) ?? 0) + by;
    vmo.mappings += by;
    vmo.mappingsByProcess =
      own === 0
        ? vmo.mappingsByProcess.delete(process, k.owner)
        : vmo.mappingsByProcess.set(process, own, k.owner);
  });
}

/** A page of an address space and the mapping it is in, while mappings' generation is that one. */
export interface FoundMapping {
  readonly generation: number;
  readonly rootVmar: number;
  readonly page: number;
  readonly mapping: Mapping;
}

const FOUND_SLOTS = 32;

/** The mapping that holds the address, in the address space below this region; undefined where nothing is mapped. */
export function findMapping(k: Kernel, rootVmar: number, address: number): Mapping | undefined {
  const page = Math.floor(address / PAGE_SIZE);
  const generation = k.mappingGeneration;
  const slot = page & (FOUND_SLOTS - 1);
  const found = k.foundMappings[slot];
  if (found?.page === page && found.rootVmar === rootVmar && found.generation === generation) {
    return found.mapping;
  }
  const mapping = searchMapping(k, rootVmar, page);
  if (mapping !== undefined) k.foundMappings[slot] = { generation, rootVmar, page, mapping };
  return mapping;
}

function searchMapping(k: Kernel, rootVmar: number, page: number): Mapping | undefined {
  let vmar = k.get(rootVmar, 'vmar');
  for (;;) {
    const region = vmar.regions.floor(page)?.[1];
    if (region === undefined || page * PAGE_SIZE >= region.base + region.sizeBytes) return undefined;
    if (region.kind === 'mapping') return region;
    vmar = k.get(region.koid, 'vmar');
  }
}

/** The root of the address space that a VMAR is in. */
export function rootOf(k: Kernel, vmar: VmarState): VmarState {
  let root = vmar;
  while (root.parent !== 0) root = k.get(root.parent, 'vmar');
  return root;
}

/** What lies, wholly or in part, between two addresses directly in a VMAR; in order of address. */
export function* regionsBetween(vmar: VmarState, start: number, end: number): IterableIterator<Region> {
  const first = start / PAGE_SIZE;
  const before = vmar.regions.floor(first)?.[1];
  if (before !== undefined && before.base + before.sizeBytes > start) yield before;
  for (const [page, region] of vmar.regions.entries(first + 1)) {
    if (page * PAGE_SIZE >= end) return;
    yield region;
  }
}

/** A mapping and the VMAR it is directly in. */
export interface Placed {
  readonly vmar: number;
  readonly mapping: Mapping;
}

/** The mappings between two addresses in a VMAR and all VMARs below it; in order of address. */
export function* mappingsBetween(
  k: Kernel,
  vmar: VmarState,
  start: number,
  end: number,
): IterableIterator<Placed> {
  // A stack of its own: a guest may nest VMARs deeply.
  const levels = [{ koid: vmar.koid, regions: regionsBetween(vmar, start, end) }];
  while (levels.length > 0) {
    const level = levels[levels.length - 1];
    const next = level.regions.next();
    if (next.done) levels.pop();
    else if (next.value.kind === 'mapping') yield { vmar: level.koid, mapping: next.value };
    else {
      const { koid } = next.value;
      levels.push({ koid, regions: regionsBetween(k.get(koid, 'vmar'), start, end) });
    }
  }
}
