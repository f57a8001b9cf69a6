import { NOWHERE } from '../../kernel/ipc-support.js';
import { newCounter } from '../../kernel/object-support.js';
import { cause, refuses, valid } from '../causes.js';

valid('zx_counter_create', (h) => [0, h.scratch(4)]);
refuses(
  'zx_counter_create',
  'ERR_INVALID_ARGS',
  'options nonzero or bad out',
  (h) => [1, h.scratch(4)],
  () => [0, NOWHERE],
);

valid('zx_counter_add', (h) => [newCounter(h), 1]);
cause('zx_counter_add', 'ERR_OUT_OF_RANGE', 'result overflows int64', (h) => {
  const counter = newCounter(h);
  h.call('zx_counter_write', [counter, (1n << 63n) - 1n]);
  return h.call('zx_counter_add', [counter, 1]);
});

valid('zx_counter_read', (h) => [newCounter(h), h.scratch(8)]);
refuses('zx_counter_read', 'ERR_INVALID_ARGS', 'bad out', (h) => [newCounter(h), NOWHERE]);

valid('zx_counter_write', (h) => [newCounter(h), 1]);
