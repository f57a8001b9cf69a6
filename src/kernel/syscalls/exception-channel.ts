import {
  ExceptionState as Answer,
  ExceptionChannelOption,
  ExceptionChannelType,
  ExceptionStrategy,
  ExceptionType,
  RaiseExceptionOption,
} from '../../abi/exceptions.js';
import type { PropertyName } from '../../abi/info.js';
import { JOB_DEBUGGERS_MAX } from '../../abi/limits.js';
import { EXCEPTION_CHANNEL_RIGHTS, Right } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { sizeOf } from '../../abi/structs.js';
import type { ExceptionPlace, ExceptionSlot, ExceptionState } from '../objects/exception.js';
import type { JobState } from '../objects/job.js';
import type { Kernel } from '../objects/kernel.js';
import type { KernelObject } from '../objects/object.js';
import type { ProcessState } from '../objects/process.js';
import type { ThreadState } from '../objects/thread.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { hasReader } from './exceptions.js';
import { dropHandle, requireHandleRoom } from './handles.js';
import { noteUserException, requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';

/** synth_code and synth_data end a zx_exception_context_t. */
const SYNTH_CODE_OFFSET = 24;
const SYNTH_DATA_OFFSET = 28;

export const exceptionCalls: Handlers = {
  // The order of checks is the kernel's (lib/syscalls/exceptions).
  zx_task_create_exception_channel: (call, { options }) => {
    call.allowOptions(options, ExceptionChannelOption.DEBUGGER);
    requirePolicy(call, 'NEW_CHANNEL');
    const { object: task, rights } = call.anyHandle('handle');
    const place = placeOf(task, options === ExceptionChannelOption.DEBUGGER);
    if (place !== 'thread' && (rights & Right.ENUMERATE) === 0) refuse(Status.ERR_ACCESS_DENIED);
    const bound = boundTo(task, place);
    requireFree(call, task, place, bound);
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    for (const slot of bound) if (!hasReader(call.k, slot)) unbind(call.m, task.koid, place, slot);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'channel-created', koid0: koid, koid1: koid + 1, signals: Signal.CHANNEL_WRITABLE });
    call.emit({ type: 'handle-made', koid });
    // Who looks at a thread alone gets no hold of its process.
    const processRights = place === 'thread' ? 0 : rights;
    const slot: ExceptionSlot = { channel: koid, threadRights: rights, processRights };
    call.emit({ type: 'exception-channel-bound', task: task.koid, place, slot });
    call.putHandle('out', koid + 1, EXCEPTION_CHANNEL_RIGHTS);
    return Status.OK;
  },

  zx_exception_get_thread: (call) => {
    const { thread, handler } = call.object('handle', 'exception');
    return putTask(call, 'out', thread, handler.threadRights);
  },

  zx_exception_get_process: (call) => {
    const { process, handler } = call.object('handle', 'exception');
    return putTask(call, 'out', process, handler.processRights);
  },

  // The call succeeds first, then those who listen are told: they cannot see its registers either way.
  zx_thread_raise_exception: (call, { options, type, context }) => {
    requireArgs(options === RaiseExceptionOption.TARGET_JOB_DEBUGGER && type === ExceptionType.USER);
    const view = call.readView(context, sizeOf('zx_exception_context_t'));
    const code = view.getUint32(SYNTH_CODE_OFFSET, true);
    noteUserException(call.m, call.thread, code, view.getUint32(SYNTH_DATA_OFFSET, true));
    return Status.OK;
  },
};

