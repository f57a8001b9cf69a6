import { Status } from '../../abi/status.js';
import { IntMap } from '../../base/int-map.js';
import { addDeadline, enqueueThread, removeDeadline, withdrawThread } from './core.js';
import type { ExceptionSlot } from './exception.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';
import type { RestrictedRun } from './restricted.js';
import type { Rseq } from './rseq.js';

/** What a blocked thread waits for, with all that is needed to finish its call. Addresses are user addresses. */
export type Wait =
  | { readonly kind: 'sleep' }
  | {
      readonly kind: 'wait-one';
      readonly object: number;
      readonly observer: number;
      readonly observedAddress: number;
    }
  | {
      readonly kind: 'wait-many';
      readonly items: readonly {
        readonly object: number;
        readonly observer: number;
      }[];
      readonly itemsAddress: number;
    }
  | { readonly kind: 'port'; readonly port: number; readonly packetAddress: number }
  | { readonly kind: 'futex'; readonly address: number; readonly order: number }
  /** A pager is asked for a page; what needed it is tried again then. */
  | { readonly kind: 'page'; readonly vmo: number; readonly request: number; readonly order: number }
  /** A handler of the exception, or a debugger that is told of something, lets it go on. */
  | { readonly kind: 'exception'; readonly exception: number }
  | {
      readonly kind: 'channel-call';
      readonly channel: number;
      /** Slot of the handle called through: closing it cancels the call. */
      readonly handle: number;
      readonly txid: number;
      /** Where the reply goes, and how much of it fits. */
      readonly bytesAddress: number;
      readonly handlesAddress: number;
      readonly bytesCapacity: number;
      readonly handlesCapacity: number;
      readonly actualBytesAddress: number;
      readonly actualHandlesAddress: number;
      /** zx_channel_call_etc: handles arrive as zx_handle_info_t. */
      readonly etc: boolean;
    };

/** What happens to a thread when its call has ended: policy asked for it, or the thread itself. */
export type ExitNote =
  | {
      /** A policy exception, or one of type ZX_EXCP_USER. */
      readonly kind: 'policy' | 'user';
      /** `synth_code`: ZX_EXCP_POLICY_CODE_*, or what the thread said. */
      readonly code: number;
      /** `synth_data`: the call's number for BAD_SYSCALL, or what the thread said. */
      readonly data: number;
    }
  | { readonly kind: 'kill' };

export interface FailedPage {
  readonly vmo: number;
  readonly page: number;
  /** ZX_ERR_* */
  readonly status: number;
  /** When: it counts until the thread retires another instruction. */
  readonly ranSteps: number;
}

export interface ThreadState extends ObjectBase {
  readonly kind: 'thread';
  readonly name: string;
  readonly process: number;
  readonly life: 'new' | 'ready' | 'blocked' | 'dying' | 'dead';
  readonly wait: Wait | null;
  /** Order number of the blocked thread's deadline; 0: waits for ever. */
  readonly deadlineOrder: number;
  /** The system call it is in, 0 outside. */
  readonly syscall: number;
  readonly exitNote: ExitNote | null;
  /** Who listens for its exceptions: one at most. */
  readonly handlers: readonly ExceptionSlot[];
  /** Exceptions of it that are not gone: they keep this object. */
  readonly exceptions: number;
  /** How often it was suspended and not resumed, its process's suspension counted once. */
  readonly suspends: number;
  /** The VMO that its restricted state is kept in; 0 while none is bound. */
  readonly restrictedState: number;
  /** Where reports of exceptions in restricted mode go; 0: behind the state. */
  readonly restrictedReport: number;
  /** Not null while it is in restricted mode: its registers are those. */
  readonly restricted: RestrictedRun | null;
  /** To leave restricted mode as soon as it is in it. */
  readonly kicked: boolean;
  /** Absent, not null, while none is registered: such threads hash as they did before there were any. */
  readonly rseq?: Rseq;
  /** The page that a pager said it will not get, until it asks again. */
  readonly failedPage: FailedPage | null;
  /** -1 until it first had one. */
  readonly lastCore: number;
  /** Instructions it retired, which is its time on a core, ns. */
  readonly ranSteps: number;
  /** Time it was in the run queue, without the stay that has not ended yet. */
  readonly queuedNs: bigint;
  /** When it last came into the run queue. */
  readonly queuedAtNs: bigint;
}

export interface ThreadEvents {
  'thread-created': { koid: number; process: number; name: string };
  'thread-started': {
    koid: number;
    pc: bigint;
    sp: bigint;
    arg1: bigint;
    arg2: bigint;
    tp: bigint;
    abiReg: bigint;
    signals: number;
  };
  /** The thread trapped from the vDSO; pc is past the call instruction now. `args` as the call's table entry says. */
  'syscall-entered': {
    thread: number;
    core: number;
    name: string;
    number: number;
    args: readonly (number | bigint)[];
  };
  /** The call's result went to the result register. */
  'syscall-returned': { thread: number; number: number; result: bigint };
  /** Replaces what was noted before. */
  'thread-exit-noted': { thread: number; note: ExitNote | null };
  /** A trap from elsewhere than the vDSO, or with a wrong number: pc is past it, the result is BAD_SYSCALL. */
  'syscall-refused': { thread: number; core: number; number: bigint };
  /** The thread is in its call no more and gets no result: a debugger took it elsewhere. */
  'syscall-abandoned': { thread: number };
  /** The thread stands where it made the call: the vDSO's code trapped, or the call begins again later. */
  'syscall-trapped': { thread: number };
  /** A debugger set registers of a thread that does not run. `kind` is ZX_THREAD_STATE_*. */
  'thread-state-written': { thread: number; kind: number; bytes: Uint8Array };
  /** `deadlineOrder` 0: waits for ever. */
  'thread-blocked': { thread: number; wait: Wait; deadlineNs: bigint; deadlineOrder: number };
  /** The wait is over, whatever the reason; the thread is in the run queue. */
  'thread-woken': { thread: number };
  /** A pager will not give the thread a page; null: it knows. */
  'thread-page-failed': { thread: number; failure: FailedPage | null };
  'thread-life-changed': { koid: number; life: 'dying' | 'dead' };
}

