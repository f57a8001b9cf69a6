import { fields, type Layouts } from './layout.js';

/** Structs of zircon/processargs.h. */
export const PROCESSARGS_LAYOUTS = {
  zx_proc_args_t: fields(
    'uint32_t protocol',
    'uint32_t version',
    'uint32_t handle_info_off',
    'uint32_t args_off',
    'uint32_t args_num',
    'uint32_t environ_off',
    'uint32_t environ_num',
    'uint32_t names_off',
    'uint32_t names_num',
  ),
} as const satisfies Layouts;
