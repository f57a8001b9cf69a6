import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** A 64-bit number that signals whether it is positive. */
export class Counter extends Handle {
  /** `zx_counter_create`. */
  static *create(zx: Zx) {
    const result = yield* zx.counterCreate(0);
    return mapped(result, ['counter'], ({ out }) => ({ counter: new Counter(zx, out) }));
  }

  /** `zx_counter_add`. */
  *add(value: Wide) {
    return yield* this.zx.counterAdd(this.raw, value);
  }

  /** `zx_counter_read`. */
  *read() {
    return yield* this.zx.counterRead(this.raw);
  }

  /** `zx_counter_write`. */
  *write(value: Wide) {
    return yield* this.zx.counterWrite(this.raw, value);
  }
}
