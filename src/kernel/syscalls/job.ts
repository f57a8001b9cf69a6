import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { refuse } from './refusal.js';
import { updateJobSignals } from './tasks.js';

export const jobCalls: Handlers = {
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
};
