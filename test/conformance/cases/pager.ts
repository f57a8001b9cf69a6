import { PagerOp, VmoOption } from '../../../src/abi/vm.js';
import { MAX_VMO_BYTES } from '../../../src/kernel/objects/vmo.js';
import type { Harness } from '../../kernel/harness.js';
import { newPort } from '../../kernel/ipc-support.js';
import { newVmo, PAGE } from '../../kernel/vm-support.js';
import { type Args, excuse, refuses, valid } from '../causes.js';

const { FAIL, DIRTY, WRITEBACK_END } = PagerOp;
const KEY = 7;

function newPager(h: Harness): number {
  const out = h.scratch(4);
  const result = h.call('zx_pager_create', [0, out]);
  if (result !== 0n) throw new Error(`zx_pager_create: ${result}`);
  return h.u32(out);
}

interface Backed {
  readonly pager: number;
  readonly vmo: number;
}

/** A pager and a VMO of two of its pages. */
function backed(h: Harness, options = 0): Backed {
  const pager = newPager(h);
  const out = h.scratch(4);
  const result = h.call('zx_pager_create_vmo', [pager, options, newPort(h), KEY, 2 * PAGE, out]);
  if (result !== 0n) throw new Error(`zx_pager_create_vmo: ${result}`);
  return { pager, vmo: h.u32(out) };
}

function detached(h: Harness): Backed {
  const made = backed(h);
  h.call('zx_pager_detach_vmo', [made.pager, made.vmo]);
  return made;
}

/** A pager and a VMO that is another's. */
function strange(h: Harness): Backed {
  return { pager: newPager(h), vmo: backed(h).vmo };
}

valid('zx_pager_create', (h) => [0, h.scratch(4)]);
refuses('zx_pager_create', 'ERR_INVALID_ARGS', 'options nonzero', (h) => [1, h.scratch(4)]);

const createVmo = (h: Harness, options: number, size: number): Args => [
  newPager(h),
  options,
  newPort(h),
  KEY,
  size,
  h.scratch(4),
];
valid('zx_pager_create_vmo', (h) => createVmo(h, 0, PAGE));
refuses('zx_pager_create_vmo', 'ERR_OUT_OF_RANGE', 'too big', (h) => createVmo(h, 0, MAX_VMO_BYTES + 1));
refuses(
  'zx_pager_create_vmo',
  'ERR_INVALID_ARGS',
  'options',
  (h) => createVmo(h, 1, PAGE),
  (h) => createVmo(h, VmoOption.DISCARDABLE, PAGE),
);

valid('zx_pager_detach_vmo', (h) => {
  const { pager, vmo } = backed(h);
  return [pager, vmo];
});
refuses(
  'zx_pager_detach_vmo',
  'ERR_INVALID_ARGS',
  'vmo not from this pager',
  (h) => [newPager(h), newVmo(h, PAGE)],
  (h) => {
    const { pager, vmo } = strange(h);
    return [pager, vmo];
  },
);

const IO = -40n;
const opRange =
  (op: number, made: (h: Harness) => Backed, offset = 0, length = PAGE, data: number | bigint = IO) =>
  (h: Harness): Args => {
    const { pager, vmo } = made(h);
    return [pager, op, vmo, offset, length, data];
  };
const trapping = (h: Harness): Backed => backed(h, VmoOption.TRAP_DIRTY);

valid('zx_pager_op_range', opRange(FAIL, backed));
refuses('zx_pager_op_range', 'ERR_OUT_OF_RANGE', 'range', opRange(FAIL, backed, PAGE, 2 * PAGE));
refuses('zx_pager_op_range', 'ERR_BAD_STATE', 'vmo state', opRange(FAIL, detached));
refuses(
  'zx_pager_op_range',
  'ERR_NOT_SUPPORTED',
  'op',
  opRange(99, backed),
  opRange(DIRTY, backed, 0, PAGE, 0),
);
refuses(
  'zx_pager_op_range',
  'ERR_INVALID_ARGS',
  'op/alignment',
  opRange(FAIL, backed, 1),
  opRange(FAIL, backed, 0, 1),
  opRange(FAIL, backed, 0, PAGE, -1n),
  opRange(DIRTY, trapping, 0, PAGE, 1),
  opRange(WRITEBACK_END, backed, 0, PAGE, 1),
  opRange(FAIL, strange),
);
excuse(
  'zx_pager_op_range',
  'ERR_ACCESS_DENIED',
  'pager_vmo lacks WRITE for some operations',
  'no operation asks a right of the VMO: whoever has its pager may (lib/syscalls/pager)',
);

