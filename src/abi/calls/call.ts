import type { ObjectTypeName } from '../object-types.js';
import type { PolicyConditionName } from '../policy.js';
import { Right } from '../rights.js';
import type { StatusName } from '../status.js';
import type { SyscallName } from './numbers.js';

/**
 * - `vdsocall`: runs in the vDSO, which may enter the kernel through `internal` calls
 * - `internal`: a kernel entry for the vDSO alone; programs cannot link to it
 * - `const`: one answer for one boot
 * - `blocking`: the vDSO calls again on ZX_ERR_INTERNAL_INTR_RETRY
 * - `next`: only in syscalls-next.h, not promised to stay
 * - `testing`: exists to test the call path
 * - `removed`: gone from the newest headers, still in those of 2023
 */
export type SyscallFlag =
  | 'vdsocall'
  | 'internal'
  | 'const'
  | 'blocking'
  | 'noreturn'
  | 'noreturn_on_success'
  | 'next'
  | 'testing'
  | 'removed';

export interface HandleSpec {
  /** What the handle must name (`use`, `consume`) or will name (`create`); several types are all good enough. */
  readonly types: readonly ObjectTypeName[] | 'any';
  readonly op: 'use' | 'create' | 'consume';
  /** Rights always needed. */
  readonly rights: number;
  /** Rights needed besides by option, mode or topic, in words. */
  readonly rightsNote?: string;
}

export interface ArgSpec {
  /** Given when it does not follow from the C type (`const T*` and values: in; `T*`: out). */
  readonly direction?: 'inout';
  /** A pointer that may be null; a handle that may be ZX_HANDLE_INVALID. */
  readonly optional?: boolean;
  /** The argument that counts what this one points to, in elements of its C type (bytes for `void*`)… */
  readonly length?: string;
  /** …of the size given by this argument. */
  readonly elementSize?: string;
  readonly handle?: HandleSpec;
  /** Only the newest kernels take it: those of 2023, and the C header, end before it. */
  readonly since?: 'head';
}

/** One call as written down: see `Syscall` for the form the rest of the program reads. */
export interface Call {
  readonly name: SyscallName;
  readonly category: string;
  readonly tier?: 'ddk';
  readonly flags?: readonly SyscallFlag[];
  /** C type; `zx_status_t` when left out. */
  readonly returns?: string;
  readonly args: readonly (string | readonly [declaration: string, spec: ArgSpec])[];
  /** Job policy condition asked before the work. */
  readonly policy?: PolicyConditionName;
  /**
   * Statuses besides those that follow from the handle arguments, the policy and the making of handles, with their
   * causes. One status may stand in several rows.
   */
  readonly errors?: readonly (readonly [status: StatusName, cause: string])[];
  readonly note?: string;
}

export function inCategory(category: string, calls: readonly Omit<Call, 'category'>[]): Call[] {
  // They are nobody else's: a copy of each would take as much memory again.
  return calls.map((call) => Object.assign(call, { category }));
}

type Types = ObjectTypeName | readonly ObjectTypeName[] | 'any';

function spec(op: HandleSpec['op'], types: Types, rights: number, rightsNote?: string): HandleSpec {
  const list = typeof types !== 'string' ? types : types === 'any' ? types : [types];
  return rightsNote === undefined ? { types: list, op, rights } : { types: list, op, rights, rightsNote };
}

/** A handle that is looked up and kept. */
export function uses(types: Types, rights: number = Right.NONE, rightsNote?: string): HandleSpec {
  return spec('use', types, rights, rightsNote);
}

/** A handle that is gone afterwards. */
export function consumes(types: Types, rights: number = Right.NONE): HandleSpec {
  return spec('consume', types, rights);
}

/** A pointer through which a new handle is returned. */
export function creates(types: Types): HandleSpec {
  return spec('create', types, Right.NONE);
}
