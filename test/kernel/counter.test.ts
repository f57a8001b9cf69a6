import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { Harness } from './harness.js';
import {
  blocks,
  gives,
  INFINITE,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  signalsOf,
  statusName,
  withRights,
} from './ipc-support.js';
import { newCounter } from './object-support.js';

const { COUNTER_POSITIVE: POSITIVE, COUNTER_NON_POSITIVE: NON_POSITIVE, COUNTER_SIGNALED: SIGNALED } = Signal;
const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);

function counterValue(h: Harness, counter: number): bigint {
  const out = h.scratch(8);
  h.call('zx_counter_read', [counter, out]);
  return BigInt.asIntN(64, h.u64(out));
}

test('zx_counter_create: INVALID_ARGS for options and a bad out pointer; a counter begins at 0', (t) => {
  const h = new Harness();
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_counter_create', [1, h.scratch(4)]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_counter_create', [0, NOWHERE]);
  const counter = newCounter(h);
  t.is(counterValue(h, counter), 0n);
  t.is(signalsOf(h, counter), NON_POSITIVE);
});

test('handles: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED', (t) => {
  const h = new Harness();
  const counter = newCounter(h);
  const out = h.scratch(8);
  for (const [name, args, needed] of [
    ['zx_counter_add', [1], [Right.READ, Right.WRITE]],
    ['zx_counter_read', [out], [Right.READ]],
    ['zx_counter_write', [1], [Right.WRITE]],
  ] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, ...args]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), ...args]);
    for (const right of needed) {
      gives(t, h, 'ERR_ACCESS_DENIED', name, [
        withRights(h, counter, DEFAULT_RIGHTS.counter & ~right),
        ...args,
      ]);
    }
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_counter_read', [counter, NOWHERE]);
});

test('who waits for a sign is told when it changes, not before', (t) => {
  const h = new Harness();
  const counter = newCounter(h);
  blocks(t, h, 'zx_object_wait_one', [counter, POSITIVE, INFINITE, 0]);
  const other = h.newThread(h.process, 'other');
  gives(t, h, 'OK', 'zx_counter_add', [counter, -5n], other);
  t.is(outcome(h), 'blocked');
  gives(t, h, 'OK', 'zx_counter_write', [counter, 1], other);
  t.is(outcome(h), 'OK');
});

test('programs may set SIGNALED and user signals, but not the signs', (t) => {
  const h = new Harness();
  const counter = newCounter(h);
  gives(t, h, 'OK', 'zx_object_signal', [counter, 0, SIGNALED | Signal.USER_0]);
  t.is(signalsOf(h, counter), (NON_POSITIVE | SIGNALED | Signal.USER_0) >>> 0);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal', [counter, 0, POSITIVE]);
});

const value = fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom(MAX, MIN, MAX - 1n, MIN + 1n));

test('a counter is an int64 that says which sign it has', (t) => {
  const step = fc.record({ add: fc.boolean(), value });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const h = new Harness();
      const counter = newCounter(h);
      let model = 0n;
      for (const { add, value } of steps) {
        const next = add ? model + value : value;
        const fits = next >= MIN && next <= MAX;
        const name = add ? 'zx_counter_add' : 'zx_counter_write';
        t.is(statusName(h.call(name, [counter, value])), fits ? 'OK' : 'ERR_OUT_OF_RANGE');
        if (fits) model = next;
        t.is(counterValue(h, counter), model);
        t.is(signalsOf(h, counter), model > 0n ? POSITIVE : NON_POSITIVE);
      }
    }),
  );
});
