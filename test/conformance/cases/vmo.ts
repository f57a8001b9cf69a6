import { PolicyAction } from '../../../src/abi/policy.js';
import { Right } from '../../../src/abi/rights.js';
import { CachePolicy, VmoChildOption, VmoOp, VmoOption } from '../../../src/abi/vm.js';
import { MAX_VMO_BYTES } from '../../../src/kernel/objects/vmo.js';
import type { Harness } from '../../kernel/harness.js';
import { NO_HANDLE, NOWHERE, newEvent, withRights } from '../../kernel/ipc-support.js';
import { map, newChild, newVmo, PAGE, RW } from '../../kernel/vm-support.js';
import { type Args, excuse, refuses, valid } from '../causes.js';

const { DISCARDABLE, RESIZABLE, UNBOUNDED } = VmoOption;
const { SNAPSHOT, SLICE } = VmoChildOption;
const TOO_LARGE = MAX_VMO_BYTES + 1;

function uncached(h: Harness): number {
  const vmo = newVmo(h, PAGE);
  h.call('zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  return vmo;
}

valid('zx_vmo_create', (h) => [PAGE, 0, h.scratch(4)]);
refuses(
  'zx_vmo_create',
  'ERR_INVALID_ARGS',
  'unknown options, UNBOUNDED with RESIZABLE, bad out',
  (h) => [PAGE, 1, h.scratch(4)],
  (h) => [PAGE, UNBOUNDED | RESIZABLE, h.scratch(4)],
  () => [PAGE, 0, NOWHERE],
);
refuses('zx_vmo_create', 'ERR_OUT_OF_RANGE', 'too large', (h) => [TOO_LARGE, 0, h.scratch(4)]);

type Child = readonly [vmo: number, options: number, offset: number | bigint, size: number | bigint];
const child =
  (args: (h: Harness) => Child): ((h: Harness) => Args) =>
  (h) => [...args(h), h.scratch(4)];

valid(
  'zx_vmo_create_child',
  child((h) => [newVmo(h, PAGE), SNAPSHOT, 0, PAGE]),
);
refuses(
  'zx_vmo_create_child',
  'ERR_INVALID_ARGS',
  'unaligned offset, bad option mix (slice out of bounds, resizable slice)',
  child((h) => [newVmo(h, PAGE), SNAPSHOT, 1, PAGE]),
  child((h) => [newVmo(h, PAGE), 0, 0, PAGE]),
  child((h) => [newVmo(h, PAGE), SLICE | VmoChildOption.RESIZABLE, 0, PAGE]),
  child((h) => [newVmo(h, PAGE), SLICE, PAGE, PAGE]),
);
refuses(
  'zx_vmo_create_child',
  'ERR_OUT_OF_RANGE',
  'offset+size overflow/too large',
  child((h) => [newVmo(h, PAGE), SNAPSHOT, 0, TOO_LARGE]),
  child((h) => [newVmo(h, PAGE), SNAPSHOT, 2n ** 64n - BigInt(PAGE), PAGE]),
);
refuses(
  'zx_vmo_create_child',
  'ERR_BAD_STATE',
  'pinned pages block COW, restricted-state vmo',
  child((h) => [uncached(h), SNAPSHOT, 0, PAGE]),
);
refuses(
  'zx_vmo_create_child',
  'ERR_NOT_SUPPORTED',
  'contiguous/physical/discardable/slice-of-resizable parents',
  child((h) => [newVmo(h, PAGE, DISCARDABLE), SNAPSHOT, 0, PAGE]),
  child((h) => [newVmo(h, PAGE, RESIZABLE), SLICE, 0, PAGE]),
);
refuses(
  'zx_vmo_create_child',
  'ERR_ACCESS_DENIED',
  'rights',
  child((h) => [withRights(h, newVmo(h, PAGE), Right.READ), SNAPSHOT, 0, PAGE]),
  child((h) => [withRights(h, newVmo(h, PAGE), Right.DUPLICATE), SNAPSHOT, 0, PAGE]),
);

for (const call of ['zx_vmo_get_size', 'zx_vmo_get_stream_size'] as const) {
  valid(call, (h) => [newVmo(h, PAGE), h.scratch(8)]);
  refuses(call, 'ERR_INVALID_ARGS', 'bad out', (h) => [newVmo(h, PAGE), NOWHERE]);
}

for (const call of ['zx_vmo_read', 'zx_vmo_write'] as const) {
  const past = call === 'zx_vmo_read' ? 'offset+size past end' : 'past end';
  valid(call, (h) => [newVmo(h, PAGE), h.scratch(8), 0, 8]);
  refuses(
    call,
    'ERR_OUT_OF_RANGE',
    past,
    (h) => [newVmo(h, PAGE), h.scratch(8), PAGE - 4, 8],
    (h) => [newVmo(h, PAGE), h.scratch(8), 2n ** 64n - 4n, 8],
  );
  refuses(call, 'ERR_NOT_FOUND', 'buffer unmapped', (h) => [newVmo(h, PAGE), NOWHERE, 0, 8]);
  refuses(call, 'ERR_INVALID_ARGS', 'null buffer', (h) => [newVmo(h, PAGE), 0, 0, 8]);
  refuses(call, 'ERR_BAD_STATE', 'uncached or dead pager', (h) => [uncached(h), h.scratch(8), 0, 8]);
}

valid('zx_vmo_set_size', (h) => [newVmo(h, PAGE, RESIZABLE), 2 * PAGE]);
refuses('zx_vmo_set_size', 'ERR_UNAVAILABLE', 'not resizable', (h) => [newVmo(h, PAGE), PAGE]);
refuses('zx_vmo_set_size', 'ERR_OUT_OF_RANGE', 'too large', (h) => [newVmo(h, PAGE, RESIZABLE), TOO_LARGE]);
refuses('zx_vmo_set_size', 'ERR_ACCESS_DENIED', 'RESIZE missing (newest)', (h) => [
  withRights(h, newVmo(h, PAGE, RESIZABLE), Right.WRITE),
  PAGE,
]);
refuses('zx_vmo_set_size', 'ERR_BAD_STATE', 'pinned pages', (h) => {
  const vmo = newVmo(h, 2 * PAGE, RESIZABLE);
  h.call('zx_thread_set_rseq', [vmo, PAGE, 32]);
  return [vmo, PAGE];
});

valid('zx_vmo_set_stream_size', (h) => [newVmo(h, PAGE), 8]);
refuses('zx_vmo_set_stream_size', 'ERR_OUT_OF_RANGE', 'beyond vmo size', (h) => [newVmo(h, PAGE), PAGE + 1]);

const op =
  (
    number: number,
    vmo: (h: Harness) => number,
    offset = 0,
    size: number | bigint = PAGE,
  ): ((h: Harness) => Args) =>
  (h) => [vmo(h), number, offset, size, 0, 0];
const onePage = (h: Harness): number => newVmo(h, PAGE);
const discardable = (h: Harness): number => newVmo(h, PAGE, DISCARDABLE);

valid('zx_vmo_op_range', op(VmoOp.COMMIT, onePage));
refuses(
  'zx_vmo_op_range',
  'ERR_ACCESS_DENIED',
  'handle lacks READ or WRITE by operation',
  op(VmoOp.COMMIT, (h) => withRights(h, onePage(h), Right.READ)),
  op(VmoOp.CACHE_SYNC, (h) => withRights(h, onePage(h), Right.WRITE)),
);
refuses(
  'zx_vmo_op_range',
  'ERR_OUT_OF_RANGE',
  'range past end',
  op(VmoOp.COMMIT, onePage, 0, 2 * PAGE),
  op(VmoOp.ZERO, onePage, PAGE, 2n ** 64n - 1n),
);
refuses(
  'zx_vmo_op_range',
  'ERR_INVALID_ARGS',
  'unknown op, unaligned DECOMMIT, zero size cache op',
  op(99, onePage),
  op(VmoOp.DECOMMIT, onePage, 0, 8),
  op(VmoOp.CACHE_CLEAN, onePage, 0, 0),
);
refuses(
  'zx_vmo_op_range',
  'ERR_NOT_SUPPORTED',
  'op does not fit vmo kind',
  op(VmoOp.TRY_LOCK, onePage),
  op(VmoOp.DECOMMIT, (h) => newChild(h, onePage(h), SNAPSHOT, 0, PAGE)),
);
refuses('zx_vmo_op_range', 'ERR_BAD_STATE', 'lock/pager state', op(VmoOp.UNLOCK, discardable));
excuse(
  'zx_vmo_op_range',
  'ERR_UNAVAILABLE',
  'TRY_LOCK on discarded',
  'unlocked memory is not discarded: nothing here reclaims pages, a machine out of memory says NO_MEMORY',
);

valid('zx_vmo_set_cache_policy', (h) => [newVmo(h, PAGE), CachePolicy.UNCACHED]);
refuses(
  'zx_vmo_set_cache_policy',
  'ERR_BAD_STATE',
  'mapped, has children, is child, pinned, or committed and uncached',
  (h) => {
    const vmo = newVmo(h, PAGE);
    map(h, RW, 0, vmo, 0, PAGE);
    return [vmo, CachePolicy.UNCACHED];
  },
  (h) => {
    const vmo = newVmo(h, PAGE);
    newChild(h, vmo, SNAPSHOT, 0, PAGE);
    return [vmo, CachePolicy.UNCACHED];
  },
  (h) => [newChild(h, newVmo(h, PAGE), SNAPSHOT, 0, PAGE), CachePolicy.UNCACHED],
);
excuse('zx_vmo_set_cache_policy', 'ERR_NOT_SUPPORTED', 'kind', 'every VMO here is made of pages, which can');
refuses('zx_vmo_set_cache_policy', 'ERR_INVALID_ARGS', 'bad bits', (h) => [newVmo(h, PAGE), 4]);

valid('zx_vmo_replace_as_executable', (h) => [newVmo(h, PAGE), 0, h.scratch(4)]);
const notOurs = 'not a vmo handle or bad resource';
refuses(
  'zx_vmo_replace_as_executable',
  'ERR_BAD_HANDLE',
  notOurs,
  (h) => [newEvent(h), 0, h.scratch(4)],
  (h) => [newVmo(h, PAGE), NO_HANDLE, h.scratch(4)],
);
excuse(
  'zx_vmo_replace_as_executable',
  'ERR_WRONG_TYPE',
  'handle is not a vmo',
  `the kernel says BAD_HANDLE, which is listed too ('${notOurs}')`,
);

valid('zx_vmo_transfer_data', (h) => [newVmo(h, PAGE), 0, 0, PAGE, newVmo(h, PAGE), 0]);
refuses(
  'zx_vmo_transfer_data',
  'ERR_INVALID_ARGS',
  'options or alignment',
  (h) => [newVmo(h, PAGE), 1, 0, PAGE, newVmo(h, PAGE), 0],
  (h) => [newVmo(h, PAGE), 0, 1, PAGE, newVmo(h, PAGE), 0],
  (h) => [newVmo(h, PAGE), 0, 0, 1, newVmo(h, PAGE), 0],
  (h) => [newVmo(h, PAGE), 0, 0, PAGE, newVmo(h, PAGE), 1],
);
refuses(
  'zx_vmo_transfer_data',
  'ERR_OUT_OF_RANGE',
  'ranges',
  (h) => [newVmo(h, PAGE), 0, PAGE, PAGE, newVmo(h, PAGE), 0],
  (h) => [newVmo(h, PAGE), 0, 0, PAGE, newVmo(h, PAGE), PAGE],
);

/** The caller's job denies everything. */
function denyEverything(h: Harness): void {
  h.k.update(h.process, 'process', (process) => {
    const actions = process.policy.actions.map(() => PolicyAction.DENY);
    process.policy = { ...process.policy, actions };
  });
}

const NO_DRIVERS = 'needs a handle that only drivers get: there are neither BTIs nor resources';
for (const [call, handle, badArgs] of [
  ['zx_vmo_create_contiguous', 'bti', 'size 0 or alignment'],
  ['zx_vmo_create_physical', 'resource', 'unaligned'],
] as const) {
  const args = (h: Harness, value: number, size = PAGE): Args =>
    call === 'zx_vmo_create_physical' ? [value, 0, size, h.scratch(4)] : [value, size, 0, h.scratch(4)];
  refuses(call, 'ERR_BAD_HANDLE', `${handle} is not in the caller's handle table`, (h) => args(h, NO_HANDLE));
  refuses(call, 'ERR_WRONG_TYPE', `${handle} is not a ${handle}`, (h) => args(h, newEvent(h)));
  refuses(call, 'ERR_ACCESS_DENIED', 'job policy denies NEW_VMO', (h) => {
    denyEverything(h);
    return args(h, NO_HANDLE);
  });
  refuses(
    call,
    'ERR_INVALID_ARGS',
    badArgs,
    (h) => args(h, NO_HANDLE, 0),
    (h) => args(h, NO_HANDLE, 1),
  );
  excuse(call, 'ERR_NO_MEMORY', 'no memory or handles left', NO_DRIVERS);
}
refuses('zx_vmo_create_contiguous', 'ERR_INVALID_ARGS', 'size 0 or alignment', (h) => [
  NO_HANDLE,
  PAGE,
  11,
  h.scratch(4),
]);
excuse('zx_vmo_create_contiguous', 'ERR_NO_MEMORY', 'no run of pages', NO_DRIVERS);
excuse('zx_vmo_create_contiguous', 'ERR_ACCESS_DENIED', 'bti lacks MAP', NO_DRIVERS);
excuse('zx_vmo_create_physical', 'ERR_OUT_OF_RANGE', 'too large', NO_DRIVERS);
