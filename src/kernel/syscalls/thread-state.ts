import { ExceptionType } from '../../abi/exceptions.js';
import { Status } from '../../abi/status.js';
import { ThreadStateKind } from '../../abi/threads.js';
import type { ThreadState } from '../objects/thread.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { refuse, requireArgs } from './refusal.js';
import { abandonWait } from './waits.js';

const KINDS: readonly number[] = Object.values(ThreadStateKind);
/** zx_thread_state_single_step_t is one word on every architecture. */
const SINGLE_STEP_BYTES = 4n;

/** A debugger's calls. The order of checks is ThreadDispatcher's (ReadState, WriteState). */
export const threadStateCalls: Handlers = {
  zx_thread_read_state: (call, { kind, buffer, buffer_size }) => {
    const thread = call.object('handle', 'thread');
    requireSize(call, kind, buffer_size);
    requireStopped(thread);
    requireRegisters(call, thread, kind);
    const bytes =
      call.k.arch.readState(call.k.registers(thread.koid), kind) ?? refuse(Status.ERR_NOT_SUPPORTED);
    call.requireWritable(buffer, bytes.length);
    call.write(buffer, bytes);
    return Status.OK;
  },

  zx_thread_write_state: (call, { kind, buffer, buffer_size }) => {
    const thread = call.object('handle', 'thread');
    const bytes = call.read(buffer, requireSize(call, kind, buffer_size));
    requireStopped(thread);
    requireRegisters(call, thread, kind);
    requireArgs(call.k.arch.isStateValid(kind, bytes));
    const { arch } = call.k;
    const before = arch.pc(call.k.registers(thread.koid));
    call.emit({ type: 'thread-state-written', thread: thread.koid, kind, bytes });
    if (arch.pc(call.k.registers(thread.koid)) !== before) leaveCall(call, thread);
    return Status.OK;
  },
};

/** The size of the set of registers; refuses with INVALID_ARGS for unknown ones, BUFFER_TOO_SMALL. */
function requireSize(call: Call, kind: number, sizeBytes: bigint): number {
  requireArgs(KINDS.includes(kind));
  const needed = call.k.arch.stateSizeBytes(kind);
  if (sizeBytes < (needed === null ? SINGLE_STEP_BYTES : BigInt(needed))) refuse(Status.ERR_BUFFER_TOO_SMALL);
  return needed ?? Number(SINGLE_STEP_BYTES);
}

function requireStopped({ life, wait, suspends }: ThreadState): void {
  const started = life === 'ready' || life === 'blocked';
  if (!(started && suspends > 0) && wait?.kind !== 'exception') refuse(Status.ERR_BAD_STATE);
}

/** Exceptions that come from within a call, or from behind the last one, show no general registers. */
function requireRegisters(call: Call, { wait }: ThreadState, kind: number): void {
  if (call.k.arch.stateSizeBytes(kind) === null) refuse(Status.ERR_NOT_SUPPORTED);
  if (wait?.kind !== 'exception' || kind !== ThreadStateKind.GENERAL_REGS) return;
  const { type } = call.k.get(wait.exception, 'exception');
  if (type === ExceptionType.USER || type === ExceptionType.THREAD_EXITING) refuse(Status.ERR_NOT_SUPPORTED);
}

/**
 * A suspended call is made again from the registers, on Zircon by the vDSO. So it is over for a thread that a
 * debugger takes elsewhere.
 */
function leaveCall(call: Call, { koid, wait }: ThreadState): void {
  if (wait === null || wait.kind === 'exception') return;
  abandonWait(call.m, koid);
  call.emit({ type: 'thread-woken', thread: koid });
  call.emit({ type: 'syscall-abandoned', thread: koid });
}
