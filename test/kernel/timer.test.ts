import test from 'ava';
import { TimerSlack } from '../../src/abi/clocks.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { fireTimer } from '../../src/kernel/syscalls/timer.js';
import { Harness } from './harness.js';
import {
  blocks,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  newPort,
  newTimer,
  outcome,
  signalsOf,
  withRights,
} from './ipc-support.js';

const { TIMER_SIGNALED: SIGNALED } = Signal;

/** What the machine's loop does: time goes to the first deadline, and the timer fires. */
function fireNext(h: Harness): number {
  const [due] = h.k.state.deadlines;
  h.advance(due.atNs - h.k.nowNs);
  fireTimer(h, due.koid);
  return due.koid;
}

test('zx_timer_create takes both clocks and three modes; INVALID_ARGS for others and a bad out pointer', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  for (const mode of [TimerSlack.CENTER, TimerSlack.EARLY, TimerSlack.LATE]) {
    for (const clock of [0, 1]) gives(t, h, 'OK', 'zx_timer_create', [mode, clock, out]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_timer_create', [3, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_timer_create', [0, 2, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_timer_create', [0, 0, NOWHERE]);
});

test('a timer fires at its deadline exactly, whatever the slack, and wakes who waits', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 1000, 300]);
  blocks(t, h, 'zx_object_wait_one', [timer, SIGNALED, INFINITE, 0]);
  t.deepEqual(
    h.k.state.deadlines.map((d) => [d.kind, d.koid, d.atNs]),
    [['timer', koidOf(h, timer), 1000n]],
  );
  fireNext(h);
  t.is(outcome(h), 'OK');
  t.is(signalsOf(h, timer), SIGNALED);
  t.is(h.k.state.deadlines.length, 0);
});

test('timers due at the same time fire in the order they were set', (t) => {
  const h = new Harness();
  const timers = [newTimer(h), newTimer(h), newTimer(h)];
  for (const i of [2, 0, 1]) gives(t, h, 'OK', 'zx_timer_set', [timers[i], 50, 0]);
  gives(t, h, 'OK', 'zx_timer_set', [timers[2], 50, 0]);
  const fired = [fireNext(h), fireNext(h), fireNext(h)];
  t.deepEqual(
    fired,
    [0, 1, 2].map((i) => koidOf(h, timers[i])),
  );
});

test('a deadline that passed signals at once; setting again clears the signal and the old deadline', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  h.advance(100n);
  for (const deadline of [100n, 0n, -5n]) {
    gives(t, h, 'OK', 'zx_timer_set', [timer, deadline, 0]);
    t.is(signalsOf(h, timer), SIGNALED);
    t.is(h.k.state.deadlines.length, 0);
  }
  gives(t, h, 'OK', 'zx_timer_set', [timer, 500, 0]);
  t.is(signalsOf(h, timer), 0);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 200, 0]);
  t.deepEqual(
    h.k.state.deadlines.map((d) => d.atNs),
    [200n],
  );
});

test('setting a signalled timer to the past is a new edge', (t) => {
  const h = new Harness();
  const [timer, port] = [newTimer(h), newPort(h)];
  gives(t, h, 'OK', 'zx_timer_set', [timer, 0, 0]);
  gives(t, h, 'OK', 'zx_object_wait_async', [timer, port, 1, SIGNALED, 2]);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 0, 0]);
  gives(t, h, 'OK', 'zx_port_wait', [port, 0, h.scratch(48)]);
});

test('zx_timer_cancel forgets deadline and signal', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  gives(t, h, 'OK', 'zx_timer_cancel', [timer]);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 500, 0]);
  gives(t, h, 'OK', 'zx_timer_cancel', [timer]);
  t.is(h.k.state.deadlines.length, 0);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 0, 0]);
  gives(t, h, 'OK', 'zx_timer_cancel', [timer]);
  t.is(signalsOf(h, timer), 0);
});

test('a timer set for ever waits for nothing, and can be set again', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  gives(t, h, 'OK', 'zx_timer_set', [timer, INFINITE, 0]);
  t.is(h.k.state.deadlines.length, 0);
  t.is(h.k.get(koidOf(h, timer), 'timer').deadlineNs, INFINITE);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 5, 0]);
  t.is(h.k.state.deadlines.length, 1);
});

test('zx_timer_set and zx_timer_cancel: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED; OUT_OF_RANGE first', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  const still = withRights(h, timer, DEFAULT_RIGHTS.timer & ~Right.WRITE);
  for (const [status, handle] of [
    ['ERR_BAD_HANDLE', NO_HANDLE],
    ['ERR_WRONG_TYPE', newEvent(h)],
    ['ERR_ACCESS_DENIED', still],
  ] as const) {
    gives(t, h, status, 'zx_timer_set', [handle, 5, 0]);
    gives(t, h, status, 'zx_timer_cancel', [handle]);
  }
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_timer_set', [NO_HANDLE, 5, -1n]);
});

test('the last handle takes an armed timer along', (t) => {
  const h = new Harness();
  const timer = newTimer(h);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 500, 0]);
  const koid = koidOf(h, timer);
  h.call('zx_handle_close', [timer]);
  t.is(h.k.find(koid), undefined);
  t.is(h.k.state.deadlines.length, 0);
});
