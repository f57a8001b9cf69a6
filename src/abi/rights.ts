import type { ObjectTypeName } from './object-types.js';

/** What a handle allows (`zx_rights_t`). Source: zircon/rights.h. */
export const Right = {
  NONE: 0,
  DUPLICATE: 0x1,
  TRANSFER: 0x2,
  READ: 0x4,
  WRITE: 0x8,
  EXECUTE: 0x10,
  MAP: 0x20,
  GET_PROPERTY: 0x40,
  SET_PROPERTY: 0x80,
  ENUMERATE: 0x100,
  DESTROY: 0x200,
  SET_POLICY: 0x400,
  GET_POLICY: 0x800,
  SIGNAL: 0x1000,
  SIGNAL_PEER: 0x2000,
  WAIT: 0x4000,
  INSPECT: 0x8000,
  MANAGE_JOB: 0x10000,
  MANAGE_PROCESS: 0x20000,
  MANAGE_THREAD: 0x40000,
  APPLY_PROFILE: 0x80000,
  MANAGE_SOCKET: 0x100000,
  OP_CHILDREN: 0x200000,
  RESIZE: 0x400000,
  ATTACH_VMO: 0x800000,
  MANAGE_VMO: 0x1000000,
  SAME_RIGHTS: 0x80000000,
} as const;

export type RightName = keyof typeof Right;

function rights(...names: RightName[]): number {
  return names.reduce((mask, name) => mask + Right[name], 0);
}

/** Shorthands of zircon/rights.h. */
export const RIGHTS_BASIC = rights('TRANSFER', 'DUPLICATE', 'WAIT', 'INSPECT');
export const RIGHTS_IO = rights('READ', 'WRITE');
export const RIGHTS_PROPERTY = rights('GET_PROPERTY', 'SET_PROPERTY');
export const RIGHTS_POLICY = rights('GET_POLICY', 'SET_POLICY');

