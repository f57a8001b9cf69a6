import { fields, type Layouts } from './layout.js';

/** Structs of zircon/types.h. */
export const TYPES_LAYOUTS = {
  zx_wait_item_t: fields('zx_handle_t handle', 'zx_signals_t waitfor', 'zx_signals_t pending'),
  zx_handle_info_t: fields(
    'zx_handle_t handle',
    'zx_obj_type_t type',
    'zx_rights_t rights',
    'uint32_t unused',
  ),
  zx_handle_disposition_t: fields(
    'zx_handle_op_t operation',
    'zx_handle_t handle',
    'zx_obj_type_t type',
    'zx_rights_t rights',
    'zx_status_t result',
  ),
  zx_channel_call_args_t: fields(
    'const void* wr_bytes',
    'const zx_handle_t* wr_handles',
    'void* rd_bytes',
    'zx_handle_t* rd_handles',
    'uint32_t wr_num_bytes',
    'uint32_t wr_num_handles',
    'uint32_t rd_num_bytes',
    'uint32_t rd_num_handles',
  ),
  zx_channel_call_etc_args_t: fields(
    'const void* wr_bytes',
    'zx_handle_disposition_t* wr_handles',
    'void* rd_bytes',
    'zx_handle_info_t* rd_handles',
    'uint32_t wr_num_bytes',
    'uint32_t wr_num_handles',
    'uint32_t rd_num_bytes',
    'uint32_t rd_num_handles',
  ),
  zx_channel_iovec_t: fields('const void* buffer', 'uint32_t capacity', 'uint32_t reserved'),
  zx_iovec_t: fields('void* buffer', 'size_t capacity'),
  zx_vmo_dirty_range_t: fields('uint64_t offset', 'uint64_t length', 'uint64_t options'),
  zx_pager_vmo_stats_t: fields('uint32_t modified'),
  zx_vmo_lock_state_t: fields(
    'uint64_t offset',
    'uint64_t size',
    'uint64_t discarded_offset',
    'uint64_t discarded_size',
  ),
} as const satisfies Layouts;
