import test from 'ava';
import {
  ExceptionChannelType,
  ExceptionState,
  ExceptionStrategy,
  ExceptionType,
} from '../../src/abi/exceptions.js';
import { InfoTopic, Property } from '../../src/abi/info.js';
import { PolicyAction, PolicyExceptionCode } from '../../src/abi/policy.js';
import { DEFAULT_RIGHTS, EXCEPTION_CHANNEL_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { sizeOf } from '../../src/abi/structs.js';
import { TaskRetcode, ThreadState } from '../../src/abi/threads.js';
import {
  answer,
  canRun,
  crash,
  debug,
  listen,
  newTarget,
  receive,
  suspend,
  take,
  taskOf,
} from './exception-support.js';
import { Harness } from './harness.js';
import { brokenInvariants } from './invariants.js';
import {
  blocks,
  gives,
  INFINITE,
  isOpen,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  signalsOf,
  withRights,
  words,
} from './ipc-support.js';
import { underPolicy } from './policy-support.js';
import {
  ENTRY,
  info,
  newJob,
  newProcess,
  newThread,
  processInfo,
  record,
  STACK,
  threadState,
} from './task-support.js';
import { rightsOf } from './vm-support.js';

const { HANDLED, THREAD_EXIT, TRY_NEXT } = ExceptionState;
const EXCEPTION_KILL = BigInt(TaskRetcode.EXCEPTION_KILL);
const PAGE_FAULT = ExceptionType.FATAL_PAGE_FAULT;

test.afterEach.always((t) => {
  const { h } = t.context as { h?: Harness };
  // What a harness makes does not look like what calls make.
  const known = (it: string): boolean => /^job 102[45]: NO_|ready with signals 0$/.test(it);
  if (h !== undefined)
    t.deepEqual(
      brokenInvariants(h.k.snapshot()).filter((it) => !known(it)),
      [],
    );
});

function harness(t: { context: unknown }): Harness {
  const h = new Harness();
  (t.context as { h: Harness }).h = h;
  return h;
}

test('zx_task_create_exception_channel: statuses', (t) => {
  const h = harness(t);
  const out = h.scratch(4);
  const { process, thread } = newTarget(h);
  const needed = Right.INSPECT | Right.DUPLICATE | Right.TRANSFER | Right.MANAGE_THREAD;
  const make = 'zx_task_create_exception_channel';
  gives(t, h, 'ERR_INVALID_ARGS', make, [NO_HANDLE, 2, out]);
  gives(t, h, 'ERR_INVALID_ARGS', make, [thread, 1, out]);
  gives(t, h, 'ERR_BAD_HANDLE', make, [NO_HANDLE, 0, out]);
  gives(t, h, 'ERR_WRONG_TYPE', make, [newEvent(h), 0, out]);
  for (const right of [Right.INSPECT, Right.DUPLICATE, Right.TRANSFER, Right.MANAGE_THREAD]) {
    gives(t, h, 'ERR_ACCESS_DENIED', make, [withRights(h, thread, needed & ~right), 0, out]);
  }
  gives(t, h, 'OK', make, [withRights(h, thread, needed), 0, out]);
  gives(t, h, 'ERR_ACCESS_DENIED', make, [withRights(h, process, needed), 0, out]);
  gives(t, h, 'OK', make, [withRights(h, process, needed | Right.ENUMERATE), 0, out]);
  gives(t, h, 'ERR_ALREADY_BOUND', make, [thread, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', make, [process, 1, NOWHERE]);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  gives(t, h, 'ERR_BAD_STATE', make, [process, 1, out]);
  gives(t, h, 'ERR_BAD_STATE', make, [thread, 0, out]);
  underPolicy(h, 'NEW_CHANNEL', PolicyAction.DENY);
  gives(t, h, 'ERR_ACCESS_DENIED', make, [NO_HANDLE, 0, out]);
});

test('a channel is read-only, and its place is free again when it is closed', (t) => {
  const h = harness(t);
  const { process, thread } = newTarget(h);
  for (const task of [thread, process, h.handles.job]) {
    const channel = listen(h, task);
    t.is(rightsOf(h, channel), EXCEPTION_CHANNEL_RIGHTS);
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_channel_write', [channel, 0, 0, 0, 0, 0]);
    gives(t, h, 'OK', 'zx_handle_close', [channel]);
    listen(h, task);
  }
  debug(h, process);
  gives(t, h, 'ERR_ALREADY_BOUND', 'zx_task_create_exception_channel', [process, 1, h.scratch(4)]);
});

test('a job has room for 32 debuggers that live', (t) => {
  const h = harness(t);
  const job = newJob(h);
  const channels = Array.from({ length: 32 }, () => debug(h, job));
  gives(t, h, 'ERR_NO_RESOURCES', 'zx_task_create_exception_channel', [job, 1, h.scratch(4)]);
  gives(t, h, 'OK', 'zx_handle_close', [channels[7]]);
  debug(h, job);
});

test('an exception goes to debugger, thread, process and jobs upwards, and ends the process at last', (t) => {
  const h = harness(t);
  const outer = newJob(h);
  const inner = newJob(h, outer);
  const { process, thread, pid, tid } = newTarget(h, inner);
  const { DEBUGGER, THREAD, PROCESS, JOB } = ExceptionChannelType;
  const places: [number, number][] = [
    [debug(h, process), DEBUGGER],
    [listen(h, thread), THREAD],
    [listen(h, process), PROCESS],
    [listen(h, inner), JOB],
    [listen(h, outer), JOB],
    [listen(h, h.handles.job), JOB],
  ];
  crash(h, tid);
  for (const [channel, type] of places) {
    t.is(signalsOf(h, channel) & Signal.CHANNEL_READABLE, Signal.CHANNEL_READABLE);
    t.is(threadState(h, thread), ThreadState.BLOCKED_EXCEPTION);
    t.is(info(h, thread, 'THREAD').view.getUint32(4, true), type);
    for (const [other] of places) if (other !== channel) t.is(receive(h, other), null);
    const { exception, ...message } = take(h, channel);
    t.deepEqual(message, { pid, tid, type: PAGE_FAULT });
    t.false(canRun(h, tid));
    gives(t, h, 'OK', 'zx_handle_close', [exception]);
  }
  t.is(processInfo(h, process).returnCode, EXCEPTION_KILL);
  t.is(h.events.filter((e) => e.type === 'exception-raised').length, 1);
  t.is(h.events.filter((e) => e.type === 'exception-unhandled').length, 1);
});

test('nobody listens: the process ends at once, and no exception is made', (t) => {
  const h = harness(t);
  const { process, tid } = newTarget(h);
  crash(h, tid);
  t.is(processInfo(h, process).returnCode, EXCEPTION_KILL);
  t.false(h.events.some((e) => e.type === 'exception-created'));
});

test('HANDLED: the thread goes on', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const channel = listen(h, process);
  crash(h, tid);
  const { exception } = take(h, channel);
  answer(h, exception, HANDLED);
  t.true(canRun(h, tid));
  t.is(threadState(h, thread), ThreadState.RUNNING);
  t.is(info(h, thread, 'THREAD').view.getUint32(4, true), ExceptionChannelType.NONE);
  t.false(h.events.some((e) => e.type === 'exception-unhandled'));
});

test('THREAD_EXIT: the thread ends, its process only with the last one', (t) => {
  const h = harness(t);
  const { process, tid } = newTarget(h);
  const second = newThread(h, process);
  gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 0n, 0n]);
  const channel = listen(h, process);
  crash(h, tid);
  answer(h, take(h, channel).exception, THREAD_EXIT);
  t.is(h.k.get(tid, 'thread').life, 'dead');
  t.false(processInfo(h, process).exited);
  crash(h, koidOf(h, second));
  answer(h, take(h, channel).exception, THREAD_EXIT);
  t.deepEqual(processInfo(h, process).returnCode, 0n);
  t.true(processInfo(h, process).exited);
  t.is(receive(h, channel), 'closed');
});

