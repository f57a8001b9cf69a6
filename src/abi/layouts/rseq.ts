import { aligned, type Layouts } from './layout.js';

/** Structs of zircon/syscalls/rseq.h. */
export const RSEQ_LAYOUTS = {
  zx_rseq_t: aligned(
    32,
    'uint32_t cpu_id',
    'uint32_t reserved',
    'zx_vaddr_t start_ip',
    'size_t post_commit_offset',
    'zx_vaddr_t abort_ip',
  ),
} as const satisfies Layouts;
