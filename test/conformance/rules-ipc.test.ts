import test from 'ava';
import { Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from '../kernel/harness.js';
import {
  gives,
  INFINITE,
  isOpen,
  koidOf,
  NO_HANDLE,
  newChannel,
  newEvent,
  newEventpair,
  newPort,
  newTimer,
  outcome,
  signalsOf,
  withRights,
  words,
} from '../kernel/ipc-support.js';

// Rules that a status table cannot say, one test each: handles, waits, ports, channels, timers, futexes.

const { EVENT_SIGNALED, USER_0, USER_1, HANDLE_CLOSED } = Signal;

/** The packet that a port has next, or null. */
function nextPacket(h: Harness, port: number) {
  const at = h.scratch(48);
  if (h.call('zx_port_wait', [port, 0, at]) !== 0n) return null;
  return {
    key: h.u64(at),
    type: h.u32(at + 8),
    trigger: h.u32(at + 16),
    observed: h.u32(at + 20),
    count: h.u64(at + 24),
    timestamp: h.u64(at + 32),
  };
}

test('handle values: the two low bits set, the top bit clear, another value for each, none used again', (t) => {
  const h = new Harness();
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const event = newEvent(h);
    t.is(event & 3, 3);
    t.true(event > 0);
    t.false(seen.has(event));
    seen.add(event);
    gives(t, h, 'OK', 'zx_handle_close', [event]);
    gives(t, h, 'ERR_BAD_HANDLE', 'zx_handle_close', [event]);
  }
});

test('handle values mean nothing in another process, and come from the seed', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const stranger = h.newThread(h.newProcess('other'), 'stranger');
  t.is(h.call('zx_handle_close', [event], stranger), BigInt(-11));
  t.is(newEvent(new Harness({ entropySeed: 1 })), newEvent(new Harness({ entropySeed: 1 })));
  t.not(newEvent(new Harness({ entropySeed: 1 })), newEvent(new Harness({ entropySeed: 2 })));
});

test('SAME_RIGHTS is that bit alone: with others it is no subset', (t) => {
  const h = new Harness();
  const args = [newEvent(h), Right.SAME_RIGHTS + Right.WAIT, h.scratch(4)];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_handle_duplicate', args);
});

test('duplicate looks at DUPLICATE before the rights asked for; replace needs no right and always consumes', (t) => {
  const h = new Harness();
  const weak = withRights(h, newEvent(h), Right.WAIT);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_handle_duplicate', [weak, Right.READ, h.scratch(4)]);
  gives(t, h, 'OK', 'zx_handle_replace', [weak, 0, h.scratch(4)]);
  t.false(isOpen(h, weak));
  const other = newEvent(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_handle_replace', [other, Right.READ, h.scratch(4)]);
  t.false(isOpen(h, other));
});

test('closing 0 is fine; close_many closes all that are good, and says that one was not', (t) => {
  const h = new Harness();
  gives(t, h, 'OK', 'zx_handle_close', [0]);
  const [a, b] = [newEvent(h), newEvent(h)];
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_handle_close_many', [h.scratch(words(a, NO_HANDLE, 0, b)), 4]);
  t.false(isOpen(h, a) || isOpen(h, b));
});

test('both ends of a pair have neighbouring koids, each knows the other after its death', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  t.is(koidOf(h, z), koidOf(h, a) + 1);
  const peer = koidOf(h, z);
  gives(t, h, 'OK', 'zx_handle_close', [z]);
  const info = h.scratch(32);
  gives(t, h, 'OK', 'zx_object_get_info', [a, 2, info, 32, 0, 0]);
  t.is(h.u64(info + 16), BigInt(peer));
});

test('a message that cannot go takes its handles along all the same, but not those to duplicate', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_handle_close', [z]);
  const [lost, kept] = [newEvent(h), newEvent(h)];
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(lost)), 1]);
  t.false(isOpen(h, lost));
  const list = h.scratch(words(1, kept, 0, Right.SAME_RIGHTS, 0));
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_channel_write_etc', [a, 0, 0, 0, list, 1]);
  t.true(isOpen(h, kept));
});

