import { ClockId, TIME_INFINITE_NS, TimerSlack } from '../../abi/clocks.js';
import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';

export const timerCalls: Handlers = {
  zx_timer_create: (call, { options, clock_id }) => {
    requireArgs(clock_id === ClockId.MONOTONIC || clock_id === ClockId.BOOT);
    requireArgs(options <= TimerSlack.LATE);
    requirePolicy(call, 'NEW_TIMER');
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'timer-created', koid, options, clockId: clock_id });
    call.putHandle('out', koid, DEFAULT_RIGHTS.timer);
    return Status.OK;
  },

  zx_timer_set: (call, { deadline, slack }) => {
    if (slack < 0n) refuse(Status.ERR_OUT_OF_RANGE);
    const { koid } = call.object('handle', 'timer');
    disarm(call.m, koid);
    if (deadline <= call.k.nowNs) changeSignals(call.m, koid, 0, Signal.TIMER_SIGNALED);
    else {
      const order = deadline === TIME_INFINITE_NS ? 0 : call.k.state.nextOrder;
      call.emit({ type: 'timer-set', koid, deadlineNs: deadline, slackNs: slack, order });
    }
    return Status.OK;
  },

  zx_timer_cancel: (call) => {
    disarm(call.m, call.object('handle', 'timer').koid);
    return Status.OK;
  },
};

/** No deadline, not signalled: set and cancel both begin so (object/timer_dispatcher). */
function disarm(m: Decider, koid: number): void {
  if (m.k.get(koid, 'timer').deadlineNs !== 0n) m.emit({ type: 'timer-cleared', koid });
  changeSignals(m, koid, Signal.TIMER_SIGNALED, 0);
}

/** The timer's deadline is reached. */
export function fireTimer(m: Decider, koid: number): void {
  m.emit({ type: 'timer-cleared', koid });
  changeSignals(m, koid, 0, Signal.TIMER_SIGNALED);
}
