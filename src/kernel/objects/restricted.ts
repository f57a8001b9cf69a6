import { RestrictedReason, type RestrictedReasonName } from '../../abi/restricted.js';
import type { Kernel } from './kernel.js';
import type { Reducers } from './reducer.js';
import { pageForRead } from './vmo-pages.js';

/** How a thread that is in restricted mode comes back from it. */
export interface RestrictedRun {
  /** Where in normal mode it goes on, with `context` for an argument. */
  readonly vector: bigint;
  readonly context: bigint;
  /** ZX_RESTRICTED_OPT_EXCEPTION_CHANNEL: exceptions take the way that those of normal mode take. */
  readonly exceptionChannel: boolean;
  /** The registers of normal mode that are kept meanwhile, as the architecture holds them. */
  readonly kept: Uint8Array;
}

export interface RestrictedEvents {
  /** The VMO was made for that. Its pages stay; what was bound before has been unbound. */
  'restricted-state-bound': { thread: number; vmo: number; reportAddress: number };
  'restricted-state-unbound': { thread: number; vmo: number };
  /** The thread is to leave restricted mode before its next instruction there. */
  'restricted-kicked': { thread: number };
  /** Its registers came from its state VMO. */
  'restricted-entered': { thread: number; vector: bigint; context: bigint; exceptionChannel: boolean };
  /** It goes on at the vector; what it had in restricted mode was written to the VMO before. */
  'restricted-left': { thread: number; reason: RestrictedReasonName; vector: bigint; context: bigint };
}

export const restrictedReducers: Reducers<RestrictedEvents> = {
  'restricted-state-bound': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.restrictedState = e.vmo;
      thread.restrictedReport = e.reportAddress;
    });
    setBinding(k, e.vmo, 'bound');
  },
  'restricted-state-unbound': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.restrictedState = 0;
      thread.restrictedReport = 0;
    });
    setBinding(k, e.vmo, 'unbound');
  },
  'restricted-kicked': (k, e) => {
    k.update(e.thread, 'thread', (thread) => {
      thread.kicked = true;
    });
  },
  'restricted-entered': (k, e) => {
    const { thread, vector, context, exceptionChannel } = e;
    const registers = k.registersForWrite(thread);
    const kept = k.arch.restricted.keep(registers);
    k.arch.restricted.load(registers, restrictedPage(k, thread));
    k.update(thread, 'thread', (t) => {
      t.restricted = { vector, context, exceptionChannel, kept };
      t.syscall = 0;
    });
  },
  'restricted-left': (k, e) => {
    const registers = k.registersForWrite(e.thread);
    const kept = k.get(e.thread, 'thread').restricted?.kept ?? k.arch.restricted.keep(registers);
    const reason = BigInt(RestrictedReason[e.reason]);
    k.arch.restricted.toVector(registers, kept, { pc: e.vector, context: e.context, reason });
    k.update(e.thread, 'thread', (thread) => {
      thread.restricted = null;
      thread.syscall = 0;
      if (e.reason === 'KICK') thread.kicked = false;
    });
  },
};

function setBinding(k: Kernel, koid: number, binding: 'bound' | 'unbound'): void {
  k.update(koid, 'vmo', (vmo) => {
    vmo.restrictedState = binding;
  });
}

/** `zx_restricted_state_t` as the bound VMO holds it now, first in its page: not to be kept or written. */
export function restrictedPage(k: Kernel, thread: number): Uint8Array {
  const vmo = k.get(k.get(thread, 'thread').restrictedState, 'vmo');
  return pageForRead(k.state, vmo, 0).bytes;
}
