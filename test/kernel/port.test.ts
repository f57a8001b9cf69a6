import test from 'ava';
import { PORT_MAX_USER_PACKETS } from '../../src/abi/limits.js';
import { PacketType, WaitAsyncOption } from '../../src/abi/ports.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, encodeStruct } from '../../src/abi/structs.js';
import { MAX_OBSERVERS, MAX_PORT_LOAD } from '../../src/kernel/syscalls/quota.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import {
  blocks,
  bytesAt,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newPort,
  outcome,
  withRights,
  words,
} from './ipc-support.js';

const SIGNALED = Signal.EVENT_SIGNALED;

function userPacket(h: Harness, key: bigint, value = 0): number {
  const u = new Uint8Array(32).fill(value);
  return h.scratch(encodeStruct('zx_port_packet_t', { key, type: 77, status: -5, u }));
}

function packetAt(h: Harness, address: number) {
  const { u, ...head } = decodeStruct('zx_port_packet_t', bytesAt(h, address, 48));
  return { ...head, signal: decodeStruct('zx_packet_signal_t', u), bytes: u };
}

/** The keys of all packets, taken one by one. */
function drain(h: Harness, port: number): bigint[] {
  const out = h.scratch(48);
  const keys: bigint[] = [];
  while (h.call('zx_port_wait', [port, 0, out]) === 0n) keys.push(packetAt(h, out).key);
  return keys;
}

function isEmpty(h: Harness, ...handles: number[]): boolean {
  return handles.every((handle) => h.k.find(koidOf(h, handle))?.observers.size === 0);
}

test('user packets come out in order, of type USER, key, status and bytes kept', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const out = h.scratch(48);
  gives(t, h, 'OK', 'zx_port_queue', [port, userPacket(h, 0xffffffffffffffffn, 9)]);
  gives(t, h, 'OK', 'zx_port_queue', [port, userPacket(h, 2n)]);
  gives(t, h, 'OK', 'zx_port_wait', [port, INFINITE, out]);
  const { key, type, status, bytes } = packetAt(h, out);
  t.deepEqual([key, type, status], [0xffffffffffffffffn, PacketType.USER, -5]);
  t.deepEqual(bytes, new Uint8Array(32).fill(9));
  t.deepEqual(drain(h, port), [2n]);
});

test('zx_port_create: INVALID_ARGS for an option or a bad out pointer; NOT_SUPPORTED for interrupts', (t) => {
  const h = new Harness();
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_port_create', [2, h.scratch(4)]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_port_create', [0, NOWHERE]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_port_create', [1, h.scratch(4)]);
});

test('zx_port_queue and zx_port_wait: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const packet = userPacket(h, 1n);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_port_queue', [NO_HANDLE, packet]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_port_queue', [newEvent(h), packet]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_port_queue', [withRights(h, port, Right.READ), packet]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_port_queue', [port, NOWHERE]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_port_wait', [NO_HANDLE, 0, packet]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_port_wait', [newEvent(h), 0, packet]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_port_wait', [withRights(h, port, Right.WRITE), 0, packet]);
  gives(t, h, 'OK', 'zx_port_queue', [port, packet]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_port_wait', [port, 0, NOWHERE]);
  gives(t, h, 'OK', 'zx_port_wait', [port, 0, 0]);
});

test('zx_port_queue: SHOULD_WAIT when too many user packets wait', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const packet = userPacket(h, 1n);
  for (let i = 0; i < PORT_MAX_USER_PACKETS; i++) h.call('zx_port_queue', [port, packet]);
  gives(t, h, 'ERR_SHOULD_WAIT', 'zx_port_queue', [port, packet]);
  gives(t, h, 'OK', 'zx_port_wait', [port, 0, h.scratch(48)]);
  gives(t, h, 'OK', 'zx_port_queue', [port, packet]);
  const { messageBytes } = h.k.state;
  t.true(messageBytes > 0);
  h.call('zx_handle_close', [port]);
  t.is(h.k.state.messageBytes, 0);
});

test('zx_port_wait: TIMED_OUT at a deadline that passed, or passes', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const out = h.scratch(48);
  gives(t, h, 'ERR_TIMED_OUT', 'zx_port_wait', [port, 0, out]);
  blocks(t, h, 'zx_port_wait', [port, 500, out]);
  h.advance(500n);
  expireWait(h, h.thread);
  t.is(outcome(h), 'ERR_TIMED_OUT');
  gives(t, h, 'OK', 'zx_port_queue', [port, userPacket(h, 1n)]);
  t.deepEqual(drain(h, port), [1n]);
});

