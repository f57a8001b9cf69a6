import test from 'ava';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { ThreadState } from '../../src/abi/threads.js';
import { ADDRESS_SPACES } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import {
  blocks,
  gives,
  INFINITE,
  isOpen,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  outcome,
  signalsOf,
  text,
  withRights,
} from './ipc-support.js';
import {
  ENTRY,
  jobInfo,
  koids,
  newJob,
  newProcess,
  newRunning,
  newThread,
  processInfo,
  STACK,
  threadState,
} from './task-support.js';
import { rightsOf } from './vm-support.js';

const { JOB_NO_JOBS: NO_JOBS, JOB_NO_PROCESSES: NO_PROCESSES, TASK_TERMINATED: TERMINATED } = Signal;

test('zx_job_create makes a child, and the parent is told', (t) => {
  const h = new Harness();
  const parent = newJob(h);
  t.is(signalsOf(h, parent), NO_JOBS | NO_PROCESSES);
  const child = newJob(h, parent);
  t.is(signalsOf(h, parent), NO_PROCESSES);
  t.is(rightsOf(h, child), DEFAULT_RIGHTS.job);
  t.deepEqual(koids(h, parent, 'JOB_CHILDREN'), [koidOf(h, child)]);
  t.is(h.call('zx_handle_close', [child]), 0n);
  t.is(signalsOf(h, parent), NO_JOBS | NO_PROCESSES, 'a job without handles and children is gone');
  t.deepEqual(koids(h, parent, 'JOB_CHILDREN'), []);
});

test('zx_job_create: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_job_create', [NO_HANDLE, 0, out]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_job_create', [h.handles.process, 0, out]);
  const weak = withRights(h, h.handles.job, DEFAULT_RIGHTS.job & ~Right.MANAGE_JOB);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_job_create', [weak, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_create', [h.handles.job, 1, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_create', [h.handles.job, 0, NOWHERE]);
});

test('zx_job_create: OUT_OF_RANGE below 32 levels, BAD_STATE in a dead job', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  // The test's job is one below the root.
  let job = h.handles.job;
  for (let level = 2; level <= 32; level++) job = newJob(h, job);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_job_create', [job, 0, out]);
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_job_create', [job, 0, out]);
  const dead = newJob(h);
  gives(t, h, 'OK', 'zx_task_kill', [dead]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_job_create', [dead, 0, out]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_process_create', [dead, out, 0, 0, out, out]);
});

test('zx_job_create: NO_MEMORY when the table is full', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  while (h.k.sharedBy(h.process).handles.size < 256 * 1024) h.give(h.job, Right.NONE);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_job_create', [h.handles.job, 0, out]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_process_create', [h.handles.job, out, 0, 0, out, out]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_thread_create', [h.handles.process, out, 0, 0, out]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_object_get_child', [h.handles.process, h.thread, Right.SAME_RIGHTS, out]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_syscall_test_handle_create', [0, out]);
});

test('zx_job_create: NO_MEMORY when all tables together are too much', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  const others = Array.from({ length: 4 }, () => koidOf(h, newProcess(h).process));
  for (const process of others) {
    while (h.k.sharedBy(process).handles.size < 2 ** 18 && h.k.state.handles < 2 ** 20) {
      h.give(h.job, Right.NONE, process);
    }
  }
  gives(t, h, 'ERR_NO_MEMORY', 'zx_job_create', [h.handles.job, 0, out]);
  gives(t, h, 'OK', 'zx_handle_close', [h.handles.thread]);
  gives(t, h, 'OK', 'zx_job_create', [h.handles.job, 0, out]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_job_create', [h.handles.job, 0, out]);
});

test('zx_process_create gives a process and the root of its address space', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, vmar } = newProcess(h, job);
  t.is(signalsOf(h, job), NO_JOBS);
  t.is(rightsOf(h, process), DEFAULT_RIGHTS.process);
  t.is(rightsOf(h, vmar), DEFAULT_RIGHTS.vmar | Right.READ | Right.WRITE | Right.EXECUTE);
  t.deepEqual(koids(h, job, 'JOB_PROCESSES'), [koidOf(h, process)]);
  const state = processInfo(h, process);
  t.false(state.started || state.exited);
  const { base, sizeBytes } = h.k.get(koidOf(h, vmar), 'vmar');
  t.deepEqual([base, base + sizeBytes], [ADDRESS_SPACES.riscv64.base, ADDRESS_SPACES.riscv64.top]);
});

