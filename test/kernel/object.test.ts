import test from 'ava';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { endThread } from '../../src/kernel/syscalls/tasks.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import {
  blocks,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newEventpair,
  newPort,
  outcome,
  signalsOf,
  withRights,
  words,
} from './ipc-support.js';

const { EVENT_SIGNALED: SIGNALED, USER_0, USER_1, USER_7, HANDLE_CLOSED } = Signal;

/** zx_wait_item_t array for handles and masks; pending begins as 0x55. */
function waitItems(h: Harness, ...items: [handle: number, mask: number][]): number {
  return h.scratch(words(...items.flatMap(([handle, mask]) => [handle, mask, 0x55])));
}

function pendings(h: Harness, items: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => h.u32(items + 12 * i + 8));
}

test('zx_object_signal sets and clears, and setting wins', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, (SIGNALED | USER_7 | USER_0) >>> 0]);
  t.is(signalsOf(h, event), (SIGNALED | USER_7 | USER_0) >>> 0);
  gives(t, h, 'OK', 'zx_object_signal', [event, (USER_7 | USER_0) >>> 0, USER_7]);
  t.is(signalsOf(h, event), (SIGNALED | USER_7) >>> 0);
});

test("zx_object_signal: BAD_HANDLE, ACCESS_DENIED, INVALID_ARGS for bits that are not the user's", (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const [channel] = newChannel(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_signal', [NO_HANDLE, 0, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_signal', [withRights(h, event, Right.WAIT), 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal', [event, 0, 4]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal', [event, 0x00800000, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal', [channel, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_signal', [channel, 0, USER_1]);
});

test('zx_object_signal_peer signals the other end only', (t) => {
  const h = new Harness();
  const [a, z] = newEventpair(h);
  gives(t, h, 'OK', 'zx_object_signal_peer', [a, 0, SIGNALED | USER_0]);
  t.is(signalsOf(h, a), 0);
  t.is(signalsOf(h, z), SIGNALED | USER_0);
  const [c, y] = newChannel(h);
  gives(t, h, 'OK', 'zx_object_signal_peer', [c, 0, USER_0]);
  t.is(signalsOf(h, y), Signal.CHANNEL_WRITABLE | USER_0);
});

test('zx_object_signal_peer: BAD_HANDLE, ACCESS_DENIED, NOT_SUPPORTED, INVALID_ARGS, PEER_CLOSED', (t) => {
  const h = new Harness();
  const [a, z] = newEventpair(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_signal_peer', [NO_HANDLE, 0, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_signal_peer', [withRights(h, a, Right.SIGNAL), 0, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_signal_peer', [newEvent(h), 0, 0]);
  const event = withRights(h, newEvent(h), Right.SIGNAL_PEER);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_signal_peer', [event, 0, 0]);
  h.call('zx_handle_close', [z]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal_peer', [a, 0, 4]);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_object_signal_peer', [a, 0, USER_0]);
  t.is(signalsOf(h, a), Signal.EVENTPAIR_PEER_CLOSED);
});

test('zx_event_create and zx_eventpair_create: options', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_event_create', [1, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_event_create', [0, NOWHERE]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_eventpair_create', [1, out, out + 4]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_eventpair_create', [0, out, NOWHERE]);
});

test('zx_object_wait_one polls: OK when satisfied even past the deadline, TIMED_OUT when not, observed in both', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const observed = h.scratch(4);
  h.advance(100n);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  gives(t, h, 'ERR_TIMED_OUT', 'zx_object_wait_one', [event, SIGNALED, 50, observed]);
  t.is(h.u32(observed), USER_0);
  gives(t, h, 'OK', 'zx_object_signal', [event, USER_0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_wait_one', [event, SIGNALED | USER_1, 0, observed]);
  t.is(h.u32(observed), SIGNALED);
  gives(t, h, 'OK', 'zx_object_wait_one', [event, SIGNALED, -1n, 0]);
});

test('zx_object_wait_one: BAD_HANDLE, ACCESS_DENIED, NOT_SUPPORTED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_wait_one', [NO_HANDLE, 8, INFINITE, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_wait_one', [
    withRights(h, event, Right.SIGNAL),
    8,
    INFINITE,
    0,
  ]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_wait_one', [
    withRights(h, newPort(h), Right.WAIT),
    8,
    INFINITE,
    0,
  ]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_wait_one', [event, 8, INFINITE, NOWHERE]);
});

test('zx_object_wait_one waits, and observes the signals that woke it', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const waiter = h.newThread(h.process, 'waiter');
  const observed = h.scratch(4);
  blocks(t, h, 'zx_object_wait_one', [event, SIGNALED, INFINITE, observed], waiter);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  t.is(outcome(h, waiter), 'blocked');
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_signal', [event, SIGNALED | USER_0, 0]);
  t.is(outcome(h, waiter), 'OK');
  t.is(h.u32(observed), SIGNALED | USER_0);
  t.is(h.k.get(koidOf(h, event), 'event').observers.size, 0);
});

