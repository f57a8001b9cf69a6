import type { ObjectTypeName } from './object-types.js';
import { Right } from './rights.js';
import type { StructName } from './structs.js';

/** Topics of `zx_object_get_info` and properties of `zx_object_get_property`. Source: zircon/syscalls/object.h. */

/** `ZX_INFO_*`; the top four bits are the version of the record. */
export const InfoTopic = {
  HANDLE_VALID: 0x1,
  HANDLE_BASIC: 0x2,
  PROCESS: 0x10000003,
  PROCESS_THREADS: 0x4,
  VMAR: 0x7,
  JOB_CHILDREN: 0x8,
  JOB_PROCESSES: 0x9,
  THREAD: 0xa,
  THREAD_EXCEPTION_REPORT: 0x1000000b,
  THREAD_EXCEPTION_REPORT_V1: 0xb,
  TASK_STATS: 0x1000000c,
  PROCESS_MAPS: 0x2000000d,
  PROCESS_VMOS: 0x3000000e,
  THREAD_STATS: 0xf,
  CPU_STATS: 0x10,
  KMEM_STATS: 0x10000011,
  RESOURCE: 0x12,
  HANDLE_COUNT: 0x13,
  BTI: 0x14,
  PROCESS_HANDLE_STATS: 0x15,
  SOCKET: 0x16,
  VMO: 0x30000017,
  JOB: 0x18,
  TIMER: 0x19,
  STREAM: 0x1a,
  HANDLE_TABLE: 0x1b,
  MSI: 0x1c,
  GUEST_STATS: 0x1d,
  TASK_RUNTIME: 0x1000001e,
  KMEM_STATS_EXTENDED: 0x1f,
  VCPU: 0x20,
  KMEM_STATS_COMPRESSION: 0x21,
  IOB: 0x22,
  IOB_REGIONS: 0x23,
  VMAR_MAPS: 0x24,
  POWER_DOMAINS: 0x25,
  MEMORY_STALL: 0x26,
  INTERRUPT: 0x27,
  CLOCK_MAPPED_SIZE: 0x28,
} as const;

export type InfoTopicName = keyof typeof InfoTopic;

export interface InfoTopicSpec {
  /** The struct written, one or (`list`) many; null for koids, and where the layout is not in the table yet. */
  readonly record: StructName | null;
  /**
   * A list gives what fits (`actual`) of what there is (`avail`), ZX_OK even when short; a single record that does not
   * fit is ZX_ERR_BUFFER_TOO_SMALL with `actual` 0 and `avail` 1.
   */
  readonly list: boolean;
  /** Objects that have the topic. */
  readonly types: readonly ObjectTypeName[] | 'any';
  readonly rights: number;
}

/**
 * What each topic gives of what. HANDLE_VALID raises no BAD_HANDLE policy; the lists of mappings and VMOs of the
 * calling process itself are ZX_ERR_ACCESS_DENIED; THREAD_EXCEPTION_REPORT outside an exception is ZX_ERR_BAD_STATE.
 */
export const INFO_TOPICS: Readonly<Record<InfoTopicName, InfoTopicSpec>> = {
  HANDLE_VALID: { record: null, list: false, types: 'any', rights: Right.NONE },
  HANDLE_BASIC: { record: 'zx_info_handle_basic_t', list: false, types: 'any', rights: Right.NONE },
  PROCESS: { record: 'zx_info_process_t', list: false, types: ['process'], rights: Right.INSPECT },
  PROCESS_THREADS: { record: null, list: true, types: ['process'], rights: Right.ENUMERATE },
  VMAR: { record: 'zx_info_vmar_t', list: false, types: ['vmar'], rights: Right.INSPECT },
  JOB_CHILDREN: { record: null, list: true, types: ['job'], rights: Right.ENUMERATE },
  JOB_PROCESSES: { record: null, list: true, types: ['job'], rights: Right.ENUMERATE },
  THREAD: { record: 'zx_info_thread_t', list: false, types: ['thread'], rights: Right.INSPECT },
  THREAD_EXCEPTION_REPORT: {
    record: 'zx_exception_report_t',
    list: false,
    types: ['thread'],
    rights: Right.INSPECT,
  },
  THREAD_EXCEPTION_REPORT_V1: { record: null, list: false, types: ['thread'], rights: Right.INSPECT },
  TASK_STATS: { record: 'zx_info_task_stats_t', list: false, types: ['process'], rights: Right.INSPECT },
  PROCESS_MAPS: { record: 'zx_info_maps_t', list: true, types: ['process'], rights: Right.INSPECT },
  PROCESS_VMOS: { record: 'zx_info_vmo_t', list: true, types: ['process'], rights: Right.INSPECT },
  THREAD_STATS: { record: 'zx_info_thread_stats_t', list: false, types: ['thread'], rights: Right.INSPECT },
  CPU_STATS: { record: 'zx_info_cpu_stats_t', list: true, types: ['resource'], rights: Right.NONE },
  KMEM_STATS: { record: null, list: false, types: ['resource'], rights: Right.NONE },
  RESOURCE: { record: 'zx_info_resource_t', list: false, types: ['resource'], rights: Right.INSPECT },
  HANDLE_COUNT: { record: 'zx_info_handle_count_t', list: false, types: 'any', rights: Right.INSPECT },
  BTI: { record: null, list: false, types: ['bti'], rights: Right.INSPECT },
  PROCESS_HANDLE_STATS: {
    record: 'zx_info_process_handle_stats_t',
    list: false,
    types: ['process'],
    rights: Right.INSPECT,
  },
  SOCKET: { record: 'zx_info_socket_t', list: false, types: ['socket'], rights: Right.INSPECT },
  VMO: { record: 'zx_info_vmo_t', list: false, types: ['vmo'], rights: Right.NONE },
  JOB: { record: 'zx_info_job_t', list: false, types: ['job'], rights: Right.INSPECT },
  TIMER: { record: 'zx_info_timer_t', list: false, types: ['timer'], rights: Right.INSPECT },
  STREAM: { record: 'zx_info_stream_t', list: false, types: ['stream'], rights: Right.INSPECT },
  HANDLE_TABLE: {
    record: 'zx_info_handle_extended_t',
    list: true,
    types: ['process'],
    rights: Right.INSPECT | Right.MANAGE_PROCESS | Right.MANAGE_THREAD,
  },
  MSI: { record: null, list: false, types: ['msi'], rights: Right.INSPECT },
  GUEST_STATS: { record: null, list: false, types: ['resource'], rights: Right.NONE },
  TASK_RUNTIME: {
    record: 'zx_info_task_runtime_t',
    list: false,
    types: ['job', 'process', 'thread'],
    rights: Right.INSPECT,
  },
  KMEM_STATS_EXTENDED: { record: null, list: false, types: ['resource'], rights: Right.NONE },
  VCPU: { record: null, list: false, types: ['vcpu'], rights: Right.INSPECT },
  KMEM_STATS_COMPRESSION: { record: null, list: false, types: ['resource'], rights: Right.NONE },
  IOB: { record: 'zx_info_iob_t', list: false, types: ['iob'], rights: Right.INSPECT },
  IOB_REGIONS: { record: 'zx_iob_region_info_t', list: true, types: ['iob'], rights: Right.INSPECT },
  VMAR_MAPS: { record: 'zx_info_maps_t', list: true, types: ['vmar'], rights: Right.INSPECT },
  POWER_DOMAINS: { record: null, list: false, types: ['resource'], rights: Right.NONE },
  MEMORY_STALL: { record: null, list: false, types: ['resource'], rights: Right.NONE },
  INTERRUPT: { record: 'zx_info_interrupt_t', list: false, types: ['interrupt'], rights: Right.INSPECT },
  CLOCK_MAPPED_SIZE: { record: null, list: false, types: ['clock'], rights: Right.INSPECT },
};

