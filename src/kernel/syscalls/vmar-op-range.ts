import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { VmarOp, VmOption } from '../../abi/vm.js';
import type { Kernel } from '../objects/kernel.js';
import { mappingsBetween, type Placed, type VmarState } from '../objects/vmar.js';
import type { ResolvedHandle } from './call.js';
import type { Decider } from './decider.js';
import type { Handler } from './dispatch.js';
import { requirePages } from './page-requests.js';
import { refuse, requireArgs } from './refusal.js';
import { protectVdsoCode, type Range, requireRange } from './vmar-unmap.js';
import {
  commitRange,
  missingPages,
  requireDecommit,
  requireInside,
  requireMemory,
  requireZero,
  type VmoRange,
  zeroRange,
} from './vmo-range.js';

/** What one ZX_VMAR_OP_* needs and does. Hints, and filling page tables, do nothing that a program could see. */
interface Operation {
  /** Rights of the VMAR's handle. */
  readonly rights: number;
  /** What each mapping must allow, now or after zx_vmar_protect. */
  readonly permission: number;
  /** Whether mappings of VMARs below count too, for who has OP_CHILDREN. */
  readonly children: boolean;
  /** Refuses what the VMO cannot do; gives how many pages it takes. */
  readonly check?: (range: VmoRange, k: Kernel) => number;
  readonly apply?: (m: Decider, range: VmoRange) => void;
}

const HINT: Operation = { rights: Right.NONE, permission: 0, children: true };
const CHANGE = { rights: Right.WRITE, permission: VmOption.PERM_WRITE };

const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [VmarOp.COMMIT, { ...CHANGE, children: false, check: checkCommit, apply: commitRange }],
  [VmarOp.DECOMMIT, { ...CHANGE, children: false, check: checkDecommit, apply: zeroRange }],
  [VmarOp.ZERO, { ...CHANGE, children: true, check: checkZero, apply: zeroRange }],
  [VmarOp.MAP_RANGE, HINT],
  [VmarOp.ALWAYS_NEED, HINT],
  [VmarOp.DONT_NEED, HINT],
  [
    VmarOp.PREFETCH,
    { rights: Right.READ, permission: VmOption.PERM_READ, children: false, check: checkPrefetch },
  ],
]);

function checkCommit(range: VmoRange, k: Kernel): number {
  requirePages(k, range, 'commit');
  return missingPages(range);
}

function checkPrefetch(range: VmoRange, k: Kernel): number {
  requirePages(k, range, 'read');
  return 0;
}

function checkDecommit(range: VmoRange, k: Kernel): number {
  requireDecommit(k, range);
  return 0;
}

function checkZero(range: VmoRange, k: Kernel): number {
  requireZero(k, range);
  return 0;
}

/** The mappings that fill the range without a gap, as VmAddressRegion::RangeOp demands; refuses with BAD_STATE. */
function checkMappings(
  k: Kernel,
  { object: vmar, rights }: ResolvedHandle<VmarState>,
  range: Range,
  operation: Operation,
): Placed[] {
  const placed: Placed[] = [];
  let expected = range.start;
  for (const item of mappingsBetween(k, vmar, range.start, range.end)) {
    const { base, sizeBytes, maxPermissions } = item.mapping;
    if (base > expected) refuse(Status.ERR_BAD_STATE);
    const direct = item.vmar === vmar.koid;
    requireArgs(direct || (operation.children && (rights & Right.OP_CHILDREN) !== 0));
    if ((operation.permission & ~maxPermissions) !== 0) refuse(Status.ERR_ACCESS_DENIED);
    placed.push(item);
    expected = base + sizeBytes;
  }
  if (expected < range.end) refuse(Status.ERR_BAD_STATE);
  return placed;
}

/** The part of the mapping's VMO that the range shows; refuses with OUT_OF_RANGE what is past its end. */
function pieceOf(k: Kernel, { mapping }: Placed, { start, end }: Range): VmoRange {
  const from = Math.max(start, mapping.base);
  const to = Math.min(end, mapping.base + mapping.sizeBytes);
  const vmo = k.get(mapping.vmo, 'vmo');
  return requireInside(k, vmo, BigInt(mapping.vmoOffset + (from - mapping.base)), BigInt(to - from));
}

/** zx_vmar_op_range. All mappings are checked before the first changes, where the kernel goes one by one. */
export const rangeOperation: Handler<'zx_vmar_op_range'> = (
  call,
  { op, address, size, buffer, buffer_size },
) => {
  const operation = OPERATIONS.get(op);
  const handle = call.handle('handle', 'vmar', operation?.rights);
  if (operation === undefined) refuse(Status.ERR_INVALID_ARGS);
  requireArgs(buffer === 0 && buffer_size === 0n);
  const range = requireRange(handle.object, address, size, Status.ERR_OUT_OF_RANGE);
  if (handle.object.destroyed) refuse(Status.ERR_BAD_STATE);
  protectVdsoCode(call.k, handle.object, range);
  const { check, apply } = operation;
  const placed = checkMappings(call.k, handle, range, operation);
  if (check === undefined) return Status.OK;
  let pages = 0;
  for (const item of placed) pages += check(pieceOf(call.k, item, range), call.k);
  requireMemory(call.k, pages);
  for (const item of placed) apply?.(call.m, pieceOf(call.k, item, range));
  return Status.OK;
};
