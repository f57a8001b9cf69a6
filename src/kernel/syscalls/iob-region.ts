import { IobAccess, IobDisciplineType, IobRegionType } from '../../abi/ipc.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { decodeStruct, sizeOf, struct } from '../../abi/structs.js';
import { VmoOption } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { IobRegion } from '../objects/iob.js';
import { MAX_VMO_BYTES } from '../objects/vmo.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import { firstHeader, MAX_ALLOCATOR_BYTES } from './iob-allocator.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';
import { requireSize } from './vmo-create.js';

export const REGION_BYTES = sizeOf('zx_iob_region_t');

const FIELDS = struct('zx_iob_region_t').fields;
const EXTENSION_AT = FIELDS.private_region.offset;
/** Where the extension of a discipline is: behind its type. */
const DISCIPLINE_EXTENSION_AT = FIELDS.discipline.offset + 8;

const MAP_WRITE = IobAccess.EP0_CAN_MAP_WRITE | IobAccess.EP1_CAN_MAP_WRITE;
const MEDIATED =
  IobAccess.EP0_CAN_MEDIATED_READ |
  IobAccess.EP0_CAN_MEDIATED_WRITE |
  IobAccess.EP1_CAN_MEDIATED_READ |
  IobAccess.EP1_CAN_MEDIATED_WRITE;
const ALL_ACCESS = 0xff;
const VMO_OPTIONS = VmoOption.RESIZABLE | VmoOption.DISCARDABLE | VmoOption.UNBOUNDED;

/** What a region is to be: all but its VMOs, of which only that of a shared region is there already. */
export interface RegionPlan {
  readonly region: Omit<IobRegion, 'views'>;
  readonly resizable: boolean;
}

/** What one end may do with a region, as the bits of end 0. */
export function accessOf({ access }: Pick<IobRegion, 'access'>, endpoint: 0 | 1): number {
  return endpoint === 0 ? access & 0xf : access >> 4;
}

/** A region as one asks for it; refuses what no region can be, before anything is made. */
export function planRegion(call: Call, bytes: Uint8Array): RegionPlan {
  const { type, access, discipline } = decodeStruct('zx_iob_region_t', bytes);
  requireArgs((access & ~ALL_ACCESS) === 0 && (access & (MAP_WRITE | MEDIATED)) !== 0);
  const kind = Number(discipline.type);
  if (type === IobRegionType.PRIVATE) {
    const plan = planPrivate(bytes);
    checkPrivate(kind, access, plan.region.sizeBytes);
    return { ...plan, region: { ...plan.region, access, discipline: kind, tag: 0n } };
  }
  requireArgs(type === IobRegionType.SHARED);
  const { vmo, sizeBytes, sharedRegion } = sharedMemory(call, bytes);
  requireArgs(kind === IobDisciplineType.MEDIATED_WRITE_RING_BUFFER && sizeBytes >= 2 * PAGE_SIZE);
  const extension = bytes.subarray(DISCIPLINE_EXTENSION_AT);
  const { tag } = decodeStruct('zx_iob_discipline_mediated_write_ring_buffer_t', extension);
  const config = withSize(bytes, sizeBytes);
  const region = { config, access, discipline: kind, tag, vmo, sizeBytes, sharedRegion };
  return { region, resizable: false };
}

type Memory = Pick<IobRegion, 'config' | 'vmo' | 'sizeBytes' | 'sharedRegion'>;

/** A private region's VMO is made as zx_vmo_create would, but that there are no references to a discardable one. */
function planPrivate(bytes: Uint8Array): Omit<RegionPlan, 'region'> & { region: Memory } {
  const { size, private_region } = decodeStruct('zx_iob_region_t', bytes);
  const { options } = private_region;
  const unbounded = (options & VmoOption.UNBOUNDED) !== 0;
  const resizable = (options & VmoOption.RESIZABLE) !== 0;
  requireArgs((options & ~VMO_OPTIONS) === 0 && !(unbounded && resizable));
  if ((options & VmoOption.DISCARDABLE) !== 0) refuse(Status.ERR_NOT_SUPPORTED);
  const sizeBytes = unbounded ? MAX_VMO_BYTES : requireSize(size);
  return { region: { config: withSize(bytes, sizeBytes), vmo: 0, sizeBytes, sharedRegion: 0 }, resizable };
}

