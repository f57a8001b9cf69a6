import test from 'ava';
import { Signal } from '../../src/abi/signals.js';
import { must } from '../../src/sdk/result.js';
import { bank } from './bank.js';
import { FOREVER, run } from './support.js';

test('a mutex over a futex: no payment is lost on any schedule; without it some are on some', (t) => {
  let lost = 0;
  for (let seed = 0; seed < 15; seed++) {
    const options = { seed, cores: 1 + (seed % 3), quantumSteps: 20 };
    t.is(run(bank(3, 4, true), options).end.exitCode, 0);
    lost += run(bank(3, 4, false), options).end.exitCode;
  }
  t.true(lost > 0);
});

test('threads of a program share what it has in TypeScript; one that throws takes the process along', (t) => {
  const { console, end } = run(
    function* (zx) {
      const seen: string[] = [];
      const speak = (word: string) =>
        function* () {
          for (let i = 0; i < 3; i++) {
            yield* zx.work(5);
            seen.push(word);
          }
        };
      const a = must(yield* zx.spawn(speak('a'))).thread;
      const b = must(yield* zx.spawn(speak('b'))).thread;
      for (const thread of [a, b]) must(yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER));
      yield* zx.print(`${seen.toSorted().join('')}\n`);
      yield* zx.spawn(function* () {
        yield* zx.work(1);
        throw new Error('in a thread');
      });
      yield* zx.sleep(10n ** 9n);
      return 0;
    },
    { cores: 2, seed: 1 },
  );
  t.is(console, 'aaabbb\ntest: uncaught Error: in a thread\n');
  t.is(end.exitCode, 134);
});

test('spawn says what failed', (t) => {
  const { end } = run(function* (zx) {
    t.deepEqual(yield* zx.spawn(function* () {}, { stackSizeBytes: 0 }), {
      status: 'ZX_ERR_INVALID_ARGS',
      thread: null,
    });
  });
  t.is(end.exitCode, 0);
});

test('threads that wait for each other for ever are a deadlock', (t) => {
  const { end } = run(function* (zx) {
    yield* zx.futexWait(zx.rootVmar.raw * 0 + 4, 0, 0, FOREVER);
    const { event } = { event: (yield* zx.eventCreate(0)).out };
    yield* zx.objectWaitOne(event ?? 0, Signal.EVENT_SIGNALED, FOREVER);
  });
  t.is(end.exitCode, 123);
  t.is(end.cause, 'deadlock');
});
