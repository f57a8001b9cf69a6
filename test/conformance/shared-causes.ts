import { PolicyAction, type PolicyConditionName } from '../../src/abi/policy.js';
import { ALL_RIGHTS, rightsNames } from '../../src/abi/rights.js';
import type { Syscall, SyscallArg, SyscallError } from '../../src/abi/syscalls.js';
import { MAX_SLOT } from '../../src/kernel/objects/handle-value.js';
import type { Harness } from '../kernel/harness.js';
import { koidOf, NO_HANDLE, newEvent, words } from '../kernel/ipc-support.js';
import { underPolicy } from '../kernel/policy-support.js';
import type { Args, Case } from './causes.js';

type Build = (h: Harness) => Args;

/** What is put in the place of a handle that would do. */
type Substitute = (h: Harness, good: number) => number;

const noHandle: Substitute = () => NO_HANDLE;

/** An event, or the root VMAR where events are welcome, with every right there is. */
function otherType(argument: SyscallArg): Substitute {
  const types = argument.handle?.oneOf ?? [argument.handle?.type];
  return (h) =>
    types.includes('event') ? h.give(h.rootVmar, ALL_RIGHTS) : h.give(koidOf(h, newEvent(h)), ALL_RIGHTS);
}

const without =
  (right: number): Substitute =>
  (h, good) =>
    h.give(koidOf(h, good), ALL_RIGHTS & ~right);

/** The call with another handle in one argument, or in the first element of the array that it points to. */
function substituted(call: Syscall, build: Build, argument: SyscallArg, by: Substitute): Case {
  const index = call.args.indexOf(argument);
  const run = (h: Harness) => {
    const args = [...build(h)];
    const at = Number(args[index]);
    if (argument.kind === 'pointer') h.poke(at, words(by(h, h.u32(at))));
    else args[index] = by(h, at);
    return h.call(call.name, args);
  };
  return { run, config: {} };
}

/** The caller has taken nearly all the slots that its handle table will ever have. */
export function exhaustHandles(h: Harness, left = 0): void {
  const slot = MAX_SLOT - 1 - left;
  h.emit({ type: 'handle-added', process: h.process, slot, koid: h.process, rights: 0 });
}

function noRoom(call: Syscall, build: Build): Case {
  const run = (h: Harness) => {
    const args = build(h);
    exhaustHandles(h);
    return h.call(call.name, args);
  };
  return { run, config: {} };
}

/** The caller's job forbids it. Where the policy is asked about some arguments only, a call's own case says which. */
function denied(call: Syscall, build: Build, condition: PolicyConditionName): Case {
  const run = (h: Harness) => {
    const args = build(h);
    underPolicy(h, condition, PolicyAction.DENY);
    return h.call(call.name, args);
  };
  return { run, config: {} };
}

/**
 * The cases of a cause that follows from the argument table, made from arguments with which the call succeeds. None
 * for a cause of the call's own, or for one that words describe (rights by option).
 */
export function sharedCases(call: Syscall, { status, cause }: SyscallError, build: Build): Case[] {
  if (cause === 'no memory or handles left') return [noRoom(call, build)];
  if (call.policy !== null && call.policy !== 'VMAR_WX' && cause === `job policy denies ${call.policy}`)
    return [denied(call, build, call.policy)];
  for (const argument of call.args) {
    const { handle, name } = argument;
    if (handle === undefined || handle.op === 'create') continue;
    if (cause === `${name} is not in the caller's handle table`)
      return [substituted(call, build, argument, noHandle)];
    if (status === 'ERR_WRONG_TYPE' && cause.startsWith(`${name} is not a `))
      return [substituted(call, build, argument, otherType(argument))];
    if (status === 'ERR_ACCESS_DENIED' && cause.startsWith(`${name} lacks `))
      return bits(handle.rights).map((right) => substituted(call, build, argument, without(right)));
  }
  return [];
}

/** Each right of a mask by itself: lacking any of them is enough. */
function bits(rights: number): number[] {
  return rightsNames(rights).map((_, i) => {
    let rest = rights;
    for (let skip = 0; skip < i; skip++) rest &= rest - 1;
    return rest & -rest;
  });
}
