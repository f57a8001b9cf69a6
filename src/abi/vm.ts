/** Memory: VMAR and VMO options, and where user addresses lie. Sources: zircon/types.h, zircon/syscalls/object.h. */

/** `ZX_VM_*` option bits of `zx_vmar_allocate`, `zx_vmar_map` and `zx_vmar_protect`. */
export const VmOption = {
  PERM_READ: 0x1,
  PERM_WRITE: 0x2,
  PERM_EXECUTE: 0x4,
  COMPACT: 0x8,
  SPECIFIC: 0x10,
  SPECIFIC_OVERWRITE: 0x20,
  CAN_MAP_SPECIFIC: 0x40,
  CAN_MAP_READ: 0x80,
  CAN_MAP_WRITE: 0x100,
  CAN_MAP_EXECUTE: 0x200,
  MAP_RANGE: 0x400,
  REQUIRE_NON_RESIZABLE: 0x800,
  ALLOW_FAULTS: 0x1000,
  OFFSET_IS_UPPER_LIMIT: 0x2000,
  PERM_READ_IF_XOM_UNSUPPORTED: 0x4000,
  FAULT_BEYOND_STREAM_SIZE: 0x8000,
} as const;

/** `ZX_VM_ALIGN_*`: log2 of the alignment in bytes, in this field; 0 is none, else from 2^10 to 2^32. */
export const VM_ALIGN_SHIFT = 24;
export const VM_ALIGN_MASK = 0xff000000;
export const VM_ALIGN_LOG2_MIN = 10;
export const VM_ALIGN_LOG2_MAX = 32;

/** The option bits each call takes; others are ZX_ERR_INVALID_ARGS. */
export const VM_ALLOCATE_OPTIONS =
  VmOption.COMPACT +
  VmOption.SPECIFIC +
  VmOption.OFFSET_IS_UPPER_LIMIT +
  VmOption.CAN_MAP_SPECIFIC +
  VmOption.CAN_MAP_READ +
  VmOption.CAN_MAP_WRITE +
  VmOption.CAN_MAP_EXECUTE +
  VM_ALIGN_MASK;
export const VM_PROTECT_OPTIONS =
  VmOption.PERM_READ + VmOption.PERM_WRITE + VmOption.PERM_EXECUTE + VmOption.PERM_READ_IF_XOM_UNSUPPORTED;
export const VM_MAP_OPTIONS =
  VM_PROTECT_OPTIONS +
  VmOption.SPECIFIC +
  VmOption.SPECIFIC_OVERWRITE +
  VmOption.OFFSET_IS_UPPER_LIMIT +
  VmOption.MAP_RANGE +
  VmOption.REQUIRE_NON_RESIZABLE +
  VmOption.ALLOW_FAULTS +
  VmOption.FAULT_BEYOND_STREAM_SIZE +
  VM_ALIGN_MASK;

/** `ZX_VMAR_OP_*`. */
export const VmarOp = {
  COMMIT: 1,
  DECOMMIT: 2,
  MAP_RANGE: 3,
  ZERO: 10,
  DONT_NEED: 12,
  ALWAYS_NEED: 13,
  PREFETCH: 14,
} as const;

/** Options of `zx_vmo_create`: `ZX_VMO_*`. */
export const VmoOption = { RESIZABLE: 0x2, DISCARDABLE: 0x4, TRAP_DIRTY: 0x8, UNBOUNDED: 0x10 } as const;

/** Options of `zx_vmo_create_child`: `ZX_VMO_CHILD_*`. */
export const VmoChildOption = {
  SNAPSHOT: 0x1,
  RESIZABLE: 0x4,
  SLICE: 0x8,
  SNAPSHOT_AT_LEAST_ON_WRITE: 0x10,
  NO_WRITE: 0x20,
  REFERENCE: 0x40,
  SNAPSHOT_MODIFIED: 0x80,
} as const;

/** `ZX_VMO_OP_*`; 5 was given up. */
export const VmoOp = {
  COMMIT: 1,
  DECOMMIT: 2,
  LOCK: 3,
  UNLOCK: 4,
  CACHE_SYNC: 6,
  CACHE_INVALIDATE: 7,
  CACHE_CLEAN: 8,
  CACHE_CLEAN_INVALIDATE: 9,
  ZERO: 10,
  TRY_LOCK: 11,
  DONT_NEED: 12,
  ALWAYS_NEED: 13,
  PREFETCH: 14,
} as const;

/** `ZX_PAGER_OP_*`. */
export const PagerOp = { FAIL: 1, DIRTY: 2, WRITEBACK_BEGIN: 3, WRITEBACK_END: 4 } as const;

/** `command` of `zx_packet_page_request_t`: `ZX_PAGER_VMO_*`. */
export const PagerCommand = { READ: 0, COMPLETE: 1, DIRTY: 2 } as const;

/** `options` of `zx_vmo_dirty_range_t`, and `data` of `ZX_PAGER_OP_WRITEBACK_BEGIN`: `ZX_VMO_DIRTY_RANGE_*`. */
export const DirtyRangeOption = { IS_ZERO: 1n } as const;

/** `modified` of `zx_pager_vmo_stats_t`, and an option of `zx_pager_query_vmo_stats`. */
export const PAGER_VMO_STATS_MODIFIED = 1;
export const PAGER_RESET_VMO_STATS = 1;

/** `flags` of `zx_info_vmo_t`: `ZX_INFO_VMO_*`. */
export const VmoInfoFlag = {
  TYPE_PAGED: 0x1,
  RESIZABLE: 0x2,
  IS_COW_CLONE: 0x4,
  VIA_HANDLE: 0x8,
  VIA_MAPPING: 0x10,
  PAGER_BACKED: 0x20,
  CONTIGUOUS: 0x40,
  DISCARDABLE: 0x80,
  IMMUTABLE: 0x100,
  VIA_IOB_HANDLE: 0x200,
} as const;

/** `ZX_CACHE_POLICY_*`. */
export const CachePolicy = { CACHED: 0, UNCACHED: 1, UNCACHED_DEVICE: 2, WRITE_COMBINING: 3 } as const;

/** Options of `zx_cache_flush`: `ZX_CACHE_FLUSH_*`. */
export const CacheFlush = { INSN: 0x1, DATA: 0x2, INVALIDATE: 0x4 } as const;

/** `type` of `zx_info_maps_t`: `ZX_INFO_MAPS_TYPE_*`. */
export const MapsType = { NONE: 0, ASPACE: 1, VMAR: 2, MAPPING: 3 } as const;

export const PAGE_SIZE_BYTES = 4096;
export const PAGE_SHIFT = 12;

export interface AddressSpace {
  /** First address that can be mapped. */
  readonly base: number;
  /** One past the last user address: jumps and vectors at or above it are refused. */
  readonly top: number;
  /** End of the restricted part, which begins at `base`. */
  readonly restrictedTop: number;
  /** Start of the shared part, which ends at `top`; one page lies between the two. */
  readonly sharedBase: number;
}

function addressSpace(top: number, restrictedTop: number): AddressSpace {
  return { base: 0x200000, top, restrictedTop, sharedBase: restrictedTop + PAGE_SIZE_BYTES };
}

/** User addresses by architecture: Sv39 on riscv64, 48 bits on arm64, the lower canonical half on x64. */
export const ADDRESS_SPACES = {
  riscv64: addressSpace(2 ** 38, 2 ** 37),
  arm64: addressSpace(0xffffff000000, 2 ** 47),
  x64: addressSpace(2 ** 47 - PAGE_SIZE_BYTES, 2 ** 46),
} as const;

export type Arch = keyof typeof ADDRESS_SPACES;
