import test from 'ava';
import { ChannelReadOption, ChannelWriteOption, HandleOp } from '../../src/abi/ipc.js';
import { ObjectType } from '../../src/abi/object-types.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { Status } from '../../src/abi/status.js';
import { MAX_HANDLES } from '../../src/kernel/syscalls/handles.js';
import { MAX_MESSAGE_BYTES } from '../../src/kernel/syscalls/quota.js';
import { Harness } from './harness.js';
import {
  bytesAt,
  gives,
  INFINITE,
  isOpen,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newEventpair,
  outcome,
  signalsOf,
  text,
  textAt,
  withRights,
  words,
} from './ipc-support.js';

const { CHANNEL_READABLE: READABLE, CHANNEL_WRITABLE: WRITABLE, CHANNEL_PEER_CLOSED: PEER_CLOSED } = Signal;

/** A disposition; `result` begins as 1, which no call leaves there. */
function disposition(
  operation: number,
  handle: number,
  type = 0,
  rights: number = Right.SAME_RIGHTS,
): Uint8Array {
  return words(operation, handle, type, rights, 1);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

test('zx_channel_create makes two writable ends with neighbouring koids', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  t.is(koidOf(h, z), koidOf(h, a) + 1);
  t.is(signalsOf(h, a), WRITABLE);
  t.is(signalsOf(h, z), WRITABLE);
});

test('zx_channel_create: INVALID_ARGS for an option or a bad out pointer, and nothing is made', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  const before = h.k.state.nextKoid;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_create', [1, out, out + 4]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_create', [0, out, NOWHERE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_create', [0, 0, out]);
  t.is(h.k.state.nextKoid, before);
});

test('messages come out whole and in order, with their sizes; READABLE follows the queue', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('one')), 3, 0, 0]);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('three')), 5, 0, 0]);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, 0, 0]);
  t.is(signalsOf(h, z), READABLE | WRITABLE);
  t.is(signalsOf(h, a), WRITABLE);
  const buffer = h.scratch(16);
  const actual = h.scratch(8);
  for (const expected of ['one', 'three', '']) {
    gives(t, h, 'OK', 'zx_channel_read', [z, 0, buffer, 0, 16, 0, actual, actual + 4]);
    t.is(textAt(h, buffer, h.u32(actual)), expected);
    t.is(h.u32(actual + 4), 0);
  }
  t.is(signalsOf(h, z), WRITABLE);
  gives(t, h, 'ERR_SHOULD_WAIT', 'zx_channel_read', [z, 0, buffer, 0, 16, 0, 0, 0]);
});

test('zx_channel_read takes null sizes', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('x')), 1, 0, 0]);
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, h.scratch(1), 0, 1, 0, 0, 0]);
});

test('zx_channel_read: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED for the handle', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  for (const name of ['zx_channel_read', 'zx_channel_read_etc'] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, 0, 0, 0, 0, 0, 0, 0]);
    gives(t, h, 'ERR_BAD_HANDLE', name, [0, 0, 0, 0, 0, 0, 0, 0]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), 0, 0, 0, 0, 0, 0, 0]);
    const blind = withRights(h, a, DEFAULT_RIGHTS.channel & ~Right.READ);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [blind, 0, 0, 0, 0, 0, 0, 0]);
  }
});

test('zx_channel_read: NOT_SUPPORTED for an unknown option, after the handle was looked at', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_channel_read', [a, 2, 0, 0, 0, 0, 0, 0]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_channel_read', [NO_HANDLE, 2, 0, 0, 0, 0, 0, 0]);
});

test('zx_channel_read: INVALID_ARGS for a bad pointer, and the message stays', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const event = newEvent(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('hello')), 5, h.scratch(words(event)), 1]);
  const good = h.scratch(16);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_read', [z, 0, NOWHERE, good, 5, 1, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_read', [z, 0, good, NOWHERE, 5, 1, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_read', [z, 0, good, good + 8, 5, 1, NOWHERE, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_read', [z, 0, good, good + 8, 5, 1, 0, NOWHERE]);
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, good, good + 8, 5, 1, 0, 0]);
  t.is(textAt(h, good, 5), 'hello');
  t.is(h.k.get(koidOf(h, h.u32(good + 8)), 'event').handleCount, 1);
});

