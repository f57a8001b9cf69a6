import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { VM_MAP_OPTIONS, VmOption } from '../../abi/vm.js';
import type { Kernel } from '../objects/kernel.js';
import { rootOf, type VmarState } from '../objects/vmar.js';
import { MAX_VMO_BYTES, type VmoState } from '../objects/vmo.js';
import { memoryOf } from '../objects/vmo-pages.js';
import {
  alignmentOf,
  choosePlace,
  emitDrawn,
  isPageAligned,
  pageCeil,
  requireRegionRoom,
} from './address-search.js';
import type { Call, ResolvedHandle } from './call.js';
import type { Handler } from './dispatch.js';
import { u64Bytes } from './info-record.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import { isUserWritable } from './user-memory.js';
import { checkUnmap, unmapRange } from './vmar-unmap.js';

const { READ, WRITE, EXECUTE } = Right;
const CAN_MAP_ANY = VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;
const ALL_PERMISSIONS = VmOption.PERM_READ | VmOption.PERM_WRITE | VmOption.PERM_EXECUTE;
/** Mappings may lie past the end of their VMO, as far as a VMO and a mapping can be large. */
const MAX_OFFSET = 2n * BigInt(MAX_VMO_BYTES);

/** ZX_VM_PERM_* bits for the rights READ, WRITE and EXECUTE: they are in the same order. */
function permissionsOf(rights: number): number {
  return (rights & (READ | WRITE | EXECUTE)) / READ;
}

/** The rights that permissions need. */
export function rightsFor(permissions: number): number {
  return permissions * READ;
}

/** ZX_VM_CAN_MAP_* bits for ZX_VM_PERM_* bits: again the same order. */
function capabilitiesFor(permissions: number): number {
  return permissions * VmOption.CAN_MAP_READ;
}

/**
 * The permissions in options. No processor here maps memory that can be run but not read, so
 * PERM_READ_IF_XOM_UNSUPPORTED means READ (zircon/features.h, ZX_VM_FEATURE_CAN_MAP_XOM).
 */
export function permissionsIn(options: number): number {
  const read = (options & VmOption.PERM_READ_IF_XOM_UNSUPPORTED) === 0 ? 0 : VmOption.PERM_READ;
  return (options & ALL_PERMISSIONS) | read;
}

/** Memory that can be written or run can be read. */
export function requireReadable(permissions: number): void {
  requireArgs((permissions & VmOption.PERM_READ) !== 0 || permissions === 0);
}

/** Memory that can be both written and run is a matter of job policy. */
export function requireWriteOrExecute(call: Call, permissions: number): void {
  const both = VmOption.PERM_WRITE | VmOption.PERM_EXECUTE;
  if ((permissions & both) === both) requirePolicy(call, 'VMAR_WX');
}

/** Checks of zx_vmar_map that concern neither handles nor the place; gives the whole pages to map. */
function checkRequest(k: Kernel, vmo: VmoState, options: number, vmoOffset: bigint, len: bigint): bigint {
  const faultsAllowed = (options & VmOption.ALLOW_FAULTS) !== 0;
  requireArgs(faultsAllowed || (options & VmOption.FAULT_BEYOND_STREAM_SIZE) === 0);
  requireArgs((options & ~VM_MAP_OPTIONS) === 0);
  if ((options & VmOption.REQUIRE_NON_RESIZABLE) !== 0 && vmo.resizable) refuse(Status.ERR_NOT_SUPPORTED);
  if (!faultsAllowed && vmo.discardable) refuse(Status.ERR_NOT_SUPPORTED);
  requireArgs(isPageAligned(vmoOffset));
  const sizeBytes = pageCeil(len);
  if (sizeBytes < len || vmoOffset + sizeBytes > MAX_OFFSET) refuse(Status.ERR_OUT_OF_RANGE);
  // The manual wants ALLOW_FAULTS for resizable VMOs too, but no kernel has insisted and programs go without.
  if (!faultsAllowed && !vmo.resizable && vmoOffset + sizeBytes > BigInt(memoryOf(k.state, vmo).sizeBytes)) {
    refuse(Status.ERR_BUFFER_TOO_SMALL);
  }
  return sizeBytes;
}

/**
 * Whether this maps the vDSO's code. That is done once in a process, whole and with nothing else (lib/userabi/vdso);
 * other executable mappings of the vDSO are refused.
 */