test('zx_process_create: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  const create = (job: number, name: number, options: number, a = out, b = out + 4) => [
    job,
    name,
    1,
    options,
    a,
    b,
  ];
  const { job } = h.handles;
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_process_create', create(NO_HANDLE, out, 0));
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_process_create', create(h.handles.thread, out, 0));
  const weak = withRights(h, job, DEFAULT_RIGHTS.job & ~Right.MANAGE_PROCESS);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_process_create', create(weak, out, 0));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_create', create(job, 0, 0));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_create', create(job, NOWHERE, 0));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_create', create(job, out, 2));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_create', create(job, out, 0, NOWHERE));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_create', create(job, out, 0, out, NOWHERE));
  // Shared address spaces are not built.
  t.deepEqual(koids(h, job, 'JOB_PROCESSES'), [h.process]);
});

test('names are cut to 31 bytes, end at a NUL, and any length is fine', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  const long = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const name = h.scratch(text(long));
  gives(t, h, 'OK', 'zx_process_create', [h.handles.job, name, 0xffff_ffff_ffffn, 0, out, out + 4]);
  t.is(h.k.get(koidOf(h, h.u32(out)), 'process').name, long.slice(0, 31));
  gives(t, h, 'OK', 'zx_thread_create', [h.handles.process, h.scratch(text('ab\0cd')), 5, 0, out]);
  t.is(h.k.get(koidOf(h, h.u32(out)), 'thread').name, 'ab');
});

test('a process whose last handle closes before it starts is gone, and its address space with it', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, vmar } = newProcess(h, job);
  const thread = newThread(h, process);
  const koid = koidOf(h, process);
  gives(t, h, 'OK', 'zx_handle_close', [process]);
  t.is(h.k.find(koid), undefined);
  t.is(signalsOf(h, job), NO_JOBS | NO_PROCESSES);
  t.true(h.k.get(koidOf(h, vmar), 'vmar').destroyed);
  gives(t, h, 'ERR_BAD_STATE', 'zx_thread_start', [thread, ENTRY, STACK, 0, 0]);
  t.is(threadState(h, thread), ThreadState.NEW);
});

test('zx_process_start moves the handle and starts the thread', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  const event = newEvent(h);
  const koid = koidOf(h, event);
  h.advance(7n);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, ENTRY, STACK, event, 99]);
  t.false(isOpen(h, event));
  const { handles } = h.k.sharedBy(koidOf(h, process));
  const { threads } = h.k.get(koidOf(h, process), 'process');
  t.deepEqual([...handles.values()], [{ koid, rights: DEFAULT_RIGHTS.event }]);
  t.deepEqual([...threads.keys()], [koidOf(h, thread)]);
  const started = h.events.find((e) => e.type === 'thread-started' && e.koid === koidOf(h, thread));
  t.like(started, { pc: ENTRY, sp: STACK, arg2: 99n, tp: 0n, abiReg: 0n });
  t.is(signalsOf(h, thread), Signal.THREAD_RUNNING);
  t.is(threadState(h, thread), ThreadState.RUNNING);
  t.like(processInfo(h, process), { started: true, exited: false, startedNs: 7n });
  t.true(h.k.state.runQueue.includes(koidOf(h, thread)));
});

test('zx_process_start without a handle gives 0 as the first argument', (t) => {
  const h = new Harness();
  const { process } = newRunning(h);
  t.is(h.k.sharedBy(koidOf(h, process)).handles.size, 0);
  t.like(
    h.events.findLast((e) => e.type === 'thread-started'),
    { arg1: 0n },
  );
});

