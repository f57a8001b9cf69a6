import { IobAccess, IobDisciplineType, IobRegionType } from '../../abi/ipc.js';
import { IOB_MAX_REGIONS } from '../../abi/limits.js';
import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { decodeStruct } from '../../abi/structs.js';
import { VmOption } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { IobRegion, IobState } from '../objects/iob.js';
import { isPageAligned } from './address-search.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import type { Handler, Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { allocateId } from './iob-allocator.js';
import {
  accessOf,
  makeRegion,
  newMemory,
  pagesAtOnce,
  planRegion,
  REGION_BYTES,
  requireMediatedWrite,
  requireRegion,
} from './iob-region.js';
import { writeRing } from './iob-ring.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';
import { mapInto } from './vmar-map.js';
import { requireSize } from './vmo-create.js';
import { requireMemory } from './vmo-range.js';

const create: Handler<'zx_iob_create'> = (call, { options, regions, num_regions }) => {
  call.allowOptions(options);
  requirePolicy(call, 'NEW_IOB');
  if (num_regions > BigInt(IOB_MAX_REGIONS)) refuse(Status.ERR_OUT_OF_RANGE);
  requireArgs(num_regions > 0n);
  const count = Number(num_regions);
  const list = call.read(regions, REGION_BYTES * count);
  const plans = Array.from({ length: count }, (_, i) =>
    planRegion(call, list.slice(REGION_BYTES * i, REGION_BYTES * (i + 1))),
  );
  call.requireOut('ep0_out', 'ep1_out');
  requireHandleRoom(call.k, call.process, 2);
  requireMemory(
    call.k,
    plans.reduce((sum, plan) => sum + pagesAtOnce(plan), 0),
  );
  const made = plans.map((plan) => makeRegion(call.m, plan));
  const koid0 = call.k.state.nextKoid;
  call.emit({ type: 'iob-created', koid0, koid1: koid0 + 1, regions: made });
  call.putHandle('ep0_out', koid0, DEFAULT_RIGHTS.iob);
  call.putHandle('ep1_out', koid0 + 1, DEFAULT_RIGHTS.iob);
  return Status.OK;
};

const createSharedRegion: Handler<'zx_iob_create_shared_region'> = (call, { options, size }) => {
  requireArgs(options === 0n && size !== 0n && isPageAligned(size));
  requirePolicy(call, 'NEW_IOB');
  const sizeBytes = requireSize(size);
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const pages = sizeBytes / PAGE_SIZE;
  requireMemory(call.k, pages);
  const vmo = newMemory(call.m, sizeBytes, false);
  call.emit({ type: 'vmo-pages-committed', vmo, page: 0, count: pages });
  const koid = call.k.state.nextKoid;
  call.emit({ type: 'iob-shared-region-created', koid, vmo });
  call.putHandle('out', koid, DEFAULT_RIGHTS['iob-shared-region']);
  return Status.OK;
};

/** The rights that a handle to an end gives to map a region. */
export function mapRights(region: IobRegion, endpoint: 0 | 1, rights: number): number {
  const access = accessOf(region, endpoint);
  const read = (access & IobAccess.EP0_CAN_MAP_READ) === 0 ? 0 : Right.READ;
  const write = (access & IobAccess.EP0_CAN_MAP_WRITE) === 0 ? 0 : Right.WRITE;
  return rights & (Right.MAP | read | write);
}

const mapRegion: Handler<'zx_vmar_map_iob'> = (call, args) => {
  const { options, vmar_offset, region_index, region_offset, region_length, mapped_addr } = args;
  const vmar = call.handle('handle', 'vmar');
  const { object: iob, rights } = call.resolve(args.ep, 'iob', 0);
  const region = requireRegion(iob.regions, region_index);
  if ((rights & Right.MAP) === 0) refuse(Status.ERR_ACCESS_DENIED);
  requireArgs((options & VmOption.FAULT_BEYOND_STREAM_SIZE) === 0);
  const view = {
    object: call.k.get(region.views[iob.endpoint], 'vmo'),
    rights: mapRights(region, iob.endpoint, rights),
  };
  return mapInto(call, vmar, view, {
    options,
    vmarOffset: vmar_offset,
    vmoOffset: region_offset,
    len: region_length,
    mappedAddress: mapped_addr,
  });
};

export const iobCalls: Handlers = {
  zx_iob_create: create,
  zx_iob_create_shared_region: createSharedRegion,
  zx_vmar_map_iob: mapRegion,

  zx_iob_allocate_id: (call, { options, region_index, blob, blob_size }) => {
    call.allowOptions(options);
    const { regions, endpoint } = call.object('handle', 'iob');
    const region = requireRegion(regions, region_index);
    requireMediatedWrite(region, endpoint, IobDisciplineType.ID_ALLOCATOR);
    call.requireOut('id');
    call.put('id', allocateId(call, region, blob, blob_size));
    return Status.OK;
  },

  zx_iob_writev: (call, { options, region_index, vectors, num_vectors }) => {
    call.allowOptions(options);
    const { regions, endpoint } = call.object('handle', 'iob');
    const region = requireRegion(regions, region_index);
    requireMediatedWrite(region, endpoint, IobDisciplineType.MEDIATED_WRITE_RING_BUFFER);
    writeRing(call, region, vectors, num_vectors);
    return Status.OK;
  },
};

/** Whether nobody has anything of an end any more: mappings count, as they do for its peer. */
function isGone({ k }: Decider, { endpoint, regions }: IobState): boolean {
  return regions.every(({ views }) => k.get(views[endpoint], 'vmo').mappings === 0);
}

/** An end without handles; gives what it kept. */
export function releaseIob(m: Decider, iob: IobState): number[] {
  if (!isGone(m, iob)) return [];
  m.emit({ type: 'object-destroyed', koid: iob.koid });
  changeSignals(m, iob.peer, 0, Signal.IOB_PEER_CLOSED);
  return iob.regions.map(({ views }) => views[iob.endpoint]);
}

/** Names the memory of all private regions, at both ends. */
export function nameRegions({ m }: Call, { regions }: IobState, name: string): void {
  for (const { config, vmo, views } of regions) {
    if (decodeStruct('zx_iob_region_t', config).type !== IobRegionType.PRIVATE) continue;
    for (const koid of [vmo, ...views]) {
      if (m.k.find(koid) !== undefined) m.emit({ type: 'object-named', koid, name });
    }
  }
}
