import { Right } from '../../../src/abi/rights.js';

import { ADDRESS_SPACES, CachePolicy, VmoOp, VmoOption } from '../../../src/abi/vm.js';

import { type Harness, SCRATCH } from '../../kernel/harness.js';
import { NOWHERE, newEvent, withRights } from '../../kernel/ipc-support.js';
import { ENTRY, newJob, newProcess, newRunning, newThread, STACK } from '../../kernel/task-support.js';
import { map, newVmo, PAGE, R, RW, X } from '../../kernel/vm-support.js';
import { type Args, excuse, refuses, valid } from '../causes.js';
import { vdsoVmo } from '../vdso-vmo.js';

const KERNEL_ADDRESS = BigInt(ADDRESS_SPACES.riscv64.top);

function deadJob(h: Harness): number {
  const job = newJob(h);
  h.call('zx_task_kill', [job]);
  return job;
}

function deadProcess(h: Harness): number {
  const { process } = newRunning(h);
  h.call('zx_task_kill', [process]);
  return process;
}

valid('zx_job_create', (h) => [h.handles.job, 0, h.scratch(4)]);
refuses(
  'zx_job_create',
  'ERR_INVALID_ARGS',
  'options nonzero or bad out',
  (h) => [h.handles.job, 1, h.scratch(4)],
  (h) => [h.handles.job, 0, NOWHERE],
);
refuses('zx_job_create', 'ERR_OUT_OF_RANGE', 'parent at max height (root height 32 counts down)', (h) => {
  let job = h.handles.job;
  while (h.k.get(h.job, 'job').maxHeight > 0) {
    const out = h.scratch(4);
    if (h.call('zx_job_create', [job, 0, out]) !== 0n) break;
    job = h.u32(out);
  }
  return [job, 0, h.scratch(4)];
});
refuses('zx_job_create', 'ERR_BAD_STATE', 'parent dead', (h) => [deadJob(h), 0, h.scratch(4)]);

valid('zx_process_create', (h) => [h.handles.job, h.scratch(4), 4, 0, h.scratch(4), h.scratch(4)]);
refuses(
  'zx_process_create',
  'ERR_INVALID_ARGS',
  'options not 0 or SHARED, bad pointers',
  (h) => [h.handles.job, h.scratch(4), 4, 2, h.scratch(4), h.scratch(4)],
  (h) => [h.handles.job, NOWHERE, 4, 0, h.scratch(4), h.scratch(4)],
  (h) => [h.handles.job, h.scratch(4), 4, 0, NOWHERE, h.scratch(4)],
  (h) => [h.handles.job, h.scratch(4), 4, 0, h.scratch(4), NOWHERE],
);
refuses('zx_process_create', 'ERR_BAD_STATE', 'job dead or dying', (h) => [
  deadJob(h),
  h.scratch(4),
  4,
  0,
  h.scratch(4),
  h.scratch(4),
]);

function startArgs(h: Harness, given = newEvent(h), pc: bigint = ENTRY): Args {
  const { process } = newProcess(h);
  return [process, newThread(h, process), pc, STACK, given, 0];
}

valid('zx_process_start', startArgs);
refuses(
  'zx_process_start',
  'ERR_ACCESS_DENIED',
  'thread of another process, arg1 lacks TRANSFER',
  (h) => [newProcess(h).process, newThread(h), ENTRY, STACK, 0, 0],
  (h) => startArgs(h, withRights(h, newEvent(h), Right.WAIT)),
);
refuses(
  'zx_process_start',
  'ERR_BAD_STATE',
  'already started or dead, thread not fresh',
  (h) => {
    const { process } = newRunning(h);
    return [process, newThread(h, process), ENTRY, STACK, 0, 0];
  },
  (h) => {
    const { process, thread } = newRunning(h);
    return [process, thread, ENTRY, STACK, 0, 0];
  },
  (h) => {
    const args = startArgs(h);
    h.call('zx_task_kill', [args[0]]);
    return args;
  },
);
refuses('zx_process_start', 'ERR_INVALID_ARGS', 'entry not a user/canonical pc', (h) =>
  startArgs(h, newEvent(h), KERNEL_ADDRESS),
);

