import test from 'ava';
import fc from 'fast-check';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { diff } from '../../src/library/diff.js';
import { open } from '../../src/library/open.js';
import { replay } from '../../src/library/replay.js';
import type { Position } from '../../src/machine/position.js';
import { Fold } from '../../src/recording/fold.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Diverged } from '../../src/recording/player.js';
import type { Main } from '../../src/sdk/program.js';
import { program } from '../../src/sdk/program.js';
import { bank } from './bank.js';
import { type Finished, run } from './support.js';

test('ten seeds, on one, two and eight cores, replay to what was recorded', (t) => {
  const what = bank(3, 3, false);
  const ends = new Set<string>();
  for (let seed = 0; seed < 10; seed++) {
    for (const cores of [1, 2, 8]) {
      const { bytes, end } = run(what, { seed, cores, quantumSteps: 30 });
      const again = replay(bytes, { programs: [what] });
      t.is(again.divergence, null);
      t.is(again.exitCode, end.exitCode);
      t.is(run(what, { seed, cores, quantumSteps: 30 }).end.stateHash, end.stateHash);
      ends.add(end.stateHash);
    }
  }
  t.true(ends.size > 10, `${ends.size} different ends`);
});

test('a program written again gives the same run', (t) => {
  const { bytes } = run(bank(3, 3, true), { cores: 2, seed: 1, quantumSteps: 30 });
  t.is(replay(bytes, { programs: [bank(3, 3, true)] }).divergence, null);
});

/** All positions of a run with their state hashes, by going forward once. */
function forward({ bytes, program: what }: Finished): [Position, string][] {
  const { timeline } = open(bytes, { programs: [what] });
  const { seq: last } = timeline.end;
  const out: [Position, string][] = [];
  for (let seq = 0; seq <= last; seq++) {
    const here: Position[] = [{ seq, step: 0 }];
    timeline.events({ seq, step: 0 }, { seq: seq + 1, step: 0 }, ({ event }) => {
      if (event.type !== 'span') return;
      for (let step = 1; step <= event.steps; step++) here.push({ seq, step });
    });
    for (const position of here) out.push([position, stateHash(timeline.seek(position).k.snapshot())]);
  }
  return out;
}

test('seek anywhere, in any order, equals forward; and the fold of what was stored, without the program', (t) => {
  const finished = run(bank(3, 3, true), { cores: 2, seed: 5, quantumSteps: 25, detail: 'full' });
  const positions = forward(finished);
  t.true(positions.length > 300);
  const fold = new Fold(Recording.open(bytesSource(finished.bytes)));
  for (const [position, hash] of positions) {
    t.true(fold.foldTo(position));
    t.is(stateHash(fold.state), hash, `fold at ${position.seq}:${position.step}`);
  }
  new Fold(Recording.open(bytesSource(finished.bytes))).run();
  fc.assert(
    fc.property(fc.array(fc.nat(positions.length - 1), { minLength: 1, maxLength: 25 }), (order) => {
      const { timeline } = open(finished.bytes, { programs: [finished.program] });
      for (const i of order) {
        const [position, hash] = positions[i];
        if (stateHash(timeline.seek(position).k.snapshot()) !== hash) return false;
      }
      // From wherever it stands, the run goes on to its end.
      timeline.seek(timeline.end);
      return stateHash(timeline.machine.k.snapshot()) === finished.end.stateHash;
    }),
    { numRuns: 30 },
  );
  t.pass();
});

test('what happened between any two positions is the same whatever was looked at before', (t) => {
  const finished = run(bank(2, 2, true), { cores: 2, seed: 2, quantumSteps: 25 });
  const session = open(finished.bytes, { programs: [finished.program] });
  const all: string[] = [];
  session.timeline.events({ seq: 0, step: 0 }, session.end, ({ event }) => all.push(event.type));
  for (let from = session.end.seq; from >= 0; from -= 7) {
    const types: string[] = [];
    session.timeline.events({ seq: from, step: 0 }, session.end, ({ event }) => types.push(event.type));
    t.deepEqual(types, all.slice(all.length - types.length));
  }
});

test('a recording of a program needs the program again, and says so in one line', (t) => {
  const { bytes } = run(function* () {});
  for (const attempt of [() => replay(bytes), () => open(bytes)]) {
    const error = t.throws(attempt)!;
    t.regex(error.message, /TypeScript program "test".*programs/);
    t.false(error.message.includes('\n'));
  }
  t.throws(() => replay(bytes, { programs: [program('other', function* () {})] }), { message: /"test"/ });
});

function divergenceOf(main: Main, other: Main): string {
  const { bytes } = run(main, { detail: 'full' });
  return replay(bytes, { programs: [program('test', other)] }).divergence?.what ?? 'none';
}

test('another program under the same name diverges', (t) => {
  const main: Main = function* (zx) {
    yield* zx.print('one\n');
  };
  t.is(divergenceOf(main, main), 'none');
  t.not(
    divergenceOf(main, function* (zx) {
      yield* zx.print('two\n');
    }),
    'none',
  );
  t.not(
    divergenceOf(main, function* () {}),
    'none',
  );
});

test('a program that does something else when it is run again is found out', (t) => {
  let times = 0;
  const fickle: Main = function* (zx) {
    times++;
    for (let i = 0; i < 200; i++) yield* zx.eventCreate(0);
    // Whatever went before, this tells how often the function was begun.
    for (let i = 0; i < 200; i++) yield* zx.work(times);
  };
  const { bytes, program: what } = run(fickle);
  times = 0;
  const { timeline } = open(bytes, { programs: [what] });
  const { end } = timeline;
  timeline.seek({ seq: end.seq - 2, step: 0 });
  const error = t.throws(
    () => {
      timeline.seek({ seq: 30, step: 0 });
      for (let seq = 31; seq <= end.seq; seq++) timeline.seek({ seq, step: 0 });
    },
    { instanceOf: Diverged },
  )!;
  t.is(error.divergence.what, 'program');
  t.regex(error.divergence.replayed, /program "test" is not deterministic: .* thread \d+/);
});

test('looking does not run the program again: only going on does', (t) => {
  let begun = 0;
  const main: Main = function* (zx) {
    begun++;
    for (let i = 0; i < 100; i++) yield* zx.eventCreate(0);
  };
  const { bytes, program: what } = run(main);
  const { timeline } = open(bytes, { programs: [what] });
  timeline.seek(timeline.end);
  begun = 0;
  timeline.seek({ seq: 0, step: 0 });
  t.is(begun, 0);
  timeline.seek({ seq: 200, step: 0 });
  t.is(begun, 1);
});

test('two runs of a program are compared like all others: who read what from whom', (t) => {
  const what = bank(3, 4, false);
  const [a, b] = [1, 4].map((seed) => run(what, { cores: 2, seed, quantumSteps: 20 }).bytes);
  const report = diff(a, b, { programs: [what] });
  t.false(report.same);
  t.regex(report.cause?.summary ?? '', /clerk \d read .* clerk \d wrote/);
  t.true(diff(a, a, { programs: [what] }).same);
});
