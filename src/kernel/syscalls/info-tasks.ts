import { OBJECT_TYPE_UPPER_BOUND } from '../../abi/object-types.js';
import { Status } from '../../abi/status.js';
import { encodeStruct } from '../../abi/structs.js';
import { ProcessInfoFlag, ThreadState } from '../../abi/threads.js';
import type { IntMap } from '../../base/int-map.js';
import type { JobState } from '../objects/job.js';
import type { Kernel } from '../objects/kernel.js';
import type { KernelObject } from '../objects/object.js';
import type { ProcessState } from '../objects/process.js';
import type { ThreadState as Thread, Wait } from '../objects/thread.js';
import { typeNumber } from './call.js';
import { exceptionReport, waitingChannelType } from './exception-channel.js';
import { hasReader } from './exceptions.js';
import { type Asked, type Lists, type Records, u64Bytes } from './info-record.js';
import { refuse } from './refusal.js';

/** ZX_INFO_INVALID_CPU. */
const NO_CPU = 0xffffffff;

const BLOCKED_IN: Readonly<Record<Wait['kind'], number>> = {
  sleep: ThreadState.BLOCKED_SLEEPING,
  'wait-one': ThreadState.BLOCKED_WAIT_ONE,
  'wait-many': ThreadState.BLOCKED_WAIT_MANY,
  port: ThreadState.BLOCKED_PORT,
  futex: ThreadState.BLOCKED_FUTEX,
  'channel-call': ThreadState.BLOCKED_CHANNEL,
  exception: ThreadState.BLOCKED_EXCEPTION,
  page: ThreadState.BLOCKED_PAGER,
};

/** `ZX_THREAD_STATE_*`. A suspended thread does not show what it is blocked in, but for an exception. */
function threadState({ life, wait, suspends }: Thread): number {
  const suspended = suspends > 0 && wait?.kind !== 'exception';
  if (suspended && (life === 'ready' || life === 'blocked')) return ThreadState.SUSPENDED;
  switch (life) {
    case 'new':
      return ThreadState.NEW;
    case 'ready':
      return ThreadState.RUNNING;
    case 'blocked':
      return wait === null ? ThreadState.BLOCKED : BLOCKED_IN[wait.kind];
    case 'dying':
      return ThreadState.DYING;
    case 'dead':
      return ThreadState.DEAD;
  }
}

function threadInfo({ call, object }: Asked): Uint8Array {
  const thread = object as Thread;
  // Any core of the machine, and none any more after death.
  const cores = thread.life === 'dead' ? 0n : (1n << BigInt(call.k.config.cores)) - 1n;
  return encodeStruct('zx_info_thread_t', {
    state: threadState(thread),
    wait_exception_channel_type: waitingChannelType(call.k, thread),
    cpu_affinity_mask: { mask: [cores] },
  });
}

function threadStats({ object }: Asked): Uint8Array {
  const { life, ranSteps, lastCore } = object as Thread;
  if (life === 'dead') refuse(Status.ERR_BAD_STATE);
  return encodeStruct('zx_info_thread_stats_t', {
    total_runtime: ranSteps,
    last_scheduled_cpu: lastCore < 0 ? NO_CPU : lastCore,
  });
}

function processInfo({ call, object }: Asked): Uint8Array {
  const { life, returnCode, startedNs, debuggers } = object as ProcessState;
  const { STARTED, EXITED, DEBUGGER_ATTACHED } = ProcessInfoFlag;
  const flags = { initial: 0, running: STARTED, dying: STARTED | EXITED, dead: STARTED | EXITED }[life];
  const attached = debuggers.some((slot) => hasReader(call.k, slot)) ? DEBUGGER_ATTACHED : 0;
  return encodeStruct('zx_info_process_t', {
    return_code: returnCode,
    start_time: startedNs,
    flags: flags | attached,
  });
}