function isVdsoCode(
  k: Kernel,
  vmar: VmarState,
  vmo: VmoState,
  permissions: number,
  mapped: { readonly offset: bigint; readonly sizeBytes: bigint },
): boolean {
  const { vdsoCodeOffset, vdsoCodeSizeBytes } = vmo;
  if (vdsoCodeSizeBytes === 0 || (permissions & VmOption.PERM_EXECUTE) === 0) return false;
  const exact =
    mapped.offset === BigInt(vdsoCodeOffset) && mapped.sizeBytes === pageCeil(BigInt(vdsoCodeSizeBytes));
  if (!exact || rootOf(k, vmar).vdsoCode !== 0) refuse(Status.ERR_ACCESS_DENIED);
  return true;
}

/** What a call asks to be mapped, and where. */
export interface MapRequest {
  readonly options: number;
  readonly vmarOffset: bigint;
  readonly vmoOffset: bigint;
  readonly len: bigint;
  /** Where the address goes. */
  readonly mappedAddress: number;
}

/**
 * Maps a VMO as zx_vmar_map does, with the rights that its handle has or that the caller says it is to be taken to
 * have. The order of checks is the kernel's (lib/syscalls/vmar, vmar_map_common).
 */
export function mapInto(
  call: Call,
  { object: vmar, rights: vmarRights }: Pick<ResolvedHandle<VmarState>, 'object' | 'rights'>,
  { object: vmo, rights: vmoRights }: Pick<ResolvedHandle<VmoState>, 'object' | 'rights'>,
  { options, vmarOffset, vmoOffset, len, mappedAddress }: MapRequest,
): number {
  const permissions = permissionsIn(options);
  requireReadable(permissions);
  requireArgs((options & VmOption.MAP_RANGE) === 0 || (options & VmOption.SPECIFIC_OVERWRITE) === 0);
  requireArgs((options & CAN_MAP_ANY) === 0);
  const maxPermissions = permissionsOf(vmarRights & vmoRights);
  if ((permissions & ~maxPermissions) !== 0) refuse(Status.ERR_ACCESS_DENIED);
  requireWriteOrExecute(call, permissions);
  const alignment = alignmentOf(options);
  const sizeBytes = checkRequest(call.k, vmo, options, vmoOffset, len);
  const capabilities = capabilitiesFor(maxPermissions);
  const place = choosePlace(call.k, vmar, {
    options,
    alignment,
    offset: vmarOffset,
    sizeBytes,
    capabilities,
  });
  const isCode = isVdsoCode(call.k, vmar, vmo, permissions, { offset: vmoOffset, sizeBytes });
  const range = { start: place.base, end: place.base + place.sizeBytes };
  if (place.occupied) checkUnmap(call.k, vmar, range, false);
  requireRegionRoom(call.k, place.occupied ? 2 : 1);
  call.requireWritable(mappedAddress, 8);
  emitDrawn(call.m, place);
  if (place.occupied) unmapRange(call.m, vmar, range);
  call.emit({
    type: 'mapping-added',
    vmar: vmar.koid,
    base: place.base,
    sizeBytes: place.sizeBytes,
    vmo: vmo.koid,
    vmoOffset: Number(vmoOffset),
    permissions,
    maxPermissions,
    endsWithStream: (options & VmOption.FAULT_BEYOND_STREAM_SIZE) !== 0,
  });
  if (isCode) call.emit({ type: 'vdso-mapped', vmar: rootOf(call.k, vmar).koid, codeAddress: place.base });
  // What was overwritten may be where the address should go: the new mapping goes again then, the old is lost.
  if (place.occupied && !isUserWritable(call.k, call.process, mappedAddress, 8)) {
    unmapRange(call.m, call.k.get(vmar.koid, 'vmar'), range);
    return Status.ERR_INVALID_ARGS;
  }
  call.write(mappedAddress, u64Bytes(place.base));
  return Status.OK;
}

export const mapVmo: Handler<'zx_vmar_map'> = (call, args) =>
  mapInto(call, call.handle('handle', 'vmar'), call.handle('vmo', 'vmo'), {
    options: args.options,
    vmarOffset: args.vmar_offset,
    vmoOffset: args.vmo_offset,
    len: args.len,
    mappedAddress: args.mapped_addr,
  });