test('an exception nobody read, and a channel that closes: the next is asked', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const first = listen(h, thread);
  const second = listen(h, process);
  crash(h, tid);
  t.is(receive(h, second), null);
  gives(t, h, 'OK', 'zx_handle_close', [first]);
  answer(h, take(h, second).exception, HANDLED);
  t.true(canRun(h, tid));
});

test('whoever comes after an exception passed is not asked', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const channel = listen(h, process);
  crash(h, tid);
  const late = listen(h, thread);
  const debugger_ = debug(h, process);
  answer(h, take(h, channel).exception, TRY_NEXT);
  t.is(receive(h, late), 'closed');
  t.is(receive(h, debugger_) !== null, true);
  t.is(processInfo(h, process).returnCode, EXCEPTION_KILL);
});

test('second chance: the debugger is asked again behind the process', (t) => {
  const h = harness(t);
  const { process, tid } = newTarget(h);
  const debugger_ = debug(h, process);
  const handler = listen(h, process);
  const strategy = (exception: number, value: number): (number | bigint)[] => {
    return [exception, Property.EXCEPTION_STRATEGY, h.scratch(words(value)), 4n];
  };
  crash(h, tid);
  const first = take(h, debugger_).exception;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_set_property', strategy(first, 2));
  gives(t, h, 'OK', 'zx_object_set_property', strategy(first, ExceptionStrategy.SECOND_CHANCE));
  const value = h.scratch(4);
  gives(t, h, 'OK', 'zx_object_get_property', [first, Property.EXCEPTION_STRATEGY, value, 4n]);
  t.is(h.u32(value), ExceptionStrategy.SECOND_CHANCE);
  gives(t, h, 'OK', 'zx_handle_close', [first]);
  const second = take(h, handler).exception;
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_set_property', strategy(second, ExceptionStrategy.FIRST_CHANCE));
  gives(t, h, 'OK', 'zx_handle_close', [second]);
  answer(h, take(h, debugger_).exception, HANDLED);
  t.true(canRun(h, tid));
});