test('zx_process_start: whatever is refused, the handle is consumed', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  const own = newThread(h);
  const running = newRunning(h);
  const second = newThread(h, running.process);
  const weakProcess = withRights(h, process, DEFAULT_RIGHTS.process & ~Right.WRITE);
  const weakThread = withRights(h, thread, DEFAULT_RIGHTS.thread & ~Right.WRITE);
  const top = BigInt(ADDRESS_SPACES.riscv64.top);
  const refused = (status: Parameters<typeof gives>[2], p: number, th: number, pc = ENTRY) => {
    const event = newEvent(h);
    gives(t, h, status, 'zx_process_start', [p, th, pc, STACK, event, 0]);
    t.false(isOpen(h, event), status);
  };
  refused('ERR_BAD_HANDLE', NO_HANDLE, thread);
  refused('ERR_BAD_HANDLE', process, NO_HANDLE);
  refused('ERR_WRONG_TYPE', thread, thread);
  refused('ERR_WRONG_TYPE', process, process);
  refused('ERR_ACCESS_DENIED', weakProcess, thread);
  refused('ERR_ACCESS_DENIED', process, weakThread);
  refused('ERR_ACCESS_DENIED', process, own);
  refused('ERR_BAD_STATE', running.process, second);
  refused('ERR_BAD_STATE', running.process, running.thread);
  refused('ERR_INVALID_ARGS', process, thread, top);
  refused('ERR_INVALID_ARGS', process, thread, 0xffff_ffff_ffff_ffffn);
  const stuck = withRights(h, newEvent(h), DEFAULT_RIGHTS.event & ~Right.TRANSFER);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_process_start', [process, thread, ENTRY, STACK, stuck, 0]);
  t.false(isOpen(h, stuck));
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_process_start', [process, thread, ENTRY, STACK, NO_HANDLE, 0]);
  t.is(h.k.get(koidOf(h, process), 'process').life, 'initial');
  // pc 0 and any stack are allowed: the process crashes by itself.
  gives(t, h, 'OK', 'zx_process_start', [process, thread, 0, 0xffff_ffff_ffff_ffffn, 0, 0]);
});

test('zx_process_start of a process that was killed: BAD_STATE', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_process_start', [process, thread, ENTRY, STACK, 0, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_thread_create', [process, h.scratch(4), 0, 0, h.scratch(4)]);
});

test('waits through the handle that zx_process_start moves end with CANCELED', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  const event = newEvent(h);
  const waiter = h.newThread(h.process, 'waiter');
  blocks(t, h, 'zx_object_wait_one', [event, Signal.EVENT_SIGNALED, INFINITE, 0], waiter);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, ENTRY, STACK, event, 0]);
  t.is(outcome(h, waiter), 'ERR_CANCELED');
});

test('zx_process_exit ends all threads, closes all handles, and the first code stays', (t) => {
  const h = new Harness();
  const { process, thread } = newRunning(h);
  const koid = koidOf(h, process);
  const second = newThread(h, process);
  gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 1, 2]);
  const [mine, theirs] = newChannel(h);
  h.give(koidOf(h, theirs), DEFAULT_RIGHTS.channel, koid);
  gives(t, h, 'OK', 'zx_handle_close', [theirs]);
  t.is(h.call('zx_process_exit', [-5n], koidOf(h, thread)), 'gone');
  t.like(processInfo(h, process), { returnCode: -5n, started: true, exited: true });
  t.is(signalsOf(h, process), TERMINATED);
  for (const dead of [thread, second]) {
    t.is(signalsOf(h, dead), TERMINATED);
    t.is(threadState(h, dead), ThreadState.DEAD);
  }
  t.is(signalsOf(h, mine) & Signal.CHANNEL_PEER_CLOSED, Signal.CHANNEL_PEER_CLOSED);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.is(processInfo(h, process).returnCode, -5n);
  t.is(h.events.filter((e) => e.type === 'signals-changed' && e.koid === koid).length, 1);
});

test('zx_thread_create: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  const { process } = h.handles;
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_thread_create', [NO_HANDLE, out, 1, 0, out]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_thread_create', [h.handles.job, out, 1, 0, out]);
  const weak = withRights(h, process, DEFAULT_RIGHTS.process & ~Right.MANAGE_THREAD);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_thread_create', [weak, out, 1, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_create', [process, out, 1, 1, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_create', [process, 0, 0, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_create', [process, out, 1, 0, NOWHERE]);
});

