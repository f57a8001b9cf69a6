import { ClockId, TimerSlack } from '../../../src/abi/clocks.js';
import { NOWHERE, newTimer } from '../../kernel/ipc-support.js';
import { cause, valid } from '../causes.js';

const { MONOTONIC, BOOT } = ClockId;

valid('zx_timer_create', (h) => [0, MONOTONIC, h.scratch(4)]);
const badCreate = 'slack mode unknown, clock not MONOTONIC/BOOT, bad out';
cause('zx_timer_create', 'ERR_INVALID_ARGS', badCreate, (h) =>
  h.call('zx_timer_create', [TimerSlack.LATE + 1, MONOTONIC, h.scratch(4)]),
);
cause('zx_timer_create', 'ERR_INVALID_ARGS', badCreate, (h) =>
  h.call('zx_timer_create', [0, BOOT + 1, h.scratch(4)]),
);
cause('zx_timer_create', 'ERR_INVALID_ARGS', badCreate, (h) =>
  h.call('zx_timer_create', [0, MONOTONIC, NOWHERE]),
);

valid('zx_timer_set', (h) => [newTimer(h), 1000, 0]);
cause('zx_timer_set', 'ERR_OUT_OF_RANGE', 'negative slack', (h) =>
  h.call('zx_timer_set', [newTimer(h), 1000, -1]),
);

valid('zx_timer_cancel', (h) => [newTimer(h)]);
