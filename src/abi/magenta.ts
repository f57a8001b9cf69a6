import type { SyscallName } from './calls/numbers.js';
import { VmoOption } from './vm.js';

/**
 * Calls of Magenta, as Zircon was called until September 2017, that today's kernel can answer as it did. The vDSO of
 * the vintage `magenta` exports them besides `zx_*`. Source: magenta/syscalls.sysgen of August 2017.
 *
 * Left out, because they gave or took something that nothing gives or takes now: mx_channel_call and
 * mx_vmo_read/write (more results), mx_cprng_draw (a status), mx_fifo_read/write (bytes, not elements),
 * mx_task_suspend/resume (no token), mx_thread_read_state, exception ports, cookies, logs and drivers.
 */
export interface MagentaCall {
  readonly name: string;
  readonly call: SyscallName;
  readonly returns?: string;
  /** C declarations of its arguments. An `mx_time_t` has no sign: what is negative today is infinite. */
  readonly args: readonly string[];
  /**
   * For each argument of today's call, which argument of this one it is, or what it is always. Not given when the
   * first are the same and this one has no fewer.
   */
  readonly from?: readonly (number | { readonly value: number })[];
  /** The argument that must be zero, else MX_ERR_NOT_SUPPORTED: its other values have nothing to stand for them. */
  readonly onlyZero?: number;
}

const HANDLE = 'mx_handle_t handle';
const OPTIONS = 'uint32_t options';
const OUT = 'mx_handle_t* out';
const PAIR = ['mx_handle_t* out0', 'mx_handle_t* out1'];