/** `ZX_PROP_*`. */
export const Property = {
  REGISTER_GS: 2,
  NAME: 3,
  REGISTER_FS: 4,
  PROCESS_DEBUG_ADDR: 5,
  PROCESS_VDSO_BASE_ADDRESS: 6,
  PROCESS_BREAK_ON_LOAD: 7,
  PROCESS_HW_TRACE_CONTEXT_ID: 8,
  SOCKET_RX_THRESHOLD: 12,
  SOCKET_TX_THRESHOLD: 13,
  JOB_KILL_ON_OOM: 15,
  EXCEPTION_STATE: 16,
  VMO_CONTENT_SIZE: 17,
  EXCEPTION_STRATEGY: 18,
  STREAM_MODE_APPEND: 19,
} as const;

export type PropertyName = keyof typeof Property;

export interface PropertySpec {
  /** A value of another size is ZX_ERR_BUFFER_TOO_SMALL when shorter. */
  readonly sizeBytes: number;
  /** Objects that have it: ZX_ERR_WRONG_TYPE on others. */
  readonly types: readonly ObjectTypeName[] | 'any';
  readonly get: boolean;
  readonly set: boolean;
}

/** FS, GS and the trace context exist on x64 alone. */
export const PROPERTIES: Readonly<Record<PropertyName, PropertySpec>> = {
  REGISTER_GS: { sizeBytes: 8, types: ['thread'], get: false, set: true },
  NAME: { sizeBytes: 32, types: 'any', get: true, set: true },
  REGISTER_FS: { sizeBytes: 8, types: ['thread'], get: false, set: true },
  PROCESS_DEBUG_ADDR: { sizeBytes: 8, types: ['process'], get: true, set: true },
  PROCESS_VDSO_BASE_ADDRESS: { sizeBytes: 8, types: ['process'], get: true, set: false },
  PROCESS_BREAK_ON_LOAD: { sizeBytes: 8, types: ['process'], get: true, set: true },
  PROCESS_HW_TRACE_CONTEXT_ID: { sizeBytes: 8, types: ['process'], get: true, set: false },
  SOCKET_RX_THRESHOLD: { sizeBytes: 8, types: ['socket'], get: true, set: true },
  SOCKET_TX_THRESHOLD: { sizeBytes: 8, types: ['socket'], get: true, set: true },
  JOB_KILL_ON_OOM: { sizeBytes: 8, types: ['job'], get: false, set: true },
  EXCEPTION_STATE: { sizeBytes: 4, types: ['exception'], get: true, set: true },
  VMO_CONTENT_SIZE: { sizeBytes: 8, types: ['vmo'], get: true, set: true },
  EXCEPTION_STRATEGY: { sizeBytes: 4, types: ['exception'], get: true, set: true },
  STREAM_MODE_APPEND: { sizeBytes: 1, types: ['stream'], get: true, set: true },
};

const TOPIC_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(InfoTopic).map(([name, value]) => [value, `ZX_INFO_${name}`]),
);

/** `0x2` → `'ZX_INFO_HANDLE_BASIC'`; an unknown number as hexadecimal text. */
export function infoTopicName(topic: number): string {
  return TOPIC_NAMES.get(topic) ?? `0x${topic.toString(16)}`;
}
