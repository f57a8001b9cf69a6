import { PolicyExceptionCode } from '../../abi/policy.js';
import { Status } from '../../abi/status.js';
import {
  type ArgumentRegisters,
  decodeArgs,
  type Syscall,
  type SyscallArgs,
  type SyscallName,
  syscallByNumber,
} from '../../abi/syscalls.js';
import { BLOCKED, Call, type Outcome } from './call.js';
import { channelCalls } from './channel.js';
import { clockCalls } from './clock.js';
import { clockObjectCalls } from './clock-object.js';
import { counterCalls } from './counter.js';
import { debugCalls } from './debug.js';
import type { Decider } from './decider.js';
import { eventCalls } from './event.js';
import { exceptionCalls } from './exception-channel.js';
import { settleExceptions } from './exceptions.js';
import { fifoCalls } from './fifo.js';
import { futexCalls } from './futex.js';
import { handleCalls } from './handle.js';
import { infoCalls } from './info.js';
import { iobCalls } from './iob.js';
import { objectCalls } from './object.js';
import { failureOf, PagesNeeded, waitForPages } from './page-requests.js';
import { pagerCalls } from './pager.js';
import { followNote, raisePolicyAtExit } from './policy.js';
import { portCalls } from './port.js';
import { profileCalls } from './profile.js';
import { Refusal } from './refusal.js';
import { restrictedCalls } from './restricted.js';
import { rseqCalls } from './rseq.js';
import { socketCalls } from './socket.js';
import { streamCalls } from './stream.js';
import { systemCalls } from './system.js';
import { systemEventCalls } from './system-event.js';
import { taskCalls } from './task.js';
import { testingCalls } from './testing.js';
import { timerCalls } from './timer.js';
import { vmarCalls } from './vmar.js';
import { vmoCalls } from './vmo.js';

/** What decides one call. Everything it says no to, it refuses before it emits. */
export type Handler<N extends SyscallName> = (call: Call<N>, args: SyscallArgs[N]) => Outcome;
export type Handlers = { readonly [N in SyscallName]?: Handler<N> };

const FAMILIES: readonly Handlers[] = [
  channelCalls,
  clockCalls,
  clockObjectCalls,
  counterCalls,
  debugCalls,
  eventCalls,
  exceptionCalls,
  fifoCalls,
  futexCalls,
  handleCalls,
  infoCalls,
  iobCalls,
  objectCalls,
  pagerCalls,
  portCalls,
  profileCalls,
  socketCalls,
  streamCalls,
  restrictedCalls,
  rseqCalls,
  systemCalls,
  systemEventCalls,
  taskCalls,
  testingCalls,
  timerCalls,
  vmarCalls,
  vmoCalls,
];

/** By name. One object of them all would be made anew with each family, and hosts take their time to find one of so many. */
const handlerOf = new Map<string, Handler<SyscallName>>();
for (const family of FAMILIES)
  for (const name of Object.keys(family) as SyscallName[])
    handlerOf.set(name, family[name] as Handler<SyscallName>);

/** What the vDSO answers by itself (loader/vdso): no kernel sees it. */
const IN_VDSO: readonly SyscallName[] = ['zx_system_get_version_string'];

/** Whether a call of the table does something here; the others answer NOT_SUPPORTED. */
export function isBuilt(name: SyscallName): boolean {
  return handlerOf.has(name) || IN_VDSO.includes(name);
}

/**
 * Decides the call that a thread is at. `core` is where it runs; `allowed` says whether the trap came from the
 * place in the vDSO that belongs to this call.
 */
export function dispatchSyscall(
  m: Decider,
  thread: number,
  core: number,
  allowed: (call: Syscall, pc: number) => boolean,
): void {
  const { k } = m;
  const { arch } = k;
  const registers = k.registers(thread);
  const syscall = syscallByNumber(arch.shortSyscallNumber(registers));
  if (syscall === undefined || !allowed(syscall, arch.pcNumber(registers))) {
    badSyscall(m, thread, core, BigInt.asUintN(64, arch.syscallNumber(registers)));
    return;
  }
  decideSyscall(m, thread, core, syscall, arch.syscallArguments(registers));
}

/** Decides one call of a thread that may make it, whatever way it came: a trap, or a program of the host's language. */
export function decideSyscall(
  m: Decider,
  thread: number,
  core: number,
  syscall: Syscall,
  registers: ArgumentRegisters,
): void {
  const { k } = m;
  const { process } = k.get(thread, 'thread');
  const values: (number | bigint)[] = [];
  const args = decodeArgs(syscall as Syscall & { name: SyscallName }, registers, values);
  m.emit({
    type: 'syscall-entered',
    thread,
    core,
    name: syscall.name,
    number: syscall.number,
    args: values,
  });
  const outcome = decide(new Call(m, syscall, args, thread, process), args);
  if (typeof outcome !== 'symbol') leave(m, thread, syscall.number, outcome);
  if (k.state.answered.length > 0) settleExceptions(m);
}

/** The call is over: its result goes to the thread, if that is still there, and what was noted for it happens. */
function leave(m: Decider, thread: number, number: number, result: number | bigint): void {
  const caller = m.k.find(thread);
  if (caller?.kind !== 'thread' || caller.life === 'dead') return;
  const { exitNote } = caller;
  m.emit({ type: 'syscall-returned', thread, number, result: BigInt(result) });
  if (exitNote !== null) followNote(m, thread);
}

function decide(call: Call, args: SyscallArgs[SyscallName]): Outcome {
  const handler = handlerOf.get(call.syscall.name);
  if (handler === undefined) return Status.ERR_NOT_SUPPORTED;
  try {
    return handler(call, args);
  } catch (reason) {
    if (reason instanceof Refusal) return reason.status;
    if (reason instanceof PagesNeeded) return beginAgain(call, reason);
    throw reason;
  }
}

/** A call that needs pages waits for them, and is made anew then: it has done nothing yet. */
function beginAgain({ m, thread }: Call, { lack, failure }: PagesNeeded): Outcome {
  const status = failureOf(m, thread, lack);
  if (status !== null) return failure ?? status;
  m.emit({ type: 'syscall-trapped', thread });
  waitForPages(m, thread, lack);
  return BLOCKED;
}

/** A trap from elsewhere than the vDSO, or with a wrong number: a call that does nothing, and a policy exception. */
function badSyscall(m: Decider, thread: number, core: number, number: bigint): void {
  m.emit({ type: 'syscall-refused', thread, core, number });
  raisePolicyAtExit(m, thread, PolicyExceptionCode.BAD_SYSCALL, Number(number & 0xffffffffn));
  followNote(m, thread);
  settleExceptions(m);
}