test('zx_channel_read: BUFFER_TOO_SMALL tells the sizes and keeps the message', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('abcd')), 4, h.scratch(words(newEvent(h))), 1]);
  const buffer = h.scratch(16);
  const actual = h.scratch(8);
  for (const [bytes, handles] of [
    [3, 1],
    [4, 0],
  ]) {
    gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_channel_read', [
      z,
      0,
      buffer,
      buffer,
      bytes,
      handles,
      actual,
      actual + 4,
    ]);
    t.deepEqual([h.u32(actual), h.u32(actual + 4)], [4, 1]);
  }
  t.is(signalsOf(h, z) & READABLE, READABLE);
});

test('zx_channel_read with MAY_DISCARD drops what does not fit, its handles too', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [kept, sent] = newEventpair(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('abcd')), 4, h.scratch(words(sent)), 1]);
  const options = ChannelReadOption.MAY_DISCARD;
  const actual = h.scratch(8);
  gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_channel_read', [z, options, 0, 0, 0, 0, actual, actual + 4]);
  t.deepEqual([h.u32(actual), h.u32(actual + 4)], [4, 1]);
  t.is(signalsOf(h, z) & READABLE, 0);
  t.is(signalsOf(h, kept), Signal.EVENTPAIR_PEER_CLOSED);
  gives(t, h, 'ERR_SHOULD_WAIT', 'zx_channel_read', [z, options, 0, 0, 0, 0, 0, 0]);
  t.is(h.k.state.messageBytes, 0);
});

test('zx_channel_read: NO_MEMORY when the table has no room, and the message stays', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, 0, 0]);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(newEvent(h))), 1]);
  const { handles } = h.k.sharedBy(h.process);
  let last = 0;
  for (let i = handles.size; i < MAX_HANDLES; i++) last = h.give(h.job, DEFAULT_RIGHTS.job);
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, 0, 0, 0, 0, 0, 0]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_channel_read', [z, 0, 0, out, 0, 1, 0, 0]);
  h.call('zx_handle_close', [last]);
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, 0, out, 0, 1, 0, 0]);
});

test('zx_channel_read_etc describes each handle', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const event = newEvent(h);
  const [pair] = newEventpair(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(event, pair)), 2]);
  const infos = h.scratch(32);
  gives(t, h, 'OK', 'zx_channel_read_etc', [z, 0, 0, infos, 0, 2, 0, 0]);
  t.deepEqual(
    [h.u32(infos + 4), h.u32(infos + 8), h.u32(infos + 12)],
    [ObjectType.event, DEFAULT_RIGHTS.event, 0],
  );
  t.deepEqual([h.u32(infos + 20), h.u32(infos + 24)], [ObjectType.eventpair, DEFAULT_RIGHTS.eventpair]);
  t.true(isOpen(h, h.u32(infos)));
  t.false(isOpen(h, event), 'a value means nothing after the transfer');
});

test('zx_channel_read: PEER_CLOSED only after the last message', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(text('bye')), 3, 0, 0]);
  h.call('zx_handle_close', [a]);
  t.is(signalsOf(h, z), READABLE | PEER_CLOSED);
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, h.scratch(3), 0, 3, 0, 0, 0]);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_channel_read', [z, 0, 0, 0, 0, 0, 0, 0]);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_channel_write', [z, 0, 0, 0, 0, 0]);
});

