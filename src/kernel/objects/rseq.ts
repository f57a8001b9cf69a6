import type { Kernel } from './kernel.js';
import type { Reducers } from './reducer.js';
import { holdVmo, letGoOfVmo } from './vmo.js';

/** Where a thread says which of its instructions are to be begun anew when it loses its core: a zx_rseq_t. */
export interface Rseq {
  /** The VMO whose memory it is, never a slice or a reference. The page stays. */
  readonly vmo: number;
  readonly offset: number;
}

export interface RseqEvents {
  /** It takes the place of what was registered before; null: nothing does. */
  'thread-rseq-set': { thread: number; rseq: Rseq | null };
  /** The thread stood inside its restartable sequence when it came to a core: it goes on at `pc` instead. */
  'thread-rseq-aborted': { thread: number; pc: bigint };
}

export const rseqReducers: Reducers<RseqEvents> = {
  'thread-rseq-set': (k, e) => {
    const before = k.get(e.thread, 'thread').rseq;
    if (before !== undefined) letGoOfVmo(k, before.vmo, e.thread);
    if (e.rseq !== null) holdVmo(k, e.rseq.vmo, e.thread);
    k.update(e.thread, 'thread', (thread) => {
      if (e.rseq === null) delete thread.rseq;
      else thread.rseq = e.rseq;
    });
  },
  'thread-rseq-aborted': (k, e) => {
    k.arch.setPc(k.registersForWrite(e.thread), e.pc);
  },
};

/** Pages of a VMO that hold what threads registered, in order. */
export function rseqPages(k: Kernel, holders: Iterable<number>, pageSizeBytes: number): number[] {
  const pages = new Set<number>();
  for (const holder of holders) {
    const thread = k.find(holder);
    if (thread?.kind !== 'thread' || thread.rseq === undefined) continue;
    pages.add(Math.floor(thread.rseq.offset / pageSizeBytes));
  }
  return [...pages].sort((a, b) => a - b);
}