test('zx_thread_start_regs sets all six registers', (t) => {
  const h = new Harness();
  const thread = newThread(h);
  t.is(signalsOf(h, thread), 0);
  gives(t, h, 'OK', 'zx_thread_start_regs', [thread, 1, 2, 3, 4, 5, 6]);
  t.like(
    h.events.findLast((e) => e.type === 'thread-started'),
    {
      pc: 1n,
      sp: 2n,
      arg1: 3n,
      arg2: 4n,
      tp: 5n,
      abiReg: 6n,
    },
  );
});

test('zx_thread_start: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, BAD_STATE, INVALID_ARGS', (t) => {
  const h = new Harness();
  const thread = newThread(h);
  for (const name of ['zx_thread_start', 'zx_thread_start_regs'] as const) {
    const rest = [STACK, 0, 0, 0, 0];
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, ENTRY, ...rest]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [h.handles.process, ENTRY, ...rest]);
    const weak = withRights(h, thread, DEFAULT_RIGHTS.thread & ~Right.MANAGE_THREAD);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, ENTRY, ...rest]);
    gives(t, h, 'ERR_BAD_STATE', name, [h.handles.thread, ENTRY, ...rest]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [thread, BigInt(ADDRESS_SPACES.riscv64.top), ...rest]);
  }
});

test('zx_thread_start may start the first thread of a process; a process whose threads have gone takes none', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  const late = newThread(h, process);
  gives(t, h, 'OK', 'zx_thread_start', [thread, ENTRY, STACK, 0, 0]);
  t.true(processInfo(h, process).started);
  t.is(h.call('zx_thread_exit', [], koidOf(h, thread)), 'gone');
  t.like(processInfo(h, process), { exited: true, returnCode: 0n });
  gives(t, h, 'ERR_BAD_STATE', 'zx_thread_start', [late, ENTRY, STACK, 0, 0]);
});

test('zx_thread_exit ends one thread; the last takes the process along, unstarted ones do not count', (t) => {
  const h = new Harness();
  const { process, thread } = newRunning(h);
  const second = newThread(h, process);
  newThread(h, process);
  gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 0, 0]);
  t.is(h.call('zx_thread_exit', [], koidOf(h, thread)), 'gone');
  t.is(signalsOf(h, thread), TERMINATED);
  t.false(processInfo(h, process).exited);
  t.deepEqual(koids(h, process, 'PROCESS_THREADS'), [koidOf(h, second)]);
  t.is(h.call('zx_thread_exit', [], koidOf(h, second)), 'gone');
  t.like(processInfo(h, process), { exited: true, returnCode: 0n });
});

test('a thread that was never started is gone with its last handle; a started one goes on', (t) => {
  const h = new Harness();
  const fresh = newThread(h);
  const started = newThread(h);
  gives(t, h, 'OK', 'zx_thread_start', [started, ENTRY, STACK, 0, 0]);
  const [freshKoid, startedKoid] = [koidOf(h, fresh), koidOf(h, started)];
  gives(t, h, 'OK', 'zx_handle_close', [fresh]);
  gives(t, h, 'OK', 'zx_handle_close', [started]);
  t.is(h.k.find(freshKoid), undefined);
  t.is(h.k.get(startedKoid, 'thread').life, 'ready');
  t.is(h.call('zx_thread_exit', [], startedKoid), 'gone');
  t.is(h.k.find(startedKoid), undefined);
});

test('zx_thread_legacy_yield gives the core up when somebody queues', (t) => {
  const h = new Harness();
  h.emit({ type: 'slice-started', core: 0, thread: h.thread, steps: 10, quantumSteps: 10 });
  gives(t, h, 'OK', 'zx_thread_legacy_yield', [0]);
  t.is(h.k.state.slice?.thread, h.thread, 'nobody else could run');
  const other = h.newThread(h.process, 'other');
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_legacy_yield', [1]);
  t.is(h.k.state.slice?.thread, h.thread);
  gives(t, h, 'OK', 'zx_thread_legacy_yield', [0]);
  t.is(h.k.state.slice, null);
  t.deepEqual(h.k.state.runQueue, [other, h.thread]);
});

