import { fields, type Layouts } from './layout.js';

/** Structs of zircon/syscalls/policy.h. */
export const POLICY_LAYOUTS = {
  zx_policy_basic_v1_t: fields('uint32_t condition', 'uint32_t policy'),
  zx_policy_basic_v2_t: fields('uint32_t condition', 'uint32_t action', 'uint32_t flags'),
  zx_policy_timer_slack_t: fields('zx_duration_t min_slack', 'uint32_t default_mode', 'uint8_t padding1[4]'),
} as const satisfies Layouts;
