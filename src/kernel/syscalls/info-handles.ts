import { encodeStruct } from '../../abi/structs.js';
import { handleValue } from '../objects/handle-value.js';
import type { Kernel } from '../objects/kernel.js';
import type { HandleEntry, KernelObject } from '../objects/object.js';
import type { SharedState } from '../objects/shared-state.js';
import { typeNumber } from './call.js';
import type { Asked } from './info-record.js';

/** The koid that an object names for life: its peer, or the task it is part of (syscalls/object_get_info). */
function relatedKoid(object: KernelObject): number {
  switch (object.kind) {
    case 'channel':
    case 'eventpair':
    case 'fifo':
    case 'iob':
    case 'socket':
      return object.peer;
    case 'job':
      return object.parent;
    case 'process':
      return object.job;
    case 'thread':
      return object.process;
    default:
      return 0;
  }
}

export function basicInfo({ object, rights }: Asked): Uint8Array {
  return encodeStruct('zx_info_handle_basic_t', {
    koid: object.koid,
    rights,
    type: typeNumber(object),
    related_koid: relatedKoid(object),
  });
}

/** Every handle of a process, by slots. */
export function handleTable({ call, object }: Asked): { avail: number; records: Iterable<Uint8Array> } {
  const table = call.k.sharedBy(object.koid);
  return { avail: table.handles.size, records: tableRecords(call.k, table) };
}

function* tableRecords(k: Kernel, { handles, handleSecret }: SharedState): Iterable<Uint8Array> {
  for (const [slot, entry] of handles) yield tableRecord(k, handleValue(slot, handleSecret), entry);
}

function tableRecord(k: Kernel, value: number, { koid, rights }: HandleEntry): Uint8Array {
  const object = k.find(koid) as KernelObject;
  const peer = object.kind === 'channel' ? k.find(object.peer) : undefined;
  return encodeStruct('zx_info_handle_extended_t', {
    type: typeNumber(object),
    handle_value: value,
    rights,
    koid,
    related_koid: relatedKoid(object),
    peer_owner_koid: peer?.kind === 'channel' ? peer.holder : 0,
  });
}