test('zx_channel_write: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED for the channel take the handles along', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const mute = withRights(h, a, DEFAULT_RIGHTS.channel & ~Right.WRITE);
  const bad = [
    ['ERR_BAD_HANDLE', NO_HANDLE],
    ['ERR_WRONG_TYPE', newEvent(h)],
    ['ERR_ACCESS_DENIED', mute],
  ] as const;
  for (const [status, channel] of bad) {
    const event = newEvent(h);
    gives(t, h, status, 'zx_channel_write', [channel, 0, 0, 0, h.scratch(words(event)), 1]);
    t.false(isOpen(h, event));
    const moved = newEvent(h);
    const kept = newEvent(h);
    const list = concat(disposition(HandleOp.MOVE, moved), disposition(HandleOp.DUPLICATE, kept));
    gives(t, h, status, 'zx_channel_write_etc', [channel, 0, 0, 0, h.scratch(list), 2]);
    t.false(isOpen(h, moved));
    t.true(isOpen(h, kept));
  }
});

test('zx_channel_write: INVALID_ARGS for an option, a bad pointer, a bad iovec', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, 1, 0, 0, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, 0, NOWHERE, 1, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, 0, 0, 0, NOWHERE, 1]);
  const { USE_IOVEC } = ChannelWriteOption;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, USE_IOVEC, NOWHERE, 1, 0, 0]);
  const reserved = h.scratch(words(0, 0, 0, 1));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, USE_IOVEC, reserved, 1, 0, 0]);
  const unreadable = h.scratch(words(NOWHERE, 0, 1, 0));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, USE_IOVEC, unreadable, 1, 0, 0]);
  const event = newEvent(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_write', [a, 1, 0, 0, h.scratch(words(event)), 1]);
  t.false(isOpen(h, event), 'handles are gone whatever the reason');
  t.is(signalsOf(h, z), WRITABLE);
});

test('zx_channel_write gathers by iovec, empty parts included', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [one, two] = [h.scratch(text('gath')), h.scratch(text('ered'))];
  const iovec = h.scratch(words(one, 0, 4, 0, NOWHERE, 0, 0, 0, two, 0, 4, 0));
  gives(t, h, 'OK', 'zx_channel_write', [a, ChannelWriteOption.USE_IOVEC, iovec, 3, 0, 0]);
  const buffer = h.scratch(8);
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, buffer, 0, 8, 0, 0, 0]);
  t.is(textAt(h, buffer, 8), 'gathered');
});

test('zx_channel_write: OUT_OF_RANGE over the limits, OK at them', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const big = h.scratch(65540);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, big, 65536, 0, 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_channel_write', [a, 0, big, 65537, 0, 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_channel_write', [a, 0, big, 0xffffffff, 0, 0]);
  const events = Array.from({ length: 65 }, () => newEvent(h));
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(...events)), 65]);
  t.false(events.some((event) => isOpen(h, event)));
  const more = Array.from({ length: 64 }, () => newEvent(h));
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(...more)), 64]);
  const { USE_IOVEC } = ChannelWriteOption;
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_channel_write', [a, USE_IOVEC, big, 8193, 0, 0]);
  const huge = h.scratch(words(big, 0, 0xffffffff, 0));
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_channel_write', [a, USE_IOVEC, huge, 1, 0, 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_channel_write', [a, 0, 0, 0, h.scratch(4), 0xffffffff]);
});

test('zx_channel_write: each reason to refuse a listed handle, and all listed are gone', (t) => {
  const cases: [string, (h: Harness, a: number) => number][] = [
    ['ERR_BAD_HANDLE', () => NO_HANDLE],
    ['ERR_BAD_HANDLE', () => 0],
    ['ERR_NOT_SUPPORTED', (_, a) => a],
    ['ERR_ACCESS_DENIED', (h) => withRights(h, newEvent(h), DEFAULT_RIGHTS.event & ~Right.TRANSFER)],
  ];
  for (const [status, make] of cases) {
    const h = new Harness();
    const [a, z] = newChannel(h);
    const [before, after] = [newEvent(h), newEvent(h)];
    const bad = make(h, a);
    gives(t, h, status as 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(before, bad, after)), 3]);
    for (const handle of [before, bad, after]) t.false(isOpen(h, handle));
    t.is(signalsOf(h, z) & READABLE, 0);
  }
});

