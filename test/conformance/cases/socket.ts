import { SocketDisposition, SocketOption } from '../../../src/abi/ipc.js';
import { SOCKET_BUFFER_BYTES } from '../../../src/kernel/objects/socket.js';
import type { Harness } from '../../kernel/harness.js';
import { NOWHERE } from '../../kernel/ipc-support.js';
import { BUFFER, newSocket } from '../../kernel/object-support.js';
import { cause, refuses, valid } from '../causes.js';

const { DATAGRAM, PEEK } = SocketOption;
const { WRITE_DISABLED, WRITE_ENABLED } = SocketDisposition;

valid('zx_socket_create', (h) => [DATAGRAM, h.scratch(4), h.scratch(4)]);
refuses(
  'zx_socket_create',
  'ERR_INVALID_ARGS',
  'unknown option or bad out',
  (h) => [PEEK, h.scratch(4), h.scratch(4)],
  (h) => [0, NOWHERE, h.scratch(4)],
  (h) => [0, h.scratch(4), NOWHERE],
);

/** A socket with 4 bytes to read at the first handle. */
function filled(h: Harness): [number, number] {
  const [near, far] = newSocket(h);
  h.call('zx_socket_write', [far, 0, BUFFER, 4, 0]);
  return [near, far];
}

valid('zx_socket_read', (h) => [filled(h)[0], 0, BUFFER, 4, 0]);
refuses('zx_socket_read', 'ERR_SHOULD_WAIT', 'no data', (h) => [newSocket(h)[0], 0, BUFFER, 4, 0]);
cause('zx_socket_read', 'ERR_PEER_CLOSED', 'no data and peer closed', (h) => {
  const [near, far] = newSocket(h);
  h.call('zx_handle_close', [far]);
  return h.call('zx_socket_read', [near, 0, BUFFER, 4, 0]);
});
cause('zx_socket_read', 'ERR_BAD_STATE', 'peer writing disabled and drained', (h) => {
  const [near, far] = filled(h);
  h.call('zx_socket_set_disposition', [far, WRITE_DISABLED, 0]);
  h.call('zx_socket_read', [near, 0, BUFFER, 4, 0]);
  return h.call('zx_socket_read', [near, 0, BUFFER, 4, 0]);
});
refuses(
  'zx_socket_read',
  'ERR_INVALID_ARGS',
  'null buffer with size, options other than PEEK',
  (h) => [filled(h)[0], 0, 0, 4, 0],
  (h) => [filled(h)[0], DATAGRAM, BUFFER, 4, 0],
);

valid('zx_socket_write', (h) => [newSocket(h)[0], 0, BUFFER, 4, 0]);
cause('zx_socket_write', 'ERR_SHOULD_WAIT', 'full', (h) => {
  const [near] = newSocket(h);
  h.call('zx_socket_write', [near, 0, BUFFER, SOCKET_BUFFER_BYTES, 0]);
  return h.call('zx_socket_write', [near, 0, BUFFER, 1, 0]);
});
refuses('zx_socket_write', 'ERR_OUT_OF_RANGE', 'datagram bigger than space', (h) => [
  newSocket(h, DATAGRAM)[0],
  0,
  BUFFER,
  SOCKET_BUFFER_BYTES + 1,
  0,
]);
cause('zx_socket_write', 'ERR_BAD_STATE', 'writing disabled', (h) => {
  const [near, far] = newSocket(h);
  h.call('zx_socket_set_disposition', [far, 0, WRITE_DISABLED]);
  return h.call('zx_socket_write', [near, 0, BUFFER, 4, 0]);
});
cause('zx_socket_write', 'ERR_PEER_CLOSED', 'peer closed', (h) => {
  const [near, far] = newSocket(h);
  h.call('zx_handle_close', [far]);
  return h.call('zx_socket_write', [near, 0, BUFFER, 4, 0]);
});
refuses(
  'zx_socket_write',
  'ERR_INVALID_ARGS',
  'null buffer or options',
  (h) => [newSocket(h)[0], 0, 0, 4, 0],
  (h) => [newSocket(h)[0], 1, BUFFER, 4, 0],
);

valid('zx_socket_set_disposition', (h) => [newSocket(h)[0], WRITE_DISABLED, WRITE_DISABLED]);
cause('zx_socket_set_disposition', 'ERR_BAD_STATE', 're-enable with data buffered', (h) => {
  const [, far] = filled(h);
  h.call('zx_socket_set_disposition', [far, WRITE_DISABLED, 0]);
  return h.call('zx_socket_set_disposition', [far, WRITE_ENABLED, 0]);
});
refuses(
  'zx_socket_set_disposition',
  'ERR_INVALID_ARGS',
  'both bits or unknown bits',
  (h) => [newSocket(h)[0], WRITE_DISABLED | WRITE_ENABLED, 0],
  (h) => [newSocket(h)[0], 0, 4],
);
