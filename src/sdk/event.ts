import { Handle, Peered } from './handle.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** Something to signal and to wait for. */
export class Event extends Handle {
  /** `zx_event_create`. */
  static *create(zx: Zx) {
    const result = yield* zx.eventCreate(0);
    return mapped(result, ['event'], ({ out }) => ({ event: new Event(zx, out) }));
  }
}

/** One of two events that know of each other. */
export class Eventpair extends Peered {
  /** `zx_eventpair_create`: both. */
  static *create(zx: Zx) {
    const result = yield* zx.eventpairCreate(0);
    return mapped(result, ['first', 'second'], ({ out0, out1 }) => ({
      first: new Eventpair(zx, out0),
      second: new Eventpair(zx, out1),
    }));
  }
}
