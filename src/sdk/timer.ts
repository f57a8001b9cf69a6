import { ClockId } from '../abi/clocks.js';
import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** Signals at a time. */
export class Timer extends Handle {
  /** `zx_timer_create`. @param options ZX_TIMER_SLACK_* */
  static *create(zx: Zx, options = 0, clockId: number = ClockId.MONOTONIC) {
    const result = yield* zx.timerCreate(options, clockId);
    return mapped(result, ['timer'], ({ out }) => ({ timer: new Timer(zx, out) }));
  }

  /** `zx_timer_set`. @param deadline ns @param slack ns that it may be early or late */
  *set(deadline: Wide, slack: Wide = 0) {
    return yield* this.zx.timerSet(this.raw, deadline, slack);
  }

  /** `zx_timer_cancel`. */
  *cancel() {
    return yield* this.zx.timerCancel(this.raw);
  }
}