test('the answer counts that stands when the last handle goes, and each handler begins anew', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const first = listen(h, thread);
  const second = listen(h, process);
  crash(h, tid);
  const { exception } = take(h, first);
  const set = (handle: number, state: number) =>
    h.call('zx_object_set_property', [handle, Property.EXCEPTION_STATE, h.scratch(words(state)), 4n]);
  t.is(set(exception, 3), -10n);
  t.is(set(exception, HANDLED), 0n);
  t.is(set(exception, TRY_NEXT), 0n);
  gives(t, h, 'OK', 'zx_handle_close', [exception]);
  const value = h.scratch(4);
  const again = take(h, second).exception;
  gives(t, h, 'OK', 'zx_object_get_property', [again, Property.EXCEPTION_STATE, value, 4n]);
  t.is(h.u32(value), TRY_NEXT);
  answer(h, again, HANDLED);
  t.true(canRun(h, tid));
});

test('zx_exception_get_thread and _process: handles with the rights of the listener', (t) => {
  const h = harness(t);
  const { process, thread, pid, tid } = newTarget(h);
  const rights = Right.INSPECT | Right.DUPLICATE | Right.TRANSFER | Right.MANAGE_THREAD | Right.ENUMERATE;
  const onThread = listen(h, withRights(h, thread, rights & ~Right.ENUMERATE));
  const onProcess = listen(h, withRights(h, process, rights));
  crash(h, tid);
  const first = take(h, onThread).exception;
  t.is(rightsOf(h, first), DEFAULT_RIGHTS.exception);
  const threadHandle = Number(taskOf(h, first, 'zx_exception_get_thread'));
  t.is(koidOf(h, threadHandle), tid);
  t.is(rightsOf(h, threadHandle), rights & ~Right.ENUMERATE);
  t.is(taskOf(h, first, 'zx_exception_get_process'), 'ERR_ACCESS_DENIED');
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_exception_get_thread', [first, NOWHERE]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_exception_get_thread', [process, h.scratch(4)]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_exception_get_process', [NO_HANDLE, h.scratch(4)]);
  gives(t, h, 'OK', 'zx_handle_close', [first]);
  const second = take(h, onProcess).exception;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_exception_get_process', [second, NOWHERE]);
  t.is(koidOf(h, Number(taskOf(h, second, 'zx_exception_get_process'))), pid);
  t.is(rightsOf(h, Number(taskOf(h, second, 'zx_exception_get_process'))), rights);
});

