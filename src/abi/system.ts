/** The machine as a whole. Sources: zircon/types.h, zircon/features.h. */

/** `ZX_SYSTEM_EVENT_*`: what `zx_system_get_event` gives an event for. */
export const SystemEventKind = {
  OUT_OF_MEMORY: 1,
  MEMORY_PRESSURE_CRITICAL: 2,
  MEMORY_PRESSURE_WARNING: 3,
  MEMORY_PRESSURE_NORMAL: 4,
  IMMINENT_OUT_OF_MEMORY: 5,
} as const;

/** The longest window that `zx_system_watch_memory_stall` watches. */
export const MEMORY_STALL_MAX_WINDOW_NS = 10_000_000_000n;

/** `ZX_FEATURE_KIND_*` of `zx_system_get_features`. */
export const FeatureKind = {
  CPU: 0,
  HW_BREAKPOINT_COUNT: 1,
  HW_WATCHPOINT_COUNT: 2,
  ADDRESS_TAGGING: 3,
  VM: 4,
} as const;

/** `ZX_VM_FEATURE_*`: bits of the answer for VM. */
export const VmFeature = { CAN_MAP_XOM: 0x1 } as const;
