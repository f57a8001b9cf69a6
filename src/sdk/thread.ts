import type { Wide } from './invoke.js';
import { TaskHandle } from './task.js';

/** A thread. Those of this program are made by `Zx.spawn`. */
export class Thread extends TaskHandle {
  /** `zx_thread_start`: machine code at `entry`. */
  *start(entry: Wide, stack: Wide, arg1: Wide = 0, arg2: Wide = 0) {
    return yield* this.zx.threadStart(this.raw, entry, stack, arg1, arg2);
  }

  /** `zx_thread_read_state`. @param kind ZX_THREAD_STATE_* */
  *readState(kind: number, sizeBytes: number) {
    return yield* this.zx.threadReadState(this.raw, kind, sizeBytes);
  }

  /** `zx_thread_write_state`. @param kind ZX_THREAD_STATE_* */
  *writeState(kind: number, state: Uint8Array) {
    return yield* this.zx.threadWriteState(this.raw, kind, state);
  }

  /** `zx_restricted_kick`: brings the thread out of restricted mode. */
  *kick(options = 0) {
    return yield* this.zx.restrictedKick(this.raw, options);
  }
}
