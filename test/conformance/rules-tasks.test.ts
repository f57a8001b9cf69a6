import test from 'ava';
import { InfoTopic } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { VmOption, VmoChildOption, VmoOption } from '../../src/abi/vm.js';
import { Harness } from '../kernel/harness.js';
import {
  gives,
  isOpen,
  koidOf,
  NO_HANDLE,
  newEvent,
  signalsOf,
  withRights,
  words,
} from '../kernel/ipc-support.js';
import {
  ENTRY,
  newJob,
  newProcess,
  newRunning,
  newThread,
  processInfo,
  STACK,
} from '../kernel/task-support.js';
import {
  CAN_MAP_RWX,
  contents,
  fill,
  map,
  newChild,
  newVmar,
  newVmo,
  PAGE,
  R,
  RW,
  vmarOf,
  vmoOf,
  W,
} from '../kernel/vm-support.js';

// Rules that a status table cannot say, one test each: jobs, processes, threads, VMARs, VMOs.

const { CAN_MAP_SPECIFIC, SPECIFIC, SPECIFIC_OVERWRITE, OFFSET_IS_UPPER_LIMIT } = VmOption;
const SPACE = CAN_MAP_RWX | CAN_MAP_SPECIFIC;

test('koids go up from 1024, whatever kind of object, and none is used again', (t) => {
  const h = new Harness();
  t.true(h.job > 1024);
  let last = koidOf(h, newEvent(h));
  for (const make of [() => newEvent(h), () => newVmo(h, PAGE), () => newJob(h)]) {
    const handle = make();
    const koid = koidOf(h, handle);
    t.true(koid > last);
    last = koid;
    gives(t, h, 'OK', 'zx_handle_close', [handle]);
  }
});

test('a process that never ran ends with its last handle; one that runs does not', (t) => {
  const h = new Harness();
  const initial = newProcess(h);
  const koid = koidOf(h, initial.process);
  gives(t, h, 'OK', 'zx_handle_close', [initial.process]);
  t.is(h.k.find(koid), undefined);
  const { process } = newRunning(h);
  const running = koidOf(h, process);
  gives(t, h, 'OK', 'zx_handle_close', [process]);
  t.is(h.k.get(running, 'process').life, 'running');
});

test('the first return code stays; a process killed before its start counts as started and exited', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.like(processInfo(h, process), { started: true, exited: true, returnCode: -1024n });
  const second = newRunning(h);
  const thread = koidOf(h, second.thread);
  t.is(h.call('zx_process_exit', [7], thread), 'gone');
  gives(t, h, 'OK', 'zx_task_kill', [second.process]);
  t.is(processInfo(h, second.process).returnCode, 7n);
});

test('the last thread takes its process along, with return code 0', (t) => {
  const h = new Harness();
  const { process, thread } = newRunning(h);
  t.is(h.call('zx_thread_exit', [], koidOf(h, thread)), 'gone');
  t.like(processInfo(h, process), { exited: true, returnCode: 0n });
  t.not(signalsOf(h, process) & Signal.PROCESS_TERMINATED, 0);
});

test('thread signals: none before the start, RUNNING after it, TERMINATED alone at the end', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  t.is(signalsOf(h, thread), 0);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, ENTRY, STACK, 0, 0]);
  t.is(signalsOf(h, thread), Signal.THREAD_RUNNING);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.is(signalsOf(h, thread), Signal.THREAD_TERMINATED);
});

test('process_start: the argument is a value of the new process, and gone from here whatever happens', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  const [event, lost] = [newEvent(h), newEvent(h)];
  const koid = koidOf(h, event);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, ENTRY, STACK, event, 5]);
  t.false(isOpen(h, event));
  const started = h.events.findLast((e) => e.type === 'thread-started');
  t.true(started?.type === 'thread-started' && started.arg1 !== BigInt(event) && started.arg2 === 5n);
  t.true(h.events.some((e) => e.type === 'handle-arrived' && e.koid === koid));
  gives(t, h, 'ERR_BAD_STATE', 'zx_process_start', [process, thread, ENTRY, STACK, lost, 0]);
  t.false(isOpen(h, lost));
});

