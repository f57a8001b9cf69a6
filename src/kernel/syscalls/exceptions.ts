import { TIME_INFINITE_NS } from '../../abi/clocks.js';
import { ExceptionState as Answer, ExceptionChannelType, ExceptionType } from '../../abi/exceptions.js';
import { CHANNEL_MAX_PENDING_MESSAGES } from '../../abi/limits.js';
import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { encodeStruct, sizeOf } from '../../abi/structs.js';
import { messageCharge } from '../objects/channel.js';
import {
  type ExceptionCourse,
  type ExceptionSlot,
  type ExceptionStage,
  type ExceptionState,
  FAULT_TYPES,
  type Fault,
} from '../objects/exception.js';
import type { Kernel } from '../objects/kernel.js';
import type { Decider } from './decider.js';
import { releaseObjects } from './lifetime.js';
import { hasMessageRoom } from './quota.js';
import { leaveByException } from './restricted.js';
import { changeSignals } from './signals.js';
import { showSuspension } from './suspend.js';
import { endProcess, endThread, TaskReturnCode } from './tasks.js';

/** What is to be told of a thread. */
interface Notice {
  readonly thread: number;
  readonly type: number;
  readonly report: Uint8Array;
  /** Null: a mere telling, whose answer does not count and that ends nobody. */
  readonly fault: Fault | null;
  readonly course: ExceptionCourse;
}

/** zx_exception_report_t: header (size, type), 24 bytes of the architecture's, synth_code, synth_data. */
const ARCH_OFFSET = 8;
const SYNTH_OFFSET = 32;

function reportBytes(type: number, arch: Uint8Array | null, code = 0, data = 0): Uint8Array {
  const bytes = new Uint8Array(sizeOf('zx_exception_report_t'));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, type, true);
  if (arch !== null) bytes.set(arch, ARCH_OFFSET);
  view.setUint32(SYNTH_OFFSET, code, true);
  view.setUint32(SYNTH_OFFSET + 4, data, true);
  return bytes;
}

function faultReport(k: Kernel, { exception, access, address, code, data }: Fault): Uint8Array {
  const type = FAULT_TYPES[exception];
  if (exception === 'policy') return reportBytes(type, null, code, data);
  const value = exception === 'undefined-instruction' ? BigInt(data) : address;
  return reportBytes(type, k.arch.exceptionData(exception, access, value), code);
}

/**
 * A fault of a thread, or a policy exception, at the instruction where it stands: handlers are asked one after the
 * other, and when none takes it the process is killed. Ask `settleExceptions` before the command is over.
 */
export function raiseException(
  m: Decider,
  thread: number,
  what: Omit<Fault, 'thread' | 'process' | 'pc'>,
): void {
  const { process } = m.k.get(thread, 'thread');
  const { exception, access, address, code, data } = what;
  const pc = m.k.arch.pc(m.k.registers(thread));
  const fault: Fault = { thread, process, exception, access, pc, address, code, data };
  m.emit({ type: 'exception-raised', ...fault });
  const type = FAULT_TYPES[exception];
  const course: ExceptionCourse = { stage: 'debugger', job: 0, debuggers: [] };
  begin(m, { thread, type, report: faultReport(m.k, fault), fault, course });
}

/**
 * Tells debuggers that a thread begins, and, if it is its process's first, debuggers of the jobs above before that.
 * The thread waits for them; it runs at once when there are none.
 */
export function announceStart(m: Decider, thread: number, isFirst: boolean): void {
  const { job } = m.k.get(m.k.get(thread, 'thread').process, 'process');
  if (isFirst && begin(m, tellJobs(thread, ExceptionType.PROCESS_STARTING, job))) return;
  if (begin(m, tellDebugger(thread, ExceptionType.THREAD_STARTING))) return;
  showSuspension(m, thread);
}

/** zx_thread_raise_exception: debuggers of the jobs are told, whatever they answer. */
export function announceUser(m: Decider, thread: number, code: number, data: number): void {
  const { job } = m.k.get(m.k.get(thread, 'thread').process, 'process');
  const type = ExceptionType.USER;
  begin(m, { ...tellJobs(thread, type, job), report: reportBytes(type, null, code, data) });
}