test('zx_channel_write: BAD_HANDLE for a handle listed twice; the first bad one names the status', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const event = newEvent(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(event, event)), 2]);
  t.false(isOpen(h, event));
  const bound = withRights(h, newEvent(h), DEFAULT_RIGHTS.event & ~Right.TRANSFER);
  const list = h.scratch(words(bound, NO_HANDLE));
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_channel_write', [a, 0, 0, 0, list, 2]);
});

test('zx_channel_write: PEER_CLOSED takes the handles along', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  h.call('zx_handle_close', [z]);
  const [kept, sent] = newEventpair(h);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(sent)), 1]);
  t.is(signalsOf(h, kept), Signal.EVENTPAIR_PEER_CLOSED);
});

test('zx_channel_write: the peer may travel through its own channel', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(z)), 1]);
  t.is(signalsOf(h, a), WRITABLE);
});

test('zx_channel_write: NO_MEMORY when 3500 messages wait, and the handles are gone', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  for (let i = 0; i < 3500; i++) h.call('zx_channel_write', [a, 0, 0, 0, 0, 0]);
  const event = newEvent(h);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(event)), 1]);
  t.false(isOpen(h, event));
  gives(t, h, 'OK', 'zx_channel_read', [z, 0, 0, 0, 0, 0, 0, 0]);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, 0, 0]);
});

test('zx_channel_write: NO_MEMORY when all messages together are too much', (t) => {
  const h = new Harness();
  const buffer = h.scratch(65536);
  const channels: [number, number][] = [];
  for (;;) {
    const pair = newChannel(h);
    channels.push(pair);
    let result: bigint | string = 0n;
    for (let i = 0; i < 200 && result === 0n; i++)
      result = h.call('zx_channel_write', [pair[0], 0, buffer, 65536, 0, 0]);
    if (result === 0n) continue;
    t.is(result, BigInt(Status.ERR_NO_MEMORY));
    break;
  }
  t.true(h.k.state.messageBytes <= MAX_MESSAGE_BYTES);
  t.true(h.k.state.messageBytes > MAX_MESSAGE_BYTES - 70000);
  for (const pair of channels) h.call('zx_handle_close_many', [h.scratch(words(...pair)), 2]);
  t.is(h.k.state.messageBytes, 0);
});

test('zx_channel_write_etc moves and duplicates, with the rights asked for', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [moved, copied] = [newEvent(h), newEvent(h)];
  const rights = Right.WAIT | Right.TRANSFER;
  const list = concat(
    disposition(HandleOp.MOVE, moved, ObjectType.event, rights),
    disposition(HandleOp.DUPLICATE, copied),
  );
  const address = h.scratch(list);
  const koids = [koidOf(h, moved), koidOf(h, copied)];
  gives(t, h, 'OK', 'zx_channel_write_etc', [a, 0, 0, 0, address, 2]);
  t.deepEqual(bytesAt(h, address, 40), list, 'results are left alone on success');
  t.false(isOpen(h, moved));
  t.true(isOpen(h, copied));
  const infos = h.scratch(32);
  gives(t, h, 'OK', 'zx_channel_read_etc', [z, 0, 0, infos, 0, 2, 0, 0]);
  t.deepEqual([h.u32(infos + 8), h.u32(infos + 24)], [rights, DEFAULT_RIGHTS.event]);
  t.deepEqual([koidOf(h, h.u32(infos)), koidOf(h, h.u32(infos + 16))], koids);
  t.deepEqual(
    koids.map((koid) => h.k.get(koid, 'event').handleCount),
    [1, 2],
  );
});

