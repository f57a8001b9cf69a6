/** Exceptions. Source: zircon/syscalls/exception.h. */

/** `ZX_EXCP_*` (`zx_excp_type_t`). */
export const ExceptionType = {
  GENERAL: 0x8,
  FATAL_PAGE_FAULT: 0x108,
  UNDEFINED_INSTRUCTION: 0x208,
  SW_BREAKPOINT: 0x308,
  HW_BREAKPOINT: 0x408,
  UNALIGNED_ACCESS: 0x508,
  THREAD_STARTING: 0x8008,
  THREAD_EXITING: 0x8108,
  POLICY_ERROR: 0x8208,
  PROCESS_STARTING: 0x8308,
  USER: 0x8309,
} as const;

export type ExceptionTypeName = keyof typeof ExceptionType;

/** `ZX_EXCP_SYNTH`: raised by the kernel, not by an instruction. */
export const EXCEPTION_SYNTHETIC_BIT = 0x8000;

/** `ZX_EXCP_USER_CODE_*`: `synth_code` of a USER exception. */
export const ExceptionUserCode = {
  PROCESS_NAME_CHANGED: 1,
  USER0: 0xf000,
  USER1: 0xf001,
  USER2: 0xf002,
} as const;

/** `ZX_EXCEPTION_CHANNEL_TYPE_*`. */
export const ExceptionChannelType = {
  NONE: 0,
  DEBUGGER: 1,
  THREAD: 2,
  PROCESS: 3,
  JOB: 4,
  JOB_DEBUGGER: 5,
} as const;

/** Options of `zx_task_create_exception_channel`: `ZX_EXCEPTION_CHANNEL_*`. */
export const ExceptionChannelOption = { DEBUGGER: 0x1 } as const;

/** Options of `zx_thread_raise_exception`: `ZX_EXCEPTION_*`. */
export const RaiseExceptionOption = { TARGET_JOB_DEBUGGER: 1 } as const;

/** Property `EXCEPTION_STATE`: `ZX_EXCEPTION_STATE_*`. */
export const ExceptionState = { TRY_NEXT: 0, HANDLED: 1, THREAD_EXIT: 2 } as const;

/** Property `EXCEPTION_STRATEGY`: `ZX_EXCEPTION_STRATEGY_*`. */
export const ExceptionStrategy = { FIRST_CHANCE: 0, SECOND_CHANCE: 1 } as const;

/** riscv64 `scause` of a trap from user mode → exception; 8 (ecall) is a call, not an exception. */
export const RISCV_CAUSE_EXCEPTION: Readonly<Record<number, ExceptionTypeName>> = {
  0: 'UNALIGNED_ACCESS',
  1: 'FATAL_PAGE_FAULT',
  2: 'UNDEFINED_INSTRUCTION',
  3: 'SW_BREAKPOINT',
  4: 'UNALIGNED_ACCESS',
  5: 'FATAL_PAGE_FAULT',
  6: 'UNALIGNED_ACCESS',
  7: 'FATAL_PAGE_FAULT',
  12: 'FATAL_PAGE_FAULT',
  13: 'FATAL_PAGE_FAULT',
  15: 'FATAL_PAGE_FAULT',
};

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ExceptionType).map(([name, value]) => [value, `ZX_EXCP_${name}`]),
);

/** `0x108` → `'ZX_EXCP_FATAL_PAGE_FAULT'`; an unknown number as hexadecimal text. */
export function exceptionName(type: number): string {
  return NAMES.get(type) ?? `0x${type.toString(16)}`;
}