for (const call of ['zx_process_read_memory', 'zx_process_write_memory'] as const) {
  const isRead = call === 'zx_process_read_memory';
  valid(call, (h) => [h.handles.process, SCRATCH, h.scratch(8), 8, h.scratch(8)]);
  refuses(
    call,
    'ERR_INVALID_ARGS',
    'null buffer, size 0 or over 64 MiB',
    (h) => [h.handles.process, SCRATCH, 0, 8, h.scratch(8)],
    (h) => [h.handles.process, SCRATCH, h.scratch(8), 0, h.scratch(8)],
    (h) => [h.handles.process, SCRATCH, h.scratch(8), 0x4000001, h.scratch(8)],
  );
  const gone = isRead ? 'address space gone or uncached' : 'address space gone';
  refuses(call, 'ERR_BAD_STATE', gone, (h) => [deadProcess(h), SCRATCH, h.scratch(8), 8, h.scratch(8)]);
  refuses(
    call,
    'ERR_NOT_FOUND',
    isRead ? 'no mapping at vaddr (newest; was NO_MEMORY)' : 'no mapping',
    (h) => [h.handles.process, NOWHERE, h.scratch(8), 8, h.scratch(8)],
  );
  refuses(call, 'ERR_OUT_OF_RANGE', 'offset past vmo end', (h) => {
    const vmo = newVmo(h, PAGE, VmoOption.RESIZABLE);
    const address = map(h, RW, 0, vmo, 0, PAGE);
    h.call('zx_vmo_set_size', [vmo, 0]);
    return [h.handles.process, address, h.scratch(8), 8, h.scratch(8)];
  });
}
refuses('zx_process_read_memory', 'ERR_BAD_STATE', 'address space gone or uncached', (h) => {
  const vmo = newVmo(h, PAGE);
  h.call('zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  return [h.handles.process, map(h, R, 0, vmo, 0, PAGE), h.scratch(8), 8, h.scratch(8)];
});
refuses('zx_process_write_memory', 'ERR_ACCESS_DENIED', 'vDSO range', (h) => {
  const address = map(h, R | X, 0, vdsoVmo(h), 0, PAGE);
  return [h.handles.process, address, h.scratch(8), 8, h.scratch(8)];
});
excuse(
  'zx_process_write_memory',
  'ERR_NOT_SUPPORTED',
  'debugging syscalls off (checked first)',
  'machines have debugging calls on',
);

valid('zx_thread_create', (h) => [h.handles.process, h.scratch(4), 4, 0, h.scratch(4)]);
refuses(
  'zx_thread_create',
  'ERR_INVALID_ARGS',
  'options nonzero, null name',
  (h) => [h.handles.process, h.scratch(4), 4, 1, h.scratch(4)],
  (h) => [h.handles.process, 0, 4, 0, h.scratch(4)],
);
refuses('zx_thread_create', 'ERR_BAD_STATE', 'process dead', (h) => [
  deadProcess(h),
  h.scratch(4),
  4,
  0,
  h.scratch(4),
]);

for (const call of ['zx_thread_start', 'zx_thread_start_regs'] as const) {
  const rest = call === 'zx_thread_start' ? [STACK, 0, 0] : [STACK, 0, 0, 0, 0];
  const plain = call === 'zx_thread_start';
  valid(call, (h) => [newThread(h), ENTRY, ...rest]);
  const running = plain ? 'thread already started or process not running' : 'as thread_start';
  refuses(
    call,
    'ERR_BAD_STATE',
    running,
    (h) => [h.handles.thread, ENTRY, ...rest],
    (h) => {
      const { process } = newRunning(h);
      const thread = newThread(h, process);
      h.call('zx_task_kill', [process]);
      return [thread, ENTRY, ...rest];
    },
  );
  const badPc = plain
    ? 'pc not user/canonical'
    : 'register value impossible (non-user pc, x64 non-canonical tp)';
  refuses(call, 'ERR_INVALID_ARGS', badPc, (h) => [newThread(h), KERNEL_ADDRESS, ...rest]);
}
refuses('zx_thread_legacy_yield', 'ERR_INVALID_ARGS', 'options nonzero', () => [1]);

valid('zx_task_kill', (h) => [newRunning(h).process]);
refuses('zx_task_kill', 'ERR_WRONG_TYPE', 'not a job, process or thread', (h) => [
  withRights(h, newEvent(h), Right.DESTROY),
]);

const RSEQ_BYTES = 32;
valid('zx_thread_set_rseq', (h) => [newVmo(h, PAGE), PAGE - RSEQ_BYTES, RSEQ_BYTES]);
refuses(
  'zx_thread_set_rseq',
  'ERR_INVALID_ARGS',
  'size not sizeof(zx_rseq_t), misaligned, pager vmo, unregister with nonzero args',
  (h) => [newVmo(h, PAGE), 0, RSEQ_BYTES - 1],
  (h) => [newVmo(h, PAGE), 0, 0],
  (h) => [newVmo(h, PAGE), 16, RSEQ_BYTES],
  () => [0, RSEQ_BYTES, 0],
  () => [0, 0, RSEQ_BYTES],
  (h) => [backedVmo(h), 0, RSEQ_BYTES],
);
refuses(
  'zx_thread_set_rseq',
  'ERR_OUT_OF_RANGE',
  'not inside vmo',
  (h) => [newVmo(h, PAGE), PAGE, RSEQ_BYTES],
  (h) => [newVmo(h, PAGE), 2n ** 64n - 32n, RSEQ_BYTES],
);
refuses('zx_thread_set_rseq', 'ERR_NO_MEMORY', 'no page', (h) => {
  const large = newVmo(h, 2 ** 30);
  const free = h.k.config.physicalPages - h.k.state.committedPages;
  h.call('zx_vmo_op_range', [large, VmoOp.COMMIT, 0, free * PAGE, 0, 0]);
  return [newVmo(h, PAGE), 0, RSEQ_BYTES];
});

function backedVmo(h: Harness): number {
  const out = h.scratch(8);
  h.call('zx_pager_create', [0, out]);
  h.call('zx_port_create', [0, out + 4]);
  h.call('zx_pager_create_vmo', [h.u32(out), 0, h.u32(out + 4), 0, PAGE, out]);
  return h.u32(out);
}