test('zx_task_kill of a process ends it with SYSCALL_KILL, blocked threads and all', (t) => {
  const h = new Harness();
  const { process, thread } = newRunning(h);
  const event = newEvent(h);
  const koid = koidOf(h, process);
  const there = h.give(koidOf(h, event), DEFAULT_RIGHTS.event, koid);
  blocks(t, h, 'zx_object_wait_one', [there, Signal.EVENT_SIGNALED, 1000n, 0], koidOf(h, thread));
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.is(processInfo(h, process).returnCode, -1024n);
  t.is(h.k.get(koidOf(h, event), 'event').observers.size, 0);
  t.deepEqual(h.k.state.deadlines, []);
  t.is(h.k.state.registers.size, 1);
});

test('zx_task_kill: BAD_HANDLE, WRONG_TYPE for anything but processes and jobs, ACCESS_DENIED', (t) => {
  const h = new Harness();
  const { process } = newRunning(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_task_kill', [NO_HANDLE]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_task_kill', [newEvent(h)]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_task_kill', [h.handles.thread]);
  const weak = withRights(h, process, DEFAULT_RIGHTS.process & ~Right.DESTROY);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_task_kill', [weak]);
  t.false(processInfo(h, process).exited);
});

test('a process that kills itself, or its job, does not come back', (t) => {
  for (const task of ['process', 'job'] as const) {
    const h = new Harness();
    t.is(h.call('zx_task_kill', [h.handles[task]]), 'gone');
    t.is(h.k.get(h.process, 'process').returnCode, -1024n);
    t.false(h.events.some((e) => e.type === 'syscall-returned' && e.thread === h.thread));
  }
});

test('zx_task_kill of a job ends its tree from below, and every job in it', (t) => {
  const h = new Harness();
  const parent = newJob(h);
  const job = newJob(h, parent);
  const child = newJob(h, job);
  const above = newRunning(h, job);
  const below = newRunning(h, child);
  const unstarted = newProcess(h, child);
  const empty = newJob(h, child);
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  for (const { process } of [above, below, unstarted]) {
    t.like(processInfo(h, process), { exited: true, returnCode: -1024n });
    t.is(signalsOf(h, process), TERMINATED);
  }
  for (const dead of [job, child, empty]) {
    t.deepEqual(jobInfo(h, dead), { exited: true, returnCode: -1024n });
    t.is(signalsOf(h, dead), TERMINATED | NO_JOBS | NO_PROCESSES);
  }
  t.is(signalsOf(h, parent), NO_JOBS | NO_PROCESSES);
  t.deepEqual(jobInfo(h, parent), { exited: false, returnCode: 0n });
  const order = h.events.flatMap((e) => (e.type === 'job-life-changed' && e.life === 'dead' ? [e.koid] : []));
  t.deepEqual(order, [koidOf(h, empty), koidOf(h, child), koidOf(h, job)]);
  const killed = h.events.length;
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  t.deepEqual(
    h.events.slice(killed).map((e) => e.type),
    ['syscall-entered', 'syscall-returned'],
    'it is dead once',
  );
});

test('a job that keeps children outlives its handles', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const koid = koidOf(h, job);
  const { process } = newRunning(h, job);
  gives(t, h, 'OK', 'zx_handle_close', [job]);
  t.is(h.k.get(koid, 'job').life, 'ready');
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.is(h.k.find(koid), undefined);
  t.is(signalsOf(h, h.handles.job) & NO_JOBS, NO_JOBS);
});

test('who waits for a task is told when it ends', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, thread } = newRunning(h, job);
  const waiters = [process, thread, job].map((handle) => {
    const waiter = h.newThread(h.process, 'waiter');
    blocks(t, h, 'zx_object_wait_one', [handle, TERMINATED, INFINITE, 0], waiter);
    return waiter;
  });
  const idle = h.newThread(h.process, 'idle');
  blocks(t, h, 'zx_object_wait_one', [job, NO_PROCESSES, INFINITE, 0], idle);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.deepEqual(
    [...waiters, idle].map((waiter) => outcome(h, waiter)),
    ['OK', 'OK', 'blocked', 'OK'],
  );
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  t.is(outcome(h, waiters[2]), 'OK');
});
