import test from 'ava';
import fc from 'fast-check';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import type { ItemOf } from '../../src/recording/format/kinds.js';
import { MAX_ROWS } from '../../src/recording/format/limits.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingError } from '../../src/recording/format/recording-error.js';
import type { RecordingWriter } from '../../src/recording/format/writer.js';
import { END, HEADER, readAll, record, writeSample } from './sample.js';

function open(bytes: Uint8Array): Recording {
  return Recording.open(bytesSource(bytes));
}

const count = fc.nat(2 ** 40);
const seq = fc.nat(20);
type Action =
  | { do: 'inputs' | 'kernel-events'; seq: number; item: object }
  | { do: 'schedule'; seq: number; item: ItemOf<'schedule'> }
  | { do: 'pages'; bytes: Uint8Array }
  | { do: 'flush' };
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constantFrom('inputs' as const, 'kernel-events' as const),
    seq,
    item: fc.record({
      type: fc.string({ unit: 'grapheme-ascii' }),
      at: fc.bigInt(0n, 2n ** 63n),
      data: fc.uint8Array(),
    }),
  }),
  fc.record({
    do: fc.constant('schedule' as const),
    seq,
    item: fc.record({ core: fc.nat(63), thread: count, steps: count }),
  }),
  fc.record({ do: fc.constant('pages' as const), bytes: fc.uint8Array({ maxLength: 2000 }) }),
  fc.record({ do: fc.constant('flush' as const) }),
);

/** Appends at ever later kernel events: the actions' `seq` are differences. */
function perform(writer: RecordingWriter, actions: readonly Action[]): void {
  let at = 0;
  for (const a of actions) {
    if ('seq' in a) at += a.seq;
    if (a.do === 'flush') writer.flush();
    else if (a.do === 'pages') writer.blob('pages', a.bytes);
    else if (a.do === 'schedule') writer.append('schedule', at, a.item);
    else writer.append(a.do, at, a.item);
  }
}

function itemsOf(actions: readonly Action[], kind: Action['do']): object[] {
  return actions.flatMap((a) => (a.do === kind && 'item' in a ? [a.item] : []));
}

test('as many rows together as a chunk may hold are read again, behind others', (t) => {
  const steps = Float64Array.from({ length: MAX_ROWS }, (_, i) => i);
  const columns = { core: new Uint8Array(MAX_ROWS), thread: new Float64Array(MAX_ROWS).fill(1030), steps };
  const bytes = record((writer) => {
    writer.append('schedule', 1, { core: 1, thread: 7, steps: 5 });
    writer.appendRows('schedule', 2, columns, MAX_ROWS);
    writer.appendRows('schedule', 3, columns, 2);
    writer.end(END);
  });
  const read = [...open(bytes).rows('schedule')].map(({ steps }) => steps);
  t.deepEqual(read, [5, ...steps, 0, 1]);
});

test('any sequence of items and flushes comes back by kind, with header and end', (t) => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), fc.boolean(), (actions, ended) => {
      const bytes = record((writer) => {
        perform(writer, actions);
        if (ended) writer.end(END);
        else writer.flush();
      });
      for (const recording of [open(bytes), Recording.openIndexed(bytesSource(bytes))]) {
        t.deepEqual(recording.header, HEADER);
        t.deepEqual(recording.end, ended ? END : null);
        t.is(recording.complete, ended);
        t.is(recording.problem?.trouble, ended ? undefined : 'cut');
        t.deepEqual([...recording.records('inputs')], itemsOf(actions, 'inputs'));
        t.deepEqual([...recording.records('kernel-events')], itemsOf(actions, 'kernel-events'));
        t.deepEqual([...recording.rows('schedule')], itemsOf(actions, 'schedule'));
        const pages = new Map(
          actions.flatMap((a) =>
            a.do === 'pages' ? [[Buffer.from(a.bytes).toString('hex'), a.bytes]] : [],
          ) as [string, Uint8Array][],
        );
        t.deepEqual(
          [...recording.blobs('pages')].map((blob) => blob.bytes),
          [...pages.values()],
        );
      }
    }),
    { numRuns: 100 },
  );
});

test('the same items without a clock give the same bytes', (t) => {
  t.deepEqual(record(writeSample), record(writeSample));
});

