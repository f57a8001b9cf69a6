import { PROPERTIES, Property, type PropertyName } from '../../abi/info.js';
import type { ObjectTypeName } from '../../abi/object-types.js';
import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { Kernel } from '../objects/kernel.js';
import type { KernelObject } from '../objects/object.js';
import type { ProcessState } from '../objects/process.js';
import { findMapping } from '../objects/vmar.js';
import { memoryOf } from '../objects/vmo-pages.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { exceptionProperty, setExceptionProperty } from './exception-channel.js';
import { requireHandleRoom } from './handles.js';
import { u64Bytes } from './info-record.js';
import { nameRegions } from './iob.js';
import { nameBytes, nameFromBytes } from './names.js';
import { refuse, requireArgs } from './refusal.js';
import { setSocketThreshold, socketThreshold } from './socket.js';
import { isAppending, setAppending } from './stream.js';
import { setStreamSize } from './vmo.js';

const MAX_NAME_BYTES = PROPERTIES.NAME.sizeBytes - 1;

const PROPERTY_BY_NUMBER: ReadonlyMap<number, PropertyName> = new Map(
  Object.entries(Property).map(([name, number]) => [number, name as PropertyName]),
);

/** The checks that all properties share, in the kernel's order: known at all, size, type (lib/syscalls/object). */
function requireProperty(
  object: KernelObject,
  number: number,
  sizeBytes: bigint,
  how: 'get' | 'set',
): PropertyName {
  const property = PROPERTY_BY_NUMBER.get(number) ?? refuse(Status.ERR_NOT_SUPPORTED);
  const spec = PROPERTIES[property];
  if (!spec[how]) refuse(Status.ERR_NOT_SUPPORTED);
  const cutToSize = property === 'NAME' && how === 'set';
  if (!cutToSize && sizeBytes < BigInt(spec.sizeBytes)) refuse(Status.ERR_BUFFER_TOO_SMALL);
  if (spec.types !== 'any' && !spec.types.includes(object.kind as ObjectTypeName))
    refuse(Status.ERR_WRONG_TYPE);
  return property;
}

/** The object, if it can have a name; a dead thread cannot any more (ThreadDispatcher::get_name). */
function requireNamed(object: KernelObject): { readonly koid: number; readonly name: string } {
  if (!('name' in object)) refuse(Status.ERR_WRONG_TYPE);
  if (object.kind === 'thread' && object.life === 'dead') refuse(Status.ERR_BAD_STATE);
  return object;
}

/** Where the vDSO's image begins, whose code alone is recorded; 0 before it is mapped, and after death. */
function vdsoBase(k: Kernel, { life, rootVmar }: ProcessState): number {
  if (life === 'dying' || life === 'dead') return 0;
  const { vdsoCode } = k.get(rootVmar, 'vmar');
  if (vdsoCode === 0) return 0;
  const code = findMapping(k, rootVmar, vdsoCode);
  return code === undefined ? 0 : vdsoCode - k.get(code.vmo, 'vmo').vdsoCodeOffset;
}

function propertyBytes(k: Kernel, object: KernelObject, property: PropertyName): Uint8Array {
  if (property === 'NAME') {
    const named = object.kind === 'iob' ? k.get(object.regions[0].vmo, 'vmo') : requireNamed(object);
    return nameBytes(named.name);
  }
  if (object.kind === 'process') {
    if (property === 'PROCESS_DEBUG_ADDR') return u64Bytes(object.debugAddress);
    if (property === 'PROCESS_BREAK_ON_LOAD') return u64Bytes(object.breakOnLoad);
    if (property === 'PROCESS_VDSO_BASE_ADDRESS') return u64Bytes(vdsoBase(k, object));
  }
  if (object.kind === 'exception') return exceptionProperty(object, property);
  if (object.kind === 'socket') return u64Bytes(socketThreshold(object, property));
  if (object.kind === 'stream') return Uint8Array.of(isAppending(object) ? 1 : 0);
  if (object.kind === 'vmo' && property === 'VMO_CONTENT_SIZE') {
    return u64Bytes(memoryOf(k.state, object).contentSizeBytes);
  }
  return refuse(Status.ERR_NOT_SUPPORTED);
}