test('the report, while a handler has the exception', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const channel = listen(h, process);
  const buffer = h.scratch(64);
  const ask = [thread, InfoTopic.THREAD_EXCEPTION_REPORT, buffer, 64n, 0, 0];
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_get_info', ask);
  crash(h, tid);
  const report = record(h, thread, 'THREAD_EXCEPTION_REPORT', 'zx_exception_report_t');
  t.deepEqual(report.header, { size: sizeOf('zx_exception_report_t'), type: PAGE_FAULT });
  t.is(report.context.synth_code, 0xffffffe7);
  t.is(report.context.synth_data, 0);
  const { view } = info(h, thread, 'THREAD_EXCEPTION_REPORT_V1');
  t.deepEqual([view.getUint32(0, true), view.getUint32(4, true)], [32, PAGE_FAULT]);
  answer(h, take(h, channel).exception, HANDLED);
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_get_info', ask);
});

test('a kill wins over everything, and the exception tells of the dead still', (t) => {
  const h = harness(t);
  const { process, thread, pid, tid } = newTarget(h);
  const channel = listen(h, process);
  crash(h, tid);
  const { exception } = take(h, channel);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.is(processInfo(h, process).returnCode, BigInt(TaskRetcode.SYSCALL_KILL));
  gives(t, h, 'OK', 'zx_handle_close', [process]);
  gives(t, h, 'OK', 'zx_handle_close', [thread]);
  t.is(receive(h, channel), 'closed');
  t.is(koidOf(h, Number(taskOf(h, exception, 'zx_exception_get_thread'))), tid);
  t.is(koidOf(h, Number(taskOf(h, exception, 'zx_exception_get_process'))), pid);
  answer(h, exception, HANDLED);
  t.is(h.k.find(koidOf(h, Number(channel)))?.kind, 'channel');
  t.false(isOpen(h, exception));
});

test('a killed thread tells its debugger, but nobody is waited for', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const debugger_ = debug(h, process);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.true(processInfo(h, process).exited);
  const message = take(h, debugger_);
  t.is(message.type, ExceptionType.THREAD_EXITING);
  t.is(threadState(h, thread), ThreadState.DEAD);
  t.is(koidOf(h, Number(taskOf(h, message.exception, 'zx_exception_get_thread'))), tid);
  gives(t, h, 'OK', 'zx_handle_close', [message.exception]);
  t.is(receive(h, debugger_), 'closed');
});

test('a thread that exits waits for its debugger, dying', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const debugger_ = debug(h, process);
  h.call('zx_thread_exit', [], tid);
  t.is(threadState(h, thread), ThreadState.DYING);
  t.is(info(h, thread, 'THREAD').view.getUint32(4, true), ExceptionChannelType.DEBUGGER);
  t.false(processInfo(h, process).exited);
  gives(t, h, 'ERR_BAD_STATE', 'zx_task_suspend', [thread, h.scratch(4)]);
  // The answer does not count: the thread leaves in any case.
  answer(h, take(h, debugger_).exception, HANDLED);
  t.is(threadState(h, thread), ThreadState.DEAD);
  t.true(processInfo(h, process).exited);
});

test('a debugger hears of threads that start; a job debugger of processes before that', (t) => {
  const h = harness(t);
  const job = newJob(h);
  const outer = debug(h, h.handles.job);
  const inner = [debug(h, job), debug(h, job)];
  const { process } = newProcess(h, job);
  const debugger_ = debug(h, process);
  const thread = newThread(h, process);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, ENTRY, STACK, 0, 0n]);
  const tid = koidOf(h, thread);
  for (const channel of [...inner, outer]) {
    t.is(threadState(h, thread), ThreadState.BLOCKED_EXCEPTION);
    t.is(info(h, thread, 'THREAD').view.getUint32(4, true), ExceptionChannelType.JOB_DEBUGGER);
    const { type, exception } = take(h, channel);
    t.is(type, ExceptionType.PROCESS_STARTING);
    answer(h, exception, THREAD_EXIT);
  }
  const { type, exception } = take(h, debugger_);
  t.is(type, ExceptionType.THREAD_STARTING);
  t.false(canRun(h, tid));
  gives(t, h, 'OK', 'zx_handle_close', [exception]);
  t.true(canRun(h, tid));
  const second = newThread(h, process);
  gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 0n, 0n]);
  t.is(take(h, debugger_).type, ExceptionType.THREAD_STARTING);
  for (const channel of [...inner, outer]) t.is(receive(h, channel), null);
});