const dirtyRanges = (h: Harness, { pager, vmo }: Backed, offset = 0, length = PAGE): Args => [
  pager,
  vmo,
  offset,
  length,
  h.scratch(64),
  64,
  h.scratch(8),
  h.scratch(8),
];
valid('zx_pager_query_dirty_ranges', (h) => dirtyRanges(h, trapping(h)));
refuses('zx_pager_query_dirty_ranges', 'ERR_OUT_OF_RANGE', 'range', (h) =>
  dirtyRanges(h, trapping(h), PAGE, 2 * PAGE),
);
excuse(
  'zx_pager_query_dirty_ranges',
  'ERR_NOT_SUPPORTED',
  'no dirty tracking',
  'every VMO of a pager tracks what is dirty',
);

const stats = (h: Harness, { pager, vmo }: Backed, options = 0, size = 64): Args => [
  pager,
  vmo,
  options,
  h.scratch(64),
  size,
];
valid('zx_pager_query_vmo_stats', (h) => stats(h, backed(h)));
refuses('zx_pager_query_vmo_stats', 'ERR_INVALID_ARGS', 'options', (h) => stats(h, backed(h), 2));
refuses('zx_pager_query_vmo_stats', 'ERR_BUFFER_TOO_SMALL', 'buffer', (h) => stats(h, backed(h), 0, 1));

const supply = (
  h: Harness,
  { pager, vmo }: Backed,
  offset = 0,
  length = PAGE,
  aux = newVmo(h, 2 * PAGE),
  auxOffset = 0,
): Args => [pager, vmo, offset, length, aux, auxOffset];
valid('zx_pager_supply_pages', (h) => supply(h, backed(h)));
refuses(
  'zx_pager_supply_pages',
  'ERR_OUT_OF_RANGE',
  'range',
  (h) => supply(h, backed(h), PAGE, 2 * PAGE),
  (h) => supply(h, backed(h), 0, PAGE, newVmo(h, PAGE), PAGE),
);
refuses(
  'zx_pager_supply_pages',
  'ERR_INVALID_ARGS',
  'alignment',
  (h) => supply(h, backed(h), 1),
  (h) => supply(h, backed(h), 0, 1),
  (h) => supply(h, backed(h), 0, PAGE, newVmo(h, 2 * PAGE), 1),
);

/** A VMO whose pages stay where they are: a thread's restricted state. */
function pinned(h: Harness): number {
  const out = h.scratch(4);
  h.call('zx_restricted_bind_state', [0, out, 0]);
  return h.u32(out);
}

refuses('zx_pager_supply_pages', 'ERR_BAD_STATE', 'aux pages unsuitable', (h) =>
  supply(h, backed(h), 0, PAGE, pinned(h)),
);

const transfer = (to: number, from: number): Args => [to, 0, 0, PAGE, from, 0];
refuses(
  'zx_vmo_transfer_data',
  'ERR_BAD_STATE',
  'pinned/clean state',
  (h) => transfer(newVmo(h, PAGE), pinned(h)),
  (h) => transfer(pinned(h), newVmo(h, PAGE)),
);
refuses(
  'zx_vmo_transfer_data',
  'ERR_NOT_SUPPORTED',
  'kinds',
  (h) => transfer(backed(h).vmo, newVmo(h, PAGE)),
  (h) => transfer(newVmo(h, PAGE), backed(h).vmo),
);
