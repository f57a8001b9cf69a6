import { isPublic, SYSCALLS, type Syscall, type SyscallError } from '../../src/abi/syscalls.js';
import { isBuilt } from '../../src/kernel/syscalls/dispatch.js';
import './cases/index.js';
import { Harness } from '../kernel/harness.js';
import { statusName } from '../kernel/ipc-support.js';
import { type Case, casesOf, excuseOf, validArgsOf } from './causes.js';
import { sharedCases } from './shared-causes.js';

/**
 * The calls that this machine owes to programs: all but those of drivers and hypervisors, and those that only Zircon's
 * vDSO can make, as halves of calls that are made in one piece here.
 */
export const CORE_CALLS: readonly Syscall[] = SYSCALLS.filter(
  (call) => call.tier === 'core' && isPublic(call),
);

export interface CauseReport extends SyscallError {
  /** `proven`: every case gave the status. `missing`: there is no case. */
  readonly verdict: 'proven' | 'excused' | 'missing' | 'wrong';
  /** The reason of an excuse, or what a case gave instead. */
  readonly detail: string;
}

export interface CallReport {
  readonly call: Syscall;
  readonly built: boolean;
  readonly causes: readonly CauseReport[];
  /** What the call gave with the arguments said to be valid, when it did not succeed. */
  readonly invalid: string | null;
}

function judge(call: Syscall, error: SyscallError): CauseReport {
  const excuse = excuseOf(call.name, error);
  const cases = findCases(call, error);
  if (excuse !== null) {
    return cases.own > 0
      ? { ...error, verdict: 'wrong', detail: `excused ('${excuse}') and with a case` }
      : { ...error, verdict: 'excused', detail: excuse };
  }
  if (cases.list.length === 0) return { ...error, verdict: 'missing', detail: '' };
  for (const one of cases.list) {
    const got = outcome(one);
    if (got !== error.status) return { ...error, verdict: 'wrong', detail: `gave ${got}` };
  }
  // The answer of a call that nobody wrote proves nothing.
  if (!isBuilt(call.name)) return { ...error, verdict: 'wrong', detail: 'the call is not built' };
  return { ...error, verdict: 'proven', detail: '' };
}

function findCases(call: Syscall, error: SyscallError): { list: readonly Case[]; own: number } {
  const own = casesOf(call.name, error);
  const build = validArgsOf(call.name);
  const list = own.length > 0 || build === null ? own : sharedCases(call, error, build);
  return { list, own: own.length };
}

function outcome({ run, config }: Case): string {
  try {
    return statusName(run(new Harness(config)));
  } catch (reason) {
    return `an error: ${reason instanceof Error ? reason.message : String(reason)}`;
  }
}

/** Runs every case of a call. */
export function survey(call: Syscall): CallReport {
  const build = validArgsOf(call.name);
  let invalid: string | null = null;
  if (build !== null) {
    const run = (h: Harness) => {
      const result = h.call(call.name, build(h));
      return typeof result === 'string' || result >= 0n ? 0n : result;
    };
    const got = outcome({ run, config: {} });
    if (got !== 'OK') invalid = got;
  }
  const causes = call.errors.map((error) => judge(call, error));
  return { call, built: isBuilt(call.name), causes, invalid };
}
