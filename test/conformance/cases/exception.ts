import { ExceptionType } from '../../../src/abi/exceptions.js';
import { PolicyAction, PolicyCondition, PolicyMode, PolicyTopic } from '../../../src/abi/policy.js';
import { Right } from '../../../src/abi/rights.js';
import type { SyscallName } from '../../../src/abi/syscalls.js';
import { ThreadStateKind } from '../../../src/abi/threads.js';
import { crash, debug, listen, newTarget, suspend, take } from '../../kernel/exception-support.js';
import type { Harness } from '../../kernel/harness.js';
import { koidOf, NOWHERE, words } from '../../kernel/ipc-support.js';
import { type Entry, policyArgs, underPolicy } from '../../kernel/policy-support.js';
import { newJob, newRunning } from '../../kernel/task-support.js';
import { newVmo, PAGE, RW, X } from '../../kernel/vm-support.js';
import { type Args, cause, refuses, valid } from '../causes.js';

const { DENY } = PolicyAction;
const { NEW_ANY, NEW_EVENT, NEW_SAMPLER } = PolicyCondition;

/** A process that has ended, and its thread. */
function dead(h: Harness): { process: number; thread: number } {
  const { process, thread } = newTarget(h);
  h.call('zx_task_kill', [process]);
  return { process, thread };
}

// Channels of exceptions.

valid('zx_task_create_exception_channel', (h) => [newTarget(h).process, 0, h.scratch(4)]);
cause(
  'zx_task_create_exception_channel',
  'ERR_ACCESS_DENIED',
  'handle lacks DUPLICATE, TRANSFER, INSPECT, MANAGE_THREAD, ENUMERATE on a job or process',
  (h) => {
    const needed = Right.DUPLICATE | Right.TRANSFER | Right.INSPECT | Right.MANAGE_THREAD;
    const process = h.give(koidOf(h, newTarget(h).process), needed);
    return h.call('zx_task_create_exception_channel', [process, 0, h.scratch(4)]);
  },
);
refuses('zx_task_create_exception_channel', 'ERR_ALREADY_BOUND', 'slot taken by a live channel', (h) => {
  const { process } = newTarget(h);
  debug(h, process);
  return [process, 1, h.scratch(4)];
});
refuses(
  'zx_task_create_exception_channel',
  'ERR_BAD_STATE',
  'task dying or dead',
  (h) => [dead(h).process, 0, h.scratch(4)],
  (h) => [dead(h).thread, 0, h.scratch(4)],
);
refuses(
  'zx_task_create_exception_channel',
  'ERR_INVALID_ARGS',
  'unknown option or DEBUGGER on a thread',
  (h) => [newTarget(h).process, 2, h.scratch(4)],
  (h) => [newTarget(h).thread, 1, h.scratch(4)],
);
refuses('zx_task_create_exception_channel', 'ERR_NO_RESOURCES', 'job debugger slots (32) full', (h) => {
  const job = newJob(h);
  for (let i = 0; i < 32; i++) debug(h, job);
  return [job, 1, h.scratch(4)];
});

/** An exception that came to who listens to a process, or to a thread. */
function exceptionOf(h: Harness, place: 'process' | 'thread' = 'process'): number {
  const target = newTarget(h);
  const channel = listen(h, target[place]);
  crash(h, target.tid);
  return take(h, channel).exception;
}

for (const call of ['zx_exception_get_process', 'zx_exception_get_thread'] as const) {
  valid(call, (h) => [exceptionOf(h), h.scratch(4)]);
  refuses(call, 'ERR_INVALID_ARGS', 'bad out', (h) => [exceptionOf(h), NOWHERE]);
}
refuses('zx_exception_get_process', 'ERR_ACCESS_DENIED', 'came over a thread channel', (h) => [
  exceptionOf(h, 'thread'),
  h.scratch(4),
]);