test('pc 0 is a user address; the first above the top is not; nobody looks at the stack pointer', (t) => {
  const h = new Harness();
  const start = (pc: bigint) => {
    const { process } = newProcess(h);
    return [process, newThread(h, process), pc, 0xffff_ffff_ffff_ffffn, 0, 0];
  };
  gives(t, h, 'OK', 'zx_process_start', start(0n));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_start', start(2n ** 38n));
});

test('kill: children before parents, handles before TERMINATED, all of it before the call returns', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const inner = newJob(h, job);
  const outer = newRunning(h, job);
  const deep = newRunning(h, inner);
  const koids = [deep.process, outer.process].map((p) => koidOf(h, p));
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  const deaths = h.events.flatMap((e) =>
    e.type === 'process-life-changed' && e.life === 'dead' ? [e.koid] : [],
  );
  t.deepEqual(deaths.slice(-2), koids);
  t.not(signalsOf(h, job) & Signal.TASK_TERMINATED, 0);
});

test('a job without children says so, and a job that is dead takes none', (t) => {
  const h = new Harness();
  const job = newJob(h);
  t.is(signalsOf(h, job), Signal.JOB_NO_JOBS | Signal.JOB_NO_PROCESSES);
  newProcess(h, job);
  t.is(signalsOf(h, job), Signal.JOB_NO_JOBS);
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_job_create', [job, 0, h.scratch(4)]);
});

test('set_policy looks at its arguments before its handle; everything else at the options first', (t) => {
  const h = new Harness();
  const entry = h.scratch(words(6, 1));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_policy', [NO_HANDLE, 0, 0, entry, 0]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_job_set_policy', [NO_HANDLE, 0, 0, entry, 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_create', [NO_HANDLE, 1, h.scratch(4)]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_process_create', [
    NO_HANDLE,
    h.scratch(4),
    1,
    8,
    h.scratch(4),
    h.scratch(4),
  ]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_kick', [NO_HANDLE, 1]);
});

test('map rounds its length up; allocate, unmap and protect want whole pages', (t) => {
  const h = new Harness();
  const root = h.handles.rootVmar;
  const address = map(h, R, 0, newVmo(h, PAGE), 0, 1);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_allocate', [root, 0, 0, 1, h.scratch(4), h.scratch(8)]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_unmap', [root, address + 1, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [root, address, PAGE]);
});

test('CAN_MAP_SPECIFIC is not inherited: a region may have it within one that has not', (t) => {
  const h = new Harness();
  const { vmar } = newVmar(h, CAN_MAP_RWX, 0, 8 * PAGE);
  const args = [vmar, SPECIFIC | R, 0, newVmo(h, PAGE), 0, PAGE, h.scratch(8)];
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map', args);
  const inner = newVmar(h, SPACE, 0, 4 * PAGE, vmar);
  t.is(map(h, SPECIFIC | R, PAGE, newVmo(h, PAGE), 0, PAGE, inner.vmar), inner.address + PAGE);
});

test('offsets count from the region, addresses are absolute; an upper limit bounds the end', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 8 * PAGE);
  const at = map(h, OFFSET_IS_UPPER_LIMIT | R, 3 * PAGE, newVmo(h, PAGE), 0, PAGE, vmar);
  t.true(at >= address && at + PAGE <= address + 3 * PAGE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_unmap', [vmar, at - address, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, at, PAGE]);
});

test('overwriting cuts mappings and never regions; unmapping takes whole regions for who has OP_CHILDREN', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 8 * PAGE);
  map(h, R | SPECIFIC, 0, newVmo(h, 4 * PAGE), 0, 4 * PAGE, vmar);
  map(h, RW | SPECIFIC_OVERWRITE, PAGE, newVmo(h, PAGE), 0, PAGE, vmar);
  t.is(vmarOf(h, vmar).regions.size, 3);
  const inner = newVmar(h, SPACE | SPECIFIC, 5 * PAGE, 2 * PAGE, vmar);
  const over = [vmar, R | SPECIFIC_OVERWRITE, 4 * PAGE, newVmo(h, 2 * PAGE), 0, 2 * PAGE, h.scratch(8)];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map', over);
  const weak = withRights(h, vmar, Right.READ | Right.WRITE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_unmap', [weak, address, 8 * PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, address, 8 * PAGE]);
  t.true(vmarOf(h, inner.vmar).destroyed);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_vmar_unmap', [vmar, address, 8 * PAGE]);
});

