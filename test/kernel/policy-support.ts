import { PolicyCondition, type PolicyConditionName, PolicyMode, PolicyTopic } from '../../src/abi/policy.js';
import type { Harness } from './harness.js';
import { words } from './ipc-support.js';

/** Gives a process another policy than it was born with, which no call can: for calls to be asked under it. */
export function underPolicy(
  h: Harness,
  condition: PolicyConditionName,
  action: number,
  process = h.process,
): void {
  h.k.update(process, 'process', (draft) => {
    const actions = draft.policy.actions.with(PolicyCondition[condition], action);
    draft.policy = { ...draft.policy, actions };
  });
}

/** Condition, action and, in version 2, override. */
export type Entry = readonly number[];

/** Arguments of zx_job_set_policy with these entries: of version 2 when they have three words. */
export function policyArgs(
  h: Harness,
  job: number,
  entries: readonly Entry[],
  mode: number = PolicyMode.RELATIVE,
): (number | bigint)[] {
  const topic = entries[0]?.length === 3 ? PolicyTopic.BASIC_V2 : PolicyTopic.BASIC_V1;
  return [job, mode, topic, h.scratch(words(...entries.flat())), entries.length];
}
