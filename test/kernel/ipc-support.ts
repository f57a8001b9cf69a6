import type { ExecutionContext } from 'ava';
import { Status, type StatusName } from '../../src/abi/status.js';
import type { SyscallName } from '../../src/abi/syscalls.js';
import { VmOption } from '../../src/abi/vm.js';
import { type Harness, SCRATCH } from './harness.js';

export const INFINITE = 0x7fffffffffffffffn;
/** An address that nothing is mapped at. */
export const NOWHERE = 0x10;
/** A handle value that no process has. */
export const NO_HANDLE = 0x7ffffff3;

type Args = readonly (number | bigint)[];
type Result = bigint | 'blocked' | 'gone';

/** The call ends with that status. */
export function gives(
  t: ExecutionContext,
  h: Harness,
  status: StatusName,
  name: SyscallName,
  args: Args,
  thread = h.thread,
): void {
  t.is(statusName(h.call(name, args, thread)), status, `${name}(${args.join(', ')})`);
}

/** The call waits. */
export function blocks(
  t: ExecutionContext,
  h: Harness,
  name: SyscallName,
  args: Args,
  thread = h.thread,
): void {
  t.is(h.call(name, args, thread), 'blocked', `${name}(${args.join(', ')})`);
}

/** What a thread's call came to: a status name, 'blocked' or 'gone'. */
export function statusName(result: Result): string {
  if (typeof result === 'string') return result;
  for (const [name, value] of Object.entries(Status)) if (BigInt(value) === result) return name;
  return String(result);
}

export function outcome(h: Harness, thread = h.thread): string {
  return statusName(h.result(thread));
}

function made(h: Harness, name: SyscallName, args: Args, count: number): number[] {
  const out = h.scratch(4 * count);
  const outs = Array.from({ length: count }, (_, i) => out + 4 * i);
  const result = h.call(name, [...args, ...outs]);
  if (result !== 0n) throw new Error(`${name}: ${result}`);
  return outs.map((address) => h.u32(address));
}

/** Both handles of a new channel. */
export function newChannel(h: Harness): [number, number] {
  return made(h, 'zx_channel_create', [0], 2) as [number, number];
}

export function newEventpair(h: Harness): [number, number] {
  return made(h, 'zx_eventpair_create', [0], 2) as [number, number];
}

export function newEvent(h: Harness): number {
  return made(h, 'zx_event_create', [0], 1)[0];
}

export function newPort(h: Harness): number {
  return made(h, 'zx_port_create', [0], 1)[0];
}

export function newTimer(h: Harness): number {
  return made(h, 'zx_timer_create', [0, 0], 1)[0];
}

/** The object behind a handle of the test process. */
export function koidOf(h: Harness, handle: number): number {
  const { handles, handleSecret } = h.k.sharedBy(h.process);
  const entry = handles.get((handle >>> 2) ^ handleSecret);
  if (entry === undefined) throw new Error(`no handle ${handle}`);
  return entry.koid;
}

export function isOpen(h: Harness, handle: number): boolean {
  return h.call('zx_handle_check_valid', [handle]) === 0n;
}

/** A handle to the same object with other rights. */
export function withRights(h: Harness, handle: number, rights: number): number {
  return h.give(koidOf(h, handle), rights);
}

/** The signals asserted on the object behind a handle. */
export function signalsOf(h: Harness, handle: number): number {
  return h.k.find(koidOf(h, handle))?.signals ?? 0;
}

/** Gives another process memory of its own at SCRATCH: 64 KiB. */
export function addMemory(h: Harness, process: number): void {
  const vmo = h.k.state.nextKoid;
  const sizeBytes = 0x10000;
  h.emit({
    type: 'vmo-created',
    koid: vmo,
    sizeBytes,
    contentSizeBytes: sizeBytes,
    resizable: false,
    discardable: false,
    name: 'other',
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: 0,
  });
  const permissions = VmOption.PERM_READ | VmOption.PERM_WRITE;
  h.emit({
    type: 'mapping-added',
    vmar: h.k.get(process, 'process').rootVmar,
    base: SCRATCH,
    sizeBytes,
    vmo,
    vmoOffset: 0,
    permissions,
    maxPermissions: permissions,
    endsWithStream: false,
  });
}

/** Little-endian 32-bit words. */
export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(4 * i, value >>> 0, true);
  });
  return bytes;
}

export function text(value: string): Uint8Array {
  return Uint8Array.from(value, (c) => c.charCodeAt(0));
}

export function bytesAt(h: Harness, address: number, length: number, process = h.process): Uint8Array {
  const view = h.peek(address, length, process);
  return new Uint8Array(view.buffer, view.byteOffset, length);
}

export function textAt(h: Harness, address: number, length: number): string {
  return String.fromCharCode(...bytesAt(h, address, length));
}
