import { Right } from '../../../src/abi/rights.js';
import { VmarOp, VmOption, VmoChildOption, VmoOption } from '../../../src/abi/vm.js';
import type { Harness } from '../../kernel/harness.js';
import { newEvent, withRights } from '../../kernel/ipc-support.js';
import {
  ALL_VMO_RIGHTS,
  CAN_MAP_RWX,
  map,
  newChild,
  newVmar,
  newVmo,
  PAGE,
  R,
  RW,
  W,
  X,
} from '../../kernel/vm-support.js';
import { type Args, excuse, refuses, valid } from '../causes.js';
import { vdsoVmo } from '../vdso-vmo.js';

const { CAN_MAP_READ, CAN_MAP_WRITE, CAN_MAP_SPECIFIC, OFFSET_IS_UPPER_LIMIT, SPECIFIC, SPECIFIC_OVERWRITE } =
  VmOption;
const SPACE = CAN_MAP_RWX | CAN_MAP_SPECIFIC;
const HUGE = 2n ** 50n;
const ALIGN_1GB = 30 * 2 ** 24;

const root = (h: Harness): number => h.handles.rootVmar;

/** A VMAR of four pages that allows everything. */
function region(h: Harness): { vmar: number; address: number } {
  return newVmar(h, SPACE, 0, 4 * PAGE);
}

/** The same, with one page mapped at its start. */
function mapped(h: Harness, options = RW): { vmar: number; address: number } {
  const made = region(h);
  map(h, options | SPECIFIC, 0, newVmo(h, PAGE), 0, PAGE, made.vmar);
  return made;
}

function destroyed(h: Harness): { vmar: number; address: number } {
  const made = region(h);
  h.call('zx_vmar_destroy', [made.vmar]);
  return made;
}

/** A mapping of all of a VMAR below another; gives the outer one, and its address. */
function nested(h: Harness): { vmar: number; address: number } {
  const outer = region(h);
  const inner = newVmar(h, SPACE | SPECIFIC, PAGE, 2 * PAGE, outer.vmar);
  map(h, R | SPECIFIC, 0, newVmo(h, 2 * PAGE), 0, 2 * PAGE, inner.vmar);
  return outer;
}

/** A region with the code of a vDSO of one page mapped at its start. */
function vdso(h: Harness): { vmar: number; address: number } {
  const made = region(h);
  map(h, R | X | SPECIFIC, 0, vdsoVmo(h), 0, PAGE, made.vmar);
  return made;
}

type Allocate = readonly [parent: number, options: number, offset: number | bigint, size: number | bigint];

const allocate =
  (args: (h: Harness) => Allocate): ((h: Harness) => Args) =>
  (h) => [...args(h), h.scratch(4), h.scratch(8)];

valid(
  'zx_vmar_allocate',
  allocate((h) => [root(h), CAN_MAP_READ, 0, PAGE]),
);
refuses(
  'zx_vmar_allocate',
  'ERR_BAD_STATE',
  'parent destroyed',
  allocate((h) => [destroyed(h).vmar, 0, 0, PAGE]),
);
refuses(
  'zx_vmar_allocate',
  'ERR_INVALID_ARGS',
  'unknown option, size 0 or unaligned, offset unaligned, offset nonzero without SPECIFIC/UPPER_LIMIT, both of those, range outside parent, SPECIFIC base misaligned for ALIGN, PERM_* bits',
  allocate((h) => [root(h), 0x10000, 0, PAGE]),
  allocate((h) => [root(h), 0, 0, 0]),
  allocate((h) => [root(h), 0, 0, PAGE + 1]),
  allocate((h) => [root(h), SPECIFIC, 1, PAGE]),
  allocate((h) => [root(h), 0, PAGE, PAGE]),
  allocate((h) => [root(h), SPECIFIC | OFFSET_IS_UPPER_LIMIT, PAGE, PAGE]),
  allocate((h) => [root(h), SPECIFIC, HUGE, PAGE]),
  allocate((h) => [root(h), SPECIFIC | ALIGN_1GB, PAGE, PAGE]),
  allocate((h) => [root(h), R, 0, PAGE]),
);
refuses(
  'zx_vmar_allocate',
  'ERR_ALREADY_EXISTS',
  'SPECIFIC overlaps (2018-2020: NO_MEMORY)',
  allocate((h) => [mapped(h).vmar, SPECIFIC, 0, 2 * PAGE]),
);
refuses(
  'zx_vmar_allocate',
  'ERR_NO_RESOURCES',
  'no gap found (older: NO_MEMORY)',
  allocate((h) => [mapped(h).vmar, 0, 0, 4 * PAGE]),
);
refuses(
  'zx_vmar_allocate',
  'ERR_ACCESS_DENIED',
  'CAN_MAP_* not on parent or handle, SPECIFIC without CAN_MAP_SPECIFIC',
  allocate((h) => [newVmar(h, CAN_MAP_READ, 0, PAGE).vmar, CAN_MAP_WRITE, 0, PAGE]),
  allocate((h) => [withRights(h, newVmar(h, CAN_MAP_READ, 0, PAGE).vmar, ~0 >>> 1), CAN_MAP_WRITE, 0, PAGE]),
  allocate((h) => [withRights(h, root(h), Right.OP_CHILDREN), CAN_MAP_READ, 0, PAGE]),
  allocate((h) => [newVmar(h, CAN_MAP_READ, 0, PAGE).vmar, SPECIFIC, 0, PAGE]),
);