test('zx_port_wait: CANCELED when the port goes', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const waiter = h.newThread(h.process, 'waiter');
  blocks(t, h, 'zx_port_wait', [port, INFINITE, h.scratch(48)], waiter);
  h.call('zx_handle_close', [port]);
  t.is(outcome(h, waiter), 'ERR_CANCELED');
});

test('packets wake waiters in order of arrival, one packet each', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const waiters = [0, 1, 2].map((i) => {
    const thread = h.newThread(h.process, `waiter ${i}`);
    const out = h.scratch(48);
    blocks(t, h, 'zx_port_wait', [port, INFINITE, out], thread);
    return { thread, out };
  });
  for (const key of [10n, 11n]) gives(t, h, 'OK', 'zx_port_queue', [port, userPacket(h, key)]);
  t.deepEqual(
    waiters.map(({ thread }) => outcome(h, thread)),
    ['OK', 'OK', 'blocked'],
  );
  t.deepEqual(
    waiters.slice(0, 2).map(({ out }) => packetAt(h, out).key),
    [10n, 11n],
  );
});

test('zx_object_wait_async: one packet when the signal comes, none after', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  const mask = (SIGNALED | Signal.USER_3) >>> 0;
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 5, mask, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.USER_1]);
  t.deepEqual(drain(h, port), []);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_signal', [event, SIGNALED, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  const out = h.scratch(48);
  gives(t, h, 'OK', 'zx_port_wait', [port, 0, out]);
  const { key, type, status, signal } = packetAt(h, out);
  t.deepEqual([key, type, status], [5n, PacketType.SIGNAL_ONE, 0]);
  const { trigger, observed, count, timestamp } = signal;
  t.deepEqual([trigger, observed, count, timestamp], [mask, SIGNALED | Signal.USER_1, 1n, 0n]);
  t.deepEqual(drain(h, port), []);
  t.true(isEmpty(h, event));
});

test('zx_object_wait_async is level triggered; with EDGE only a change counts', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, SIGNALED, WaitAsyncOption.ONCE]);
  t.deepEqual(drain(h, port), [1n]);
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 2, SIGNALED | Signal.USER_0, WaitAsyncOption.EDGE]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.USER_1]);
  gives(t, h, 'OK', 'zx_object_signal', [event, SIGNALED, 0]);
  t.deepEqual(drain(h, port), []);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  t.deepEqual(drain(h, port), [2n]);
});

test('zx_object_wait_async stamps the time when asked, of either clock', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  const out = h.scratch(48);
  for (const option of [WaitAsyncOption.TIMESTAMP, WaitAsyncOption.BOOT_TIMESTAMP]) {
    gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, SIGNALED, option]);
    h.advance(321n);
    gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
    gives(t, h, 'OK', 'zx_port_wait', [port, 0, out]);
    t.is(packetAt(h, out).signal.timestamp, h.k.nowNs);
    gives(t, h, 'OK', 'zx_object_signal', [event, SIGNALED, 0]);
  }
});

test('zx_object_wait_async: each status', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_wait_async', [event, port, 1, 8, 8]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_wait_async', [event, port, 1, 8, 5]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_wait_async', [NO_HANDLE, port, 1, 8, 0]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_wait_async', [event, NO_HANDLE, 1, 8, 0]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_wait_async', [event, event, 1, 8, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_wait_async', [event, withRights(h, port, Right.READ), 1, 8, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_wait_async', [
    withRights(h, event, Right.SIGNAL),
    port,
    1,
    8,
    0,
  ]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_wait_async', [withRights(h, port, Right.WAIT), port, 1, 8, 0]);
  t.true(isEmpty(h, event, port));
});

test('zx_object_wait_async: NO_MEMORY over the bounds of an object and of a port', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const wait = (event: number): bigint | string => h.call('zx_object_wait_async', [event, port, 1, 8, 0]);
  let registered = 0;
  while (registered < MAX_PORT_LOAD) {
    const event = newEvent(h);
    const before = registered;
    while (registered < MAX_PORT_LOAD && wait(event) === 0n) registered++;
    t.true(registered - before <= MAX_OBSERVERS);
  }
  gives(t, h, 'ERR_NO_MEMORY', 'zx_object_wait_async', [newEvent(h), port, 1, 8, 0]);
  gives(t, h, 'OK', 'zx_object_wait_async', [newEvent(h), newPort(h), 1, 8, 0]);
  gives(t, h, 'OK', 'zx_port_cancel_key', [port, 0, 1]);
  t.is(h.k.get(koidOf(h, port), 'port').registrations.size, 0);
});

