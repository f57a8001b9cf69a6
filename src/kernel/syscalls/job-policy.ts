import { TimerSlack } from '../../abi/clocks.js';
import {
  NEW_ANY_CONDITIONS,
  POLICY_DIALECTS,
  PolicyCondition,
  type PolicyDialect,
  PolicyMode,
  PolicyOverride,
  PolicyTopic,
} from '../../abi/policy.js';
import { Status } from '../../abi/status.js';
import { decodeStruct, sizeOf } from '../../abi/structs.js';
import type { SyscallArgs } from '../../abi/syscalls.js';
import type { JobState } from '../objects/job.js';
import type { JobPolicy } from '../objects/policy.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { refuse, requireArgs } from './refusal.js';

type Arguments = SyscallArgs['zx_job_set_policy'];

interface Entry {
  readonly condition: number;
  readonly action: number;
  /** ZX_POL_OVERRIDE_*. */
  readonly override: number;
}

/** The tables of a policy while entries are put in. */
interface Tables {
  readonly actions: number[];
  readonly overrides: number[];
}

/** The order of checks is the kernel's: all of the arguments, then the handle (lib/syscalls/task). */
export const jobPolicyCalls: Handlers = {
  zx_job_set_policy: (call, args) => {
    const dialect = POLICY_DIALECTS[call.k.config.vintage];
    requireArgs(dialect.topics.includes(args.topic));
    if (args.topic === PolicyTopic.TIMER_SLACK) return setTimerSlack(call, args);
    requireArgs(args.options === PolicyMode.RELATIVE || args.options === PolicyMode.ABSOLUTE);
    requireArgs(args.policy !== 0 && args.policy_size > 0);
    requireArgs(args.policy_size <= dialect.entriesMax);
    const struct = args.topic === PolicyTopic.BASIC_V1 ? 'zx_policy_basic_v1_t' : 'zx_policy_basic_v2_t';
    // With more entries it fails whatever they say.
    const entries = Math.min(args.policy_size, dialect.conditionCount + 1);
    const bytes = call.read(args.policy, sizeOf(struct) * entries);
    const job = emptyJob(call);
    if (args.policy_size > dialect.conditionCount) refuse(Status.ERR_OUT_OF_RANGE);
    const policy = withEntries(job.policy, entriesIn(bytes, struct), args.options, dialect);
    call.emit({ type: 'job-policy-set', koid: job.koid, policy });
    return Status.OK;
  },
};

/** Jobs and processes take their policy at birth, so that of a job with children stays. */
function emptyJob(call: Call<'zx_job_set_policy'>): JobState {
  const job = call.object('handle', 'job');
  if (job.life !== 'ready' || job.jobs.size > 0 || job.processes.size > 0) refuse(Status.ERR_BAD_STATE);
  return job;
}

/** Entries of version 1 lock what they set. */
function entriesIn(bytes: Uint8Array, struct: 'zx_policy_basic_v1_t' | 'zx_policy_basic_v2_t'): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += sizeOf(struct)) {
    const one = bytes.subarray(at, at + sizeOf(struct));
    if (struct === 'zx_policy_basic_v1_t') {
      const { condition, policy: action } = decodeStruct(struct, one);
      entries.push({ condition, action, override: PolicyOverride.DENY });
    } else {
      const { condition, action, flags: override } = decodeStruct(struct, one);
      entries.push({ condition, action, override });
    }
  }
  return entries;
}

/**
 * The policy with the entries put in, one after the other; all of them or, when one is refused, none. NEW_ANY stands
 * for all conditions of its kind while actions are set. Its override is set behind all entries, over what others and
 * the jobs above said (object/job_policy, AddBasicPolicy).
 */
function withEntries(
  policy: JobPolicy,
  entries: readonly Entry[],
  mode: number,
  dialect: PolicyDialect,
): JobPolicy {
  const tables: Tables = { actions: [...policy.actions], overrides: [...policy.overrides] };
  const newAny = NEW_ANY_CONDITIONS.filter((condition) => condition < dialect.conditionCount);
  let lastOverride: number | null = null;
  for (const { condition, action: said, override } of entries) {
    const action = dialect.actions[said] ?? refuse(Status.ERR_NOT_SUPPORTED);
    if (condition === PolicyCondition.NEW_ANY) {
      for (const each of newAny) {
        setEntry(tables, mode, { condition: each, action, override: PolicyOverride.ALLOW });
      }
      lastOverride = override;
    } else {
      requireArgs(isOverride(override) && condition < dialect.conditionCount);
      setEntry(tables, mode, { condition, action, override });
    }
  }
  if (lastOverride !== null) {
    requireArgs(isOverride(lastOverride));
    for (const each of newAny) tables.overrides[each] = lastOverride;
  }
  return { ...policy, ...tables };
}

function isOverride(value: number): boolean {
  return value === PolicyOverride.ALLOW || value === PolicyOverride.DENY;
}

/** An entry that is locked can only be said again; in relative mode another one is passed over. */
function setEntry(
  { actions, overrides }: Tables,
  mode: number,
  { condition, action, override }: Entry,
): void {
  if (overrides[condition] === PolicyOverride.ALLOW) {
    actions[condition] = action;
    overrides[condition] = override;
    return;
  }
  const isSame = actions[condition] === action && override === PolicyOverride.DENY;
  if (!isSame && mode === PolicyMode.ABSOLUTE) refuse(Status.ERR_ALREADY_EXISTS);
}

/** Slack can only grow from job to job; the way of it is free. */
function setTimerSlack(call: Call<'zx_job_set_policy'>, { options, policy, policy_size }: Arguments): number {
  requireArgs(options === PolicyMode.RELATIVE && policy !== 0 && policy_size === 1);
  const bytes = call.read(policy, sizeOf('zx_policy_timer_slack_t'));
  const { min_slack: slackNs, default_mode: slackMode } = decodeStruct('zx_policy_timer_slack_t', bytes);
  const job = emptyJob(call);
  requireArgs(slackNs >= 0n && slackMode <= TimerSlack.LATE);
  const minSlackNs = slackNs > job.policy.minSlackNs ? slackNs : job.policy.minSlackNs;
  call.emit({ type: 'job-policy-set', koid: job.koid, policy: { ...job.policy, minSlackNs, slackMode } });
  return Status.OK;
}