valid('zx_vmar_destroy', (h) => [region(h).vmar]);
refuses('zx_vmar_destroy', 'ERR_BAD_STATE', 'already destroyed', (h) => [destroyed(h).vmar]);
refuses('zx_vmar_destroy', 'ERR_NOT_SUPPORTED', 'root vmar', (h) => [root(h)]);

type MapArgs = readonly [
  vmar: number,
  options: number,
  offset: number | bigint,
  vmo: number,
  vmoOffset: number | bigint,
  len: number | bigint,
];

const mapping =
  (args: (h: Harness) => MapArgs): ((h: Harness) => Args) =>
  (h) => [...args(h), h.scratch(8)];

valid(
  'zx_vmar_map',
  mapping((h) => [root(h), R, 0, newVmo(h, PAGE), 0, PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_ACCESS_DENIED',
  'handle lacks READ, WRITE, EXECUTE as the permissions asked for',
  ...[Right.READ, Right.WRITE, Right.EXECUTE].map((missing) =>
    mapping((h) => {
      const vmar = withRights(h, root(h), (Right.READ | Right.WRITE | Right.EXECUTE) & ~missing);
      const permissions = { [Right.READ]: R, [Right.WRITE]: RW, [Right.EXECUTE]: R | X }[missing];
      return [vmar, permissions ?? 0, 0, withRights(h, newVmo(h, PAGE), ALL_VMO_RIGHTS), 0, PAGE];
    }),
  ),
);
refuses(
  'zx_vmar_map',
  'ERR_ACCESS_DENIED',
  'vmo lacks MAP, READ, WRITE, EXECUTE as the permissions asked for',
  mapping((h) => [root(h), R, 0, withRights(h, newVmo(h, PAGE), Right.READ), 0, PAGE]),
  mapping((h) => [root(h), R, 0, withRights(h, newVmo(h, PAGE), Right.MAP), 0, PAGE]),
  mapping((h) => [root(h), RW, 0, withRights(h, newVmo(h, PAGE), Right.MAP | Right.READ), 0, PAGE]),
  mapping((h) => [root(h), R | X, 0, newVmo(h, PAGE), 0, PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_BAD_STATE',
  'vmar destroyed',
  mapping((h) => [destroyed(h).vmar, R, 0, newVmo(h, PAGE), 0, PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_INVALID_ARGS',
  'len 0, unaligned offsets, offset without SPECIFIC/UPPER_LIMIT, OVERWRITE with MAP_RANGE, WRITE or EXECUTE-only combos refused, FAULT_BEYOND_STREAM_SIZE without ALLOW_FAULTS',
  mapping((h) => [root(h), R, 0, newVmo(h, PAGE), 0, 0]),
  mapping((h) => [root(h), R, 0, newVmo(h, 2 * PAGE), 1, PAGE]),
  mapping((h) => [root(h), R | SPECIFIC, 1, newVmo(h, PAGE), 0, PAGE]),
  mapping((h) => [root(h), R, PAGE, newVmo(h, PAGE), 0, PAGE]),
  mapping((h) => [root(h), R | SPECIFIC_OVERWRITE | VmOption.MAP_RANGE, 0, newVmo(h, PAGE), 0, PAGE]),
  mapping((h) => [root(h), W, 0, newVmo(h, PAGE), 0, PAGE]),
  mapping((h) => [root(h), X, 0, newVmo(h, PAGE), 0, PAGE]),
  mapping((h) => [root(h), R | VmOption.FAULT_BEYOND_STREAM_SIZE, 0, newVmo(h, PAGE), 0, PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_ALREADY_EXISTS',
  'SPECIFIC overlaps',
  mapping((h) => [mapped(h).vmar, R | SPECIFIC, 0, newVmo(h, PAGE), 0, PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_NO_RESOURCES',
  'no gap',
  mapping((h) => [mapped(h).vmar, R, 0, newVmo(h, 4 * PAGE), 0, 4 * PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_ACCESS_DENIED',
  'rights or CAN_MAP_* missing, vDSO rules',
  mapping((h) => [newVmar(h, CAN_MAP_READ, 0, PAGE).vmar, R | SPECIFIC, 0, newVmo(h, PAGE), 0, PAGE]),
  mapping((h) => [newVmar(h, CAN_MAP_READ, 0, PAGE).vmar, RW, 0, newVmo(h, PAGE), 0, PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_NOT_SUPPORTED',
  'needs ALLOW_FAULTS or REQUIRE_NON_RESIZABLE on a resizable vmo',
  mapping((h) => [root(h), R, 0, newVmo(h, PAGE, VmoOption.DISCARDABLE), 0, PAGE]),
  mapping((h) => [
    root(h),
    R | VmOption.REQUIRE_NON_RESIZABLE,
    0,
    newVmo(h, PAGE, VmoOption.RESIZABLE),
    0,
    PAGE,
  ]),
);
refuses(
  'zx_vmar_map',
  'ERR_BUFFER_TOO_SMALL',
  'past end of fixed vmo without ALLOW_FAULTS',
  mapping((h) => [root(h), R, 0, newVmo(h, PAGE), 0, 2 * PAGE]),
);
refuses(
  'zx_vmar_map',
  'ERR_OUT_OF_RANGE',
  'vmo_offset+len overflows',
  mapping((h) => [
    root(h),
    R | VmOption.ALLOW_FAULTS,
    0,
    newVmo(h, PAGE),
    2n ** 64n - BigInt(PAGE),
    2 * PAGE,
  ]),
);

type Place = { readonly vmar: number; readonly address: number };

/** An operation on `size` bytes from an offset into a region on. */
const range =
  (op: number, where: (h: Harness) => Place, offset = 0, size = PAGE, buffer = 0): ((h: Harness) => Args) =>
  (h) => {
    const { vmar, address } = where(h);
    return [vmar, op, address + offset, size, buffer, 0];
  };
const { COMMIT, DECOMMIT, PREFETCH } = VmarOp;
const weakened =
  (rights: number): ((h: Harness) => Place) =>
  (h) => {
    const { vmar, address } = mapped(h);
    return { vmar: withRights(h, vmar, rights), address };
  };

valid('zx_vmar_op_range', range(COMMIT, mapped));
refuses(
  'zx_vmar_op_range',
  'ERR_ACCESS_DENIED',
  'handle lacks READ or WRITE by operation',
  range(COMMIT, weakened(Right.READ)),
  range(PREFETCH, weakened(Right.WRITE)),
);
refuses(
  'zx_vmar_op_range',
  'ERR_BAD_STATE',
  'vmar destroyed or gap in range',
  range(COMMIT, destroyed),
  range(COMMIT, mapped, 0, 2 * PAGE),
);
refuses(
  'zx_vmar_op_range',
  'ERR_INVALID_ARGS',
  'buffer given, size 0, unaligned, unknown op, subregions with COMMIT/DECOMMIT/PREFETCH',
  range(COMMIT, mapped, 0, PAGE, 8),
  range(COMMIT, mapped, 0, 0),
  range(COMMIT, mapped, 1, PAGE),
  range(99, mapped),
  ...[COMMIT, DECOMMIT, PREFETCH].map((op) => range(op, nested, PAGE, 2 * PAGE)),
);
refuses(
  'zx_vmar_op_range',
  'ERR_OUT_OF_RANGE',
  'outside vmar or past stream/vmo size',
  range(COMMIT, mapped, 0, 5 * PAGE),
  range(
    COMMIT,
    (h) => {
      const made = region(h);
      map(h, RW | SPECIFIC | VmOption.ALLOW_FAULTS, 0, newVmo(h, PAGE), 0, 2 * PAGE, made.vmar);
      return { ...made };
    },
    0,
    2 * PAGE,
  ),
);
refuses(
  'zx_vmar_op_range',
  'ERR_NOT_SUPPORTED',
  'vmo cannot do op',
  range(DECOMMIT, (h) => {
    const made = region(h);
    const vmo = newVmo(h, PAGE);
    newChild(h, vmo, VmoChildOption.SNAPSHOT, 0, PAGE);
    map(h, RW | SPECIFIC, 0, vmo, 0, PAGE, made.vmar);
    return made;
  }),
);

const protect =
  (options: number, where: (h: Harness) => Place, offset = 0, size = PAGE): ((h: Harness) => Args) =>
  (h) => {
    const { vmar, address } = where(h);
    return [vmar, options, address + offset, size];
  };
/** A region with a page of a VMO that its handle allowed to be read only. */
const mappedReadOnly = (h: Harness): Place => {
  const made = region(h);
  const vmo = withRights(h, newVmo(h, PAGE), Right.READ | Right.MAP);
  map(h, R | SPECIFIC, 0, vmo, 0, PAGE, made.vmar);
  return made;
};

valid('zx_vmar_protect', protect(R, mapped));
refuses(
  'zx_vmar_protect',
  'ERR_ACCESS_DENIED',
  'handle lacks READ, WRITE, EXECUTE as the permissions asked for',
  protect(R, weakened(Right.WRITE)),
  protect(RW, weakened(Right.READ)),
  protect(R | X, weakened(Right.READ | Right.WRITE)),
);
refuses(
  'zx_vmar_protect',
  'ERR_INVALID_ARGS',
  'len 0 or unaligned, WRITE or EXECUTE combination refused, subregion without OP_CHILDREN',
  protect(R, mapped, 0, 0),
  protect(R, mapped, 1),
  protect(W, mapped),
  protect(X, mapped),
  protect(
    R,
    (h) => {
      const { vmar, address } = nested(h);
      return { vmar: withRights(h, vmar, Right.READ), address };
    },
    PAGE,
  ),
);
refuses(
  'zx_vmar_protect',
  'ERR_NOT_FOUND',
  'hole in range',
  protect(R, mapped, 0, 2 * PAGE),
  protect(R, mapped, PAGE),
);
refuses(
  'zx_vmar_protect',
  'ERR_ACCESS_DENIED',
  "rights, vmo rights at map time, CAN_MAP_*, raising a sub-region's permissions",
  protect(RW, mappedReadOnly),
  protect(RW, nested, PAGE),
);
refuses('zx_vmar_protect', 'ERR_BAD_STATE', 'vmar destroyed', protect(R, destroyed));

const unmap =
  (where: (h: Harness) => Place, offset = 0, size = PAGE): ((h: Harness) => Args) =>
  (h) => {
    const { vmar, address } = where(h);
    return [vmar, address + offset, size];
  };
const closed = (h: Harness): Place => {
  const { vmar, address } = nested(h);
  return { vmar: withRights(h, vmar, Right.READ | Right.WRITE), address };
};

valid('zx_vmar_unmap', unmap(mapped));
excuse(
  'zx_vmar_unmap',
  'ERR_ACCESS_DENIED',
  'handle lacks OP_CHILDREN when whole sub-regions go',
  'the same is also listed as INVALID_ARGS, which is what the kernel says (VmAddressRegion::Unmap)',
);
refuses(
  'zx_vmar_unmap',
  'ERR_INVALID_ARGS',
  'unaligned, len 0, partial overlap of a sub-region, sub-region without OP_CHILDREN',
  unmap(mapped, 1),
  unmap(mapped, 0, 0),
  unmap(nested, 2 * PAGE),
  unmap(closed, 0, 4 * PAGE),
);
refuses('zx_vmar_unmap', 'ERR_NOT_FOUND', 'nothing mapped at all', unmap(region));
refuses('zx_vmar_unmap', 'ERR_BAD_STATE', 'vmar destroyed', unmap(destroyed));
refuses('zx_vmar_unmap', 'ERR_ACCESS_DENIED', 'vDSO code mapping', unmap(vdso));

valid('zx_vmar_unmap_handle_close_thread_exit', (h) => [...unmap(mapped)(h), newEvent(h)]);
excuse(
  'zx_vmar_unmap_handle_close_thread_exit',
  'ERR_BAD_HANDLE',
  "close_handle is not in the caller's handle table",
  'the unmap succeeded by then, and the thread ends without an answer',
);
