import type { Harness } from '../../kernel/harness.js';
import { NOWHERE } from '../../kernel/ipc-support.js';
import { BUFFER, newFifo } from '../../kernel/object-support.js';
import { cause, refuses, valid } from '../causes.js';

const outs = (h: Harness): number[] => [h.scratch(4), h.scratch(4)];

valid('zx_fifo_create', (h) => [2, 4, 0, ...outs(h)]);
refuses(
  'zx_fifo_create',
  'ERR_OUT_OF_RANGE',
  'count or size zero, or product over 4096 (2020 kernels: count must also be a power of two)',
  (h) => [0, 4, 0, ...outs(h)],
  (h) => [2, 0, 0, ...outs(h)],
  (h) => [2, 2049, 0, ...outs(h)],
);
refuses(
  'zx_fifo_create',
  'ERR_INVALID_ARGS',
  'options nonzero or bad out',
  (h) => [2, 4, 1, ...outs(h)],
  (h) => [2, 4, 0, NOWHERE, h.scratch(4)],
  (h) => [2, 4, 0, h.scratch(4), NOWHERE],
);

/** A FIFO of two elements of 4 bytes with one in it, to read at the first handle and to write at the second. */
function half(h: Harness): [number, number] {
  const [near, far] = newFifo(h, 2, 4);
  h.call('zx_fifo_write', [far, 4, BUFFER, 1, 0]);
  return [near, far];
}

valid('zx_fifo_read', (h) => [half(h)[0], 4, BUFFER, 1, 0]);
refuses(
  'zx_fifo_read',
  'ERR_OUT_OF_RANGE',
  'count 0 or wrong element size',
  (h) => [half(h)[0], 4, BUFFER, 0, 0],
  (h) => [half(h)[0], 2, BUFFER, 1, 0],
);
refuses('zx_fifo_read', 'ERR_SHOULD_WAIT', 'empty', (h) => [newFifo(h, 2, 4)[0], 4, BUFFER, 1, 0]);
cause('zx_fifo_read', 'ERR_PEER_CLOSED', 'empty and peer closed', (h) => {
  const [near, far] = newFifo(h, 2, 4);
  h.call('zx_handle_close', [far]);
  return h.call('zx_fifo_read', [near, 4, BUFFER, 1, 0]);
});
refuses(
  'zx_fifo_read',
  'ERR_INVALID_ARGS',
  'bad pointer',
  (h) => [half(h)[0], 4, NOWHERE, 1, 0],
  (h) => [half(h)[0], 4, BUFFER, 1, NOWHERE],
);

valid('zx_fifo_write', (h) => [half(h)[1], 4, BUFFER, 1, 0]);
refuses(
  'zx_fifo_write',
  'ERR_OUT_OF_RANGE',
  'count 0 or wrong element size',
  (h) => [half(h)[1], 4, BUFFER, 0, 0],
  (h) => [half(h)[1], 8, BUFFER, 1, 0],
);
cause('zx_fifo_write', 'ERR_SHOULD_WAIT', 'full', (h) => {
  const far = half(h)[1];
  h.call('zx_fifo_write', [far, 4, BUFFER, 1, 0]);
  return h.call('zx_fifo_write', [far, 4, BUFFER, 1, 0]);
});
cause('zx_fifo_write', 'ERR_PEER_CLOSED', 'peer closed', (h) => {
  const [near, far] = newFifo(h, 2, 4);
  h.call('zx_handle_close', [near]);
  return h.call('zx_fifo_write', [far, 4, BUFFER, 1, 0]);
});
refuses(
  'zx_fifo_write',
  'ERR_INVALID_ARGS',
  'bad pointer',
  (h) => [half(h)[1], 4, NOWHERE, 1, 0],
  (h) => [half(h)[1], 4, BUFFER, 1, NOWHERE],
);
