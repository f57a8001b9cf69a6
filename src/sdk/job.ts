import { PolicyAction, PolicyCondition, PolicyMode, PolicyOverride, PolicyTopic } from '../abi/policy.js';
import { Right } from '../abi/rights.js';
import { structs } from './invoke.js';
import { Process } from './process.js';
import { mapped } from './result.js';
import { TaskHandle } from './task.js';
import { Vmar } from './vmar.js';

/** What processes of a job may do about one condition. */
export interface PolicyRule {
  readonly condition: keyof typeof PolicyCondition;
  readonly action: keyof typeof PolicyAction;
  /** Whether jobs below may say otherwise; ALLOW when left out. */
  readonly override?: keyof typeof PolicyOverride;
}

/** A group of processes and of jobs below it. */
export class Job extends TaskHandle {
  /** `zx_job_create`: a job below this one. */
  *createJob() {
    const result = yield* this.zx.jobCreate(this.raw, 0);
    return mapped(result, ['job'], ({ out }) => ({ job: new Job(this.zx, out) }));
  }

  /** `zx_process_create`: a process that has not started, and its address space. */
  *createProcess(name: string, options = 0) {
    const result = yield* this.zx.processCreate(this.raw, name, options);
    return mapped(result, ['process', 'vmar'], ({ procHandle, vmarHandle }) => ({
      process: new Process(this.zx, procHandle),
      vmar: new Vmar(this.zx, vmarHandle),
    }));
  }

  /** `zx_job_set_policy`, topic BASIC_V2; the job must be empty. */
  *setPolicy(rules: readonly PolicyRule[], mode: keyof typeof PolicyMode = 'RELATIVE') {
    const entries = rules.map(({ condition, action, override = 'ALLOW' }) => ({
      condition: PolicyCondition[condition],
      action: PolicyAction[action],
      flags: PolicyOverride[override],
    }));
    const bytes = structs('zx_policy_basic_v2_t', entries);
    return yield* this.zx.jobSetPolicy(
      this.raw,
      PolicyMode[mode],
      PolicyTopic.BASIC_V2,
      bytes,
      entries.length,
    );
  }

  /** `zx_job_set_critical`: when that process ends, this job is killed. */
  *setCritical(process: Process, options = 0) {
    return yield* this.zx.jobSetCritical(this.raw, options, process.raw);
  }

  /** `zx_object_get_child`: a process of this job. */
  *childProcess(koid: bigint, rights: number = Right.SAME_RIGHTS) {
    const result = yield* this.zx.objectGetChild(this.raw, koid, rights);
    return mapped(result, ['process'], ({ out }) => ({ process: new Process(this.zx, out) }));
  }
}
