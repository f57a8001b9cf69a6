import test from 'ava';
import { Property } from '../../src/abi/info.js';
import { SocketDisposition, SocketOption } from '../../src/abi/ipc.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct } from '../../src/abi/structs.js';
import { SOCKET_BUFFER_BYTES } from '../../src/kernel/objects/socket.js';
import { MAX_MESSAGE_BYTES } from '../../src/kernel/syscalls/quota.js';
import { Harness } from './harness.js';
import {
  blocks,
  bytesAt,
  gives,
  INFINITE,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  signalsOf,
  withRights,
} from './ipc-support.js';
import { BUFFER, move, newSocket, ramp, readSocket, writeSocket } from './object-support.js';

const { DATAGRAM, PEEK } = SocketOption;
const { WRITE_DISABLED: OFF, WRITE_ENABLED: ON } = SocketDisposition;
const {
  SOCKET_READABLE: READABLE,
  SOCKET_WRITABLE: WRITABLE,
  SOCKET_PEER_CLOSED: PEER_CLOSED,
  SOCKET_WRITE_DISABLED,
  SOCKET_PEER_WRITE_DISABLED,
  SOCKET_READ_THRESHOLD: READ_THRESHOLD,
  SOCKET_WRITE_THRESHOLD: WRITE_THRESHOLD,
} = Signal;

const MAX = SOCKET_BUFFER_BYTES;

function setProperty(h: Harness, socket: number, property: number, value: number): bigint | string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return h.call('zx_object_set_property', [socket, property, h.scratch(bytes), 8]);
}

function infoOf(h: Harness, socket: number) {
  const buffer = h.scratch(48);
  h.call('zx_object_get_info', [socket, 0x16, buffer, 48, 0, 0]);
  const { rx_buf_max, rx_buf_size, rx_buf_available, tx_buf_max, tx_buf_size } = decodeStruct(
    'zx_info_socket_t',
    bytesAt(h, buffer, 48),
  );
  return [rx_buf_max, rx_buf_size, rx_buf_available, tx_buf_max, tx_buf_size].map(Number);
}

test('zx_socket_create: INVALID_ARGS for unknown options and bad out pointers', (t) => {
  const h = new Harness();
  const [a, b] = [h.scratch(4), h.scratch(4)];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_create', [2, a, b]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_create', [PEEK, a, b]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_create', [0, NOWHERE, b]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_create', [0, a, NOWHERE]);
  for (const options of [0, DATAGRAM]) {
    for (const end of newSocket(h, options)) t.is(signalsOf(h, end), WRITABLE);
  }
});

test('handles: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, after the options', (t) => {
  const h = new Harness();
  const [socket] = newSocket(h);
  for (const [name, args, right, bad] of [
    ['zx_socket_read', [0, BUFFER, 1, 0], Right.READ, [DATAGRAM, BUFFER, 1, 0]],
    ['zx_socket_write', [0, BUFFER, 1, 0], Right.WRITE, [PEEK, BUFFER, 1, 0]],
    ['zx_socket_set_disposition', [0, 0], Right.MANAGE_SOCKET, [OFF | ON, 0]],
  ] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, ...args]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), ...args]);
    const weak = withRights(h, socket, DEFAULT_RIGHTS.socket & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, ...args]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [NO_HANDLE, ...bad]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_set_disposition', [NO_HANDLE, 0, OFF | ON]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_set_disposition', [NO_HANDLE, 4, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_read', [NO_HANDLE, 0, 0, 1, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_write', [NO_HANDLE, 0, 0, 1, 0]);
});

test('bad pointers move nothing', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_write', [near, 0, NOWHERE, 4, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_write', [near, 0, BUFFER, 4, NOWHERE]);
  t.is(readSocket(h, far, 4).status, 'ERR_SHOULD_WAIT');
  writeSocket(h, near, ramp(1, 4));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_read', [far, 0, NOWHERE, 4, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_socket_read', [far, 0, BUFFER, 4, NOWHERE]);
  t.deepEqual(readSocket(h, far, 9).bytes, ramp(1, 4));
});

test('a stream takes what fits, and gives what is asked for', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  t.is(writeSocket(h, near, ramp(0, MAX - 3)).actual, MAX - 3);
  t.is(signalsOf(h, near), WRITABLE);
  t.is(writeSocket(h, near, ramp(5, 10)).actual, 3);
  t.is(signalsOf(h, near), 0);
  t.is(writeSocket(h, near, ramp(5, 10)).status, 'ERR_SHOULD_WAIT');
  t.is(readSocket(h, far, 1).actual, 1);
  t.is(signalsOf(h, near), WRITABLE);
  t.deepEqual(readSocket(h, far, 5000).bytes, ramp(1, 5000));
  t.deepEqual(infoOf(h, far), [MAX, MAX - 5001, MAX - 5001, MAX, 0]);
  t.deepEqual(infoOf(h, near), [MAX, 0, 0, MAX, MAX - 5001]);
});