/** A property of an exception as its bytes. */
export function exceptionProperty(
  { answer, secondChance }: ExceptionState,
  property: PropertyName,
): Uint8Array {
  const { SECOND_CHANCE, FIRST_CHANCE } = ExceptionStrategy;
  const value = property === 'EXCEPTION_STATE' ? answer : secondChance ? SECOND_CHANCE : FIRST_CHANCE;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** The strategy is a process debugger's to choose, while it has the exception. */
export function setExceptionProperty(
  m: Decider,
  { koid, pending, handler }: ExceptionState,
  property: PropertyName,
  value: number,
): void {
  if (property === 'EXCEPTION_STATE') {
    requireArgs(ANSWERS.includes(value));
    m.emit({ type: 'exception-answer-set', koid, answer: value });
    return;
  }
  if (!pending || handler.channelType !== ExceptionChannelType.DEBUGGER) refuse(Status.ERR_BAD_STATE);
  requireArgs(value === ExceptionStrategy.FIRST_CHANCE || value === ExceptionStrategy.SECOND_CHANCE);
  const secondChance = value === ExceptionStrategy.SECOND_CHANCE;
  m.emit({ type: 'exception-strategy-set', koid, secondChance });
}

const ANSWERS: readonly number[] = Object.values(Answer);

/** What ZX_INFO_THREAD_EXCEPTION_REPORT tells: only while a handler has an exception of the thread. */
export function exceptionReport(k: Kernel, { wait }: ThreadState): Uint8Array {
  if (wait?.kind !== 'exception') return refuse(Status.ERR_BAD_STATE);
  return k.get(wait.exception, 'exception').report;
}

/** ZX_EXCEPTION_CHANNEL_TYPE_* of the channel that an exception of the thread went to last, while it waits. */
export function waitingChannelType(k: Kernel, { wait }: ThreadState): number {
  if (wait?.kind !== 'exception') return ExceptionChannelType.NONE;
  return k.get(wait.exception, 'exception').handler.channelType;
}

type Task = JobState | ProcessState | ThreadState;

function placeOf(task: KernelObject, debugger_: boolean): ExceptionPlace {
  switch (task.kind) {
    case 'job':
      return debugger_ ? 'job-debugger' : 'job';
    case 'process':
      return debugger_ ? 'debugger' : 'process';
    case 'thread':
      requireArgs(!debugger_);
      return 'thread';
    default:
      return refuse(Status.ERR_WRONG_TYPE);
  }
}

function boundTo(task: KernelObject, place: ExceptionPlace): readonly ExceptionSlot[] {
  const { handlers } = task as Task;
  return place === 'debugger' || place === 'job-debugger'
    ? (task as JobState | ProcessState).debuggers
    : handlers;
}

/** One live channel in each place, but 32 debuggers of a job; a task that is ending takes none. */
function requireFree(
  call: Call,
  task: KernelObject,
  place: ExceptionPlace,
  bound: readonly ExceptionSlot[],
): void {
  const { life } = task as Task;
  if (life === 'dead' || life === 'dying' || life === 'killing') refuse(Status.ERR_BAD_STATE);
  const live = bound.filter((slot) => hasReader(call.k, slot)).length;
  if (place !== 'job-debugger') {
    if (live > 0) refuse(Status.ERR_ALREADY_BOUND);
  } else if (live >= JOB_DEBUGGERS_MAX) refuse(Status.ERR_NO_RESOURCES);
}

function putTask(
  call: Call<'zx_exception_get_thread' | 'zx_exception_get_process'>,
  name: 'out',
  koid: number,
  rights: number,
): number {
  if (rights === 0) refuse(Status.ERR_ACCESS_DENIED);
  call.requireOut(name);
  requireHandleRoom(call.k, call.process, 1);
  call.putHandle(name, koid, rights);
  return Status.OK;
}

function unbind(m: Decider, task: number, place: ExceptionPlace, { channel }: ExceptionSlot): void {
  m.emit({ type: 'exception-channel-unbound', task, place, channel });
  dropHandle(m, channel);
}

/** A task ends: those who listened for its exceptions see their channels closed. */
export function closeExceptionChannels(m: Decider, { koid, kind }: Task): void {
  for (const place of PLACES[kind]) {
    const task = m.k.find(koid);
    if (task === undefined) return;
    for (const slot of boundTo(task, place)) unbind(m, koid, place, slot);
  }
}

const PLACES: Readonly<Record<Task['kind'], readonly ExceptionPlace[]>> = {
  thread: ['thread'],
  process: ['process', 'debugger'],
  job: ['job', 'job-debugger'],
};
