import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { ADDRESS_SPACES } from '../../abi/vm.js';
import { type Call, GONE } from './call.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { announceStart, exitThread } from './exceptions.js';
import { requireHandleRoom } from './handles.js';
import { readName } from './names.js';
import { refuse } from './refusal.js';
import { changeSignals } from './signals.js';
import { suspendWithProcess } from './suspend.js';

/** Where a thread begins: pc, stack pointer, two arguments, thread pointer and the register the ABI keeps. */
export interface Entry {
  readonly pc: bigint;
  readonly sp: bigint;
  readonly arg1: bigint;
  readonly arg2: bigint;
  readonly tp: bigint;
  readonly abiReg: bigint;
}

/**
 * Whether a thread can start, in the kernel's order of checks (ProcessDispatcher::AddInitializedThread). A process
 * that has not started takes any of its threads as its first, by zx_thread_start too; one whose threads have all
 * gone takes none.
 */
export function startStatus(m: Decider, threadKoid: number, pc: bigint, mustBeFirst: boolean): number {
  const thread = m.k.get(threadKoid, 'thread');
  const process = m.k.find(thread.process);
  if (process?.kind !== 'process') return Status.ERR_BAD_STATE;
  if (process.life !== 'initial' && (mustBeFirst || process.life !== 'running')) return Status.ERR_BAD_STATE;
  if (pc >= BigInt(ADDRESS_SPACES[m.k.arch.name].top)) return Status.ERR_INVALID_ARGS;
  return thread.life === 'new' ? Status.OK : Status.ERR_BAD_STATE;
}

/** Starts a thread that `startStatus` found startable. */
export function startThread(m: Decider, koid: number, entry: Entry): void {
  const process = m.k.get(m.k.get(koid, 'thread').process, 'process');
  const isFirst = process.life === 'initial';
  if (isFirst) {
    m.emit({ type: 'process-life-changed', koid: process.koid, life: 'running', returnCode: 0n });
  }
  suspendWithProcess(m, koid);
  const { signals } = m.k.get(koid, 'thread');
  m.emit({ type: 'thread-started', koid, ...entry, signals });
  changeSignals(m, koid, 0, Signal.THREAD_RUNNING);
  announceStart(m, koid, isFirst);
}

/** Gives up the core when somebody else could use it. */
export function yieldCore(call: Call): void {
  const { slice, runQueue } = call.k.state;
  if (slice?.thread !== call.thread || runQueue.length === 0) return;
  call.emit({ type: 'thread-preempted', core: slice.core, thread: call.thread });
}

function start(call: Call, koid: number, entry: Entry): number {
  const status = startStatus(call.m, koid, entry.pc, false);
  if (status === Status.OK) startThread(call.m, koid, entry);
  return status;
}

export const threadCalls: Handlers = {
  zx_thread_create: (call, { name, name_size, options }) => {
    call.allowOptions(options);
    const text = readName(call, name, name_size);
    const process = call.object('process', 'process');
    if (process.life === 'dying' || process.life === 'dead') refuse(Status.ERR_BAD_STATE);
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'thread-created', koid, process: process.koid, name: text });
    call.putHandle('out', koid, DEFAULT_RIGHTS.thread);
    return Status.OK;
  },

  zx_thread_start: (call, { thread_entry: pc, stack: sp, arg1, arg2 }) =>
    start(call, call.object('handle', 'thread').koid, { pc, sp, arg1, arg2, tp: 0n, abiReg: 0n }),

  zx_thread_start_regs: (call, { pc, sp, arg1, arg2, tp, abi_reg: abiReg }) =>
    start(call, call.object('handle', 'thread').koid, { pc, sp, arg1, arg2, tp, abiReg }),

  zx_thread_exit: (call) => {
    exitThread(call.m, call.thread);
    return GONE;
  },

  zx_thread_legacy_yield: (call, { options }) => {
    call.allowOptions(options);
    yieldCore(call);
    return Status.OK;
  },
};