test('datagrams stay whole when written and are cut when read', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h, DATAGRAM);
  t.is(writeSocket(h, near, ramp(0, 10)).actual, 10);
  t.is(writeSocket(h, near, ramp(50, 6)).actual, 6);
  t.deepEqual(infoOf(h, far), [MAX, 16, 10, MAX, 0]);
  t.is(move(h, 'zx_socket_read', [far, 0, 0, 0]).status, 'OK');
  t.deepEqual(readSocket(h, far, 4).bytes, ramp(0, 4));
  t.deepEqual(readSocket(h, far, 100).bytes, ramp(50, 6));
  t.is(readSocket(h, far, 100).status, 'ERR_SHOULD_WAIT');
  t.is(writeSocket(h, near, ramp(0, MAX - 1)).actual, MAX - 1);
  t.is(writeSocket(h, near, ramp(0, 2)).status, 'ERR_SHOULD_WAIT');
  t.is(move(h, 'zx_socket_write', [near, 0, BUFFER, MAX + 1]).status, 'ERR_OUT_OF_RANGE');
  t.is(writeSocket(h, near, ramp(0, 1)).actual, 1);
  t.is(move(h, 'zx_socket_write', [near, 0, BUFFER, MAX + 1]).status, 'ERR_SHOULD_WAIT');
});

test('PEEK takes nothing', (t) => {
  for (const options of [0, DATAGRAM]) {
    const h = new Harness();
    const [near, far] = newSocket(h, options);
    writeSocket(h, near, ramp(0, 6000));
    writeSocket(h, near, ramp(9, 10));
    for (let i = 0; i < 2; i++) t.deepEqual(readSocket(h, far, 5000, PEEK).bytes, ramp(0, 5000));
    t.is(readSocket(h, far, 6000).actual, 6000);
    t.deepEqual(readSocket(h, far, 6000, PEEK).bytes, ramp(9, 10));
  }
});

test('lengths: nothing is fine, 2^32 is not', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  t.deepEqual(move(h, 'zx_socket_write', [near, 0, 0, 0]), { status: 'OK', actual: 0 });
  t.is(move(h, 'zx_socket_read', [far, 0, 0, 0]).status, 'ERR_SHOULD_WAIT');
  t.is(move(h, 'zx_socket_write', [near, 0, BUFFER, 1n << 32n]).status, 'ERR_INVALID_ARGS');
  t.is(move(h, 'zx_socket_read', [far, 0, BUFFER, 1n << 32n]).status, 'ERR_INVALID_ARGS');
  writeSocket(h, near, ramp(0, 3));
  t.deepEqual(move(h, 'zx_socket_read', [far, 0, 0, 0]), { status: 'OK', actual: 0 });
  t.is(move(h, 'zx_socket_read', [far, 0, BUFFER, 0xffffffff]).actual, 3);
});

test('a closed peer: what is there can be read, nothing can be written', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  writeSocket(h, near, ramp(3, 3));
  h.call('zx_handle_close', [near]);
  t.is(signalsOf(h, far), READABLE | PEER_CLOSED);
  t.is(writeSocket(h, far, ramp(0, 1)).status, 'ERR_PEER_CLOSED');
  t.is(move(h, 'zx_socket_write', [far, 0, 0, 0]).status, 'ERR_PEER_CLOSED');
  t.deepEqual(readSocket(h, far, 100).bytes, ramp(3, 3));
  t.is(readSocket(h, far, 1).status, 'ERR_PEER_CLOSED');
  t.deepEqual(infoOf(h, far), [MAX, 0, 0, 0, 0]);
});

test('a disabled end writes nothing; its peer reads to the end and then BAD_STATE', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  writeSocket(h, near, ramp(3, 3));
  gives(t, h, 'OK', 'zx_socket_set_disposition', [near, OFF, 0]);
  t.is(signalsOf(h, near), SOCKET_WRITE_DISABLED);
  t.is(signalsOf(h, far), READABLE | WRITABLE | SOCKET_PEER_WRITE_DISABLED);
  t.is(writeSocket(h, near, ramp(0, 1)).status, 'ERR_BAD_STATE');
  // With bytes in between it stays as it is (RFC-0099).
  gives(t, h, 'ERR_BAD_STATE', 'zx_socket_set_disposition', [near, ON, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_socket_set_disposition', [far, OFF, ON]);
  t.is(signalsOf(h, far), READABLE | WRITABLE | SOCKET_PEER_WRITE_DISABLED);
  t.deepEqual(readSocket(h, far, 100).bytes, ramp(3, 3));
  t.is(readSocket(h, far, 1).status, 'ERR_BAD_STATE');
  gives(t, h, 'OK', 'zx_socket_set_disposition', [far, 0, ON]);
  t.is(signalsOf(h, near), WRITABLE);
  t.is(signalsOf(h, far), WRITABLE);
  t.is(readSocket(h, far, 1).status, 'ERR_SHOULD_WAIT');
  t.is(writeSocket(h, near, ramp(0, 1)).actual, 1);
});

test('a disabled end whose buffer drains does not become writable', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  writeSocket(h, near, ramp(0, MAX));
  gives(t, h, 'OK', 'zx_socket_set_disposition', [near, OFF, 0]);
  t.is(readSocket(h, far, 10).actual, 10);
  t.is(signalsOf(h, near), SOCKET_WRITE_DISABLED);
});

