import { assert } from '../base/assert.js';
import { parseDeclaration, type ScalarKind, scalarKind } from './c-types.js';
import type { Call, HandleSpec, SyscallFlag } from './calls/call.js';
import { CHANNEL_CALLS } from './calls/channel.js';
import { CLOCK_CALLS } from './calls/clock.js';
import { DEBUG_CALLS } from './calls/debug.js';
import { DEVICE_CALLS } from './calls/device.js';
import { EVENT_CALLS } from './calls/event.js';
import { EXCEPTION_CALLS } from './calls/exception.js';
import { HANDLE_CALLS } from './calls/handle.js';
import { IOB_CALLS } from './calls/iob.js';
import { SYSCALL_NAMES, type SyscallName } from './calls/numbers.js';
import { RESTRICTED_CALLS } from './calls/restricted.js';
import { STREAM_CALLS } from './calls/stream.js';
import { SYSTEM_CALLS } from './calls/system.js';
import { TASK_CALLS } from './calls/task.js';
import { TESTING_CALLS } from './calls/testing.js';
import { VMAR_CALLS } from './calls/vmar.js';
import { VMO_CALLS } from './calls/vmo.js';
import type { SyscallArgs } from './generated/syscall-args.js';
import type { ObjectTypeName } from './object-types.js';
import type { PolicyConditionName } from './policy.js';
import { rightsNames } from './rights.js';
import type { StatusName } from './status.js';

export type { SyscallFlag } from './calls/call.js';
export type { SyscallName } from './calls/numbers.js';
export type { SyscallArgs } from './generated/syscall-args.js';

/** How an argument register is read. A call that takes a `bool` does not exist. */
export type ArgKind = Exclude<ScalarKind, 'bool'>;

export interface ArgHandle {
  /** The only type allowed; `'any'` when every type is, or those of `oneOf` are. */
  readonly type: ObjectTypeName | 'any';
  readonly oneOf?: readonly ObjectTypeName[];
  /** The mask that is always needed. */
  readonly rights: number;
  /** What is needed besides by option, mode or topic, in words: the handler checks it. */
  readonly rightsNote?: string;
  readonly op: HandleSpec['op'];
}

export interface SyscallArg {
  readonly name: string;
  readonly cType: string;
  readonly kind: ArgKind;
  readonly direction: 'in' | 'out' | 'inout';
  /** A pointer that may be null; a handle that may be 0. */
  readonly optional: boolean;
  /** The argument that counts the elements pointed to (bytes for `void*` and `char*`). */
  readonly lengthArg?: string;
  /** The argument that holds the size of one element in bytes. */
  readonly elementSizeArg?: string;
  readonly handle?: ArgHandle;
  /** Absent from kernels of 2023: the register then holds nothing meant for it. */
  readonly since?: 'head';
}

export interface SyscallError {
  readonly status: StatusName;
  readonly cause: string;
}

export interface Syscall {
  readonly number: number;
  readonly name: SyscallName;
  readonly category: string;
  readonly tier: 'core' | 'ddk';
  readonly flags: readonly SyscallFlag[];
  /** C type of the result. */
  readonly returns: string;
  readonly args: readonly SyscallArg[];
  /** Job policy condition that the call asks. */
  readonly policy: PolicyConditionName | null;
  readonly errors: readonly SyscallError[];
  readonly note: string | null;
}

const CALLS: readonly Call[] = [
  ...CHANNEL_CALLS,
  ...CLOCK_CALLS,
  ...DEBUG_CALLS,
  ...DEVICE_CALLS,
  ...EVENT_CALLS,
  ...EXCEPTION_CALLS,
  ...HANDLE_CALLS,
  ...IOB_CALLS,
  ...RESTRICTED_CALLS,
  ...STREAM_CALLS,
  ...SYSTEM_CALLS,
  ...TASK_CALLS,
  ...TESTING_CALLS,
  ...VMAR_CALLS,
  ...VMO_CALLS,
];

function argHandle(spec: HandleSpec): ArgHandle {
  const { types, op, rights, rightsNote } = spec;
  const note = rightsNote === undefined ? {} : { rightsNote };
  if (types === 'any') return { type: 'any', op, rights, ...note };
  if (types.length === 1) return { type: types[0], op, rights, ...note };
  return { type: 'any', oneOf: types, op, rights, ...note };
}