refuses(
  'zx_thread_raise_exception',
  'ERR_INVALID_ARGS',
  'options not TARGET_JOB_DEBUGGER, type not ZX_EXCP_USER, bad pointer',
  (h) => [0, ExceptionType.USER, h.scratch(32)],
  (h) => [1, ExceptionType.GENERAL, h.scratch(32)],
  () => [1, ExceptionType.USER, NOWHERE],
);

// Suspension and registers.

for (const call of ['zx_task_suspend', 'zx_task_suspend_token'] as const) {
  valid(call, (h) => [newTarget(h).thread, h.scratch(4)]);
  refuses(
    call,
    'ERR_BAD_STATE',
    'dying or dead',
    (h) => [dead(h).process, h.scratch(4)],
    (h) => [dead(h).thread, h.scratch(4)],
  );
  refuses(
    call,
    'ERR_NOT_SUPPORTED',
    'suspending self or own process',
    (h) => [h.handles.thread, h.scratch(4)],
    (h) => [h.handles.process, h.scratch(4)],
  );
  refuses(call, 'ERR_INVALID_ARGS', 'bad out', (h) => [newTarget(h).process, NOWHERE]);
}

const SIZE = 8n;

/** A thread that does not run. */
function stopped(h: Harness): number {
  const { thread } = newTarget(h);
  suspend(h, thread);
  return thread;
}

const state = (h: Harness, kind: number, buffer = h.scratch(16)): Args => [stopped(h), kind, buffer, SIZE];

for (const call of ['zx_thread_read_state', 'zx_thread_write_state'] as const) {
  valid(call, (h) => state(h, ThreadStateKind.GENERAL_REGS));
  refuses(call, 'ERR_BAD_STATE', 'not suspended nor in exception', (h) => [
    newTarget(h).thread,
    ThreadStateKind.GENERAL_REGS,
    h.scratch(16),
    SIZE,
  ]);
  refuses(call, 'ERR_BUFFER_TOO_SMALL', 'buffer', (h) => [
    stopped(h),
    ThreadStateKind.GENERAL_REGS,
    h.scratch(16),
    SIZE - 1n,
  ]);
}
refuses(
  'zx_thread_read_state',
  'ERR_INVALID_ARGS',
  'unknown kind or bad pointer',
  (h) => state(h, 3),
  (h) => state(h, ThreadStateKind.GENERAL_REGS, NOWHERE),
);
refuses('zx_thread_read_state', 'ERR_NOT_SUPPORTED', 'register set absent', (h) =>
  state(h, ThreadStateKind.VECTOR_REGS),
);
refuses(
  'zx_thread_write_state',
  'ERR_INVALID_ARGS',
  'unknown kind, bad value (non-canonical, bad flags/mxcsr), bad pointer',
  (h) => state(h, 3),
  (h) => state(h, ThreadStateKind.GENERAL_REGS, h.scratch(new Uint8Array(16).fill(0xff))),
  (h) => state(h, ThreadStateKind.GENERAL_REGS, NOWHERE),
);
refuses(
  'zx_thread_write_state',
  'ERR_NOT_SUPPORTED',
  'register set absent or debug regs disabled',
  (h) => state(h, ThreadStateKind.VECTOR_REGS),
  (h) => state(h, ThreadStateKind.SINGLE_STEP),
);

// Job policy.

const setPolicy = (h: Harness, entries: readonly Entry[], mode: number = PolicyMode.RELATIVE): Args =>
  policyArgs(h, newJob(h), entries, mode);

