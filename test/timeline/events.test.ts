import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Happened } from '../../src/machine/machine.js';
import { comparePositions, formatPosition, type Position, START } from '../../src/machine/position.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { EFFECTS } from '../../src/recording/format/kinds.js';
import { Recording } from '../../src/recording/format/reader.js';
import { expand, type Step } from '../../src/timeline/expand.js';
import { ENOUGH, Timeline } from '../../src/timeline/timeline.js';
import { anyRun, anyShare, positionAt, recordBytes, recordRun, spanSteps, specOf } from './runs.js';

/** What happened in a stretch, one text each. */
function told(
  timeline: Timeline,
  from: Position,
  to: Position,
): { seq: number; text: string; steps: number }[] {
  const out: { seq: number; text: string; steps: number }[] = [];
  timeline.events(from, to, ({ seq, event, by }) => {
    const { type, ...rest } = event;
    const steps = event.type === 'span' ? event.steps : 0;
    const fields = event.type === 'span' ? {} : rest;
    out.push({ seq, text: `${type} ${by?.thread} ${by?.core} ${JSON.stringify(fields, large)}`, steps });
  });
  return out;
}

function large(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** Joins the parts of spans that were cut. */
function joined(parts: readonly ReturnType<typeof told>[]): string[] {
  const out: { seq: number; text: string; steps: number }[] = [];
  for (const one of parts.flat()) {
    const last = out[out.length - 1];
    if (one.steps > 0 && last?.seq === one.seq && last.steps > 0) last.steps += one.steps;
    else out.push({ ...one });
  }
  return out.map(({ seq, text, steps }) => `${seq} ${text} ${steps}`);
}

test('events over two stretches are the events over both', (t) => {
  fc.assert(
    fc.property(
      anyRun,
      fc.array(anyShare, { minLength: 3, maxLength: 6 }),
      ({ guest, ...options }, shares) => {
        const spec = specOf(guest, options);
        const steps = spanSteps(recordRun(spec, 'full'));
        const recording = recordRun(spec);
        const timeline = new Timeline(recording);
        const stops = shares.map((share) => positionAt(recording, steps, share)).sort(comparePositions);
        const parts = stops.slice(1).map((to, i) => told(timeline, stops[i], to));
        assert.deepEqual(joined(parts), joined([told(timeline, stops[0], stops[stops.length - 1])]));
      },
    ),
    { numRuns: 10 },
  );
  t.pass();
});

test('all events of a run have the numbers from 1 to the last, and its spans all its steps', (t) => {
  const recording = recordRun(specOf('producer-consumer', { cores: 2, seed: 3 }));
  const timeline = new Timeline(recording);
  const all = told(timeline, START, timeline.end);
  const kernel = all.filter(({ steps }) => steps === 0).map(({ seq }) => seq);
  t.deepEqual(
    kernel,
    Array.from({ length: recording.end!.events }, (_, i) => i + 1),
  );
  t.is(
    all.reduce((sum, { steps }) => sum + steps, 0),
    recording.end!.steps,
  );
});

/** An instruction as the rows that a `full` recording has of it. */
function rowsOf({ pc, bits, sizeBytes, loads, stores, registers }: Step): unknown[] {
  const access = (effect: number) => (a: Step['loads'][0]) => [effect, a.sizeBytes, a.address, a.value];
  return [
    [EFFECTS.step, sizeBytes, pc, BigInt(bits)],
    ...loads.map(access(EFFECTS.load)),
    ...stores.map(access(EFFECTS.store)),
    ...registers.map(({ number, value }) => [EFFECTS.register, number, 0n, value]),
  ];
}

test('an essential recording expands into the very steps that a full one holds', (t) => {
  fc.assert(
    fc.property(anyRun, fc.tuple(anyShare, anyShare), ({ guest, ...options }, shares) => {
      const spec = specOf(guest, options);
      const full = recordRun(spec, 'full');
      const spans = spanSteps(full);
      const [from, to] = shares.map((share) => positionAt(full, spans, share)).sort(comparePositions);
      const stored = [...full.rows('steps')].map((r) => {
        return [r.effect, r.size, r.effect === EFFECTS.register ? 0n : r.address, r.value];
      });
      const starts = stored.flatMap((row, i) => (row[0] === EFFECTS.step ? [i] : []));
      const before = (position: Position): number =>
        [...spans].reduce((sum, [seq, steps]) => {
          return sum + (seq < position.seq ? steps : seq === position.seq ? position.step : 0);
        }, 0);
      const found: Step[] = [];
      const timeline = new Timeline(recordRun(spec));
      expand(
        timeline,
        from,
        to,
        () => {},
        (step) => found.push(step),
      );
      const order = (rows: unknown[]): string[] => rows.map((row) => JSON.stringify(row, large));
      const wanted = stored.slice(starts[before(from)] ?? stored.length, starts[before(to)] ?? stored.length);
      assert.deepEqual(order(found.flatMap(rowsOf)), order(wanted));
      for (const { position } of found)
        assert.ok(position.step >= 1 && position.step <= spans.get(position.seq)!);
    }),
    { numRuns: 10 },
  );
  t.pass();
});

test('steps come before the span they are in, and one can have enough of them', (t) => {
  const timeline = new Timeline(recordRun(specOf('hello')));
  const order: string[] = [];
  expand(
    timeline,
    START,
    timeline.end,
    ({ seq, event }) => order.push(`${event.type} ${seq}`),
    ({ position }) => order.push(`step ${position.seq}`),
  );
  let last = '';
  for (const entry of order) {
    const [type, seq] = entry.split(' ');
    if (type === 'step') last = seq;
    else if (type === 'span') t.is(last, seq);
  }
  let count = 0;
  const enough = (limit: number): void => {
    if (++count === limit) throw ENOUGH;
  };
  expand(
    timeline,
    START,
    timeline.end,
    () => {},
    () => enough(10),
  );
  t.is(count, 10);
  timeline.events(START, timeline.end, () => enough(15));
  t.is(count, 15);
  const failing = (): void => {
    throw new Error('mine');
  };
  t.throws(() => timeline.events(START, timeline.end, failing), { message: 'mine' });
  t.throws(() => expand(timeline, START, timeline.end, () => {}, failing), { message: 'mine' });
  t.deepEqual(timeline.seek(timeline.end).position, timeline.end);
});

test('who did it: the thread in whose call or instructions it happened, nobody for timers and the scheduler', (t) => {
  const timeline = new Timeline(recordRun(specOf('port-timer')));
  const by = new Map<string, Set<boolean>>();
  timeline.events(START, timeline.end, (happened: Happened) => {
    const seen = by.get(happened.event.type) ?? new Set();
    by.set(happened.event.type, seen.add(happened.by !== null));
    if (happened.event.type === 'syscall-entered') t.is(happened.by?.thread, happened.event.thread);
    if (happened.event.type === 'span') t.is(happened.by?.thread, happened.event.thread);
  });
  t.deepEqual(by.get('slice-started'), new Set([false]));
  t.deepEqual(by.get('clock-advanced'), new Set([false]));
  t.deepEqual(by.get('console-written'), new Set([true]));
});

test('a recording cut anywhere can be looked at up to where it leads', (t) => {
  const bytes = recordBytes(specOf('producer-consumer', { cores: 2, seed: 1 }), 'full');
  const whole = new Timeline(Recording.open(bytesSource(bytes)));
  let looked = 0;
  for (let share = 0.55; share < 1; share += 0.07) {
    const recording = Recording.open(bytesSource(bytes.slice(0, Math.floor(bytes.length * share))));
    const timeline = new Timeline(recording);
    t.false(recording.complete);
    const { end } = timeline;
    t.true(comparePositions(end, whole.end) <= 0);
    const length = told(timeline, START, end).length;
    t.is(told(whole, START, end).length, length, formatPosition(end));
    timeline.seek(end);
    if (length > 0) looked++;
  }
  t.true(looked > 0);
});