function setName(call: Call, object: KernelObject, value: number, sizeBytes: bigint): number {
  const bytes = call.read(value, sizeBytes > MAX_NAME_BYTES ? MAX_NAME_BYTES : Number(sizeBytes));
  const name = nameFromBytes(bytes);
  if (object.kind === 'iob') nameRegions(call, object, name);
  else call.emit({ type: 'object-named', koid: requireNamed(object).koid, name });
  return Status.OK;
}

/** A little-endian number of 8, 4 or 1 bytes. */
function unsigned(bytes: DataView): bigint {
  if (bytes.byteLength === 8) return bytes.getBigUint64(0, true);
  return BigInt(bytes.byteLength === 4 ? bytes.getUint32(0, true) : bytes.getUint8(0));
}

/** Those that are numbers. */
function setNumber(call: Call, object: KernelObject, property: PropertyName, value: bigint): number {
  const { koid, kind } = object;
  if (kind === 'process' && property === 'PROCESS_DEBUG_ADDR') {
    call.emit({ type: 'process-property-set', koid, property: 'debugAddress', value });
  } else if (kind === 'process' && property === 'PROCESS_BREAK_ON_LOAD') {
    call.emit({ type: 'process-property-set', koid, property: 'breakOnLoad', value });
  } else if (kind === 'vmo' && property === 'VMO_CONTENT_SIZE') setStreamSize(call.m, object, value);
  else if (kind === 'exception') setExceptionProperty(call.m, object, property, Number(value));
  else if (kind === 'job' && property === 'JOB_KILL_ON_OOM') {
    requireArgs(value <= 1n);
    call.emit({ type: 'job-kill-on-oom-set', koid, value: value === 1n });
  } else if (kind === 'socket') setSocketThreshold(call.m, object, property, value);
  else if (kind === 'stream') setAppending(call.m, object, value !== 0n);
  else refuse(Status.ERR_NOT_SUPPORTED);
  return Status.OK;
}

/** A child of a job or process by its koid: those that the lists of ZX_INFO_* tell of. */
function isChild(object: KernelObject, koid: number): boolean {
  if (object.kind === 'process') return object.threads.has(koid);
  if (object.kind === 'job') return object.jobs.has(koid) || object.processes.has(koid);
  return refuse(Status.ERR_WRONG_TYPE);
}

export const propertyCalls: Handlers = {
  zx_object_get_property: (call, { property, value, value_size }) => {
    requireArgs(value !== 0);
    const { object } = call.anyHandle('handle');
    const known = requireProperty(object, property, value_size, 'get');
    const bytes = propertyBytes(call.k, object, known);
    call.requireWritable(value, bytes.length);
    call.write(value, bytes);
    return Status.OK;
  },

  zx_object_set_property: (call, { property, value, value_size }) => {
    requireArgs(value !== 0);
    const { object } = call.anyHandle('handle');
    const known = requireProperty(object, property, value_size, 'set');
    if (known === 'NAME') return setName(call, object, value, value_size);
    const { sizeBytes } = PROPERTIES[known];
    const bytes = call.readView(value, sizeBytes);
    return setNumber(call, object, known, unsigned(bytes));
  },

  // The type comes last: a handle without the rights is refused for that, whatever it is.
  zx_object_get_child: (call, { handle, koid, rights: asked }) => {
    const { koid: parent, rights } = call.lookup(handle);
    if ((rights & Right.ENUMERATE) === 0) refuse(Status.ERR_ACCESS_DENIED);
    if (asked !== Right.SAME_RIGHTS && (asked & ~rights) !== 0) refuse(Status.ERR_ACCESS_DENIED);
    const child = Number(koid);
    if (!isChild(call.k.find(parent) as KernelObject, child)) refuse(Status.ERR_NOT_FOUND);
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    call.putHandle('out', child, asked === Right.SAME_RIGHTS ? rights : asked);
    return Status.OK;
  },
};
