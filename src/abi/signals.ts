import type { ObjectTypeName } from './object-types.js';

/** Signals (`zx_signals_t`) by the object that raises them. Source: zircon/types.h. */
export const Signal = {
  NONE: 0,

  OBJECT_READABLE: 0x1,
  OBJECT_WRITABLE: 0x2,
  OBJECT_PEER_CLOSED: 0x4,
  OBJECT_SIGNALED: 0x8,
  OBJECT_SIGNAL_4: 0x10,
  OBJECT_SIGNAL_5: 0x20,
  OBJECT_SIGNAL_10: 0x400,
  OBJECT_SIGNAL_11: 0x800,
  /** In `observed` and `pending` only: the handle waited on was closed or passed on. */
  HANDLE_CLOSED: 0x800000,

  USER_0: 0x1000000,
  USER_1: 0x2000000,
  USER_2: 0x4000000,
  USER_3: 0x8000000,
  USER_4: 0x10000000,
  USER_5: 0x20000000,
  USER_6: 0x40000000,
  USER_7: 0x80000000,
  USER_ALL: 0xff000000,
  KERNEL_ALL: 0x00ffffff,

  CHANNEL_READABLE: 0x1,
  CHANNEL_WRITABLE: 0x2,
  CHANNEL_PEER_CLOSED: 0x4,

  CLOCK_STARTED: 0x10,
  CLOCK_UPDATED: 0x20,

  COUNTER_SIGNALED: 0x8,
  COUNTER_POSITIVE: 0x10,
  COUNTER_NON_POSITIVE: 0x20,

  EVENT_SIGNALED: 0x8,

  EVENTPAIR_SIGNALED: 0x8,
  EVENTPAIR_PEER_CLOSED: 0x4,

  FIFO_READABLE: 0x1,
  FIFO_WRITABLE: 0x2,
  FIFO_PEER_CLOSED: 0x4,

  IOB_PEER_CLOSED: 0x4,
  IOB_SHARED_REGION_UPDATED: 0x8,

  LOG_READABLE: 0x1,
  LOG_WRITABLE: 0x2,

  JOB_TERMINATED: 0x8,
  JOB_NO_JOBS: 0x10,
  JOB_NO_PROCESSES: 0x20,

  PROCESS_TERMINATED: 0x8,

  SOCKET_READABLE: 0x1,
  SOCKET_WRITABLE: 0x2,
  SOCKET_PEER_CLOSED: 0x4,
  SOCKET_PEER_WRITE_DISABLED: 0x10,
  SOCKET_WRITE_DISABLED: 0x20,
  SOCKET_READ_THRESHOLD: 0x400,
  SOCKET_WRITE_THRESHOLD: 0x800,

  /** Of any task: job, process or thread. */
  TASK_TERMINATED: 0x8,

  THREAD_TERMINATED: 0x8,
  THREAD_RUNNING: 0x10,
  THREAD_SUSPENDED: 0x20,

  TIMER_SIGNALED: 0x8,

  VIRTUAL_INTERRUPT_UNTRIGGERED: 0x10,

  VMO_ZERO_CHILDREN: 0x8,
} as const;

/** What `zx_object_signal` and `zx_object_signal_peer` may set and clear on an object: else ZX_ERR_INVALID_ARGS. */
export function settableSignals(type: ObjectTypeName): number {
  const more = type === 'event' || type === 'eventpair' || type === 'counter' ? Signal.OBJECT_SIGNALED : 0;
  return Signal.USER_ALL + more;
}

const PREFIX: Partial<Record<ObjectTypeName, string>> = {
  debuglog: 'LOG',
  'iob-shared-region': 'IOB_SHARED_REGION',
  interrupt: 'VIRTUAL_INTERRUPT',
};

/** The names of the signals in a mask on an object, lowest bit first: `READABLE`, `USER_0`. Unknown bits as hexadecimal. */
export function signalNames(type: ObjectTypeName, mask: number): string[] {
  const own = `${PREFIX[type] ?? type.toUpperCase()}_`;
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const value = 2 ** bit;
    if (((mask >>> bit) & 1) === 0) continue;
    names.push(signalName(own, value) ?? `0x${value.toString(16)}`);
  }
  return names;
}

function signalName(own: string, value: number): string | undefined {
  for (const [name, signal] of Object.entries(Signal)) {
    if (signal !== value) continue;
    if (name === 'HANDLE_CLOSED' || name.startsWith('USER_')) return name;
    if (name.startsWith(own)) return name.slice(own.length);
  }
  return undefined;
}
