import { INFO_TOPICS, InfoTopic, type InfoTopicName, type InfoTopicSpec } from '../../abi/info.js';
import type { ObjectTypeName } from '../../abi/object-types.js';
import { Status } from '../../abi/status.js';
import { encodeStruct, sizeOf } from '../../abi/structs.js';
import type { SyscallArgs } from '../../abi/syscalls.js';
import type { KernelObject } from '../objects/object.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { basicInfo, handleTable } from './info-handles.js';
import { ipcLists, ipcRecords } from './info-ipc.js';
import { memoryLists, memoryRecords } from './info-memory.js';
import { type Asked, KOID_BYTES, type Lists, type Records, u64Bytes } from './info-record.js';
import { taskLists, taskRecords } from './info-tasks.js';
import { propertyCalls } from './property.js';
import { refuse } from './refusal.js';

type Arguments = SyscallArgs['zx_object_get_info'];

const RECORDS: Records = {
  HANDLE_BASIC: basicInfo,
  HANDLE_COUNT: ({ object }) => encodeStruct('zx_info_handle_count_t', { handle_count: object.handleCount }),
  TIMER: ({ object }) => {
    if (object.kind !== 'timer') return refuse(Status.ERR_WRONG_TYPE);
    const { options, clockId, deadlineNs, slackNs } = object;
    return encodeStruct('zx_info_timer_t', {
      options,
      clock_id: clockId,
      deadline: deadlineNs,
      slack: slackNs,
    });
  },
  ...taskRecords,
  ...memoryRecords,
  ...ipcRecords,
};

const LISTS: Lists = { HANDLE_TABLE: handleTable, ...taskLists, ...memoryLists, ...ipcLists };

const TOPIC_BY_NUMBER: ReadonlyMap<number, InfoTopicName> = new Map(
  Object.entries(InfoTopic).map(([name, number]) => [number, name as InfoTopicName]),
);

export const infoCalls: Handlers = {
  ...propertyCalls,

  zx_object_get_info: (call, args) => {
    const topic = TOPIC_BY_NUMBER.get(args.topic) ?? refuse(Status.ERR_NOT_SUPPORTED);
    const spec = INFO_TOPICS[topic];
    // Asking whether a value is a handle is no misuse of it.
    if (topic === 'HANDLE_VALID') return call.isHandle(args.handle) ? Status.OK : Status.ERR_BAD_HANDLE;
    const asked = resolve(call, args.handle, spec);
    if (spec.list) {
      const list = LISTS[topic] ?? refuse(Status.ERR_NOT_SUPPORTED);
      return giveList(call, args, spec, list(asked));
    }
    const record = RECORDS[topic] ?? refuse(Status.ERR_NOT_SUPPORTED);
    return giveRecord(call, args, record(asked));
  },
};

function resolve(call: Call, handle: number, { types, rights: needed }: InfoTopicSpec): Asked {
  const { koid, rights } = call.lookup(handle);
  const object = call.k.find(koid) as KernelObject;
  const fits = types === 'any' || types.includes(object.kind as ObjectTypeName);
  const allowed = (rights & needed) === needed;
  // Where several types will do, the kernel finds out last that none does (lib/syscalls/object).
  if (!fits && (types.length === 1 || allowed)) refuse(Status.ERR_WRONG_TYPE);
  if (!allowed) refuse(Status.ERR_ACCESS_DENIED);
  return { call, object, rights };
}

function giveRecord(call: Call, args: Arguments, record: Uint8Array): number {
  const fits = args.buffer_size >= BigInt(record.length);
  if (fits) call.requireWritable(args.buffer, record.length);
  requireCounts(call, args);
  if (fits) call.write(args.buffer, record);
  putCounts(call, args, fits ? 1 : 0, 1);
  return fits ? Status.OK : Status.ERR_BUFFER_TOO_SMALL;
}

function giveList(
  call: Call,
  args: Arguments,
  spec: InfoTopicSpec,
  { avail, records }: { avail: number; records: Iterable<Uint8Array> },
): number {
  const recordBytes = spec.record === null ? KOID_BYTES : sizeOf(spec.record);
  const room = args.buffer_size / BigInt(recordBytes);
  const actual = room < BigInt(avail) ? Number(room) : avail;
  call.requireWritable(args.buffer, actual * recordBytes);
  requireCounts(call, args);
  const bytes = new Uint8Array(actual * recordBytes);
  let count = 0;
  for (const record of records) {
    if (count === actual) break;
    bytes.set(record, recordBytes * count++);
  }
  call.write(args.buffer, bytes);
  putCounts(call, args, actual, avail);
  return Status.OK;
}

function requireCounts(call: Call, { actual, avail }: Arguments): void {
  if (actual !== 0) call.requireWritable(actual, 8);
  if (avail !== 0) call.requireWritable(avail, 8);
}

function putCounts(call: Call, args: Arguments, actual: number, avail: number): void {
  if (args.actual !== 0) call.write(args.actual, u64Bytes(actual));
  if (args.avail !== 0) call.write(args.avail, u64Bytes(avail));
}