function handleStats({ call, object }: Asked): Uint8Array {
  const counts = new Array<number>(OBJECT_TYPE_UPPER_BOUND).fill(0);
  for (const { koid } of call.k.sharedBy(object.koid).handles.values()) {
    counts[typeNumber(call.k.find(koid) as KernelObject)]++;
  }
  return encodeStruct('zx_info_process_handle_stats_t', { handle_count: counts });
}

/** A job that is being killed counts as exited (syscalls/object_get_info). */
function jobInfo({ call, object }: Asked): Uint8Array {
  const { life, returnCode, killOnOom, debuggers } = object as JobState;
  return encodeStruct('zx_info_job_t', {
    return_code: returnCode,
    exited: life !== 'ready',
    kill_on_oom: killOnOom,
    debugger_attached: debuggers.some((slot) => hasReader(call.k, slot)),
  });
}

/** The report of before there were codes of the kernel's own: it ends in front of them. */
const REPORT_V1_BYTES = 32;

function reportV1({ call, object }: Asked): Uint8Array {
  const report = exceptionReport(call.k, object as Thread).slice(0, REPORT_V1_BYTES);
  new DataView(report.buffer).setUint32(0, REPORT_V1_BYTES, true);
  return report;
}

interface Runtime {
  readonly ranSteps: number;
  readonly queuedNs: bigint;
}

function add(a: Runtime, b: Runtime): Runtime {
  return { ranSteps: a.ranSteps + b.ranSteps, queuedNs: a.queuedNs + b.queuedNs };
}

function threadRuntime(k: Kernel, { koid, ranSteps, queuedNs, queuedAtNs }: Thread): Runtime {
  const waiting = k.state.runQueue.includes(koid) ? k.nowNs - queuedAtNs : 0n;
  return { ranSteps, queuedNs: queuedNs + waiting };
}

function processRuntime(k: Kernel, process: ProcessState): Runtime {
  let sum: Runtime = { ranSteps: process.endedRanSteps, queuedNs: process.endedQueuedNs };
  for (const thread of process.threads.keys()) sum = add(sum, threadRuntime(k, k.get(thread, 'thread')));
  return sum;
}

/** Of the job's own processes; those of child jobs are not counted (JobDispatcher::AccumulateRuntimeTo). */
function jobRuntime(k: Kernel, job: JobState): Runtime {
  let sum: Runtime = { ranSteps: job.endedRanSteps, queuedNs: job.endedQueuedNs };
  for (const process of job.processes.keys()) sum = add(sum, processRuntime(k, k.get(process, 'process')));
  return sum;
}

/** Faults take no time, and nothing contends for locks: all kernel work is done at once. */
function taskRuntime({ call, object }: Asked): Uint8Array {
  let runtime: Runtime;
  if (object.kind === 'thread') runtime = threadRuntime(call.k, object);
  else if (object.kind === 'process') runtime = processRuntime(call.k, object);
  else runtime = jobRuntime(call.k, object as JobState);
  return encodeStruct('zx_info_task_runtime_t', {
    cpu_time: runtime.ranSteps,
    queue_time: runtime.queuedNs,
  });
}

function* koidRecords(koids: IntMap<true>): Iterable<Uint8Array> {
  for (const koid of koids.keys()) yield u64Bytes(koid);
}

function koidList(koids: IntMap<true>): { avail: number; records: Iterable<Uint8Array> } {
  return { avail: koids.size, records: koidRecords(koids) };
}

export const taskRecords: Records = {
  JOB: jobInfo,
  PROCESS: processInfo,
  PROCESS_HANDLE_STATS: handleStats,
  TASK_RUNTIME: taskRuntime,
  THREAD: threadInfo,
  THREAD_EXCEPTION_REPORT: ({ call, object }) => exceptionReport(call.k, object as Thread),
  THREAD_EXCEPTION_REPORT_V1: reportV1,
  THREAD_STATS: threadStats,
};

export const taskLists: Lists = {
  JOB_CHILDREN: ({ object }) => koidList((object as JobState).jobs),
  JOB_PROCESSES: ({ object }) => koidList((object as JobState).processes),
  PROCESS_THREADS: ({ object }) => koidList((object as ProcessState).threads),
};
