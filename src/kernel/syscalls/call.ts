import { scalarKind, scalarSizeBytes } from '../../abi/c-types.js';
import { ObjectType, type ObjectTypeName } from '../../abi/object-types.js';
import { Status } from '../../abi/status.js';
import type { Syscall, SyscallArg, SyscallArgs, SyscallName } from '../../abi/syscalls.js';
import { handleSlot } from '../objects/handle-value.js';
import type { Kernel } from '../objects/kernel.js';
import type { HandleEntry, KernelObject, ObjectKind, ObjectOf } from '../objects/object.js';
import type { ProcessState } from '../objects/process.js';
import type { SharedState } from '../objects/shared-state.js';
import type { Decider } from './decider.js';
import { addHandle } from './handles.js';
import type { PageAccess } from './page-requests.js';
import { applyBadHandlePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import {
  isUserWritable,
  littleEndian,
  readUser,
  readUserInt32,
  requireUserPages,
  writeUser,
} from './user-memory.js';

/** The call goes on later: somebody else will finish it. */
export const BLOCKED = Symbol('blocked');
/** The calling thread is no more. */
export const GONE = Symbol('gone');
/** The calling thread goes on somewhere else: there is nobody to give a result to. */
export const ELSEWHERE = Symbol('elsewhere');

/** A status or another value for the result register, or why there is none now. */
export type Outcome = number | bigint | typeof BLOCKED | typeof GONE | typeof ELSEWHERE;

export interface ResolvedHandle<T extends KernelObject = KernelObject> {
  readonly object: T;
  readonly rights: number;
  readonly slot: number;
}

/** One system call in progress: its arguments, and the checks and effects that all calls share. */
export class Call<N extends SyscallName = SyscallName> {
  constructor(
    readonly m: Decider,
    readonly syscall: Syscall,
    readonly args: SyscallArgs[N],
    readonly thread: number,
    readonly process: number,
  ) {}

  get k(): Kernel {
    return this.m.k;
  }

  get caller(): ProcessState {
    return this.k.get(this.process, 'process');
  }

  /** False when something that the call itself did ended its thread: the thread and its process may be gone. */
  get callerLives(): boolean {
    const thread = this.k.find(this.thread);
    return thread?.kind === 'thread' && thread.life !== 'dead';
  }

  /** The caller's handle table and futexes. */
  get table(): SharedState {
    return this.k.sharedBy(this.process);
  }

  /** The table's entry of an argument. */
  private argument(name: string): SyscallArg {
    for (const argument of this.syscall.args) if (argument.name === name) return argument;
    throw new Error(`${this.syscall.name} has no argument ${name}`);
  }

  private value(name: string): number {
    return (this.args as unknown as Record<string, number>)[name];
  }

  /** Whether the caller has that handle. */
  isHandle(value: number): boolean {
    const { handles, handleSecret } = this.table;
    return handles.has(handleSlot(value, handleSecret));
  }

  /** What a handle value of the caller's stands for; refuses with BAD_HANDLE. */
  lookup(value: number): HandleEntry & { readonly slot: number } {
    const { handles, handleSecret } = this.table;
    const slot = handleSlot(value, handleSecret);
    const entry = handles.get(slot);
    if (entry === undefined) {
      applyBadHandlePolicy(this);
      refuse(Status.ERR_BAD_HANDLE);
    }
    return { koid: entry.koid, rights: entry.rights, slot };
  }

  /**
   * The object behind a handle argument, after the checks that the table states: it exists, has the type, has the
   * rights (and `moreRights`, where they depend on the options).
   */
  handle<K extends ObjectKind>(
    name: keyof SyscallArgs[N] & string,
    kind: K,
    moreRights = 0,
  ): ResolvedHandle<ObjectOf<K>> {
    return this.resolve(this.value(name), kind, (this.argument(name).handle?.rights ?? 0) | moreRights);
  }

  object<K extends ObjectKind>(name: keyof SyscallArgs[N] & string, kind: K, moreRights = 0): ObjectOf<K> {
    return this.handle(name, kind, moreRights).object;
  }

  /** As `handle`, for arguments that take several types or any. */
  anyHandle(name: keyof SyscallArgs[N] & string, moreRights = 0): ResolvedHandle {
    const { handle } = this.argument(name);
    const { koid, rights, slot } = this.lookup(this.value(name));
    const object = this.k.find(koid) as KernelObject;
    if (handle?.oneOf !== undefined && !handle.oneOf.includes(object.kind as ObjectTypeName))
      refuse(Status.ERR_WRONG_TYPE);
    const needed = (handle?.rights ?? 0) | moreRights;
    if ((rights & needed) !== needed) refuse(Status.ERR_ACCESS_DENIED);
    return { object, rights, slot };
  }

  /** The checks of `handle` for a value that is not an argument by itself (an item of an array, say). */
  resolve<K extends ObjectKind>(value: number, kind: K, needed: number): ResolvedHandle<ObjectOf<K>> {
    const { koid, rights, slot } = this.lookup(value);
    const object = this.k.find(koid);
    if (object?.kind !== kind) refuse(Status.ERR_WRONG_TYPE);
    if ((rights & needed) !== needed) refuse(Status.ERR_ACCESS_DENIED);
    return { object: object as ObjectOf<K>, rights, slot };
  }

  /** Refuses with INVALID_ARGS unless no other option bit is set. */
  allowOptions(options: number | bigint, allowed = 0): void {
    requireArgs(
      typeof options === 'bigint' ? (options & ~BigInt(allowed)) === 0n : (options & ~allowed) === 0,
    );
  }

  /** Bytes of the caller's memory; refuses with INVALID_ARGS. */
  read(address: number, length: number): Uint8Array {
    return readUser(this.k, this.process, address, length) ?? this.refuseAccess(address, length, 'read');
  }

  /** As `read`, of four bytes at a multiple of 4. */
  readInt32(address: number): number {
    return readUserInt32(this.k, this.process, address) ?? this.refuseAccess(address, 4, 'read');
  }

  readView(address: number, length: number): DataView {
    const bytes = this.read(address, length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  /**
   * Refuses with INVALID_ARGS unless the caller can write there. Done before anything is emitted, so that a call
   * with a bad out-pointer has no effect: stricter than Zircon, which may have consumed or created handles by then.
   */
  requireWritable(address: number, length: number): void {
    if (!isUserWritable(this.k, this.process, address, length)) this.refuseAccess(address, length, 'write');
  }

  /** A bad pointer, or memory whose pager has to be asked first. */
  private refuseAccess(address: number, length: number, access: PageAccess): never {
    requireUserPages(this.k, this.process, address, length, access, Status.ERR_INVALID_ARGS);
    refuse(Status.ERR_INVALID_ARGS);
  }

  /** `requireWritable` for out-arguments, by their C types; a null pointer is refused unless the table says optional. */
  requireOut(...names: (keyof SyscallArgs[N] & string)[]): void {
    for (const name of names) {
      const argument = this.argument(name);
      const address = this.value(name);
      if (address === 0 && argument.optional) continue;
      this.requireWritable(address, scalarBytes(argument));
    }
  }

  write(address: number, bytes: Uint8Array): void {
    writeUser(this.m, this.process, this.thread, address, bytes);
  }

  /** Writes a scalar through an out-argument that `requireOut` saw; a null pointer is skipped. */
  put(name: keyof SyscallArgs[N] & string, value: number | bigint): void {
    const address = this.value(name);
    if (address === 0) return;
    const bytes = littleEndian(value, scalarBytes(this.argument(name)));
    this.write(address, bytes);
  }

  /** Writes 32 bits where `requireWritable` saw that it can; a null pointer is skipped. */
  writeU32(address: number, value: number): void {
    if (address === 0) return;
    this.write(address, littleEndian(value, 4));
  }

  /** Gives the caller a handle and writes its value through an out-argument. */
  putHandle(name: keyof SyscallArgs[N] & string, koid: number, rights: number): void {
    this.put(name, addHandle(this.m, this.process, koid, rights));
  }

  emit(event: Parameters<Decider['emit']>[0]): void {
    this.m.emit(event);
  }
}

function scalarBytes(argument: SyscallArg): number {
  const kind = scalarKind(argument.cType.replace(/^const /, '').replace(/\*$/, ''));
  if (kind === undefined) throw new Error(`${argument.name}: ${argument.cType} is no scalar`);
  return scalarSizeBytes(kind);
}

/** `zx_obj_type_t` of an object. */
export function typeNumber(object: KernelObject): number {
  return ObjectType[object.kind];
}