test('zx_object_wait_one: TIMED_OUT at the deadline; no signals at all wait for it', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const observed = h.scratch(4);
  blocks(t, h, 'zx_object_wait_one', [event, 0, 700, observed]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED], h.newThread(h.process, 'other'));
  t.is(outcome(h), 'blocked');
  h.advance(700n);
  expireWait(h, h.thread);
  t.is(outcome(h), 'ERR_TIMED_OUT');
  t.is(h.u32(observed), SIGNALED);
  t.is(h.k.get(koidOf(h, event), 'event').observers.size, 0);
});

test('zx_object_wait_one: CANCELED when its handle is closed, replaced, or sent away', (t) => {
  for (const how of ['zx_handle_close', 'zx_handle_replace', 'zx_channel_write'] as const) {
    const h = new Harness();
    const event = newEvent(h);
    const other = withRights(h, event, DEFAULT_RIGHTS.event);
    const [through, beside] = [h.newThread(h.process, 'through'), h.newThread(h.process, 'beside')];
    const observed = h.scratch(4);
    blocks(t, h, 'zx_object_wait_one', [event, SIGNALED, INFINITE, observed], through);
    blocks(t, h, 'zx_object_wait_one', [other, SIGNALED, INFINITE, 0], beside);
    gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
    if (how === 'zx_handle_close') gives(t, h, 'OK', how, [event]);
    else if (how === 'zx_handle_replace') gives(t, h, 'OK', how, [event, Right.SAME_RIGHTS, h.scratch(4)]);
    else gives(t, h, 'OK', how, [newChannel(h)[0], 0, 0, 0, h.scratch(words(event)), 1]);
    t.is(outcome(h, through), 'ERR_CANCELED');
    t.is(h.u32(observed), HANDLE_CLOSED | USER_0);
    t.is(outcome(h, beside), 'blocked');
  }
});

test('zx_object_wait_many: OK with all pending signals as soon as one item is satisfied', (t) => {
  const h = new Harness();
  const [one, two] = [newEvent(h), newEvent(h)];
  gives(t, h, 'OK', 'zx_object_signal', [one, 0, USER_1]);
  const items = waitItems(h, [one, SIGNALED], [two, SIGNALED], [one, USER_0]);
  gives(t, h, 'ERR_TIMED_OUT', 'zx_object_wait_many', [items, 3, 0]);
  t.deepEqual(pendings(h, items, 3), [USER_1, 0, USER_1]);
  const waiter = h.newThread(h.process, 'waiter');
  blocks(t, h, 'zx_object_wait_many', [items, 3, INFINITE], waiter);
  gives(t, h, 'OK', 'zx_object_signal', [two, 0, SIGNALED]);
  gives(t, h, 'OK', 'zx_object_signal', [one, 0, SIGNALED]);
  t.is(outcome(h, waiter), 'OK');
  t.deepEqual(pendings(h, items, 3), [USER_1, SIGNALED, USER_1]);
  gives(t, h, 'OK', 'zx_object_wait_many', [items, 3, 0]);
  t.deepEqual(pendings(h, items, 3), [USER_1 | SIGNALED, SIGNALED, USER_1 | SIGNALED]);
  for (const event of [one, two]) t.is(h.k.get(koidOf(h, event), 'event').observers.size, 0);
});

