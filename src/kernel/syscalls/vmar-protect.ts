import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { VM_PROTECT_OPTIONS } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import { type Mapping, mappingsBetween, type Placed, type VmarState } from '../objects/vmar.js';
import { isPageAligned, pageCeil, requireRegionRoom } from './address-search.js';
import type { ResolvedHandle } from './call.js';
import type { Decider } from './decider.js';
import type { Handler } from './dispatch.js';
import { refuse, requireArgs } from './refusal.js';
import { permissionsIn, requireReadable, requireWriteOrExecute, rightsFor } from './vmar-map.js';
import { addMapping, cutsOf, partOf, protectVdsoCode, type Range, requireRange } from './vmar-unmap.js';

/**
 * Checks every mapping of the range, in order of address, as VmAddressRegion::Protect does: no hole, none that may
 * not have the permissions, not the vDSO's code, and in VMARs below only taking permissions away.
 */
function checkProtect(
  k: Kernel,
  { object: vmar, rights }: ResolvedHandle<VmarState>,
  range: Range,
  permissions: number,
): Placed[] {
  const placed: Placed[] = [];
  let expected = range.start;
  for (const item of mappingsBetween(k, vmar, range.start, range.end)) {
    const { base, sizeBytes, maxPermissions, permissions: current } = item.mapping;
    if (base > expected) refuse(Status.ERR_NOT_FOUND);
    if ((permissions & ~maxPermissions) !== 0) refuse(Status.ERR_ACCESS_DENIED);
    const end = base + sizeBytes;
    protectVdsoCode(k, vmar, { start: base, end });
    if (item.vmar !== vmar.koid) {
      requireArgs((rights & Right.OP_CHILDREN) !== 0);
      if ((permissions & ~current) !== 0) refuse(Status.ERR_ACCESS_DENIED);
    }
    placed.push(item);
    expected = end;
  }
  if (expected < range.end) refuse(Status.ERR_NOT_FOUND);
  return placed;
}

/** Whether two mappings are one in two parts. The vDSO's code stays alone, because the kernel watches it. */
function joins(k: Kernel, a: Mapping, b: Mapping): boolean {
  return (
    a.base + a.sizeBytes === b.base &&
    a.vmo === b.vmo &&
    a.vmoOffset + a.sizeBytes === b.vmoOffset &&
    a.permissions === b.permissions &&
    a.maxPermissions === b.maxPermissions &&
    a.endsWithStream === b.endsWithStream &&
    k.get(a.vmo, 'vmo').vdsoCodeSizeBytes === 0
  );
}

/** The mappings with those next to them, which may be joined to them now. */
function withNeighbours(k: Kernel, vmar: number, mappings: readonly Mapping[]): Mapping[] {
  const { regions } = k.get(vmar, 'vmar');
  const last = mappings[mappings.length - 1];
  const left = regions.floor(mappings[0].base / PAGE_SIZE - 1)?.[1];
  const right = regions.get((last.base + last.sizeBytes) / PAGE_SIZE);
  return [left, ...mappings, right].filter((region) => region?.kind === 'mapping') as Mapping[];
}

/**
 * Gives the part of the mappings that is in the range other permissions. What can be joined afterwards is: else a
 * program that changes permissions back and forth would end with a mapping for every page.
 */
function changePermissions(
  m: Decider,
  vmar: number,
  mappings: readonly Mapping[],
  range: Range,
  permissions: number,
): void {
  const before = withNeighbours(m.k, vmar, mappings);
  const after: Mapping[] = [];
  const push = (part: Mapping): void => {
    const last = after[after.length - 1];
    if (last === undefined || !joins(m.k, last, part)) after.push(part);
    else after[after.length - 1] = { ...last, sizeBytes: last.sizeBytes + part.sizeBytes };
  };
  for (const mapping of before) {
    const { base, sizeBytes } = mapping;
    const end = base + sizeBytes;
    const start = Math.min(end, Math.max(base, range.start));
    const stop = Math.max(start, Math.min(end, range.end));
    if (base < start) push(partOf(mapping, { start: base, end: start }));
    if (start < stop) push({ ...partOf(mapping, { start, end: stop }), permissions });
    if (stop < end) push(partOf(mapping, { start: stop, end }));
  }
  const byBase = new Map(after.map((part) => [part.base, part]));
  for (const old of before) {
    const { base, sizeBytes } = old;
    const part = byBase.get(base);
    if (part?.sizeBytes === sizeBytes && part.permissions === old.permissions) byBase.delete(base);
    else m.emit({ type: 'mapping-removed', vmar, base });
  }
  for (const part of byBase.values()) addMapping(m, vmar, part);
}

export const protect: Handler<'zx_vmar_protect'> = (call, { options, addr, len }) => {
  const permissions = permissionsIn(options);
  const handle = call.handle('handle', 'vmar', rightsFor(permissions));
  requireReadable(permissions);
  requireWriteOrExecute(call, permissions);
  requireArgs(isPageAligned(addr) && pageCeil(len) !== 0n);
  call.allowOptions(options, VM_PROTECT_OPTIONS);
  if (handle.object.destroyed) refuse(Status.ERR_BAD_STATE);
  const range = requireRange(handle.object, addr, len, Status.ERR_INVALID_ARGS);
  const placed = checkProtect(call.k, handle, range, permissions);
  const cuts = placed.reduce((sum, { mapping }) => sum + cutsOf(mapping, range), 0);
  if (cuts > 0) requireRegionRoom(call.k, cuts);
  const groups = new Map<number, Mapping[]>();
  for (const { vmar, mapping } of placed) {
    const group = groups.get(vmar);
    if (group === undefined) groups.set(vmar, [mapping]);
    else group.push(mapping);
  }
  for (const [vmar, mappings] of groups) changePermissions(call.m, vmar, mappings, range, permissions);
  return Status.OK;
};
