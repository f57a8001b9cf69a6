import { IntMap } from '../../base/int-map.js';
import type { Access, ExceptionKind } from '../../cpu/arch.js';
import { addDeadline, enqueueThread, removeDeadline, withdrawThread } from './core.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

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

/** What job policy wants of a thread at the end of its call: a policy exception, or the end of its process. */
export type PolicyNote =
  | {
      readonly kind: 'exception';
      /** ZX_EXCP_POLICY_CODE_*. */
      readonly code: number;
      /** The call's number for BAD_SYSCALL, else 0. */
      readonly data: number;
    }
  | { readonly kind: 'kill' };

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
  readonly policyNote: PolicyNote | null;
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
  'thread-policy-noted': { thread: number; note: PolicyNote | null };
  /** `deadlineOrder` 0: waits for ever. */
  'thread-blocked': { thread: number; wait: Wait; deadlineNs: bigint; deadlineOrder: number };
  /** The wait is over, whatever the reason; the thread is in the run queue. */
  'thread-woken': { thread: number };
  /** A fault of its own: what the CPU said, before anybody handles it. */
  'exception-raised': {
    thread: number;
    process: number;
    exception: ExceptionKind;
    access: Access | 'none';
    pc: bigint;
    address: bigint;
    /** ZX_EXCP_POLICY_CODE_* for a policy exception, else ZX_ERR_* of a page fault as u32. */
    code: number;
    /** The call number for BAD_SYSCALL, else 0. */
    data: number;
  };
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
      policyNote: null,
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
    enqueueThread(k, e.koid);
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
    });
  },
  'thread-policy-noted': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.policyNote = e.note;
    });
  },
  'thread-blocked': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.life = 'blocked';
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
    enqueueThread(k, e.thread);
  },
  'exception-raised': () => {},
  'thread-life-changed': (k, e) => {
    const { deadlineOrder } = k.get(e.koid, 'thread');
    if (deadlineOrder !== 0) removeDeadline(k, deadlineOrder);
    k.update(e.koid, 'thread', (thread) => {
      thread.life = e.life;
      thread.wait = null;
      thread.deadlineOrder = 0;
      thread.syscall = 0;
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