/** The rights of a new object's first handle. */
export const DEFAULT_RIGHTS: Readonly<Record<ObjectTypeName, number>> = {
  channel: rights('INSPECT', 'READ', 'SIGNAL', 'SIGNAL_PEER', 'TRANSFER', 'WAIT', 'WRITE'),
  event: rights('DUPLICATE', 'INSPECT', 'SIGNAL', 'TRANSFER', 'WAIT'),
  eventpair: rights('DUPLICATE', 'INSPECT', 'SIGNAL', 'SIGNAL_PEER', 'TRANSFER', 'WAIT'),
  fifo: rights('DUPLICATE', 'INSPECT', 'READ', 'SIGNAL', 'SIGNAL_PEER', 'TRANSFER', 'WAIT', 'WRITE'),
  port: rights('DUPLICATE', 'INSPECT', 'READ', 'TRANSFER', 'WRITE'),
  socket: rights(
    'DUPLICATE',
    'GET_PROPERTY',
    'INSPECT',
    'MANAGE_SOCKET',
    'READ',
    'SET_PROPERTY',
    'SIGNAL',
    'SIGNAL_PEER',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  timer: rights('DUPLICATE', 'INSPECT', 'SIGNAL', 'TRANSFER', 'WAIT', 'WRITE'),
  job: rights(
    'DESTROY',
    'DUPLICATE',
    'ENUMERATE',
    'GET_POLICY',
    'GET_PROPERTY',
    'INSPECT',
    'MANAGE_JOB',
    'MANAGE_PROCESS',
    'MANAGE_THREAD',
    'READ',
    'SET_POLICY',
    'SET_PROPERTY',
    'SIGNAL',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  process: rights(
    'DESTROY',
    'DUPLICATE',
    'ENUMERATE',
    'GET_PROPERTY',
    'INSPECT',
    'MANAGE_PROCESS',
    'MANAGE_THREAD',
    'READ',
    'SET_PROPERTY',
    'SIGNAL',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  thread: rights(
    'DESTROY',
    'DUPLICATE',
    'GET_PROPERTY',
    'INSPECT',
    'MANAGE_THREAD',
    'READ',
    'SET_PROPERTY',
    'SIGNAL',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  /** `zx_vmo_create` adds RESIZE when asked for ZX_VMO_RESIZABLE. */
  vmo: rights(
    'DUPLICATE',
    'GET_PROPERTY',
    'INSPECT',
    'MAP',
    'READ',
    'SET_PROPERTY',
    'SIGNAL',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  /** `zx_vmar_allocate` adds READ, WRITE and EXECUTE for each CAN_MAP_* granted; a root VMAR has all three. */
  vmar: rights('DUPLICATE', 'INSPECT', 'OP_CHILDREN', 'TRANSFER'),
  exception: rights('GET_PROPERTY', 'INSPECT', 'SET_PROPERTY', 'TRANSFER'),
  'suspend-token': rights('INSPECT', 'TRANSFER'),
  clock: rights(
    'DUPLICATE',
    'GET_PROPERTY',
    'INSPECT',
    'READ',
    'SET_PROPERTY',
    'SIGNAL',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  /** `zx_stream_create` adds READ and WRITE by mode. */
  stream: rights('DUPLICATE', 'GET_PROPERTY', 'INSPECT', 'SET_PROPERTY', 'SIGNAL', 'TRANSFER', 'WAIT'),
  counter: rights('DUPLICATE', 'INSPECT', 'READ', 'SIGNAL', 'TRANSFER', 'WAIT', 'WRITE'),
  iob: rights(
    'DUPLICATE',
    'GET_PROPERTY',
    'INSPECT',
    'MAP',
    'READ',
    'SET_PROPERTY',
    'SIGNAL',
    'SIGNAL_PEER',
    'TRANSFER',
    'WAIT',
    'WRITE',
  ),
  'iob-shared-region': rights(
    'DUPLICATE',
    'GET_PROPERTY',
    'INSPECT',
    'SET_PROPERTY',
    'SIGNAL',
    'TRANSFER',
    'WAIT',
  ),
  pager: rights('ATTACH_VMO', 'INSPECT', 'MANAGE_VMO', 'TRANSFER'),
  profile: rights('APPLY_PROFILE', 'DUPLICATE', 'INSPECT', 'TRANSFER'),
  resource: rights('DUPLICATE', 'INSPECT', 'TRANSFER', 'WRITE'),
  debuglog: rights('DUPLICATE', 'INSPECT', 'SIGNAL', 'TRANSFER', 'WAIT', 'WRITE'),
  interrupt: rights('DUPLICATE', 'INSPECT', 'READ', 'SIGNAL', 'TRANSFER', 'WAIT', 'WRITE'),
  bti: rights('DUPLICATE', 'GET_PROPERTY', 'INSPECT', 'MAP', 'READ', 'SET_PROPERTY', 'TRANSFER', 'WRITE'),
  pmt: rights('INSPECT'),
  guest: rights('DUPLICATE', 'INSPECT', 'MANAGE_THREAD', 'TRANSFER', 'WRITE'),
  vcpu: rights('DUPLICATE', 'EXECUTE', 'INSPECT', 'READ', 'SIGNAL', 'TRANSFER', 'WAIT', 'WRITE'),
  iommu: rights('DUPLICATE', 'INSPECT', 'TRANSFER'),
  msi: rights('DUPLICATE', 'INSPECT', 'TRANSFER', 'WAIT'),
  'pci-device': rights('DUPLICATE', 'INSPECT', 'READ', 'TRANSFER', 'WAIT', 'WRITE'),
};

/** The event that `zx_system_get_event` hands out. */
export const SYSTEM_EVENT_RIGHTS = rights('DUPLICATE', 'TRANSFER', 'WAIT');
/** User end of `zx_task_create_exception_channel`: it can be read and passed on, not written. */
export const EXCEPTION_CHANNEL_RIGHTS = rights('TRANSFER', 'READ', 'WAIT');

/** Every right that exists, `SAME_RIGHTS` excepted. */
export const ALL_RIGHTS = Object.entries(Right).reduce(
  (mask, [name, bit]) => (name === 'SAME_RIGHTS' ? mask : mask + bit),
  0,
);

/** `0x5` → `['DUPLICATE', 'READ']`, lowest bit first; bits without a name as hexadecimal text. */
export function rightsNames(mask: number): string[] {
  const names: string[] = [];
  let rest = mask >>> 0;
  for (const [name, bit] of Object.entries(Right)) {
    if (bit === 0 || (rest & bit) === 0) continue;
    names.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names;
}
