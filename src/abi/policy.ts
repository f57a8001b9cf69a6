import type { Vintage } from './vintage.js';

/** Job policy. Sources: zircon/syscalls/policy.h, magenta/syscalls/policy.h. */

/** `ZX_POL_*`: what a policy entry is about. */
export const PolicyCondition = {
  BAD_HANDLE: 0,
  WRONG_OBJECT: 1,
  VMAR_WX: 2,
  NEW_ANY: 3,
  NEW_VMO: 4,
  NEW_CHANNEL: 5,
  NEW_EVENT: 6,
  NEW_EVENTPAIR: 7,
  NEW_PORT: 8,
  NEW_SOCKET: 9,
  NEW_FIFO: 10,
  NEW_TIMER: 11,
  NEW_PROCESS: 12,
  NEW_PROFILE: 13,
  NEW_PAGER: 14,
  AMBIENT_MARK_VMO_EXEC: 15,
  NEW_IOB: 16,
  NEW_SAMPLER: 17,
} as const;

export type PolicyConditionName = keyof typeof PolicyCondition;

/** `ZX_POL_MAX`: the number of conditions. */
export const POLICY_CONDITION_COUNT = 18;

/** What `ZX_POL_NEW_ANY` stands for. */
export const NEW_ANY_CONDITIONS: readonly number[] = Object.entries(PolicyCondition)
  .filter(([name]) => name.startsWith('NEW_') && name !== 'NEW_ANY')
  .map(([, value]) => value);

/** `ZX_POL_ACTION_*`. */
export const PolicyAction = { ALLOW: 0, DENY: 1, ALLOW_EXCEPTION: 2, DENY_EXCEPTION: 3, KILL: 4 } as const;

/** `ZX_POL_OVERRIDE_*`: may a child job's policy differ. */
export const PolicyOverride = { ALLOW: 0, DENY: 1 } as const;

/** Options of `zx_job_set_policy`: `ZX_JOB_POL_*`. */
export const PolicyMode = { RELATIVE: 0, ABSOLUTE: 1 } as const;

/** Topics of `zx_job_set_policy`: `ZX_JOB_POL_*`. */
export const PolicyTopic = { BASIC_V1: 0, BASIC_V2: 0x01000000, TIMER_SLACK: 1 } as const;

/** More entries than this in one `zx_job_set_policy` are refused unread. */
export const POLICY_ENTRIES_MAX = 32;

/** How a vintage words job policy. */
export interface PolicyDialect {
  /** `ZX_POL_MAX`: conditions from here on are unknown, and more entries than this ZX_ERR_OUT_OF_RANGE. */
  readonly conditionCount: number;
  /** More entries than this are ZX_ERR_INVALID_ARGS, before anything is read. */
  readonly entriesMax: number;
  readonly topics: readonly number[];
  /** `PolicyAction` by what an entry says; what is not here is ZX_ERR_NOT_SUPPORTED. */
  readonly actions: readonly number[];
}

const ALL_TOPICS = Object.values(PolicyTopic);
const ACTIONS_BY_NUMBER = Object.values(PolicyAction);

/**
 * The conditions came in the order of their numbers: NEW_TIMER was the last of Magenta's, NEW_IOB that of 2023.
 * Magenta's actions are bits: DENY 1, EXCEPTION 2, KILL 4 with DENY (5). A kill is a kill, whatever is or-ed to it.
 */
export const POLICY_DIALECTS: Readonly<Record<Vintage, PolicyDialect>> = {
  head: {
    conditionCount: 18,
    entriesMax: POLICY_ENTRIES_MAX,
    topics: ALL_TOPICS,
    actions: ACTIONS_BY_NUMBER,
  },
  '2023': {
    conditionCount: 17,
    entriesMax: POLICY_ENTRIES_MAX,
    topics: ALL_TOPICS,
    actions: ACTIONS_BY_NUMBER,
  },
  magenta: {
    conditionCount: 12,
    entriesMax: Number.POSITIVE_INFINITY,
    topics: [PolicyTopic.BASIC_V1],
    actions: [
      PolicyAction.ALLOW,
      PolicyAction.DENY,
      PolicyAction.ALLOW_EXCEPTION,
      PolicyAction.DENY_EXCEPTION,
      PolicyAction.KILL,
      PolicyAction.KILL,
      PolicyAction.KILL,
      PolicyAction.KILL,
    ],
  },
};

/** `ZX_EXCP_POLICY_CODE_*`: `synth_code` of a policy exception. */
export const PolicyExceptionCode = {
  BAD_HANDLE: 0,
  WRONG_OBJECT: 1,
  VMAR_WX: 2,
  NEW_ANY: 3,
  NEW_VMO: 4,
  NEW_CHANNEL: 5,
  NEW_EVENT: 6,
  NEW_EVENTPAIR: 7,
  NEW_PORT: 8,
  NEW_SOCKET: 9,
  NEW_FIFO: 10,
  NEW_TIMER: 11,
  NEW_PROCESS: 12,
  NEW_PROFILE: 13,
  NEW_PAGER: 14,
  AMBIENT_MARK_VMO_EXEC: 15,
  CHANNEL_FULL_WRITE: 16,
  PORT_TOO_MANY_PACKETS: 17,
  BAD_SYSCALL: 18,
  PORT_TOO_MANY_OBSERVERS: 19,
  HANDLE_LEAK: 20,
  NEW_IOB: 21,
  NEW_SAMPLER: 22,
} as const;
