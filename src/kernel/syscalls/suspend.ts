import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { SuspendTokenState } from '../objects/suspend-token.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { refuse } from './refusal.js';
import { changeSignals } from './signals.js';

function suspend(call: Call<'zx_task_suspend' | 'zx_task_suspend_token'>): number {
  const { object: task } = call.anyHandle('handle');
  if (task.koid === call.thread || task.koid === call.process) refuse(Status.ERR_NOT_SUPPORTED);
  if (task.kind !== 'thread' && task.kind !== 'process') refuse(Status.ERR_WRONG_TYPE);
  if (task.life === 'dying' || task.life === 'dead') refuse(Status.ERR_BAD_STATE);
  call.requireOut('token');
  requireHandleRoom(call.k, call.process, 1);
  const koid = call.k.state.nextKoid;
  call.emit({ type: 'suspend-token-created', koid, task: task.koid });
  if (task.kind === 'thread') suspendThread(call.m, task.koid);
  else suspendProcess(call.m, task.koid);
  call.putHandle('token', koid, DEFAULT_RIGHTS['suspend-token']);
  return Status.OK;
}

export const suspendCalls: Handlers = {
  zx_task_suspend: suspend,
  zx_task_suspend_token: suspend,
};

/** At once, wherever the thread is: a call it is blocked in goes on, but the thread does not run when that ends. */
function suspendThread(m: Decider, koid: number): void {
  m.emit({ type: 'thread-suspended', koid });
  showSuspension(m, koid);
}

/** However often a process is suspended, that counts once for each of its threads (ProcessDispatcher::Suspend). */
function suspendProcess(m: Decider, koid: number): void {
  m.emit({ type: 'process-suspended', koid });
  const { suspends, threads } = m.k.get(koid, 'process');
  if (suspends === 1) for (const thread of threads.keys()) suspendThread(m, thread);
}

/** The last handle to a token is gone: its task is suspended once less. */
export function releaseToken(m: Decider, { koid, task }: SuspendTokenState): void {
  m.emit({ type: 'object-destroyed', koid });
  const object = m.k.find(task);
  if (object?.kind === 'thread' && object.life !== 'dead') resumeThread(m, task);
  if (object?.kind !== 'process' || object.life === 'dead') return;
  m.emit({ type: 'process-resumed', koid: task });
  const { suspends, threads } = m.k.get(task, 'process');
  if (suspends === 0) for (const thread of threads.keys()) resumeThread(m, thread);
}

function resumeThread(m: Decider, koid: number): void {
  m.emit({ type: 'thread-resumed', koid });
  showSuspension(m, koid);
}

/** A thread that starts in a suspended process is suspended with it. */
export function suspendWithProcess(m: Decider, thread: number): void {
  const { suspends } = m.k.get(m.k.get(thread, 'thread').process, 'process');
  if (suspends > 0) m.emit({ type: 'thread-suspended', koid: thread });
}

/** RUNNING or SUSPENDED, whichever it is; in an exception the thread shows what it was before. */
export function showSuspension(m: Decider, koid: number): void {
  const { life, wait, suspends } = m.k.get(koid, 'thread');
  if ((life !== 'ready' && life !== 'blocked') || wait?.kind === 'exception') return;
  const { THREAD_RUNNING, THREAD_SUSPENDED } = Signal;
  if (suspends > 0) changeSignals(m, koid, THREAD_RUNNING, THREAD_SUSPENDED);
  else changeSignals(m, koid, THREAD_SUSPENDED, THREAD_RUNNING);
}