test('zx_object_wait_many: OUT_OF_RANGE over 64 items, OK with 64', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const items = waitItems(h, ...Array.from({ length: 65 }, (): [number, number] => [event, SIGNALED]));
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_object_wait_many', [items, 65, INFINITE]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_object_wait_many', [items, 0xffffffffffffffffn, INFINITE]);
  const waiter = h.newThread(h.process, 'waiter');
  blocks(t, h, 'zx_object_wait_many', [items, 64, INFINITE], waiter);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, SIGNALED]);
  t.is(outcome(h, waiter), 'OK');
});

test('zx_object_wait_many: INVALID_ARGS, BAD_HANDLE, ACCESS_DENIED, NOT_SUPPORTED, and nobody is observed', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const wait = (items: number): [number, number, bigint] => [items, 2, INFINITE];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_wait_many', wait(NOWHERE));
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_wait_many', wait(waitItems(h, [event, 8], [NO_HANDLE, 8])));
  const deaf = withRights(h, event, Right.SIGNAL);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_wait_many', wait(waitItems(h, [event, 8], [deaf, 8])));
  const port = withRights(h, newPort(h), Right.WAIT);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_wait_many', wait(waitItems(h, [event, 8], [port, 8])));
  t.is(h.k.get(koidOf(h, event), 'event').observers.size, 0);
});

test('zx_object_wait_many: CANCELED marks the item whose handle was closed, each item that used it', (t) => {
  const h = new Harness();
  const [one, two] = [newEvent(h), newEvent(h)];
  const waiter = h.newThread(h.process, 'waiter');
  const items = waitItems(h, [one, SIGNALED], [two, SIGNALED], [two, USER_0]);
  blocks(t, h, 'zx_object_wait_many', [items, 3, INFINITE], waiter);
  gives(t, h, 'OK', 'zx_handle_close', [two]);
  t.is(outcome(h, waiter), 'ERR_CANCELED');
  t.deepEqual(pendings(h, items, 3), [0, HANDLE_CLOSED, HANDLE_CLOSED]);
  t.is(h.k.get(koidOf(h, one), 'event').observers.size, 0);
});

test('zx_object_wait_many: another handle to the same object is not the one that was closed', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const other = withRights(h, event, DEFAULT_RIGHTS.event);
  const waiter = h.newThread(h.process, 'waiter');
  const items = waitItems(h, [event, SIGNALED], [other, SIGNALED]);
  blocks(t, h, 'zx_object_wait_many', [items, 2, INFINITE], waiter);
  gives(t, h, 'OK', 'zx_handle_close', [other]);
  t.is(outcome(h, waiter), 'ERR_CANCELED');
  t.deepEqual(pendings(h, items, 2), [0, HANDLE_CLOSED]);
});

test('zx_object_wait_many of nothing sleeps until the deadline', (t) => {
  const h = new Harness();
  gives(t, h, 'ERR_TIMED_OUT', 'zx_object_wait_many', [0, 0, 0]);
  blocks(t, h, 'zx_object_wait_many', [NOWHERE, 0, 900]);
  h.advance(900n);
  expireWait(h, h.thread);
  t.is(outcome(h), 'ERR_TIMED_OUT');
});

test('a thread that dies while it waits leaves no observers', (t) => {
  const h = new Harness();
  const [one, two] = [newEvent(h), newEvent(h)];
  const waiter = h.newThread(h.process, 'waiter');
  blocks(t, h, 'zx_object_wait_many', [waitItems(h, [one, 8], [two, 8]), 2, 10_000n], waiter);
  endThread(h, waiter);
  for (const event of [one, two]) t.is(h.k.get(koidOf(h, event), 'event').observers.size, 0);
  t.is(h.k.state.deadlines.length, 0);
});

test('an eventpair tells its other end when it goes', (t) => {
  const h = new Harness();
  const [a, z] = newEventpair(h);
  blocks(t, h, 'zx_object_wait_one', [a, Signal.EVENTPAIR_PEER_CLOSED, INFINITE, 0]);
  const other = h.newThread(h.process, 'other');
  gives(t, h, 'OK', 'zx_handle_close', [z], other);
  t.is(outcome(h), 'OK');
});
