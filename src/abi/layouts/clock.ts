import { fields, type Layouts } from './layout.js';

/** Structs of zircon/syscalls/clock.h. */
export const CLOCK_LAYOUTS = {
  zx_clock_rate_t: fields('uint32_t synthetic_ticks', 'uint32_t reference_ticks'),
  zx_clock_transformation_t: fields(
    'int64_t reference_offset',
    'int64_t synthetic_offset',
    'zx_clock_rate_t rate',
  ),
  zx_clock_details_v1_t: fields(
    'uint64_t options',
    'zx_time_t backstop_time',
    'zx_clock_transformation_t ticks_to_synthetic',
    'zx_clock_transformation_t mono_to_synthetic',
    'uint64_t error_bound',
    'zx_ticks_t query_ticks',
    'zx_ticks_t last_value_update_ticks',
    'zx_ticks_t last_rate_adjust_update_ticks',
    'zx_ticks_t last_error_bounds_update_ticks',
    'uint32_t generation_counter',
    'uint8_t padding1[4]',
  ),
  zx_clock_create_args_v1_t: fields('zx_time_t backstop_time'),
  zx_clock_update_args_v1_t: fields(
    'int32_t rate_adjust',
    'uint8_t padding1[4]',
    'int64_t value',
    'uint64_t error_bound',
  ),
  zx_clock_update_args_v2_t: fields(
    'int32_t rate_adjust',
    'uint8_t padding1[4]',
    'int64_t synthetic_value',
    'int64_t reference_value',
    'uint64_t error_bound',
  ),
} as const satisfies Layouts;
