import test from 'ava';
import { diffRecordings } from '../../src/diff/diff.js';
import type { Cause, DifferentAnswer, DifferentValue, DiffReport } from '../../src/diff/report.js';
import { reportText } from '../../src/diff/text.js';
import type { Recording } from '../../src/recording/format/reader.js';
import { recordRun, specOf } from '../timeline/runs.js';

/** A failing and a passing run of one of the races, compared. */
function diffOf(race: string): DiffReport {
  const found = new Map<number, Recording>();
  for (let seed = 1; found.size < 2 && seed < 60; seed++) {
    const recording = recordRun(specOf('races', { cores: 2, quantumSteps: 700, seed, args: [race] }));
    const { exitCode } = recording.end!;
    if (!found.has(exitCode)) found.set(exitCode, recording);
  }
  return diffRecordings(found.get(1)!, found.get(0)!);
}

function cause<K extends Cause['kind']>({ cause: found }: DiffReport, kind: K): Cause & { kind: K } {
  if (found.kind !== kind) throw new Error(`${found.kind}: ${found.summary}`);
  return found as Cause & { kind: K };
}

const told = ({ answers }: DifferentAnswer, side: 'a' | 'b'): unknown[] => {
  const { text, thread, from } = answers[side];
  return [text, thread?.name, from?.thread?.name ?? null, from?.where ?? null];
};

test('messages in another order: what was read, and who sent it', (t) => {
  const report = diffOf('messages');
  const found = cause(report, 'answer');
  t.is(found.what, 'zx_channel_read');
  t.deepEqual(told(found, 'a'), ['"data"', 'main', 'writer', 'zx_channel_write']);
  t.deepEqual(told(found, 'b'), ['"open"', 'main', 'opener', 'zx_channel_write']);
  const text = reportText(report, { a: 'a.jacinth', b: 'b.jacinth' });
  t.regex(text, /zx_channel_read gave main "data"\n +because of writer in zx_channel_write at \d+:0\n/);
  t.true(text.split('\n').every((line) => line.length <= 80));
});

test('a deadline before the work is done: which packet came, and from whom', (t) => {
  const found = cause(diffOf('deadline'), 'answer');
  t.is(found.what, 'zx_port_wait');
  t.deepEqual(told(found, 'a'), ['2', 'main', null, 'a deadline']);
  t.deepEqual(told(found, 'b'), ['1', 'main', 'worker', 'zx_object_signal']);
});

test('a handle closed by another thread: the status, and who closed it', (t) => {
  const found = cause(diffOf('closed-handle'), 'answer');
  t.is(found.what, 'zx_object_signal');
  t.deepEqual(told(found, 'a'), ['ZX_ERR_BAD_HANDLE', 'signaller', 'closer', 'zx_handle_close']);
  t.deepEqual(told(found, 'b'), ['ZX_OK', 'signaller', null, null]);
  t.deepEqual(found.consequences, []);
});

test('words that belong together: the values of the round that went wrong, not of the first that differs', (t) => {
  const report = diffOf('torn-halves');
  const found: DifferentValue = cause(report, 'value');
  const printed = /^torn: (\d+) and (\d+)$/.exec(report.outcomes.find(({ kind }) => kind === 'console')!.a)!;
  const seen = new Map([
    ['left_half', BigInt(printed[1])],
    ['right_half', BigInt(printed[2])],
  ]);
  for (const [name, value] of [
    [found.what, found.load.a.value] as const,
    ...found.also.map(({ name, a }) => [name, a] as const),
  ]) {
    t.is(value, seen.get(name)!);
  }
  t.is(found.load.a.thread?.name, 'checker');
  t.is(found.next.a?.thread?.name, 'halves-writer');
});

test('a wake that nobody waited for yet: the wait that ended otherwise', (t) => {
  const found = cause(diffOf('missed-wake'), 'answer');
  t.is(found.what, 'zx_futex_wait');
  t.regex(found.answers.a.text, /^ZX_ERR_(?:TIMED_OUT|BAD_STATE)$/);
  t.deepEqual(told(found, 'b'), ['ZX_OK', 'waiter', 'waker', 'zx_futex_wake']);
});