test('an end in flight is an end that lives: its peer is not told until the message goes', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [carrier, far] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [carrier, 0, 0, 0, h.scratch(words(z)), 1]);
  t.is(signalsOf(h, a) & Signal.CHANNEL_PEER_CLOSED, 0);
  gives(t, h, 'OK', 'zx_handle_close', [far]);
  t.not(signalsOf(h, a) & Signal.CHANNEL_PEER_CLOSED, 0);
});

test('closing a handle cancels what waits through it, and nothing that waits through another', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const other = withRights(h, event, Right.WAIT);
  const [first, second] = [h.newThread(h.process, 'first'), h.newThread(h.process, 'second')];
  const items = h.scratch(words(event, EVENT_SIGNALED, 0));
  h.call('zx_object_wait_many', [items, 1, INFINITE], first);
  h.call('zx_object_wait_one', [other, EVENT_SIGNALED, INFINITE, 0], second);
  gives(t, h, 'OK', 'zx_handle_close', [event]);
  t.is(outcome(h, first), 'ERR_CANCELED');
  t.is(h.u32(items + 8), HANDLE_CLOSED);
  t.is(outcome(h, second), 'blocked');
});

test('a wait that is satisfied is OK even when its time is over; what it saw is what woke it', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const observed = h.scratch(4);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, EVENT_SIGNALED]);
  gives(t, h, 'OK', 'zx_object_wait_one', [event, EVENT_SIGNALED, -1n, observed]);
  const waiter = h.newThread(h.process, 'waiter');
  h.call('zx_object_wait_one', [event, USER_0, INFINITE, observed], waiter);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, USER_0 | EVENT_SIGNALED, 0]);
  t.is(h.u32(observed), (EVENT_SIGNALED | USER_0) >>> 0);
  gives(t, h, 'ERR_TIMED_OUT', 'zx_object_wait_one', [event, 0, 0, observed]);
  t.is(h.u32(observed), 0);
});

test('wait_async: fires at once when it is so already, once for each registration', (t) => {
  const h = new Harness();
  const [event, port] = [newEvent(h), newPort(h)];
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  for (const key of [1, 2, 2]) gives(t, h, 'OK', 'zx_object_wait_async', [event, port, key, USER_0, 0]);
  t.deepEqual(
    [1, 2, 3].map(() => nextPacket(h, port)?.key),
    [1n, 2n, 2n],
  );
  gives(t, h, 'OK', 'zx_object_signal', [event, USER_0, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  t.is(nextPacket(h, port), null);
});

test('wait_async EDGE waits for a change; TIMESTAMP tells when; trigger is the mask asked for', (t) => {
  const h = new Harness();
  const [event, port] = [newEvent(h), newPort(h)];
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, USER_0 | USER_1, 2 | 1]);
  t.is(nextPacket(h, port), null);
  h.advance(500n);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_1]);
  const packet = nextPacket(h, port);
  t.like(packet, { trigger: (USER_0 | USER_1) >>> 0, observed: (USER_0 | USER_1) >>> 0, count: 1n });
  t.is(packet?.timestamp, h.k.nowNs);
});

test('closing a handle ends its registrations without a word; packets that are there stay', (t) => {
  const h = new Harness();
  const port = newPort(h);
  const [fired, waiting] = [newEvent(h), newEvent(h)];
  const keeper = withRights(h, waiting, Right.SIGNAL);
  gives(t, h, 'OK', 'zx_object_wait_async', [fired, port, 1, USER_0, 0]);
  gives(t, h, 'OK', 'zx_object_wait_async', [waiting, port, 2, USER_0, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [fired, 0, USER_0]);
  gives(t, h, 'OK', 'zx_handle_close', [fired]);
  gives(t, h, 'OK', 'zx_handle_close', [waiting]);
  gives(t, h, 'OK', 'zx_object_signal', [keeper, 0, USER_0]);
  t.is(nextPacket(h, port)?.key, 1n);
  t.is(nextPacket(h, port), null);
});

test('port_cancel takes what that handle registered and what it queued; user packets stay', (t) => {
  const h = new Harness();
  const [event, port] = [newEvent(h), newPort(h)];
  const packet = h.scratch(48);
  h.poke(packet, words(1, 0));
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, USER_0, 0]);
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 1, USER_1, 0]);
  gives(t, h, 'OK', 'zx_port_queue', [port, packet]);
  gives(t, h, 'OK', 'zx_port_cancel', [port, event, 1]);
  t.is(nextPacket(h, port)?.type, 0);
  t.is(nextPacket(h, port), null);
});

