import { readFileSync } from 'node:fs';
import test from 'ava';
import { delay, lastValueFrom, of, toArray } from 'rxjs';
import { inOrder } from '../../src/library/in-order.js';
import { open } from '../../src/library/open.js';
import { type RecordOptions, record } from '../../src/library/record.js';
import { START } from '../../src/machine/position.js';
import { guest } from '../cli/jacinth.js';

const program = new Uint8Array(readFileSync(guest('lost-update')));
const OPTIONS: RecordOptions = { cores: 2, seed: 3, args: ['5'] };

test('the events of a run are complete when it is over, whoever else left before or threw', async (t) => {
  const undisturbed = record(program, OPTIONS).finish();
  const run = record(program, OPTIONS);
  const all = lastValueFrom(run.events.pipe(toArray()));
  let early = 0;
  const subscription = run.events.subscribe(() => {
    if (++early === 10) subscription.unsubscribe();
  });
  const { bytes, end } = run.finish();
  const happened = await all;
  t.is(early, 10);
  t.deepEqual(
    happened.filter(({ event }) => event.type !== 'span').map(({ seq }) => seq),
    Array.from({ length: end.events }, (_, i) => i + 1),
  );
  t.deepEqual(bytes, undisturbed.bytes);
  // Who comes too late waits for nothing.
  t.deepEqual(await lastValueFrom(run.events.pipe(toArray())), []);
});

test('events of a session are the same for each subscriber, however they and looks take turns', (t) => {
  const session = open(record(program, OPTIONS).finish().bytes);
  const [one, other] = [session.batches(START, session.end), session.batches(START, session.end)];
  const seen: number[][] = [[], []];
  for (let i = 0; ; i++) {
    const items = [one.next(), other.next()];
    if (items.every(({ done }) => done)) break;
    for (const [n, { value }] of items.entries()) seen[n].push(value!.seq);
    if (i % 7 === 0) session.stateAt({ seq: (i * 37) % session.end.seq, step: 0 });
  }
  t.deepEqual(seen[0], seen[1]);
  const plain: number[] = [];
  session.events().subscribe(({ seq }) => plain.push(seq));
  t.deepEqual(seen[0], plain);
});

test('slow work on events: in order, one at a time, and no further than somebody waits for', async (t) => {
  const session = open(record(program, OPTIONS).finish().bytes);
  let pulled = 0;
  function* counted() {
    for (const happened of session.batches(START, session.end)) {
      pulled++;
      yield happened.seq;
    }
  }
  let open_ = 0;
  const work = inOrder(counted(), (seq) => {
    t.is(++open_, 1);
    return of(seq).pipe(delay(seq % 3));
  });
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    const subscription = work.subscribe((seq) => {
      open_--;
      seen.push(seq);
      if (seen.length < 30) return;
      subscription.unsubscribe();
      resolve();
    });
  });
  t.is(pulled, 30);
  t.deepEqual(
    seen,
    seen.toSorted((x, y) => x - y),
  );
});

test('numbers that no run can have are named', (t) => {
  for (const [options, what] of [
    [{ cores: 0 }, 'cores'],
    [{ cores: 65 }, 'cores'],
    [{ cores: 1.5 }, 'cores'],
    [{ seed: -1 }, 'seed'],
    [{ quantumSteps: 0 }, 'quantumSteps'],
    [{ physicalPages: 1e9 }, 'physicalPages'],
    [{ maxSteps: -5 }, 'maxSteps'],
    [{ maxSteps: Number.NaN }, 'maxSteps'],
    [{ strategy: 'fair' as 'random' }, 'strategy'],
  ] as const) {
    const error = t.throws(() => record(program, options), { instanceOf: RangeError });
    t.true(error.message.includes(what), error.message);
  }
  t.notThrows(() => record(program, { maxSteps: Number.POSITIVE_INFINITY }));
});