test('zx_channel_write_etc: each reason stands in its disposition; the first is the status', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const bound = withRights(h, newEvent(h), DEFAULT_RIGHTS.event & ~Right.TRANSFER);
  const single = withRights(h, newEvent(h), DEFAULT_RIGHTS.event & ~Right.DUPLICATE);
  const events = Array.from({ length: 5 }, () => newEvent(h));
  const items: [Uint8Array, number][] = [
    [disposition(HandleOp.MOVE, events[0]), 1],
    [disposition(HandleOp.MOVE, events[1], ObjectType.channel), Status.ERR_WRONG_TYPE],
    [disposition(HandleOp.MOVE, NO_HANDLE), Status.ERR_BAD_HANDLE],
    [disposition(HandleOp.MOVE, events[0]), Status.ERR_BAD_HANDLE],
    [disposition(7, events[2]), Status.ERR_INVALID_ARGS],
    [disposition(HandleOp.MOVE, events[3], 0, Right.READ), Status.ERR_INVALID_ARGS],
    [disposition(HandleOp.DUPLICATE, events[4], 0, Right.READ), Status.ERR_INVALID_ARGS],
    [disposition(HandleOp.MOVE, bound), Status.ERR_ACCESS_DENIED],
    [disposition(HandleOp.DUPLICATE, single), Status.ERR_ACCESS_DENIED],
    [disposition(HandleOp.DUPLICATE, a), Status.ERR_NOT_SUPPORTED],
    [disposition(HandleOp.DUPLICATE, events[4]), 1],
  ];
  // A channel's handle lacks no TRANSFER, so that it is its own is what counts.
  const address = h.scratch(concat(...items.map(([bytes]) => bytes)));
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_channel_write_etc', [a, 0, 0, 0, address, items.length]);
  t.deepEqual(
    items.map((_, i) => h.u32(address + 20 * i + 16) | 0),
    items.map(([, result]) => result),
  );
  t.deepEqual(
    events.map((event) => isOpen(h, event)),
    [false, false, false, false, true],
  );
  t.true(isOpen(h, single));
  t.is(h.k.get(koidOf(h, events[4]), 'event').handleCount, 1, 'the duplicate on its way is gone');
});

test('closing an end ends the messages in its queue, and what only they kept', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [b, y] = newChannel(h);
  const [kept, sent] = newEventpair(h);
  gives(t, h, 'OK', 'zx_channel_write', [b, 0, 0, 0, h.scratch(words(sent)), 1]);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(y)), 1]);
  h.call('zx_handle_close', [z]);
  t.is(signalsOf(h, a), PEER_CLOSED);
  t.is(signalsOf(h, b), PEER_CLOSED);
  t.is(signalsOf(h, kept), Signal.EVENTPAIR_PEER_CLOSED);
  t.is(h.k.state.messageBytes, 0);
});

test("a write wakes who waits for READABLE, and the peer's end wakes who waits for PEER_CLOSED", (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const reader = h.newThread(h.process, 'reader');
  const observed = h.scratch(4);
  t.is(h.call('zx_object_wait_one', [z, READABLE, INFINITE, observed], reader), 'blocked');
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, 0, 0]);
  t.is(outcome(h, reader), 'OK');
  t.is(h.u32(observed), READABLE | WRITABLE);
  t.is(h.call('zx_object_wait_one', [z, PEER_CLOSED, INFINITE, observed], reader), 'blocked');
  h.call('zx_handle_close', [a]);
  t.is(outcome(h, reader), 'OK');
  t.is(h.u32(observed), READABLE | PEER_CLOSED);
});

test('sending a handle away ends the waits made through it', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const event = newEvent(h);
  const other = withRights(h, event, DEFAULT_RIGHTS.event);
  const [through, beside] = [h.newThread(h.process, 'through'), h.newThread(h.process, 'beside')];
  const observed = h.scratch(4);
  t.is(h.call('zx_object_wait_one', [event, 8, INFINITE, observed], through), 'blocked');
  t.is(h.call('zx_object_wait_one', [other, 8, INFINITE, 0], beside), 'blocked');
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(event)), 1]);
  t.is(outcome(h, through), 'ERR_CANCELED');
  t.is(h.u32(observed), Signal.HANDLE_CLOSED);
  t.is(outcome(h, beside), 'blocked');
});
