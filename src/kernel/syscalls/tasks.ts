import { Signal } from '../../abi/signals.js';
import { TaskRetcode } from '../../abi/threads.js';
import type { ProcessState } from '../objects/process.js';
import type { VmarState } from '../objects/vmar.js';
import type { Decider } from './decider.js';
import { closeExceptionChannels } from './exception-channel.js';
import { tellOfDeath } from './exceptions.js';
import { closeHandle } from './handles.js';
import { releaseObjects } from './lifetime.js';
import { unbindState } from './restricted.js';
import { clearRseq } from './rseq.js';
import { changeSignals } from './signals.js';
import { abandonWait } from './waits.js';

/** `ZX_TASK_RETCODE_*` as return codes are held: of a process or job that did not choose its own. */
export const TaskReturnCode = {
  SYSCALL_KILL: BigInt(TaskRetcode.SYSCALL_KILL),
  POLICY_KILL: BigInt(TaskRetcode.POLICY_KILL),
  EXCEPTION_KILL: BigInt(TaskRetcode.EXCEPTION_KILL),
  CRITICAL_PROCESS_KILL: BigInt(TaskRetcode.CRITICAL_PROCESS_KILL),
} as const;

/** Ends a started thread; one that never started stays as it is (ThreadDispatcher::Kill). The last takes its process along. */
export function endThread(m: Decider, koid: number): void {
  const thread = m.k.find(koid);
  if (thread?.kind !== 'thread' || thread.life === 'new' || thread.life === 'dead') return;
  if (thread.life !== 'dying') tellOfDeath(m, koid);
  abandonWait(m, koid);
  unbindState(m, koid);
  clearRseq(m, koid);
  m.emit({ type: 'thread-life-changed', koid, life: 'dead' });
  changeSignals(m, koid, Signal.THREAD_RUNNING | Signal.THREAD_SUSPENDED, Signal.THREAD_TERMINATED);
  closeExceptionChannels(m, thread);
  const owner = m.k.find(thread.process);
  if (owner?.kind === 'process' && owner.life === 'running' && owner.threads.size === 0) {
    endProcess(m, owner.koid, owner.returnCode);
  }
  releaseObjects(m, [koid]);
}

/**
 * Ends a process: its threads in order of creation, then its handles in order of slots, then its address space.
 * What it shares stays until the last process that does is dead.
 * All at once: nobody sees a process half dead. The first return code stays.
 */
export function endProcess(m: Decider, koid: number, returnCode: bigint): void {
  const process = m.k.find(koid);
  if (process?.kind !== 'process' || process.life === 'dying' || process.life === 'dead') return;
  m.emit({ type: 'process-life-changed', koid, life: 'dying', returnCode });
  for (const thread of [...process.threads.keys()]) endThread(m, thread);
  closeExceptionChannels(m, process);
  if (process.restrictedVmar !== 0) destroyVmar(m, process.restrictedVmar);
  const { members, handles } = m.k.sharedBy(koid);
  if (members === 1) {
    for (const slot of [...handles.keys()]) closeHandle(m, koid, slot);
    destroyVmar(m, process.rootVmar);
  }
  m.emit({ type: 'process-life-changed', koid, life: 'dead', returnCode });
  changeSignals(m, koid, 0, Signal.PROCESS_TERMINATED);
  leaveJob(m, process.job, koid);
  killCriticalJob(m, process, returnCode);
  releaseObjects(m, [koid, process.job]);
}

/** A job may not outlive a process that is critical to it (zx_job_set_critical). */
function killCriticalJob(
  m: Decider,
  { criticalTo, criticalNonzero }: ProcessState,
  returnCode: bigint,
): void {
  if (criticalTo === 0 || (criticalNonzero && returnCode === 0n)) return;
  endJob(m, criticalTo, TaskReturnCode.CRITICAL_PROCESS_KILL);
}

/** Ends a job: child jobs first, depth first, then processes, both in order of creation. */
export function endJob(m: Decider, koid: number, returnCode: bigint): void {
  const job = m.k.find(koid);
  if (job?.kind !== 'job' || job.life !== 'ready') return;
  m.emit({ type: 'job-life-changed', koid, life: 'killing', returnCode });
  if (job.jobs.size === 0 && job.processes.size === 0) {
    finishJob(m, koid);
    return;
  }
  // Lists first: who ends leaves them. The last one to leave finishes the job.
  const processes = [...job.processes.keys()];
  for (const child of [...job.jobs.keys()]) endJob(m, child, returnCode);
  for (const process of processes) endProcess(m, process, returnCode);
}

function finishJob(m: Decider, koid: number): void {
  const { parent, returnCode } = m.k.get(koid, 'job');
  m.emit({ type: 'job-life-changed', koid, life: 'dead', returnCode });
  closeExceptionChannels(m, m.k.get(koid, 'job'));
  changeSignals(m, koid, 0, Signal.JOB_TERMINATED);
  leaveJob(m, parent, koid);
  releaseObjects(m, [koid, parent]);
}

/** Takes a process or job out of its job, if it is in it still; a job that was waiting for that is dead then. */
export function leaveJob(m: Decider, koid: number, child: number): void {
  const job = m.k.find(koid);
  if (job?.kind !== 'job' || !(job.jobs.has(child) || job.processes.has(child))) return;
  m.emit({ type: 'job-child-removed', koid, child });
  updateJobSignals(m, koid);
  const { life, jobs, processes } = m.k.get(koid, 'job');
  if (life === 'killing' && jobs.size === 0 && processes.size === 0) finishJob(m, koid);
}

/** Makes the signals that tell of children say what is. */
export function updateJobSignals(m: Decider, koid: number): void {
  const { jobs, processes } = m.k.get(koid, 'job');
  const set =
    (processes.size === 0 ? Signal.JOB_NO_PROCESSES : 0) | (jobs.size === 0 ? Signal.JOB_NO_JOBS : 0);
  changeSignals(m, koid, Signal.JOB_NO_PROCESSES | Signal.JOB_NO_JOBS, set);
}

/** Destroys a region, everything mapped in it and all regions below: children before parents. */
export function destroyVmar(m: Decider, koid: number): void {
  // Regions are collected first: a guest may nest them deeper than a call stack is.
  const order: VmarState[] = [];
  const pending = [koid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const vmar = m.k.find(next);
    if (vmar?.kind !== 'vmar' || vmar.destroyed) continue;
    order.push(vmar);
    for (const region of vmar.regions.values()) if (region.kind === 'vmar') pending.push(region.koid);
  }
  for (const vmar of order.reverse()) {
    const vmos: number[] = [];
    for (const region of [...vmar.regions.values()]) {
      if (region.kind !== 'mapping') continue;
      m.emit({ type: 'mapping-removed', vmar: vmar.koid, base: region.base });
      vmos.push(region.vmo);
    }
    m.emit({ type: 'vmar-destroyed', koid: vmar.koid });
    releaseObjects(m, [...vmos, vmar.koid]);
  }
}