/** A thread leaves of itself: a debugger that wants to know keeps it as long as it likes. */
export function exitThread(m: Decider, thread: number): void {
  const leaving = m.k.find(thread);
  if (leaving?.kind !== 'thread' || leaving.life === 'dead') return;
  const notice = tellDebugger(thread, ExceptionType.THREAD_EXITING);
  if (nextHandler(m.k, notice.thread, notice.course, false) === null) {
    endThread(m, thread);
    return;
  }
  m.emit({ type: 'thread-life-changed', koid: thread, life: 'dying' });
  begin(m, notice);
}

/** A thread is being killed: a debugger is told, but nobody waits for it. */
export function tellOfDeath(m: Decider, thread: number): void {
  const notice = tellDebugger(thread, ExceptionType.THREAD_EXITING);
  const next = nextHandler(m.k, thread, notice.course, false);
  if (next === null || next === 'vector') return;
  const koid = create(m, notice);
  send(m, koid, next);
  endException(m, koid);
}

function tellDebugger(thread: number, type: number): Notice {
  const course: ExceptionCourse = { stage: 'debugger-alone', job: 0, debuggers: [] };
  return { thread, type, report: reportBytes(type, null), fault: null, course };
}

function tellJobs(thread: number, type: number, job: number): Notice {
  const course: ExceptionCourse = { stage: 'job-debuggers', job, debuggers: [] };
  return { thread, type, report: reportBytes(type, null), fault: null, course };
}

/** Takes a notice to the first who can have it; false when there is nobody and it only told of something. */
function begin(m: Decider, notice: Notice): boolean {
  const { thread, fault, report, course } = notice;
  const next = nextHandler(m.k, thread, course, false);
  if (next === 'vector') {
    leaveByException(m, thread, report);
    return true;
  }
  if (next === null) {
    if (fault !== null) killByFault(m, fault);
    return fault !== null;
  }
  const koid = create(m, notice);
  m.emit({
    type: 'thread-blocked',
    thread,
    wait: { kind: 'exception', exception: koid },
    deadlineNs: TIME_INFINITE_NS,
    deadlineOrder: 0,
  });
  send(m, koid, next);
  return true;
}

function create(m: Decider, { thread, type, report, fault }: Notice): number {
  const koid = m.k.state.nextKoid;
  const { process } = m.k.get(thread, 'thread');
  m.emit({ type: 'exception-created', koid, thread, process, exceptionType: type, report, fault });
  return koid;
}

function killByFault(m: Decider, fault: Fault): void {
  m.emit({ type: 'exception-unhandled', ...fault });
  endProcess(m, fault.process, TaskReturnCode.EXCEPTION_KILL);
}

interface Next {
  readonly slot: ExceptionSlot;
  readonly channelType: number;
  /** Where to go on after it. */
  readonly course: ExceptionCourse;
}

/** The next on the course who can take a message now, or restricted mode's vector; null: nobody is left. */
function nextHandler(
  k: Kernel,
  thread: number,
  from: ExceptionCourse,
  secondChance: boolean,
): Next | 'vector' | null {
  let course = from;
  while (course.stage !== 'nobody') {
    const { restricted } = k.get(thread, 'thread');
    if (course.stage === 'vector' && restricted !== null && !restricted.exceptionChannel) return 'vector';
    const { slot, channelType, after } = ask(k, thread, course, secondChance);
    if (slot !== undefined && canReceive(k, slot)) return { slot, channelType, course: after };
    course = after;
  }
  return null;
}

interface Asked {
  readonly slot: ExceptionSlot | undefined;
  readonly channelType: number;
  readonly after: ExceptionCourse;
}

/** One stage: process debugger, thread, process, once more the debugger if it wants, jobs upwards (object/exception). */
function ask(k: Kernel, thread: number, course: ExceptionCourse, secondChance: boolean): Asked {
  const { process: owner, handlers } = k.get(thread, 'thread');
  const process = k.get(owner, 'process');
  const to = (stage: ExceptionStage, job = 0): ExceptionCourse => ({ stage, job, debuggers: [] });
  const { NONE, DEBUGGER, THREAD, PROCESS, JOB, JOB_DEBUGGER } = ExceptionChannelType;
  switch (course.stage) {
    case 'debugger-alone':
      return { slot: process.debuggers[0], channelType: DEBUGGER, after: to('nobody') };
    case 'debugger':
      return { slot: process.debuggers[0], channelType: DEBUGGER, after: to('vector') };
    case 'vector':
      return { slot: undefined, channelType: NONE, after: to('thread') };
    case 'thread':
      return { slot: handlers[0], channelType: THREAD, after: to('process') };
    case 'process': {
      const after = secondChance ? to('debugger-again') : to('job', process.job);
      return { slot: process.handlers[0], channelType: PROCESS, after };
    }
    case 'debugger-again':
      return { slot: process.debuggers[0], channelType: DEBUGGER, after: to('job', process.job) };
    case 'job': {
      const job = k.get(course.job, 'job');
      const after = job.parent === 0 ? to('nobody') : to('job', job.parent);
      return { slot: job.handlers[0], channelType: JOB, after };
    }
    case 'job-debuggers': {
      const [slot, ...debuggers] = course.debuggers;
      if (slot !== undefined) return { slot, channelType: JOB_DEBUGGER, after: { ...course, debuggers } };
      if (course.job === 0) return { slot, channelType: NONE, after: to('nobody') };
      const job = k.get(course.job, 'job');
      return { slot, channelType: NONE, after: { ...course, job: job.parent, debuggers: job.debuggers } };
    }
    case 'nobody':
      return { slot: undefined, channelType: NONE, after: course };
  }
}

