import { ExceptionChannelOption } from '../../src/abi/exceptions.js';
import { Property } from '../../src/abi/info.js';
import { Signal } from '../../src/abi/signals.js';
import type { Fault } from '../../src/kernel/objects/exception.js';
import { raiseException, settleExceptions } from '../../src/kernel/syscalls/exceptions.js';
import type { Harness } from './harness.js';
import { koidOf, statusName, words } from './ipc-support.js';
import { newRunning } from './task-support.js';

/** A thread of another process that may get into trouble: handles, and koids. */
export interface Target {
  readonly process: number;
  readonly thread: number;
  readonly pid: number;
  readonly tid: number;
}

export function newTarget(h: Harness, job = h.handles.job): Target {
  const { process, thread } = newRunning(h, job);
  return { process, thread, pid: koidOf(h, process), tid: koidOf(h, thread) };
}

/** The channel that exceptions of a task come through. */
export function listen(h: Harness, task: number, debugger_ = false): number {
  const out = h.scratch(4);
  const options = debugger_ ? ExceptionChannelOption.DEBUGGER : 0;
  const result = h.call('zx_task_create_exception_channel', [task, options, out]);
  if (result !== 0n) throw new Error(`zx_task_create_exception_channel: ${statusName(result)}`);
  return h.u32(out);
}

export const debug = (h: Harness, task: number): number => listen(h, task, true);

/** A store to where nothing is, as the machine reports it. */
export function crash(h: Harness, thread: number, what: Partial<Fault> = {}): void {
  raiseException(h, thread, {
    exception: 'page-fault',
    access: 'store',
    address: 0x18n,
    code: 0xffffffe7,
    data: 0,
    ...what,
  });
  settleExceptions(h);
}

export interface Received {
  readonly pid: number;
  readonly tid: number;
  readonly type: number;
  readonly exception: number;
}

/** The next exception of a channel; null: there is none now, 'closed': nor will there be. */
export function receive(h: Harness, channel: number): Received | null | 'closed' {
  const out = h.scratch(32);
  const counts = h.scratch(8);
  const status = statusName(
    h.call('zx_channel_read', [channel, 0, out, out + 24, 24, 1, counts, counts + 4]),
  );
  if (status === 'ERR_SHOULD_WAIT') return null;
  if (status === 'ERR_PEER_CLOSED') return 'closed';
  if (status !== 'OK') throw new Error(status);
  const view = h.peek(out, 32);
  return {
    pid: Number(view.getBigUint64(0, true)),
    tid: Number(view.getBigUint64(8, true)),
    type: view.getUint32(16, true),
    exception: view.getUint32(24, true),
  };
}

/** As `receive`, where there must be one. */
export function take(h: Harness, channel: number): Received {
  const received = receive(h, channel);
  if (received === null || received === 'closed') throw new Error(`no exception: ${received}`);
  return received;
}

/** Says what becomes of the thread and lets go of it. */
export function answer(h: Harness, exception: number, state: number): void {
  const result = h.call('zx_object_set_property', [
    exception,
    Property.EXCEPTION_STATE,
    h.scratch(words(state)),
    4n,
  ]);
  if (result !== 0n) throw new Error(statusName(result));
  h.call('zx_handle_close', [exception]);
}

/** The handle that zx_exception_get_thread or _process gives, or the status. */
export function taskOf(
  h: Harness,
  exception: number,
  call: 'zx_exception_get_thread' | 'zx_exception_get_process',
): number | string {
  const out = h.scratch(4);
  const result = h.call(call, [exception, out]);
  return result === 0n ? h.u32(out) : statusName(result);
}

/** What a thread shows of itself. */
export function showsOf(h: Harness, tid: number): string {
  const thread = h.k.find(tid);
  if (thread?.kind !== 'thread') return 'nothing';
  const { THREAD_RUNNING, THREAD_SUSPENDED, THREAD_TERMINATED } = Signal;
  return [
    (thread.signals & THREAD_RUNNING) !== 0 ? 'running' : '',
    (thread.signals & THREAD_SUSPENDED) !== 0 ? 'suspended' : '',
    (thread.signals & THREAD_TERMINATED) !== 0 ? 'terminated' : '',
  ]
    .filter((word) => word !== '')
    .join(' ');
}

/** Whether the scheduler may choose it. */
export function canRun(h: Harness, tid: number): boolean {
  const { runQueue, cores } = h.k.state;
  return runQueue.includes(tid) || cores.some((core) => core.thread === tid);
}

/** A token that suspends a task. */
export function suspend(h: Harness, task: number): number {
  const out = h.scratch(4);
  const result = h.call('zx_task_suspend', [task, out]);
  if (result !== 0n) throw new Error(statusName(result));
  return h.u32(out);
}
