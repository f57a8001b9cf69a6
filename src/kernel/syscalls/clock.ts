import { TIME_INFINITE_NS, TIME_INFINITE_PAST_NS } from '../../abi/clocks.js';
import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { yieldCore } from './thread.js';
import { block } from './waits.js';

/** A tick is a nanosecond of virtual time, and no time passes without the machine: boot and monotonic are one. */
const TICKS_PER_SECOND = 1_000_000_000n;

export const clockCalls: Handlers = {
  zx_clock_get_monotonic: (call) => call.k.nowNs,
  zx_clock_get_boot: (call) => call.k.nowNs,
  zx_ticks_get: (call) => call.k.nowNs,
  zx_ticks_get_boot: (call) => call.k.nowNs,
  zx_ticks_per_second: () => TICKS_PER_SECOND,

  /** Saturates at both ends (zx_time_add_duration). */
  zx_deadline_after: (call, { nanoseconds }) => {
    const deadline = call.k.nowNs + nanoseconds;
    if (deadline > TIME_INFINITE_NS) return TIME_INFINITE_NS;
    if (deadline < TIME_INFINITE_PAST_NS) return TIME_INFINITE_PAST_NS;
    return deadline;
  },

  zx_nanosleep: (call, { deadline }) => {
    if (deadline > call.k.nowNs) return block(call, { kind: 'sleep' }, deadline);
    yieldCore(call);
    return Status.OK;
  },
};
