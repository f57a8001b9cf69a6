import type { Halt } from '../kernel/objects/kernel.js';

/** Exit statuses of `run`, `record` and `replay` that are not the guest's own. */
export const ExitStatus = {
  DEADLOCK: 123,
  STEP_LIMIT: 124,
  FAILED: 125,
  NOT_A_PROGRAM: 126,
  NO_SUCH_FILE: 127,
  KILLED: 134,
} as const;

/** The kernel's own return codes, -1024 down to -1029 (zircon/types.h, ZX_TASK_RETCODE_*). */
function isKernelReturnCode(code: bigint): boolean {
  return code <= -1024n && code >= -1029n;
}

export function exitStatus(halt: Halt): number {
  switch (halt.kind) {
    case 'deadlock':
      return ExitStatus.DEADLOCK;
    case 'step-limit':
      return ExitStatus.STEP_LIMIT;
    case 'exited':
      return isKernelReturnCode(halt.returnCode)
        ? ExitStatus.KILLED
        : Number(BigInt.asUintN(8, halt.returnCode));
  }
}
