import type { KernelEvent } from '../kernel/objects/events.js';
import type { Happened } from '../machine/machine.js';
import type { Names } from './names.js';

/** Whom an event is about. Koids; absent where nobody is known. */
export interface Whose {
  readonly process?: number;
  readonly thread?: number;
  readonly core?: number;
  /** The thread in whose call or instruction it happened, where that is another one. */
  readonly by?: number;
}

/** The process, thread and core that an event names, else those whose instruction or call it was. */
export function whose({ event, by }: Happened, names: Names): Whose {
  const named = event as KernelEvent & { process?: number; thread?: number; core?: number; koid?: number };
  const thread = named.thread ?? (event.type.startsWith('thread-') ? named.koid : undefined) ?? by?.thread;
  const process =
    named.process ??
    (event.type.startsWith('process-') ? named.koid : undefined) ??
    (thread === undefined ? undefined : names.processOf(thread) || undefined);
  const core = named.core ?? (by?.thread === thread ? by?.core : undefined);
  return {
    ...(process === undefined ? {} : { process }),
    ...(thread === undefined ? {} : { thread }),
    ...(core === undefined ? {} : { core }),
    ...(by === null || by.thread === thread ? {} : { by: by.thread }),
  };
}
