import {
  PolicyAction,
  PolicyCondition,
  type PolicyConditionName,
  PolicyExceptionCode,
} from '../../abi/policy.js';
import { Status } from '../../abi/status.js';
import type { ExitNote } from '../objects/thread.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import { announceUser, raiseException } from './exceptions.js';
import { refuse } from './refusal.js';
import { endProcess, TaskReturnCode } from './tasks.js';

/**
 * Whether the caller's job lets it go on; what the policy asks for besides comes when the call ends, with its result
 * in place (ProcessDispatcher::EnforceBasicPolicy).
 */
export function isAllowed(call: Call, condition: PolicyConditionName): boolean {
  switch (call.caller.policy.actions[PolicyCondition[condition]]) {
    case PolicyAction.ALLOW:
      return true;
    case PolicyAction.DENY:
      return false;
    case PolicyAction.ALLOW_EXCEPTION:
      raisePolicyAtExit(call.m, call.thread, PolicyExceptionCode[condition]);
      return true;
    case PolicyAction.DENY_EXCEPTION:
      raisePolicyAtExit(call.m, call.thread, PolicyExceptionCode[condition]);
      return false;
    default:
      note(call.m, call.thread, { kind: 'kill' });
      return false;
  }
}

/**
 * Asks the job policy of the calling process, whatever job the call is about; refuses with ACCESS_DENIED. Asked after
 * the options and before anything else.
 */
export function requirePolicy(call: Call, condition: PolicyConditionName): void {
  if (!isAllowed(call, condition)) refuse(Status.ERR_ACCESS_DENIED);
}

/** A value that is no handle was used: the call answers BAD_HANDLE whatever the policy is, but there may be more to it. */
export function applyBadHandlePolicy(call: Call): void {
  // A call's earlier handle may have been the caller's end, and its table's: there is nobody to hold to a policy.
  if (call.callerLives) isAllowed(call, 'BAD_HANDLE');
}

/**
 * The thread will find itself in a policy exception when it leaves the kernel. Of several in one call the last counts.
 * @param code ZX_EXCP_POLICY_CODE_*
 * @param data `synth_data` of the exception: the number of a bad system call
 */
export function raisePolicyAtExit(m: Decider, thread: number, code: number, data = 0): void {
  note(m, thread, { kind: 'policy', code, data });
}

/** Job debuggers will be told of the thread when its call has ended. */
export function noteUserException(m: Decider, thread: number, code: number, data: number): void {
  note(m, thread, { kind: 'user', code, data });
}

function note(m: Decider, thread: number, exitNote: ExitNote): void {
  if (m.k.get(thread, 'thread').exitNote?.kind === 'kill') return;
  m.emit({ type: 'thread-exit-noted', thread, note: exitNote });
}

/** What was noted for the thread happens now: its call has ended, and the result is in its register. */
export function followNote(m: Decider, thread: number): void {
  const { exitNote, process } = m.k.get(thread, 'thread');
  if (exitNote === null) return;
  m.emit({ type: 'thread-exit-noted', thread, note: null });
  if (exitNote.kind === 'kill') endProcess(m, process, TaskReturnCode.POLICY_KILL);
  else if (exitNote.kind === 'user') announceUser(m, thread, exitNote.code, exitNote.data);
  else {
    const { code, data } = exitNote;
    raiseException(m, thread, { exception: 'policy', access: 'none', address: 0n, code, data });
  }
}
