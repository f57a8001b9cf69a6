import { fields, type Layouts } from './layout.js';

/** Structs of zircon/syscalls/iob.h. */
export const IOB_LAYOUTS = {
  zx_iob_discipline_t: fields('uint64_t type', 'uint64_t reserved[8]'),
  zx_iob_region_private_t: fields('uint32_t options', 'uint32_t padding1', 'uint64_t padding2[3]'),
  zx_iob_region_t: fields(
    'uint32_t type',
    'uint32_t access',
    'uint64_t size',
    'zx_iob_discipline_t discipline',
    'zx_iob_region_private_t private_region',
  ),
} as const satisfies Layouts;