test('observers of one object are told in order of registration', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  for (const key of [3, 1, 2]) gives(t, h, 'OK', 'zx_object_wait_async', [event, port, key, SIGNALED, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  t.deepEqual(drain(h, port), [3n, 1n, 2n]);
});

test('closing or sending the handle ends its registrations silently; queued packets stay', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  const other = withRights(h, event, DEFAULT_RIGHTS.event);
  const third = withRights(h, event, DEFAULT_RIGHTS.event);
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, Signal.USER_0, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.USER_0]);
  for (const [handle, key] of [
    [event, 2],
    [other, 3],
    [third, 4],
  ]) {
    gives(t, h, 'OK', 'zx_object_wait_async', [handle, port, key, SIGNALED, 0]);
  }
  h.call('zx_handle_close', [event]);
  gives(t, h, 'OK', 'zx_channel_write', [newChannel(h)[0], 0, 0, 0, h.scratch(words(third)), 1]);
  gives(t, h, 'OK', 'zx_object_signal', [other, 0, SIGNALED]);
  t.deepEqual(drain(h, port), [1n, 3n]);
});

test('a port that goes takes its registrations along', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, SIGNALED, 0]);
  h.call('zx_handle_close', [port]);
  t.true(isEmpty(h, event));
  t.is(h.k.state.messageBytes, 0);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
});

test('zx_port_cancel takes registrations and packets of that handle with that key, no others', (t) => {
  const h = new Harness();
  const [port, second, event] = [newPort(h), newPort(h), newEvent(h)];
  const other = withRights(h, event, DEFAULT_RIGHTS.event);
  const wait = (handle: number, to: number, key: number, signals: number): void =>
    gives(t, h, 'OK', 'zx_object_wait_async', [handle, to, key, signals, 0]);
  for (const signals of [SIGNALED, Signal.USER_0]) {
    wait(event, port, 1, signals);
    wait(event, port, 2, signals);
    wait(other, port, 1, signals);
    wait(event, second, 1, signals);
  }
  gives(t, h, 'OK', 'zx_port_queue', [port, userPacket(h, 1n)]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_port_cancel', [port, event, 1]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_port_cancel', [port, event, 1]);
  t.deepEqual(drain(h, port), [1n, 2n, 1n]);
  t.deepEqual(drain(h, second), [1n]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.USER_0]);
  t.deepEqual(drain(h, port), [2n, 1n]);
  t.deepEqual(drain(h, second), [1n]);
});

test('zx_port_cancel: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, NOT_SUPPORTED, NOT_FOUND', (t) => {
  const h = new Harness();
  const [port, event] = [newPort(h), newEvent(h)];
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_port_cancel', [NO_HANDLE, event, 1]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_port_cancel', [port, NO_HANDLE, 1]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_port_cancel', [event, event, 1]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_port_cancel', [withRights(h, port, Right.READ), event, 1]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_port_cancel', [port, withRights(h, event, Right.SIGNAL), 1]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_port_cancel', [port, withRights(h, port, Right.WAIT), 1]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_port_cancel', [port, event, 1]);
});

test('zx_port_cancel_key takes what has the key whatever the handle, but no user packets', (t) => {
  const h = new Harness();
  const [port, one, two] = [newPort(h), newEvent(h), newEvent(h)];
  for (const event of [one, two]) {
    gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, SIGNALED, 0]);
    gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 2, SIGNALED, 0]);
  }
  gives(t, h, 'OK', 'zx_port_queue', [port, userPacket(h, 1n)]);
  gives(t, h, 'OK', 'zx_object_signal', [one, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_port_cancel_key', [port, 0, 1]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_port_cancel_key', [port, 0, 1]);
  gives(t, h, 'OK', 'zx_object_signal', [two, 0, SIGNALED]);
  t.deepEqual(drain(h, port), [1n, 2n, 2n]);
});

test('zx_port_cancel_key: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const port = newPort(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_port_cancel_key', [NO_HANDLE, 0, 1]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_port_cancel_key', [newEvent(h), 0, 1]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_port_cancel_key', [withRights(h, port, Right.READ), 0, 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_port_cancel_key', [port, 1, 1]);
});