export const threadReducers: Reducers<ThreadEvents> = {
  'thread-created': (k, e) => {
    k.create({
      kind: 'thread',
      ...newObject(e.koid, 0, IntMap.empty()),
      name: e.name,
      process: e.process,
      life: 'new',
      wait: null,
      deadlineOrder: 0,
      syscall: 0,
      exitNote: null,
      handlers: [],
      exceptions: 0,
      suspends: 0,
      restrictedState: 0,
      restrictedReport: 0,
      restricted: null,
      kicked: false,
      failedPage: null,
      lastCore: -1,
      ranSteps: 0,
      queuedNs: 0n,
      queuedAtNs: 0n,
    });
  },
  'thread-started': (k, e) => {
    k.update(k.get(e.koid, 'thread').process, 'process', (process) => {
      process.threads = process.threads.set(e.koid, true, k.owner);
    });
    k.setRegisters(e.koid, k.arch.initialRegisters(e));
    k.update(e.koid, 'thread', (thread) => {
      thread.life = 'ready';
      thread.signals = e.signals;
    });
    makeRunnable(k, e.koid);
  },
  'syscall-entered': (k, e) => {
    k.arch.skipSyscall(k.registersForWrite(e.thread));
    k.update(e.thread, 'thread', (thread) => {
      thread.syscall = e.number;
    });
  },
  'syscall-returned': (k, e) => {
    k.arch.setResult(k.registersForWrite(e.thread), e.result);
    k.update(e.thread, 'thread', (thread) => {
      thread.syscall = 0;
      thread.failedPage = null;
    });
  },
  'thread-page-failed': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.failedPage = e.failure;
    });
  },
  'thread-exit-noted': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.exitNote = e.note;
    });
  },
  'syscall-refused': (k, e) => {
    const registers = k.registersForWrite(e.thread);
    k.arch.skipSyscall(registers);
    k.arch.setResult(registers, BigInt(Status.ERR_BAD_SYSCALL));
  },
  'syscall-abandoned': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.syscall = 0;
    });
  },
  'syscall-trapped': (k, e) => {
    k.arch.returnToSyscall(k.registersForWrite(e.thread));
    k.update(e.thread, 'thread', (thread) => {
      thread.syscall = 0;
    });
  },
  'thread-state-written': (k, e) => {
    k.arch.writeState(k.registersForWrite(e.thread), e.kind, e.bytes);
  },
  'thread-blocked': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      // A thread that is leaving waits for its debugger at most.
      if (thread.life !== 'dying') thread.life = 'blocked';
      thread.wait = e.wait;
      thread.deadlineOrder = e.deadlineOrder;
    });
    if (e.deadlineOrder !== 0) {
      k.state.nextOrder = Math.max(k.state.nextOrder, e.deadlineOrder + 1);
      addDeadline(k, { atNs: e.deadlineNs, order: e.deadlineOrder, kind: 'thread', koid: e.thread });
    }
    withdrawThread(k, e.thread);
  },
  'thread-woken': (k, e) => {
    const { deadlineOrder } = k.get(e.thread, 'thread');
    if (deadlineOrder !== 0) removeDeadline(k, deadlineOrder);
    k.update(e.thread, 'thread', (thread) => {
      thread.life = 'ready';
      thread.wait = null;
      thread.deadlineOrder = 0;
    });
    makeRunnable(k, e.thread);
  },
  'thread-life-changed': (k, e) => {
    const { deadlineOrder } = k.get(e.koid, 'thread');
    if (deadlineOrder !== 0) removeDeadline(k, deadlineOrder);
    k.update(e.koid, 'thread', (thread) => {
      thread.life = e.life;
      thread.wait = null;
      thread.deadlineOrder = 0;
      thread.syscall = 0;
      // Goes with the registers that it says the mode of.
      if (e.life === 'dead') thread.restricted = null;
    });
    withdrawThread(k, e.koid);
    if (e.life === 'dead') {
      k.removeRegisters(e.koid);
      const { process, ranSteps, queuedNs } = k.get(e.koid, 'thread');
      k.update(process, 'process', (p) => {
        p.threads = p.threads.delete(e.koid, k.owner);
        p.endedRanSteps += ranSteps;
        p.endedQueuedNs += queuedNs;
      });
    }
  },
};

/** Puts a thread that is ready into the run queue, unless it is suspended. */
function makeRunnable(k: Kernel, koid: number): void {
  if (k.get(koid, 'thread').suspends === 0) enqueueThread(k, koid);
}
