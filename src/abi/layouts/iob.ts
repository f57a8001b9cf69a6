import { fields, type Layouts } from './layout.js';

/** Structs of zircon/syscalls/iob.h, and of zircon/syscalls-next.h: those of shared regions and disciplines. */
export const IOB_LAYOUTS = {
  zx_iob_discipline_t: fields('uint64_t type', 'uint64_t reserved[8]'),
  /** The extension of a ring buffer's discipline: in the place of `reserved`. */
  zx_iob_discipline_mediated_write_ring_buffer_t: fields('uint64_t tag', 'uint64_t reserved[7]'),
  zx_iob_region_private_t: fields('uint32_t options', 'uint32_t padding1', 'uint64_t padding2[3]'),
  /** What a region of type SHARED has in the place of `private_region`. */
  zx_iob_region_shared_t: fields('uint32_t options', 'zx_handle_t shared_region', 'uint64_t padding[3]'),
  zx_iob_region_t: fields(
    'uint32_t type',
    'uint32_t access',
    'uint64_t size',
    'zx_iob_discipline_t discipline',
    'zx_iob_region_private_t private_region',
  ),
  zx_iob_region_info_t: fields('zx_iob_region_t region', 'zx_koid_t koid'),
} as const satisfies Layouts;