test('zx_thread_raise_exception: job debuggers are told, and the call has succeeded whatever they say', (t) => {
  const h = harness(t);
  const context = h.scratch(32);
  h.poke(context + 24, words(0xf001, 77));
  const args = [1, ExceptionType.USER, context];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_raise_exception', [0, ExceptionType.USER, context]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_raise_exception', [1, PAGE_FAULT, context]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_raise_exception', [1, ExceptionType.USER, NOWHERE]);
  gives(t, h, 'OK', 'zx_thread_raise_exception', args);
  const channel = debug(h, h.handles.job);
  const process = debug(h, h.handles.process);
  const other = h.newThread(h.process, 'other');
  blocks(t, h, 'zx_thread_raise_exception', args, other);
  t.is(receive(h, process), null);
  const { type, exception } = take(h, channel);
  t.is(type, ExceptionType.USER);
  const report = record(
    h,
    h.give(other, DEFAULT_RIGHTS.thread),
    'THREAD_EXCEPTION_REPORT',
    'zx_exception_report_t',
  );
  t.is(report.context.synth_code, 0xf001);
  t.is(report.context.synth_data, 77);
  gives(t, h, 'OK', 'zx_handle_close', [exception]);
  t.is(outcome(h, other), 'OK');
  t.true(canRun(h, other));
});

test('a policy exception comes with the result in place, and the thread goes on behind its call', (t) => {
  const h = harness(t);
  const channel = listen(h, h.handles.process);
  const other = h.newThread(h.process, 'other');
  const handle = h.give(other, DEFAULT_RIGHTS.thread);
  underPolicy(h, 'NEW_EVENT', PolicyAction.DENY_EXCEPTION);
  blocks(t, h, 'zx_event_create', [0, h.scratch(4)], other);
  const report = record(h, handle, 'THREAD_EXCEPTION_REPORT', 'zx_exception_report_t');
  t.is(report.header.type, ExceptionType.POLICY_ERROR);
  t.is(report.context.synth_code, PolicyExceptionCode.NEW_EVENT);
  answer(h, take(h, channel).exception, HANDLED);
  t.is(outcome(h, other), 'ERR_ACCESS_DENIED');
  t.true(canRun(h, other));
  t.is(h.k.get(other, 'thread').exitNote, null);
});

test('suspension and exceptions are apart: a thread runs when it is free of both', (t) => {
  const h = harness(t);
  const { process, thread, tid } = newTarget(h);
  const channel = listen(h, process);
  crash(h, tid);
  const token = suspend(h, thread);
  t.is(threadState(h, thread), ThreadState.BLOCKED_EXCEPTION);
  t.is(signalsOf(h, thread), Signal.THREAD_RUNNING);
  answer(h, take(h, channel).exception, HANDLED);
  t.is(threadState(h, thread), ThreadState.SUSPENDED);
  t.is(signalsOf(h, thread), Signal.THREAD_SUSPENDED);
  t.false(canRun(h, tid));
  gives(t, h, 'OK', 'zx_handle_close', [token]);
  t.true(canRun(h, tid));
  t.is(signalsOf(h, thread), Signal.THREAD_RUNNING);
});

test('handlers that die in a chain: each lets go of the next, however many', (t) => {
  const h = harness(t);
  const targets = Array.from({ length: 50 }, () => newTarget(h));
  for (const [i, { process, tid }] of targets.slice(1).entries()) {
    const channel = listen(h, process);
    crash(h, tid);
    const { exception } = take(h, channel);
    h.give(koidOf(h, exception), rightsOf(h, exception), targets[i].pid);
    gives(t, h, 'OK', 'zx_handle_close', [exception]);
    gives(t, h, 'OK', 'zx_handle_close', [channel]);
  }
  t.is(targets.filter(({ process }) => processInfo(h, process).exited).length, 0);
  gives(t, h, 'OK', 'zx_task_kill', [targets[0].process]);
  for (const { process } of targets.slice(1)) t.is(processInfo(h, process).returnCode, EXCEPTION_KILL);
});

test('who waits for exceptions is woken by one', (t) => {
  const h = harness(t);
  const { process, tid } = newTarget(h);
  const channel = listen(h, process);
  const waiter = h.newThread(h.process, 'waiter');
  blocks(t, h, 'zx_object_wait_one', [channel, Signal.CHANNEL_READABLE, INFINITE, 0], waiter);
  crash(h, tid);
  t.is(outcome(h, waiter), 'OK');
});
