import { PORT_MAX_USER_PACKETS } from '../../../src/abi/limits.js';
import { Right } from '../../../src/abi/rights.js';
import { Signal } from '../../../src/abi/signals.js';
import type { Harness } from '../../kernel/harness.js';
import { INFINITE, NOWHERE, newEvent, newPort } from '../../kernel/ipc-support.js';
import { cause, type Result, valid } from '../causes.js';

const KEY = 7n;
const PACKET_BYTES = 48;

valid('zx_port_create', (h) => [0, h.scratch(4)]);
cause('zx_port_create', 'ERR_INVALID_ARGS', 'unknown option or bad out', (h) =>
  h.call('zx_port_create', [2, h.scratch(4)]),
);
cause('zx_port_create', 'ERR_INVALID_ARGS', 'unknown option or bad out', (h) =>
  h.call('zx_port_create', [0, NOWHERE]),
);

valid('zx_port_queue', (h) => [newPort(h), h.scratch(PACKET_BYTES)]);
cause('zx_port_queue', 'ERR_INVALID_ARGS', 'bad packet pointer', (h) =>
  h.call('zx_port_queue', [newPort(h), NOWHERE]),
);
cause('zx_port_queue', 'ERR_SHOULD_WAIT', 'too many user packets queued (also policy exception)', (h) => {
  const port = newPort(h);
  const packet = h.scratch(PACKET_BYTES);
  for (let i = 0; i < PORT_MAX_USER_PACKETS; i++) h.call('zx_port_queue', [port, packet]);
  return h.call('zx_port_queue', [port, packet]);
});

valid('zx_port_wait', (h) => [newPort(h), INFINITE, h.scratch(PACKET_BYTES)]);
cause('zx_port_wait', 'ERR_TIMED_OUT', 'deadline', (h) =>
  h.call('zx_port_wait', [newPort(h), 0, h.scratch(PACKET_BYTES)]),
);
cause('zx_port_wait', 'ERR_INVALID_ARGS', 'bad out', (h) =>
  h.call('zx_port_wait', [newPort(h), INFINITE, NOWHERE]),
);
cause('zx_port_wait', 'ERR_CANCELED', 'port closed during wait', (h) => {
  const port = newPort(h);
  const thread = h.newThread(h.process, 'waiter');
  h.call('zx_port_wait', [port, INFINITE, h.scratch(PACKET_BYTES)], thread);
  h.call('zx_handle_close', [port]);
  return h.result(thread);
});

/** A port and an event that it watches with KEY. */
function watched(h: Harness): { port: number; event: number } {
  const port = newPort(h);
  const event = newEvent(h);
  h.call('zx_object_wait_async', [event, port, KEY, Signal.EVENT_SIGNALED, 0]);
  return { port, event };
}

valid('zx_port_cancel', (h) => {
  const { port, event } = watched(h);
  return [port, event, KEY];
});
cause('zx_port_cancel', 'ERR_NOT_FOUND', 'nothing pending for (source,key)', (h) => {
  const { port, event } = watched(h);
  return h.call('zx_port_cancel', [port, event, KEY + 1n]);
});
cause('zx_port_cancel', 'ERR_NOT_SUPPORTED', 'source not waitable', (h) => {
  // VMARs have no signals; no call gives out a handle to one with WAIT.
  const vmar = h.give(h.rootVmar, Right.WAIT);
  return h.call('zx_port_cancel', [newPort(h), vmar, KEY]);
});

valid('zx_port_cancel_key', (h) => [watched(h).port, 0, KEY]);
const cancelKey = (h: Harness, options: number, key: bigint): Result =>
  h.call('zx_port_cancel_key', [watched(h).port, options, key]);
cause('zx_port_cancel_key', 'ERR_INVALID_ARGS', 'options nonzero', (h) => cancelKey(h, 1, KEY));
cause('zx_port_cancel_key', 'ERR_NOT_FOUND', 'nothing with key', (h) => cancelKey(h, 0, KEY + 1n));