test('dispositions of an end whose peer is gone', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  h.call('zx_handle_close', [far]);
  gives(t, h, 'OK', 'zx_socket_set_disposition', [near, OFF, OFF]);
  t.is(signalsOf(h, near), SOCKET_WRITE_DISABLED | PEER_CLOSED);
  gives(t, h, 'OK', 'zx_socket_set_disposition', [near, ON, ON]);
  t.is(signalsOf(h, near), PEER_CLOSED);
});

test('thresholds say how much there is to read, and how much room to write', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  const { SOCKET_RX_THRESHOLD, SOCKET_TX_THRESHOLD } = Property;
  t.is(setProperty(h, far, SOCKET_RX_THRESHOLD, 4), 0n);
  t.is(setProperty(h, near, SOCKET_TX_THRESHOLD, MAX - 5), 0n);
  t.is(signalsOf(h, near), WRITABLE | WRITE_THRESHOLD);
  writeSocket(h, near, ramp(0, 3));
  t.is(signalsOf(h, far), READABLE | WRITABLE);
  writeSocket(h, near, ramp(0, 3));
  t.is(signalsOf(h, far), READABLE | WRITABLE | READ_THRESHOLD);
  t.is(signalsOf(h, near), WRITABLE);
  readSocket(h, far, 3);
  t.is(signalsOf(h, far), READABLE | WRITABLE);
  t.is(signalsOf(h, near), WRITABLE | WRITE_THRESHOLD);
  t.is(setProperty(h, far, SOCKET_RX_THRESHOLD, 3), 0n);
  t.is(signalsOf(h, far), READABLE | WRITABLE | READ_THRESHOLD);
  t.is(setProperty(h, far, SOCKET_RX_THRESHOLD, 0), 0n);
  t.is(signalsOf(h, far), READABLE | WRITABLE);
  const out = h.scratch(8);
  gives(t, h, 'OK', 'zx_object_get_property', [near, SOCKET_TX_THRESHOLD, out, 8]);
  t.is(h.u64(out), BigInt(MAX - 5));
  gives(t, h, 'OK', 'zx_object_get_property', [near, SOCKET_RX_THRESHOLD, out, 8]);
  t.is(h.u64(out), 0n);
});

test('thresholds: INVALID_ARGS above the buffer, PEER_CLOSED where nothing can be written', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  const big = h.scratch(Uint8Array.of(1, 0, 4, 0, 0, 0, 0, 0));
  for (const property of [Property.SOCKET_RX_THRESHOLD, Property.SOCKET_TX_THRESHOLD]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_set_property', [near, property, big, 8]);
    gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_object_set_property', [near, property, big, 7]);
    gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_set_property', [h.handles.thread, property, big, 8]);
  }
  h.call('zx_handle_close', [far]);
  const small = h.scratch(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_object_set_property', [near, Property.SOCKET_TX_THRESHOLD, small, 8]);
  gives(t, h, 'OK', 'zx_object_set_property', [near, Property.SOCKET_RX_THRESHOLD, small, 8]);
});

test('who waits is woken by a write, a read and a new disposition', (t) => {
  const h = new Harness();
  const [near, far] = newSocket(h);
  const other = h.newThread(h.process, 'other');
  blocks(t, h, 'zx_object_wait_one', [far, READABLE, INFINITE, 0], other);
  writeSocket(h, near, ramp(0, MAX));
  t.is(outcome(h, other), 'OK');
  blocks(t, h, 'zx_object_wait_one', [near, WRITABLE, INFINITE, 0], other);
  readSocket(h, far, MAX);
  t.is(outcome(h, other), 'OK');
  const observed = h.scratch(4);
  blocks(t, h, 'zx_object_wait_one', [far, SOCKET_PEER_WRITE_DISABLED, INFINITE, observed], other);
  gives(t, h, 'OK', 'zx_socket_set_disposition', [near, OFF, OFF]);
  t.is(h.u32(observed), SOCKET_PEER_WRITE_DISABLED | SOCKET_WRITE_DISABLED);
});

test('all sockets together hold no more than messages may', (t) => {
  for (const options of [0, DATAGRAM]) {
    const h = new Harness();
    const [near, far] = newSocket(h, options);
    h.k.state.messageBytes = MAX_MESSAGE_BYTES - 200;
    t.is(writeSocket(h, near, ramp(0, 201)).status, 'ERR_SHOULD_WAIT');
    t.is(writeSocket(h, near, ramp(0, 72)).status, 'OK');
    t.is(h.k.state.messageBytes, MAX_MESSAGE_BYTES - (options === 0 ? 128 : 0));
    t.is(readSocket(h, far, 40).status, 'OK');
    h.call('zx_handle_close', [far]);
    t.is(h.k.state.messageBytes, MAX_MESSAGE_BYTES - 200);
  }
});
