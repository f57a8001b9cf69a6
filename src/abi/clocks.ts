/** Time. Sources: zircon/time.h, zircon/types.h, zircon/syscalls/clock.h. */

/** `zx_clock_t`: `ZX_CLOCK_*`. */
export const ClockId = { MONOTONIC: 0, BOOT: 1 } as const;

/** `ZX_TIME_INFINITE`, `ZX_TIME_INFINITE_PAST`, in nanoseconds. */
export const TIME_INFINITE_NS = 0x7fff_ffff_ffff_ffffn;
export const TIME_INFINITE_PAST_NS = -0x8000_0000_0000_0000n;

/** Options of `zx_clock_create`: `ZX_CLOCK_OPT_*`. */
export const ClockOption = {
  MONOTONIC: 0x1,
  CONTINUOUS: 0x2,
  AUTO_START: 0x4,
  BOOT: 0x8,
  MAPPABLE: 0x10,
} as const;

/** The version of the arguments structure stands in the options from this bit on. */
export const CLOCK_ARGS_VERSION_SHIFT = 58n;

/** Options of `zx_clock_update`: `ZX_CLOCK_UPDATE_OPTION_*`. */
export const ClockUpdateOption = {
  VALUE_VALID: 0x1,
  RATE_ADJUST_VALID: 0x2,
  ERROR_BOUND_VALID: 0x4,
  /** Of version 2 of the arguments, where the first is called so. */
  SYNTHETIC_VALUE_VALID: 0x1,
  REFERENCE_VALUE_VALID: 0x8,
} as const;

/** `ZX_CLOCK_UPDATE_MIN_RATE_ADJUST`, `…_MAX_…`, in parts per million. */
export const CLOCK_RATE_ADJUST_MIN_PPM = -1000;
export const CLOCK_RATE_ADJUST_MAX_PPM = 1000;

/** `ZX_CLOCK_UNKNOWN_ERROR`. */
export const CLOCK_UNKNOWN_ERROR_NS = 0xffff_ffff_ffff_ffffn;

/** `ZX_TIMER_SLACK_*`. */
export const TimerSlack = { CENTER: 0, EARLY: 1, LATE: 2 } as const;
