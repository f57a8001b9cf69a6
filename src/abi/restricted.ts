/** Restricted mode. Source: zircon/syscalls-next.h. */

/** `ZX_RESTRICTED_REASON_*`; EXCEPTION_LOST is 3 by order, no header seen gives its value. */
export const RestrictedReason = { SYSCALL: 0, EXCEPTION: 1, KICK: 2, EXCEPTION_LOST: 3 } as const;

/** Options of `zx_restricted_enter`: `ZX_RESTRICTED_OPT_*`, of the headers of 2023; the newest take none. */
export const RestrictedOption = { EXCEPTION_CHANNEL: 0x1 } as const;

/** Bits that a program may set in restricted state: others are ZX_ERR_BAD_STATE. */
export const RESTRICTED_ARM64_CPSR_MASK = 0xf0000000;
export const RESTRICTED_X64_FLAGS_MASK = 0x244dd5;