test('who registered first is told first; who waits longest at a port gets the first packet', (t) => {
  const h = new Harness();
  const [event, port] = [newEvent(h), newPort(h)];
  for (const key of [5, 3, 4]) gives(t, h, 'OK', 'zx_object_wait_async', [event, port, key, USER_0, 0]);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, USER_0]);
  t.deepEqual(
    [1, 2, 3].map(() => nextPacket(h, port)?.key),
    [5n, 3n, 4n],
  );
  const threads = ['a', 'b'].map((name) => h.newThread(h.process, name));
  const out = threads.map(() => h.scratch(48));
  threads.forEach((thread, i) => {
    h.call('zx_port_wait', [port, INFINITE, out[i]], thread);
  });
  const packet = h.scratch(48);
  for (const key of [8, 9]) {
    h.poke(packet, words(key, 0));
    gives(t, h, 'OK', 'zx_port_queue', [port, packet]);
  }
  t.deepEqual(
    out.map((at) => h.u64(at)),
    [8n, 9n],
  );
});

test('a closed peer leaves its messages to be read first', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, h.scratch(4), 4, 0, 0]);
  gives(t, h, 'OK', 'zx_handle_close', [a]);
  t.is(signalsOf(h, z), Signal.CHANNEL_READABLE | Signal.CHANNEL_PEER_CLOSED);
  const read = [z, 0, h.scratch(8), 0, 8, 0, 0, 0];
  gives(t, h, 'OK', 'zx_channel_read', read);
  t.is(signalsOf(h, z), Signal.CHANNEL_PEER_CLOSED);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_channel_read', read);
});

test('eventpair_create says NOT_SUPPORTED to options, where its relatives say INVALID_ARGS', (t) => {
  const h = new Harness();
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_eventpair_create', [1, h.scratch(4), h.scratch(4)]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_event_create', [1, h.scratch(4)]);
  t.is(newEventpair(h).length, 2);
});

test('timers: a past deadline fires at once; set and cancel clear the signal first', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 0, 0]);
  t.is(signalsOf(h, timer), Signal.TIMER_SIGNALED);
  gives(t, h, 'OK', 'zx_timer_set', [timer, h.k.nowNs + 100n, 50]);
  t.is(signalsOf(h, timer), 0);
  t.is(h.k.state.deadlines[0].atNs, h.k.nowNs + 100n);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 0, 0]);
  gives(t, h, 'OK', 'zx_timer_cancel', [timer]);
  t.is(signalsOf(h, timer), 0);
});

test('deadlines at one instant come in the order in which they were made', (t) => {
  const h = new Harness();
  const timers = [newTimer(h), newTimer(h), newTimer(h)];
  for (const i of [2, 0, 1]) gives(t, h, 'OK', 'zx_timer_set', [timers[i], 1000, 0]);
  t.deepEqual(
    h.k.state.deadlines.map(({ koid }) => koid),
    [2, 0, 1].map((i) => koidOf(h, timers[i])),
  );
});

test('futexes: the value is compared before the owner is looked up', (t) => {
  const h = new Harness();
  const futex = h.scratch(words(1));
  gives(t, h, 'ERR_BAD_STATE', 'zx_futex_wait', [futex, 0, NO_HANDLE, INFINITE]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_futex_wait', [futex, 1, NO_HANDLE, INFINITE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wait', [futex + 1, 0, NO_HANDLE, INFINITE]);
});

test('nanosleep until now, or before, is a yield; a sleep ends at its deadline with OK', (t) => {
  const h = new Harness();
  gives(t, h, 'OK', 'zx_nanosleep', [0]);
  gives(t, h, 'OK', 'zx_nanosleep', [-5n]);
  const sleeper = h.newThread(h.process, 'sleeper');
  t.is(h.call('zx_nanosleep', [h.k.nowNs + 10n], sleeper), 'blocked');
  h.advance(10n);
  expireWait(h, sleeper);
  t.is(outcome(h, sleeper), 'OK');
});