function toArg(row: Call['args'][number]): SyscallArg {
  const [text, spec] = typeof row === 'string' ? [row, {}] : row;
  const { cType, name } = parseDeclaration(text);
  const kind = scalarKind(cType);
  assert(kind !== undefined && kind !== 'bool', `argument of unknown type: ${text}`);
  const out = kind === 'pointer' && !cType.startsWith('const ');
  return {
    name,
    cType,
    kind,
    direction: spec.direction ?? (out ? 'out' : 'in'),
    optional: spec.optional ?? false,
    ...(spec.length === undefined ? {} : { lengthArg: spec.length }),
    ...(spec.elementSize === undefined ? {} : { elementSizeArg: spec.elementSize }),
    ...(spec.since === undefined ? {} : { since: spec.since }),
    ...(spec.handle === undefined ? {} : { handle: argHandle(spec.handle) }),
  };
}

/** The statuses that follow from the argument table: the same for every call. */
function commonErrors(args: readonly SyscallArg[], policy: PolicyConditionName | null): SyscallError[] {
  const errors: SyscallError[] = [];
  let creates = false;
  for (const { name, handle } of args) {
    if (handle === undefined) continue;
    if (handle.op === 'create') {
      creates = true;
      continue;
    }
    errors.push({ status: 'ERR_BAD_HANDLE', cause: `${name} is not in the caller's handle table` });
    const types = handle.oneOf ?? (handle.type === 'any' ? [] : [handle.type]);
    if (types.length > 0)
      errors.push({ status: 'ERR_WRONG_TYPE', cause: `${name} is not a ${types.join(' or ')}` });
    const rights = [
      ...rightsNames(handle.rights),
      ...(handle.rightsNote === undefined ? [] : [handle.rightsNote]),
    ];
    if (rights.length > 0)
      errors.push({ status: 'ERR_ACCESS_DENIED', cause: `${name} lacks ${rights.join(', ')}` });
  }
  if (policy !== null) errors.push({ status: 'ERR_ACCESS_DENIED', cause: `job policy denies ${policy}` });
  if (creates) errors.push({ status: 'ERR_NO_MEMORY', cause: 'no memory or handles left' });
  return errors;
}

/** What most runs do not ask of most calls is made when it is asked for: no program waits for it. */
class TableEntry implements Syscall {
  readonly name: SyscallName;
  readonly category: string;
  readonly tier: 'core' | 'ddk';
  readonly flags: readonly SyscallFlag[];
  readonly returns: string;
  readonly policy: PolicyConditionName | null;
  readonly note: string | null;
  private madeArgs: readonly SyscallArg[] | null = null;

  constructor(
    private readonly call: Call,
    readonly number: number,
  ) {
    this.name = call.name;
    this.category = call.category;
    this.tier = call.tier ?? 'core';
    this.flags = call.flags ?? [];
    this.returns = call.returns ?? 'zx_status_t';
    this.policy = call.policy ?? null;
    this.note = call.note ?? null;
  }

  get args(): readonly SyscallArg[] {
    this.madeArgs ??= this.call.args.map(toArg);
    return this.madeArgs;
  }

  get errors(): readonly SyscallError[] {
    const own = (this.call.errors ?? []).map(([status, cause]) => ({ status, cause }));
    return [...commonErrors(this.args, this.policy), ...own];
  }
}

function buildTable(): readonly Syscall[] {
  const described = new Map<SyscallName, Call>();
  for (const call of CALLS) described.set(call.name, call);
  assert(described.size === CALLS.length, 'a call is described twice');
  assert(described.size === SYSCALL_NAMES.length, 'calls and numbers differ');
  return SYSCALL_NAMES.map((name, index) => {
    const call = described.get(name);
    assert(call !== undefined, `${name} has a number but no description`);
    return new TableEntry(call, index + 1);
  });
}

/** Every call, in number order: `SYSCALLS[n - 1].number === n`. */
export const SYSCALLS: readonly Syscall[] = buildTable();

let byName: ReadonlyMap<string, Syscall> | null = null;

/** The call of a number from the guest (any value), or undefined. */
export function syscallByNumber(number: number): Syscall | undefined {
  return SYSCALLS[number - 1];
}