test('protect wants every page mapped, or changes none; the rights at map time are its limit', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 4 * PAGE);
  const vmo = withRights(h, newVmo(h, PAGE), Right.READ | Right.MAP | Right.DUPLICATE);
  map(h, R | SPECIFIC, 0, vmo, 0, PAGE, vmar);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_vmar_protect', [vmar, 0, address, 2 * PAGE]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, RW, address, PAGE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_protect', [vmar, W, address, PAGE]);
  const region = vmarOf(h, vmar).regions.get(address / PAGE);
  t.true(region?.kind === 'mapping' && region.permissions === R);
});

test('a destroyed region refuses everything with BAD_STATE, and its handle is good', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, PAGE);
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  t.true(isOpen(h, vmar));
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_allocate', [vmar, 0, 0, PAGE, h.scratch(4), h.scratch(8)]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_map', [vmar, R, 0, newVmo(h, PAGE), 0, PAGE, h.scratch(8)]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_protect', [vmar, R, address, PAGE]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_unmap', [vmar, address, PAGE]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_destroy', [vmar]);
});

test('VMOs have whole pages, and keep the size asked for as stream size; fresh pages are zero', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 5000);
  t.is(vmoOf(h, vmo).sizeBytes, 2 * PAGE);
  t.is(vmoOf(h, vmo).contentSizeBytes, 5000);
  t.deepEqual(contents(h, vmo, 4999, 3), [0, 0, 0]);
  const buffer = h.scratch(Uint8Array.of(9, 9));
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_read', [vmo, buffer, 2 * PAGE - 1, 2]);
  t.is(h.u32(buffer) & 0xffff, 0x909);
});

test('a snapshot goes its own way in both directions; ZERO_CHILDREN says whether there is one', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  fill(h, vmo, 0, [1]);
  t.is(signalsOf(h, vmo), Signal.VMO_ZERO_CHILDREN);
  const child = newChild(h, vmo, VmoChildOption.SNAPSHOT, 0, PAGE);
  t.is(signalsOf(h, vmo), 0);
  fill(h, vmo, 0, [2]);
  t.deepEqual(contents(h, child, 0, 1), [1]);
  fill(h, child, 0, [3]);
  t.deepEqual(contents(h, vmo, 0, 1), [2]);
  gives(t, h, 'OK', 'zx_handle_close', [child]);
  t.is(signalsOf(h, vmo), Signal.VMO_ZERO_CHILDREN);
});

test('a VMO that cannot be resized says UNAVAILABLE to who may write it', (t) => {
  const h = new Harness();
  gives(t, h, 'ERR_UNAVAILABLE', 'zx_vmo_set_size', [newVmo(h, PAGE), 0]);
  const weak = withRights(h, newVmo(h, PAGE, VmoOption.RESIZABLE), DEFAULT_RIGHTS.vmo);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_set_size', [weak, 0]);
});

test('names: 31 bytes at most, longer ones are cut', (t) => {
  const h = new Harness();
  const { process } = newProcess(h, h.handles.job, 'x'.repeat(40));
  t.is(h.k.get(koidOf(h, process), 'process').name.length, 31);
});

test('a list that does not fit is given as far as it does, with how much there is; a record is refused', (t) => {
  const h = new Harness();
  for (let i = 0; i < 3; i++) newProcess(h);
  const [buffer, counts] = [h.scratch(16), h.scratch(16)];
  const args = [h.handles.job, InfoTopic.JOB_PROCESSES, buffer, 16, counts, counts + 8];
  gives(t, h, 'OK', 'zx_object_get_info', args);
  t.deepEqual([h.u64(counts), h.u64(counts + 8)], [2n, 4n]);
  const record = [h.handles.job, InfoTopic.JOB, buffer, 8, counts, counts + 8];
  gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_object_get_info', record);
  t.deepEqual([h.u64(counts), h.u64(counts + 8)], [0n, 1n]);
});