export const MAGENTA_CALLS: readonly MagentaCall[] = [
  { name: 'mx_nanosleep', call: 'zx_nanosleep', args: ['mx_time_t deadline'] },
  {
    name: 'mx_time_get',
    call: 'zx_clock_get_monotonic',
    returns: 'mx_time_t',
    args: ['uint32_t clock_id'],
    from: [],
    onlyZero: 0,
  },
  { name: 'mx_ticks_get', call: 'zx_ticks_get', returns: 'uint64_t', args: [] },
  { name: 'mx_ticks_per_second', call: 'zx_ticks_per_second', returns: 'uint64_t', args: [] },
  {
    name: 'mx_deadline_after',
    call: 'zx_deadline_after',
    returns: 'mx_time_t',
    args: ['mx_duration_t nanoseconds'],
  },
  { name: 'mx_system_get_num_cpus', call: 'zx_system_get_num_cpus', returns: 'uint32_t', args: [] },
  { name: 'mx_system_get_physmem', call: 'zx_system_get_physmem', returns: 'uint64_t', args: [] },
  {
    name: 'mx_cache_flush',
    call: 'zx_cache_flush',
    args: ['const void* addr', 'size_t len', OPTIONS],
  },
  { name: 'mx_handle_close', call: 'zx_handle_close', args: [HANDLE] },
  { name: 'mx_handle_duplicate', call: 'zx_handle_duplicate', args: [HANDLE, 'mx_rights_t rights', OUT] },
  { name: 'mx_handle_replace', call: 'zx_handle_replace', args: [HANDLE, 'mx_rights_t rights', OUT] },
  {
    name: 'mx_object_wait_one',
    call: 'zx_object_wait_one',
    args: [HANDLE, 'mx_signals_t waitfor', 'mx_time_t deadline', 'mx_signals_t* observed'],
  },
  {
    name: 'mx_object_wait_many',
    call: 'zx_object_wait_many',
    args: ['mx_wait_item_t* items', 'uint32_t count', 'mx_time_t deadline'],
  },
  {
    name: 'mx_object_wait_async',
    call: 'zx_object_wait_async',
    args: [HANDLE, 'mx_handle_t port_handle', 'uint64_t key', 'mx_signals_t signals', OPTIONS],
    onlyZero: 4,
  },
  {
    name: 'mx_object_signal',
    call: 'zx_object_signal',
    args: [HANDLE, 'uint32_t clear_mask', 'uint32_t set_mask'],
  },
  {
    name: 'mx_object_signal_peer',
    call: 'zx_object_signal_peer',
    args: [HANDLE, 'uint32_t clear_mask', 'uint32_t set_mask'],
  },
  {
    name: 'mx_object_get_property',
    call: 'zx_object_get_property',
    args: [HANDLE, 'uint32_t property', 'void* value', 'size_t size'],
  },
  {
    name: 'mx_object_set_property',
    call: 'zx_object_set_property',
    args: [HANDLE, 'uint32_t property', 'const void* value', 'size_t size'],
  },
  {
    name: 'mx_object_get_info',
    call: 'zx_object_get_info',
    args: [
      HANDLE,
      'uint32_t topic',
      'void* buffer',
      'size_t buffer_size',
      'size_t* actual_count',
      'size_t* avail_count',
    ],
  },
  {
    name: 'mx_object_get_child',
    call: 'zx_object_get_child',
    args: [HANDLE, 'uint64_t koid', 'mx_rights_t rights', OUT],
  },
  { name: 'mx_channel_create', call: 'zx_channel_create', args: [OPTIONS, ...PAIR] },
  {
    name: 'mx_channel_read',
    call: 'zx_channel_read',
    args: [
      HANDLE,
      OPTIONS,
      'void* bytes',
      'mx_handle_t* handles',
      'uint32_t num_bytes',
      'uint32_t num_handles',
      'uint32_t* actual_bytes',
      'uint32_t* actual_handles',
    ],
  },
  {
    name: 'mx_channel_write',
    call: 'zx_channel_write',
    args: [
      HANDLE,
      OPTIONS,
      'const void* bytes',
      'uint32_t num_bytes',
      'const mx_handle_t* handles',
      'uint32_t num_handles',
    ],
  },
  { name: 'mx_socket_create', call: 'zx_socket_create', args: [OPTIONS, ...PAIR] },
  {
    name: 'mx_socket_write',
    call: 'zx_socket_write',
    args: [HANDLE, OPTIONS, 'const void* buffer', 'size_t size', 'size_t* actual'],
  },
  {
    name: 'mx_socket_read',
    call: 'zx_socket_read',
    args: [HANDLE, OPTIONS, 'void* buffer', 'size_t size', 'size_t* actual'],
  },
  { name: 'mx_thread_exit', call: 'zx_thread_exit', args: [] },
  {
    name: 'mx_thread_create',
    call: 'zx_thread_create',
    args: ['mx_handle_t process', 'const char* name', 'uint32_t name_len', OPTIONS, OUT],
  },
  {
    name: 'mx_thread_start',
    call: 'zx_thread_start',
    args: [HANDLE, 'uintptr_t thread_entry', 'uintptr_t stack', 'uintptr_t arg1', 'uintptr_t arg2'],
  },
  { name: 'mx_process_exit', call: 'zx_process_exit', args: ['int retcode'] },
  {
    name: 'mx_process_create',
    call: 'zx_process_create',
    args: [
      'mx_handle_t job',
      'const char* name',
      'uint32_t name_len',
      OPTIONS,
      'mx_handle_t* proc_handle',
      'mx_handle_t* vmar_handle',
    ],
  },
  {
    name: 'mx_process_start',
    call: 'zx_process_start',
    args: [
      'mx_handle_t process_handle',
      'mx_handle_t thread_handle',
      'uintptr_t entry',
      'uintptr_t stack',
      'mx_handle_t arg_handle',
      'uintptr_t arg2',
    ],
  },
  {
    name: 'mx_process_read_memory',
    call: 'zx_process_read_memory',
    args: ['mx_handle_t proc', 'uintptr_t vaddr', 'void* buffer', 'size_t len', 'size_t* actual'],
  },
  {
    name: 'mx_process_write_memory',
    call: 'zx_process_write_memory',
    args: ['mx_handle_t proc', 'uintptr_t vaddr', 'const void* buffer', 'size_t len', 'size_t* actual'],
  },
  { name: 'mx_job_create', call: 'zx_job_create', args: ['mx_handle_t parent_job', OPTIONS, OUT] },
  {
    name: 'mx_job_set_policy',
    call: 'zx_job_set_policy',
    args: ['mx_handle_t job', OPTIONS, 'uint32_t topic', 'const void* policy', 'uint32_t count'],
  },
  { name: 'mx_task_kill', call: 'zx_task_kill', args: ['mx_handle_t task_handle'] },
  { name: 'mx_event_create', call: 'zx_event_create', args: [OPTIONS, OUT] },
  { name: 'mx_eventpair_create', call: 'zx_eventpair_create', args: [OPTIONS, ...PAIR] },
  {
    name: 'mx_futex_wait',
    call: 'zx_futex_wait',
    args: ['mx_futex_t* value_ptr', 'int current_value', 'mx_time_t deadline'],
    from: [0, 1, { value: 0 }, 2],
  },
  { name: 'mx_futex_wake', call: 'zx_futex_wake', args: ['const mx_futex_t* value_ptr', 'uint32_t count'] },
  {
    name: 'mx_futex_requeue',
    call: 'zx_futex_requeue',
    args: [
      'mx_futex_t* wake_ptr',
      'uint32_t wake_count',
      'int current_value',
      'mx_futex_t* requeue_ptr',
      'uint32_t requeue_count',
    ],
    from: [0, 1, 2, 3, 4, { value: 0 }],
  },
  { name: 'mx_port_create', call: 'zx_port_create', args: [OPTIONS, OUT] },
  { name: 'mx_port_queue', call: 'zx_port_queue', args: [HANDLE, 'const void* packet', 'size_t size'] },
  {
    name: 'mx_port_wait',
    call: 'zx_port_wait',
    args: [HANDLE, 'mx_time_t deadline', 'void* packet', 'size_t size'],
  },
  {
    name: 'mx_port_cancel',
    call: 'zx_port_cancel',
    args: [HANDLE, 'mx_handle_t source', 'uint64_t key'],
  },
  { name: 'mx_timer_create', call: 'zx_timer_create', args: [OPTIONS, 'uint32_t clock_id', OUT] },
  {
    name: 'mx_timer_set',
    call: 'zx_timer_set',
    args: [HANDLE, 'mx_time_t deadline', 'mx_duration_t slack'],
  },
  { name: 'mx_timer_cancel', call: 'zx_timer_cancel', args: [HANDLE] },
  {
    name: 'mx_vmo_create',
    call: 'zx_vmo_create',
    args: ['uint64_t size', OPTIONS, OUT],
    from: [0, { value: VmoOption.RESIZABLE }, 2],
    onlyZero: 1,
  },
  {
    name: 'mx_vmo_clone',
    call: 'zx_vmo_create_child',
    args: [HANDLE, OPTIONS, 'uint64_t offset', 'uint64_t size', OUT],
  },
  { name: 'mx_vmo_set_size', call: 'zx_vmo_set_size', args: [HANDLE, 'uint64_t size'] },
  { name: 'mx_vmo_get_size', call: 'zx_vmo_get_size', args: [HANDLE, 'uint64_t* size'] },
  {
    name: 'mx_vmo_op_range',
    call: 'zx_vmo_op_range',
    args: [HANDLE, 'uint32_t op', 'uint64_t offset', 'uint64_t size', 'void* buffer', 'size_t buffer_size'],
  },
  {
    name: 'mx_vmar_allocate',
    call: 'zx_vmar_allocate',
    args: [
      'mx_handle_t parent_vmar_handle',
      'size_t offset',
      'size_t size',
      'uint32_t map_flags',
      'mx_handle_t* child_vmar',
      'uintptr_t* child_addr',
    ],
    from: [0, 3, 1, 2, 4, 5],
  },
  { name: 'mx_vmar_destroy', call: 'zx_vmar_destroy', args: ['mx_handle_t vmar_handle'] },
  {
    name: 'mx_vmar_map',
    call: 'zx_vmar_map',
    args: [
      'mx_handle_t vmar_handle',
      'size_t vmar_offset',
      'mx_handle_t vmo_handle',
      'uint64_t vmo_offset',
      'size_t len',
      'uint32_t map_flags',
      'uintptr_t* mapped_addr',
    ],
    from: [0, 5, 1, 2, 3, 4, 6],
  },
  {
    name: 'mx_vmar_unmap',
    call: 'zx_vmar_unmap',
    args: ['mx_handle_t vmar_handle', 'uintptr_t addr', 'size_t len'],
  },
  {
    name: 'mx_vmar_protect',
    call: 'zx_vmar_protect',
    args: ['mx_handle_t vmar_handle', 'uintptr_t addr', 'size_t len', 'uint32_t prot_flags'],
    from: [0, 3, 1, 2],
  },
  { name: 'mx_cprng_add_entropy', call: 'zx_cprng_add_entropy', args: ['const void* buffer', 'size_t len'] },
  {
    name: 'mx_fifo_create',
    call: 'zx_fifo_create',
    args: ['uint32_t elem_count', 'uint32_t elem_size', OPTIONS, ...PAIR],
  },
  { name: 'mx_debug_write', call: 'zx_debug_write', args: ['const void* buffer', 'uint32_t length'] },
];
