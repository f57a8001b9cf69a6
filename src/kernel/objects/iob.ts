import { IntMap } from '../../base/int-map.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';
import { holdVmo } from './vmo.js';

export interface IobState extends ObjectBase {
  readonly kind: 'iob';
  /** The other end's koid, also after its death. */
  readonly peer: number;
  readonly endpoint: 0 | 1;
  readonly regions: readonly IobRegion[];
}

/** A region, as both ends know it. */
export interface IobRegion {
  /** The zx_iob_region_t that it was made of, with the size that it has. */
  readonly config: Uint8Array;
  /** ZX_IOB_ACCESS_* bits. */
  readonly access: number;
  /** ZX_IOB_DISCIPLINE_TYPE_*. */
  readonly discipline: number;
  /** What a ring buffer puts before what this region's ends write. */
  readonly tag: bigint;
  /** The VMO that has the memory. */
  readonly vmo: number;
  readonly sizeBytes: number;
  /**
   * References to it, one for each end, which keeps it: mappings of a region are mappings of these, so that it is
   * known which end they are of.
   */
  readonly views: readonly [number, number];
  /** 0, or whose memory it is: also after that object's death. */
  readonly sharedRegion: number;
}

export interface IobSharedRegionState extends ObjectBase {
  readonly kind: 'iob-shared-region';
  readonly vmo: number;
}

export interface IobEvents {
  /** Both ends; `koid1` is `koid0` + 1. The VMOs were made before. */
  'iob-created': { koid0: number; koid1: number; regions: readonly IobRegion[] };
  'iob-shared-region-created': { koid: number; vmo: number };
}

export const iobReducers: Reducers<IobEvents> = {
  'iob-created': (k, e) => {
    createEnd(k, e.koid0, e.koid1, 0, e.regions);
    createEnd(k, e.koid1, e.koid0, 1, e.regions);
  },
  'iob-shared-region-created': (k, { koid, vmo }) => {
    k.create({ kind: 'iob-shared-region', ...newObject(koid, 0, IntMap.empty()), vmo });
    holdVmo(k, vmo, koid);
  },
};

function createEnd(
  k: Kernel,
  koid: number,
  peer: number,
  endpoint: 0 | 1,
  regions: readonly IobRegion[],
): void {
  k.create({ kind: 'iob', ...newObject(koid, 0, IntMap.empty()), peer, endpoint, regions });
  for (const { views } of regions) holdVmo(k, views[endpoint], koid);
}

/** The koid that a region goes by: that of its memory, or of the object that shares it. */
export function regionKoid({ vmo, sharedRegion }: IobRegion): number {
  return sharedRegion === 0 ? vmo : sharedRegion;
}
