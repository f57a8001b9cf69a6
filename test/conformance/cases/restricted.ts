import { ALL_RIGHTS } from '../../../src/abi/rights.js';
import { ADDRESS_SPACES, VmoChildOption } from '../../../src/abi/vm.js';
import { endProcess, endThread } from '../../../src/kernel/syscalls/tasks.js';
import type { Harness } from '../../kernel/harness.js';
import { NOWHERE, words } from '../../kernel/ipc-support.js';
import { PAGE } from '../../kernel/vm-support.js';
import { cause, excuse, refuses, valid } from '../causes.js';

const USER_TOP = BigInt(ADDRESS_SPACES.riscv64.top);
const SHARED = 1;

function bound(h: Harness): number {
  const out = h.scratch(4);
  h.call('zx_restricted_bind_state', [0, out, 0]);
  return h.u32(out);
}

valid('zx_restricted_bind_state', (h) => [0, h.scratch(4), 0]);
refuses(
  'zx_restricted_bind_state',
  'ERR_INVALID_ARGS',
  'options nonzero or bad out (binding may stay)',
  (h) => [1, h.scratch(4), 0],
  () => [0, 0, 0],
  () => [0, NOWHERE, 0],
);
cause(
  'zx_restricted_bind_state',
  'ERR_NO_MEMORY',
  'no pages',
  (h) => h.call('zx_restricted_bind_state', [0, h.scratch(4), 0]),
  { physicalPages: 0 },
);

valid('zx_restricted_unbind_state', () => [0]);
refuses('zx_restricted_unbind_state', 'ERR_INVALID_ARGS', 'options nonzero', () => [1]);

valid('zx_restricted_enter', (h) => {
  bound(h);
  return [0, 0x1000, 0];
});
refuses(
  'zx_restricted_enter',
  'ERR_INVALID_ARGS',
  'option bits or vector not a user address',
  () => [2, 0x1000, 0],
  () => [0, USER_TOP, 0],
);
refuses(
  'zx_restricted_enter',
  'ERR_BAD_STATE',
  'no bound state, or register state invalid',
  () => [0, 0x1000, 0],
  (h) => {
    // The pc: the first field of the state.
    h.call('zx_vmo_write', [bound(h), h.scratch(words(0, 2 ** 31)), 0, 8]);
    return [0, 0x1000, 0];
  },
);
excuse(
  'zx_restricted_enter',
  'ERR_INTERNAL_INTR_RETRY',
  'kernel signal pending, vDSO retries',
  'calls are made at once: nothing comes between a thread and the call it makes',
);
excuse(
  'zx_restricted_enter',
  'ERR_NOT_SUPPORTED',
  '2023 kernels only, vectored exceptions missing on arch',
  'every architecture here has them',
);

valid('zx_restricted_kick', (h) => [h.handles.thread, 0]);
refuses('zx_restricted_kick', 'ERR_INVALID_ARGS', 'options nonzero (before handle lookup)', () => [0, 1]);
refuses('zx_restricted_kick', 'ERR_BAD_STATE', 'thread dying or dead', (h) => {
  const thread = h.newThread(h.process, 'dies');
  const handle = h.give(thread, ALL_RIGHTS);
  endThread(h, thread);
  return [handle, 0];
});

function prototype(h: Harness): { handle: number; koid: number } {
  const out = h.scratch(8);
  const koid = h.k.state.nextKoid;
  h.call('zx_process_create', [h.handles.job, out, 0, SHARED, out, out + 4]);
  return { handle: h.u32(out), koid };
}

const create = (h: Harness, process: number, options = 0) => {
  const out = h.scratch(8);
  return [process, options, out, 0, out, out + 4];
};

valid('zx_process_create_shared', (h) => create(h, prototype(h).handle));
refuses(
  'zx_process_create_shared',
  'ERR_INVALID_ARGS',
  'options nonzero or prototype not shareable',
  (h) => create(h, prototype(h).handle, 1),
  (h) => create(h, h.handles.process),
);
refuses('zx_process_create_shared', 'ERR_BAD_STATE', 'shared state already torn down, or job dead', (h) => {
  const { handle, koid } = prototype(h);
  endProcess(h, koid, 0n);
  return create(h, handle);
});

const { SNAPSHOT } = VmoChildOption;
refuses('zx_vmo_create_child', 'ERR_BAD_STATE', 'pinned pages block COW, restricted-state vmo', (h) => [
  bound(h),
  SNAPSHOT,
  0,
  PAGE,
  h.scratch(4),
]);
