import test from 'ava';
import fc from 'fast-check';
import { TIME_INFINITE_NS, TIME_INFINITE_PAST_NS } from '../../src/abi/clocks.js';
import { ThreadState } from '../../src/abi/threads.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import { blocks, gives, outcome } from './ipc-support.js';
import { threadState } from './task-support.js';

test('all clocks and ticks are virtual time, at 10^9 ticks a second', (t) => {
  const h = new Harness();
  h.advance(12_345n);
  for (const name of [
    'zx_clock_get_monotonic',
    'zx_clock_get_boot',
    'zx_ticks_get',
    'zx_ticks_get_boot',
  ] as const) {
    t.is(h.call(name, []), 12_345n, name);
  }
  t.is(h.call('zx_ticks_per_second', []), 1_000_000_000n);
});

test('instructions are time', (t) => {
  const h = new Harness();
  h.emit({ type: 'slice-started', core: 0, thread: h.thread, steps: 100, quantumSteps: 100 });
  h.emit({ type: 'span', core: 0, thread: h.thread, steps: 40 });
  t.is(h.call('zx_clock_get_monotonic', []), 40n);
});

test('zx_deadline_after adds and saturates at both ends', (t) => {
  const h = new Harness();
  h.advance(1000n);
  t.is(h.call('zx_deadline_after', [5n]), 1005n);
  t.is(h.call('zx_deadline_after', [-5000n]), -4000n);
  t.is(h.call('zx_deadline_after', [TIME_INFINITE_NS - 999n]), TIME_INFINITE_NS);
  t.is(h.call('zx_deadline_after', [TIME_INFINITE_PAST_NS]), TIME_INFINITE_PAST_NS + 1000n);
  fc.assert(
    fc.property(fc.bigInt({ min: TIME_INFINITE_PAST_NS, max: TIME_INFINITE_NS }), (duration) => {
      const sum = 1000n + duration;
      t.is(h.call('zx_deadline_after', [duration]), sum > TIME_INFINITE_NS ? TIME_INFINITE_NS : sum);
    }),
  );
});

test('zx_nanosleep until now or earlier yields and goes on', (t) => {
  const h = new Harness();
  h.advance(1000n);
  const other = h.newThread(h.process, 'other');
  for (const deadline of [1000n, 0n, -1n, TIME_INFINITE_PAST_NS]) {
    h.emit({ type: 'slice-started', core: 0, thread: h.thread, steps: 10, quantumSteps: 10 });
    gives(t, h, 'OK', 'zx_nanosleep', [deadline]);
    t.is(h.k.state.slice, null);
    t.deepEqual(h.k.state.runQueue, [other, h.thread]);
  }
});

test('zx_nanosleep until later sleeps until then; for ever has no deadline', (t) => {
  const h = new Harness();
  blocks(t, h, 'zx_nanosleep', [50n]);
  t.like(h.k.state.deadlines[0], { atNs: 50n, kind: 'thread', koid: h.thread });
  const other = h.newThread(h.process, 'other');
  blocks(t, h, 'zx_nanosleep', [TIME_INFINITE_NS], other);
  t.is(h.k.state.deadlines.length, 1);
  h.advance(50n);
  expireWait(h, h.thread);
  t.is(outcome(h), 'OK');
  t.deepEqual(h.k.state.deadlines, []);
  t.is(threadState(h, h.give(other, 0xffff)), ThreadState.BLOCKED_SLEEPING);
});