test('after a flush the file tells everything that was appended before it', (t) => {
  let due = false;
  const late = record(
    (writer) => {
      for (let i = 0; i < 10; i++) writer.append('kernel-events', i, { i });
      writer.append('schedule', 10, { core: 0, thread: 1, steps: 1 });
      due = true;
      writer.poll();
    },
    { flushDue: () => due },
  );
  t.is([...open(late).records('kernel-events')].length, 10);
  t.is([...open(late).rows('schedule')].length, 1);
});

test('much is flushed without being asked, and found again by its kernel event', (t) => {
  const total = 50_000;
  const bytes = record((writer) => {
    for (let i = 0; i < total; i++)
      writer.append('kernel-events', i, { i, text: `event ${i}`, at: BigInt(i) });
    writer.end(END);
  });
  const recording = open(bytes);
  t.true(recording.chunkCount > 5);
  let expected = 0;
  for (const item of recording.records('kernel-events')) t.is((item as { i: number }).i, expected++);
  t.is(expected, total);
  for (const from of [0, 1, 9999, 31_234, total - 1]) {
    const [first] = recording.records('kernel-events', from) as Iterable<{ i: number }>;
    const found = [...recording.records('kernel-events', from)].some(
      (item) => (item as { i: number }).i === from,
    );
    t.true(found && first.i <= from && from - first.i < 10_000, `from ${from}: ${first.i}`);
  }
});

test('all items of one kernel event are found, over however many chunks', (t) => {
  const bytes = record((writer) => {
    for (let i = 0; i < 30; i++) {
      writer.append('checkpoints', 1 + Math.floor(i / 10), { i });
      if (i % 3 === 0) writer.flush();
    }
    writer.end(END);
  });
  for (const seq of [1, 2, 3]) {
    const found = [...open(bytes).records('checkpoints', seq)].map((item) => (item as { i: number }).i);
    t.true([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].every((i) => found.includes((seq - 1) * 10 + i)));
  }
});

test('blobs larger than a part, empty blobs and repeated blobs', (t) => {
  const large = Uint8Array.from({ length: (3 << 20) + 5 }, (_, i) => (i * i) >>> 7);
  const bytes = record((writer) => {
    t.is(writer.blob('images', large), writer.blob('images', large.slice()));
    writer.blob('images', new Uint8Array());
    writer.end(END);
  });
  const recording = open(bytes);
  const blobs = [...recording.blobs('images')];
  t.deepEqual(
    blobs.map((blob) => blob.bytes.length),
    [large.length, 0],
  );
  t.true(Buffer.from(large).equals(recording.blob('images', blobs[0].digest)!));
  t.is(recording.blob('images', '0'.repeat(32)), null);
  t.is(recording.blob('pages', blobs[0].digest), null);
});

test('what cannot be recorded is refused by name', (t) => {
  record((writer) => {
    const error = t.throws(() => writer.append('inputs', 0, { data: new Uint8Array(9 << 20) }), {
      instanceOf: RecordingError,
    });
    t.is(error.trouble, 'limit');
    t.throws(() => writer.blob('images', new Uint8Array(33 << 20)), { instanceOf: RecordingError });
    writer.append('inputs', 5, { fine: true });
    t.throws(() => writer.append('inputs', 4, { earlier: true }), { name: 'AssertionError' });
    writer.end(END);
    t.throws(() => writer.append('inputs', 6, { late: true }), { name: 'AssertionError' });
    t.throws(() => writer.end(END), { name: 'AssertionError' });
  });
});

test('the sample is read whole', (t) => {
  const recording = open(record(writeSample));
  t.true(recording.complete);
  t.is(readAll(recording), 1 + 4 * (10 + 10 + 8));
});

test('the index is an optimisation only', (t) => {
  const bytes = record(writeSample);
  const whole = open(bytes);
  const indexed = Recording.openIndexed(bytesSource(bytes));
  // The index does not list itself.
  t.is(indexed.chunkCount, whole.chunkCount - 1);
  for (let i = 0; i < indexed.chunkCount; i++) t.deepEqual(indexed.chunk(i), whole.chunk(i));
  const reads: number[] = [];
  const source = bytesSource(bytes);
  Recording.openIndexed({
    sizeBytes: source.sizeBytes,
    read: (offset, length) => {
      reads.push(length);
      return source.read(offset, length);
    },
  });
  t.true(reads.length <= 7, `${reads.length} reads`);
  const withoutIndex = bytes.slice(0, whole.chunk(whole.chunkCount - 1).offset);
  t.true(Recording.openIndexed(bytesSource(withoutIndex)).complete);
  t.true(open(withoutIndex).complete);
});
