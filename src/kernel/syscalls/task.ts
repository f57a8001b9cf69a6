import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { jobCalls } from './job.js';
import { processCalls } from './process.js';
import { processMemoryCalls } from './process-memory.js';
import { refuse } from './refusal.js';
import { suspendCalls } from './suspend.js';
import { endJob, endProcess, TaskReturnCode } from './tasks.js';
import { threadCalls } from './thread.js';
import { threadStateCalls } from './thread-state.js';

export const taskCalls: Handlers = {
  ...jobCalls,
  ...processCalls,
  ...processMemoryCalls,
  ...suspendCalls,
  ...threadCalls,
  ...threadStateCalls,

  // Threads cannot be killed one by one: "Killing a thread is not supported" (syscalls/task_kill).
  zx_task_kill: (call) => {
    const { object } = call.anyHandle('handle');
    if (object.kind === 'process') endProcess(call.m, object.koid, TaskReturnCode.SYSCALL_KILL);
    else if (object.kind === 'job') endJob(call.m, object.koid, TaskReturnCode.SYSCALL_KILL);
    else refuse(Status.ERR_WRONG_TYPE);
    return Status.OK;
  },
};
