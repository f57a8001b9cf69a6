import { TimerSlack } from '../../abi/clocks.js';
import { POLICY_CONDITION_COUNT, PolicyAction, PolicyOverride } from '../../abi/policy.js';

/** What a job forbids. Jobs and processes take their job's at birth and are not changed with it later. */
export interface JobPolicy {
  /** ZX_POL_ACTION_* by ZX_POL_* condition. */
  readonly actions: readonly number[];
  /** ZX_POL_OVERRIDE_* by condition: whether a job below may have another action. */
  readonly overrides: readonly number[];
  /** Timers may be late by this at least, ns. */
  readonly minSlackNs: bigint;
  /** ZX_TIMER_SLACK_*: the way of slack where none is asked for. */
  readonly slackMode: number;
}

/** The root job's: everything is allowed, and jobs below may forbid it (object/policy_manager). */
export const ROOT_POLICY: JobPolicy = {
  actions: new Array<number>(POLICY_CONDITION_COUNT).fill(PolicyAction.ALLOW),
  overrides: new Array<number>(POLICY_CONDITION_COUNT).fill(PolicyOverride.ALLOW),
  minSlackNs: 0n,
  slackMode: TimerSlack.CENTER,
};
