/** Tasks and thread state. Sources: zircon/syscalls/object.h, zircon/syscalls/debug.h, zircon/types.h. */

/** `ZX_THREAD_STATE_*`. */
export const ThreadState = {
  NEW: 0,
  RUNNING: 1,
  SUSPENDED: 2,
  /** Never alone: the low byte of every BLOCKED_* state. */
  BLOCKED: 3,
  DYING: 4,
  DEAD: 5,
  BLOCKED_EXCEPTION: 0x103,
  BLOCKED_SLEEPING: 0x203,
  BLOCKED_FUTEX: 0x303,
  BLOCKED_PORT: 0x403,
  BLOCKED_CHANNEL: 0x503,
  BLOCKED_WAIT_ONE: 0x603,
  BLOCKED_WAIT_MANY: 0x703,
  BLOCKED_INTERRUPT: 0x803,
  BLOCKED_PAGER: 0x903,
} as const;

export type ThreadStateName = keyof typeof ThreadState;

/** `zx_thread_state_topic_t`: `ZX_THREAD_STATE_*`, what `zx_thread_read_state` reads. */
export const ThreadStateKind = {
  GENERAL_REGS: 0,
  FP_REGS: 1,
  VECTOR_REGS: 2,
  DEBUG_REGS: 4,
  SINGLE_STEP: 5,
} as const;

/** Options of `zx_process_create`: `ZX_PROCESS_*`. */
export const ProcessOption = { SHARED: 0x1 } as const;

/** `flags` of `zx_info_process_t`: `ZX_INFO_PROCESS_FLAG_*`. */
export const ProcessInfoFlag = { STARTED: 0x1, EXITED: 0x2, DEBUGGER_ATTACHED: 0x4 } as const;

/** Options of `zx_job_set_critical`: `ZX_JOB_CRITICAL_PROCESS_*`. */
export const JobCriticalOption = { RETCODE_NONZERO: 0x1 } as const;

/** `ZX_TASK_RETCODE_*`: the return code of a process that did not choose its own. */
export const TaskRetcode = {
  SYSCALL_KILL: -1024,
  OOM_KILL: -1025,
  POLICY_KILL: -1026,
  VDSO_KILL: -1027,
  EXCEPTION_KILL: -1028,
  CRITICAL_PROCESS_KILL: -1029,
} as const;
