import { IntMap } from '../../base/int-map.js';
import { addDeadline, removeDeadline } from './core.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface TimerState extends ObjectBase {
  readonly kind: 'timer';
  /** ZX_TIMER_SLACK_*. */
  readonly options: number;
  readonly clockId: number;
  /** 0n when it is not set. */
  readonly deadlineNs: bigint;
  readonly slackNs: bigint;
  /** Its place in the machine's deadlines; 0 when it will not fire: not set, or set to for ever. */
  readonly deadlineOrder: number;
}

export interface TimerEvents {
  'timer-created': { koid: number; options: number; clockId: number };
  /**
   * It will fire at its deadline exactly: slack allows any time in a window, and this is in every window. `order` 0:
   * at ZX_TIME_INFINITE, that is never.
   */
  'timer-set': { koid: number; deadlineNs: bigint; slackNs: bigint; order: number };
  /** Cancelled, or fired: no deadline any more. */
  'timer-cleared': { koid: number };
}

export const timerReducers: Reducers<TimerEvents> = {
  'timer-created': (k, e) => {
    k.create({
      kind: 'timer',
      ...newObject(e.koid, 0, IntMap.empty()),
      options: e.options,
      clockId: e.clockId,
      deadlineNs: 0n,
      slackNs: 0n,
      deadlineOrder: 0,
    });
  },
  'timer-set': (k, e) => {
    if (e.order !== 0) {
      k.state.nextOrder = e.order + 1;
      addDeadline(k, { atNs: e.deadlineNs, order: e.order, kind: 'timer', koid: e.koid });
    }
    k.update(e.koid, 'timer', (timer) => {
      timer.deadlineNs = e.deadlineNs;
      timer.slackNs = e.slackNs;
      timer.deadlineOrder = e.order;
    });
  },
  'timer-cleared': (k, e) => {
    removeDeadline(k, k.get(e.koid, 'timer').deadlineOrder);
    k.update(e.koid, 'timer', (timer) => {
      timer.deadlineNs = 0n;
      timer.slackNs = 0n;
      timer.deadlineOrder = 0;
    });
  },
};
