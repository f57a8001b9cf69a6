import type { StatusName } from '../../src/abi/status.js';
import { type SyscallError, type SyscallName, syscallByName } from '../../src/abi/syscalls.js';
import type { MachineConfig } from '../../src/kernel/objects/kernel.js';
import type { Harness } from '../kernel/harness.js';

/** What a call gave, as `Harness.call` tells it. */
export type Result = ReturnType<Harness['call']>;
export type Args = readonly (number | bigint)[];

/** Brings a fresh machine to where the call ends for one cause, and gives what the call gave. */
export interface Case {
  readonly run: (h: Harness) => Result;
  readonly config: Partial<MachineConfig>;
}

const cases = new Map<string, Case[]>();
const excuses = new Map<string, string>();
const validArgs = new Map<SyscallName, (h: Harness) => Args>();

function keyOf(call: SyscallName, status: StatusName, causeText: string): string {
  const { errors } = syscallByName(call);
  if (!errors.some((e) => e.status === status && e.cause === causeText)) {
    const known = errors.filter((e) => e.status === status).map((e) => `'${e.cause}'`);
    throw new Error(`${call} has no cause ${status} '${causeText}', only ${known.join(', ') || 'others'}`);
  }
  return `${call} ${status} ${causeText}`;
}

/**
 * Registers what provokes one status cause of one call, by the texts of src/abi/calls. Several cases for one cause
 * must all give its status.
 */
export function cause(
  call: SyscallName,
  status: StatusName,
  causeText: string,
  run: Case['run'],
  config: Case['config'] = {},
): void {
  const key = keyOf(call, status, causeText);
  cases.set(key, [...(cases.get(key) ?? []), { run, config }]);
}

/** Registers a case for each list of arguments: the call, made with them in a fresh machine, ends for that cause. */
export function refuses(
  call: SyscallName,
  status: StatusName,
  causeText: string,
  ...lists: readonly ((h: Harness) => Args)[]
): void {
  for (const args of lists) cause(call, status, causeText, (h) => h.call(call, args(h)));
}

/** Says why a cause cannot occur here. */
export function excuse(call: SyscallName, status: StatusName, causeText: string, reason: string): void {
  const key = keyOf(call, status, causeText);
  if (excuses.has(key)) throw new Error(`excused twice: ${key}`);
  excuses.set(key, reason);
}

/**
 * Registers arguments with which a call succeeds, or blocks. From them follow the causes that all calls share: a
 * handle that is none, of the wrong type, without rights, a policy that denies, no room left. A case registered
 * by `cause` takes the place of the one that would follow.
 */
export function valid(call: SyscallName, args: (h: Harness) => Args): void {
  if (validArgs.has(call)) throw new Error(`valid arguments given twice: ${call}`);
  validArgs.set(call, args);
}

export function casesOf(call: SyscallName, { status, cause: text }: SyscallError): readonly Case[] {
  return cases.get(keyOf(call, status, text)) ?? [];
}

export function excuseOf(call: SyscallName, { status, cause: text }: SyscallError): string | null {
  return excuses.get(keyOf(call, status, text)) ?? null;
}

export function validArgsOf(call: SyscallName): ((h: Harness) => Args) | null {
  return validArgs.get(call) ?? null;
}
