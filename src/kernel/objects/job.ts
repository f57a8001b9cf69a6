import { IntMap } from '../../base/int-map.js';
import type { ExceptionSlot } from './exception.js';
import { newObject, type ObjectBase } from './object.js';
import { type JobPolicy, ROOT_POLICY } from './policy.js';
import type { Reducers } from './reducer.js';

export interface JobState extends ObjectBase {
  readonly kind: 'job';
  readonly name: string;
  /** 0 for the root job. */
  readonly parent: number;
  readonly jobs: IntMap<true>;
  readonly processes: IntMap<true>;
  /** Job levels that may still be nested below: 32 for the root. */
  readonly maxHeight: number;
  readonly life: 'ready' | 'killing' | 'dead';
  readonly returnCode: bigint;
  readonly policy: JobPolicy;
  /** ZX_PROP_JOB_KILL_ON_OOM. Memory that runs out is a fault here, so nothing comes of it. */
  readonly killOnOom: boolean;
  /** Who listens for exceptions: at most one handler, and debuggers in the order they came. */
  readonly handlers: readonly ExceptionSlot[];
  readonly debuggers: readonly ExceptionSlot[];
  /** `ranSteps` and `queuedNs` of all threads of the processes that left. */
  readonly endedRanSteps: number;
  readonly endedQueuedNs: bigint;
}

export interface JobEvents {
  'job-created': { koid: number; parent: number; name: string; maxHeight: number; signals: number };
  'job-life-changed': { koid: number; life: JobState['life']; returnCode: bigint };
  /** Only while the job has no children, which would have taken the old one. */
  'job-policy-set': { koid: number; policy: JobPolicy };
  'job-kill-on-oom-set': { koid: number; value: boolean };
  /** A dead child, or one without children that no handle is left to, left its parent. */
  'job-child-removed': { koid: number; child: number };
}

export const jobReducers: Reducers<JobEvents> = {
  'job-created': (k, e) => {
    k.create({
      kind: 'job',
      ...newObject(e.koid, e.signals, IntMap.empty()),
      name: e.name,
      parent: e.parent,
      jobs: IntMap.empty(),
      processes: IntMap.empty(),
      maxHeight: e.maxHeight,
      life: 'ready',
      returnCode: 0n,
      policy: e.parent === 0 ? ROOT_POLICY : k.get(e.parent, 'job').policy,
      killOnOom: false,
      handlers: [],
      debuggers: [],
      endedRanSteps: 0,
      endedQueuedNs: 0n,
    });
    if (e.parent === 0) k.state.rootJob = e.koid;
    else {
      k.update(e.parent, 'job', (job) => {
        job.jobs = job.jobs.set(e.koid, true, k.owner);
      });
    }
  },
  'job-life-changed': (k, e) => {
    k.update(e.koid, 'job', (job) => {
      job.life = e.life;
      job.returnCode = e.returnCode;
    });
  },
  'job-policy-set': (k, e) => {
    k.update(e.koid, 'job', (job) => {
      job.policy = e.policy;
    });
  },
  'job-kill-on-oom-set': (k, e) => {
    k.update(e.koid, 'job', (job) => {
      job.killOnOom = e.value;
    });
  },
  'job-child-removed': (k, e) => {
    const child = k.find(e.child);
    k.update(e.koid, 'job', (job) => {
      job.jobs = job.jobs.delete(e.child, k.owner);
      job.processes = job.processes.delete(e.child, k.owner);
      if (child?.kind !== 'process') return;
      job.endedRanSteps += child.endedRanSteps;
      job.endedQueuedNs += child.endedQueuedNs;
    });
  },
};