function checkPrivate(discipline: number, access: number, sizeBytes: number): void {
  if (discipline === IobDisciplineType.NONE) {
    requireArgs((access & MEDIATED) === 0);
    return;
  }
  requireArgs(discipline === IobDisciplineType.ID_ALLOCATOR);
  requireArgs(sizeBytes > 0 && sizeBytes <= MAX_ALLOCATOR_BYTES);
  for (const endpoint of [0, 1] as const) {
    // An allocator's end that has anything mediated can write (object/io_buffer_dispatcher).
    const { EP0_CAN_MEDIATED_READ, EP0_CAN_MEDIATED_WRITE } = IobAccess;
    const mediated = accessOf({ access }, endpoint) & (EP0_CAN_MEDIATED_READ | EP0_CAN_MEDIATED_WRITE);
    requireArgs(mediated !== EP0_CAN_MEDIATED_READ);
  }
}

/** The memory of the shared region that is named. */
function sharedMemory(call: Call, bytes: Uint8Array): Omit<Memory, 'config'> {
  const { size } = decodeStruct('zx_iob_region_t', bytes);
  const shared = decodeStruct('zx_iob_region_shared_t', bytes.subarray(EXTENSION_AT));
  requireArgs(shared.options === 0 && size === 0n);
  const { koid, vmo } = call.resolve(shared.shared_region, 'iob-shared-region', 0).object;
  return { vmo, sizeBytes: call.k.get(vmo, 'vmo').sizeBytes, sharedRegion: koid };
}

/** The configuration as it is told later: with the size that the memory has. */
function withSize(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const config = bytes.slice();
  const view = new DataView(config.buffer);
  view.setBigUint64(FIELDS.size.offset, BigInt(sizeBytes), true);
  return config;
}

/** Pages that the kernel itself will write, and takes when the region is made. */
export function pagesAtOnce({ region: { discipline, access, sizeBytes } }: RegionPlan): number {
  const isAllocator = discipline === IobDisciplineType.ID_ALLOCATOR && (access & MEDIATED) !== 0;
  return isAllocator ? sizeBytes / PAGE_SIZE : 0;
}

/** Makes the VMOs of a region. */
export function makeRegion(m: Decider, plan: RegionPlan): IobRegion {
  const { region, resizable } = plan;
  const vmo = region.sharedRegion === 0 ? newMemory(m, region.sizeBytes, resizable) : region.vmo;
  const pages = pagesAtOnce(plan);
  if (pages > 0) {
    m.emit({ type: 'vmo-pages-committed', vmo, page: 0, count: pages });
    m.emit({ type: 'vmo-written', vmo, offset: 0, bytes: firstHeader(region.sizeBytes) });
  }
  return { ...region, vmo, views: [newView(m, vmo), newView(m, vmo)] };
}

/** A VMO without handles, for who will keep it. */
export function newMemory(m: Decider, sizeBytes: number, resizable: boolean): number {
  const koid = m.k.state.nextKoid;
  m.emit({
    type: 'vmo-created',
    koid,
    sizeBytes,
    contentSizeBytes: sizeBytes,
    resizable,
    discardable: false,
    name: '',
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: 0,
  });
  return koid;
}

function newView(m: Decider, memory: number): number {
  const { nextKoid: koid } = m.k.state;
  const { resizable, name } = m.k.get(memory, 'vmo');
  m.emit({
    type: 'vmo-child-created',
    koid,
    parent: memory,
    childKind: 'reference',
    from: 0,
    fromOffset: 0,
    lender: memory,
    lenderOffset: 0,
    lenderBytes: MAX_VMO_BYTES,
    sizeBytes: 0,
    contentSizeBytes: 0,
    resizable,
    immutable: false,
    name,
  });
  changeSignals(m, memory, Signal.VMO_ZERO_CHILDREN, 0);
  return koid;
}

/** The region of an end, by its index. Refuses with OUT_OF_RANGE. */
export function requireRegion(regions: readonly IobRegion[], index: number): IobRegion {
  return regions[index] ?? refuse(Status.ERR_OUT_OF_RANGE);
}

/** Refuses unless the region has the discipline, and the end may have the kernel write it. */
export function requireMediatedWrite(region: IobRegion, endpoint: 0 | 1, discipline: number): void {
  if (region.discipline !== discipline) refuse(Status.ERR_WRONG_TYPE);
  const access = accessOf(region, endpoint);
  if ((access & IobAccess.EP0_CAN_MEDIATED_WRITE) === 0) refuse(Status.ERR_ACCESS_DENIED);
}