export function syscallByName<N extends SyscallName>(name: N): Syscall & { readonly name: N };
export function syscallByName(name: string): Syscall | undefined;
export function syscallByName(name: string): Syscall | undefined {
  byName ??= new Map(SYSCALLS.map((call) => [call.name, call]));
  return byName.get(name);
}

/** Calls that programs may link to: the vDSO exports these. */
export function isPublic(call: Syscall): boolean {
  return !call.flags.includes('internal');
}

/**
 * A pointer as a number: exact for every valid user address (below 2^47) and above that for every invalid one, but
 * never past the integers that a number holds exactly.
 */
export function pointerNumber(value: bigint): number {
  return Math.min(Number(BigInt.asUintN(64, value)), Number.MAX_SAFE_INTEGER);
}

/** The registers that a call's arguments are in, by halves: most calls have none that needs a bigint. */
export interface ArgumentRegisters {
  /** The low 32 bits of argument register `index`, signed. */
  low(index: number): number;
  /** The high ones. */
  high(index: number): number;
}

/** @param value of argument register `index`, signed or unsigned */
export function argumentRegisters(value: (index: number) => bigint): ArgumentRegisters {
  return {
    low: (index) => Number(BigInt.asIntN(32, value(index))),
    high: (index) => Number(BigInt.asIntN(32, value(index) >> 32n)),
  };
}

// A 64-bit integer is put together here: by arithmetic of bigints it would be made three times.
const WHOLE = new DataView(new ArrayBuffer(8));
/** The high half of the first integer that a number does not hold exactly. */
const TOO_HIGH = 0x200000;

function decodeArg(kind: ArgKind, registers: ArgumentRegisters, index: number): number | bigint {
  const low = registers.low(index);
  // The most frequent first, for hosts that compare one by one.
  switch (kind) {
    case 'pointer': {
      const high = registers.high(index) >>> 0;
      return high < TOO_HIGH ? high * 0x100000000 + (low >>> 0) : Number.MAX_SAFE_INTEGER;
    }
    case 'handle':
    case 'u32':
      return low >>> 0;
    case 'i32':
      return low;
    case 'u16':
      return low & 0xffff;
    case 'i16':
      return (low << 16) >> 16;
    case 'u8':
      return low & 0xff;
    case 'i8':
      return (low << 24) >> 24;
    case 'u64':
    case 'i64':
      WHOLE.setInt32(0, low, true);
      WHOLE.setInt32(4, registers.high(index), true);
      return kind === 'u64' ? WHOLE.getBigUint64(0, true) : WHOLE.getBigInt64(0, true);
  }
}

type Values = readonly (number | bigint)[];

/** How a call's arguments are read, made when it is made for the first time. */
interface ArgumentPlan {
  readonly kinds: readonly ArgKind[];
  /** The arguments by name: read from the list of their values, so that they are not kept twice. */
  readonly ByName: new (
    values: Values,
  ) => object;
}

/** By the call's number. */
const plans: (ArgumentPlan | undefined)[] = Array(SYSCALLS.length + 1).fill(undefined);

function planArguments({ number, args }: Syscall): ArgumentPlan {
  // A class of its own for each call, and assigned, not declared: hosts make what extends another slowly.
  const ByName = class {
    constructor(readonly values: Values) {}
  };
  args.forEach(({ name }, i) => {
    Object.defineProperty(ByName.prototype, name, {
      get(this: InstanceType<typeof ByName>) {
        return this.values[i];
      },
    });
  });
  const plan = { kinds: args.map(({ kind }) => kind), ByName };
  plans[number] = plan;
  return plan;
}

/**
 * The arguments by their C names. Narrow arguments take the low bits of their register; pointers as `pointerNumber`.
 * @param list gets the same in order
 */
export function decodeArgs<N extends SyscallName>(
  syscall: Syscall & { readonly name: N },
  registers: ArgumentRegisters,
  list: (number | bigint)[] = [],
): SyscallArgs[N] {
  const { kinds, ByName } = plans[syscall.number] ?? planArguments(syscall);
  for (let i = 0; i < kinds.length; i++) list.push(decodeArg(kinds[i], registers, i));
  return new ByName(list) as unknown as SyscallArgs[N];
}