valid('zx_job_set_policy', (h) => setPolicy(h, [[NEW_EVENT, DENY]]));
refuses(
  'zx_job_set_policy',
  'ERR_INVALID_ARGS',
  'bad topic/options/pointer, zero entries, more than 32 entries, unknown condition or flag value',
  (h) => [newJob(h), PolicyMode.RELATIVE, 2, h.scratch(8), 1],
  (h) => [newJob(h), 2, PolicyTopic.BASIC_V1, h.scratch(8), 1],
  (h) => [newJob(h), PolicyMode.RELATIVE, PolicyTopic.BASIC_V1, NOWHERE, 1],
  (h) => [newJob(h), PolicyMode.RELATIVE, PolicyTopic.BASIC_V1, h.scratch(8), 0],
  (h) => [newJob(h), PolicyMode.RELATIVE, PolicyTopic.BASIC_V1, h.scratch(8 * 33), 33],
  (h) => setPolicy(h, [[NEW_SAMPLER + 1, DENY]]),
  (h) => setPolicy(h, [[NEW_ANY, DENY, 2]]),
  (h) => [newJob(h), PolicyMode.RELATIVE, PolicyTopic.TIMER_SLACK, h.scratch(words(0, 0, 3, 0)), 1],
);
refuses('zx_job_set_policy', 'ERR_NOT_SUPPORTED', 'unknown action', (h) => setPolicy(h, [[NEW_EVENT, 5]]));
refuses('zx_job_set_policy', 'ERR_ALREADY_EXISTS', 'ABSOLUTE and a locked entry differs', (h) => {
  const parent = newJob(h);
  h.call('zx_job_set_policy', policyArgs(h, parent, [[NEW_EVENT, DENY]]));
  return policyArgs(h, newJob(h, parent), [[NEW_EVENT, PolicyAction.ALLOW]], PolicyMode.ABSOLUTE);
});
refuses(
  'zx_job_set_policy',
  'ERR_BAD_STATE',
  'job has child jobs or processes, or is dead',
  (h) => {
    const job = newJob(h);
    newJob(h, job);
    return policyArgs(h, job, [[NEW_EVENT, DENY]]);
  },
  (h) => {
    const job = newJob(h);
    newRunning(h, job);
    return policyArgs(h, job, [[NEW_EVENT, DENY]]);
  },
  (h) => {
    const job = newJob(h);
    h.call('zx_task_kill', [job]);
    return policyArgs(h, job, [[NEW_EVENT, DENY]]);
  },
);
refuses('zx_job_set_policy', 'ERR_OUT_OF_RANGE', 'more entries than conditions (19..32)', (h) =>
  setPolicy(h, new Array<Entry>(19).fill([NEW_EVENT, DENY])),
);

valid('zx_job_set_critical', (h) => {
  const job = newJob(h);
  return [job, 0, newRunning(h, job).process];
});
refuses(
  'zx_job_set_critical',
  'ERR_INVALID_ARGS',
  'bad option or job not an ancestor of process',
  (h) => [newJob(h), 2, newTarget(h).process],
  (h) => [newJob(h), 0, newTarget(h).process],
);
refuses('zx_job_set_critical', 'ERR_ALREADY_BOUND', 'process already critical', (h) => {
  const { process } = newTarget(h);
  h.call('zx_job_set_critical', [h.handles.job, 1, process]);
  return [h.handles.job, 0, process];
});

// Memory that can be written and run.

const WX: readonly [SyscallName, (h: Harness) => Args][] = [
  ['zx_vmar_map', (h) => [h.handles.rootVmar, RW | X, 0n, runnable(h), 0n, PAGE, h.scratch(8)]],
  ['zx_vmar_protect', (h) => [h.handles.rootVmar, RW | X, 0x40000000n, PAGE]],
];

function runnable(h: Harness): number {
  return h.give(koidOf(h, newVmo(h, PAGE)), Right.READ | Right.WRITE | Right.EXECUTE | Right.MAP);
}

for (const [call, args] of WX) {
  refuses(call, 'ERR_ACCESS_DENIED', 'job policy denies VMAR_WX', (h) => {
    const values = args(h);
    underPolicy(h, 'VMAR_WX', DENY);
    return values;
  });
}

// The same condition in the words of three rows.
for (const text of [
  'job policy denies AMBIENT_MARK_VMO_EXEC (only when vmex is 0)',
  'policy denies ambient',
]) {
  refuses('zx_vmo_replace_as_executable', 'ERR_ACCESS_DENIED', text, (h) => {
    const args = [newVmo(h, PAGE), 0, h.scratch(4)];
    underPolicy(h, 'AMBIENT_MARK_VMO_EXEC', DENY);
    return args;
  });
}