const INFO_BYTES = sizeOf('zx_exception_info_t');

/** Whether a channel for exceptions still has a reader. */
export function hasReader(k: Kernel, { channel }: ExceptionSlot): boolean {
  const end = k.find(channel);
  return end?.kind === 'channel' && k.find(end.peer) !== undefined;
}

/** A reader that lets too many messages lie gets no more: the next is asked. */
function canReceive(k: Kernel, slot: ExceptionSlot): boolean {
  if (!hasReader(k, slot) || !hasMessageRoom(k, messageCharge(INFO_BYTES, 1))) return false;
  const { peer } = k.get(slot.channel, 'channel');
  return k.get(peer, 'channel').messages.size < CHANNEL_MAX_PENDING_MESSAGES;
}

function send(m: Decider, koid: number, { slot, channelType, course }: Next): void {
  const { thread: tid, process: pid, type } = m.k.get(koid, 'exception');
  const { threadRights, processRights, channel } = slot;
  m.emit({ type: 'exception-sent', koid, handler: { channelType, threadRights, processRights }, course });
  m.emit({ type: 'handle-made', koid });
  const { peer } = m.k.get(channel, 'channel');
  m.emit({
    type: 'channel-message-queued',
    koid: peer,
    bytes: encodeStruct('zx_exception_info_t', { pid, tid, type }),
    handles: [{ koid, rights: DEFAULT_RIGHTS.exception }],
  });
  changeSignals(m, peer, 0, Signal.CHANNEL_READABLE);
}

/**
 * Lets threads go on whose exceptions were let go of by their handlers. Done last in a command, one after the other:
 * an answer may kill a process that was handling exceptions of another, and so on, as deep as a guest likes.
 */
export function settleExceptions(m: Decider): void {
  for (let koid = m.k.state.answered[0]; koid !== undefined; koid = m.k.state.answered[0]) {
    m.emit({ type: 'exception-picked-up', koid });
    const exception = m.k.find(koid);
    if (exception?.kind === 'exception' && exception.pending) goOn(m, exception);
  }
}

function goOn(m: Decider, exception: ExceptionState): void {
  const { koid, thread, fault, report, answer, course, secondChance } = exception;
  if (fault !== null && answer !== Answer.TRY_NEXT) {
    if (answer === Answer.HANDLED) resume(m, exception);
    else endThread(m, thread);
    return;
  }
  const next = nextHandler(m.k, thread, course, secondChance);
  if (next === 'vector') {
    endException(m, koid);
    leaveByException(m, thread, report);
    wake(m, thread);
  } else if (next !== null) send(m, koid, next);
  else if (fault !== null) killByFault(m, fault);
  else resume(m, exception);
}

/** The thread goes on after what it waited for. */
function resume(m: Decider, { koid, thread, type }: ExceptionState): void {
  if (type === ExceptionType.THREAD_EXITING) {
    endThread(m, thread);
    return;
  }
  endException(m, koid);
  if (
    type === ExceptionType.PROCESS_STARTING &&
    begin(m, tellDebugger(thread, ExceptionType.THREAD_STARTING))
  ) {
    return;
  }
  wake(m, thread);
}

function wake(m: Decider, thread: number): void {
  m.emit({ type: 'thread-woken', thread });
  showSuspension(m, thread);
}

/** No thread waits for it any more; handles to it may go on telling of the thread. */
export function endException(m: Decider, koid: number): void {
  m.emit({ type: 'exception-ended', koid });
  releaseObjects(m, [koid]);
}
