import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { JobCriticalOption } from '../../abi/threads.js';
import type { Kernel } from '../objects/kernel.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { jobPolicyCalls } from './job-policy.js';
import { refuse, requireArgs } from './refusal.js';
import { updateJobSignals } from './tasks.js';

export const jobCalls: Handlers = {
  ...jobPolicyCalls,

  zx_job_create: (call, { options }) => {
    call.allowOptions(options);
    const parent = call.object('parent_job', 'job');
    if (parent.maxHeight === 0) refuse(Status.ERR_OUT_OF_RANGE);
    if (parent.life !== 'ready') refuse(Status.ERR_BAD_STATE);
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({
      type: 'job-created',
      koid,
      parent: parent.koid,
      name: '',
      maxHeight: parent.maxHeight - 1,
      signals: Signal.JOB_NO_JOBS | Signal.JOB_NO_PROCESSES,
    });
    updateJobSignals(call.m, parent.koid);
    call.putHandle('out', koid, DEFAULT_RIGHTS.job);
    return Status.OK;
  },

  // The options come first, then both handles, then whether the process has a job to take along already.
  zx_job_set_critical: (call, { options }) => {
    call.allowOptions(options, JobCriticalOption.RETCODE_NONZERO);
    const job = call.object('job', 'job');
    const process = call.object('process', 'process');
    if (process.criticalTo !== 0) refuse(Status.ERR_ALREADY_BOUND);
    requireArgs(isWithin(call.k, process.job, job.koid));
    call.emit({
      type: 'process-made-critical',
      koid: process.koid,
      job: job.koid,
      nonzeroOnly: options !== 0,
    });
    return Status.OK;
  },
};

/** Whether a job is another or below it. */
function isWithin(k: Kernel, job: number, ancestor: number): boolean {
  let at = job;
  while (at !== 0 && at !== ancestor) {
    const object = k.find(at);
    at = object?.kind === 'job' ? object.parent : 0;
  }
  return at === ancestor;
}
