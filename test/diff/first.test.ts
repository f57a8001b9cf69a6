import test from 'ava';
import fc from 'fast-check';
import { firstDivergence } from '../../src/diff/first.js';
import { Run } from '../../src/diff/run.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { launch, type RunSpec } from '../../src/loader/launch.js';
import { type Position, START } from '../../src/machine/position.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { describeEvent } from '../../src/recording/player.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { anyRun, recordRun, specOf } from '../timeline/runs.js';

interface Item {
  readonly seq: number;
  readonly steps: number | null;
  readonly text: string;
}

/** All that happens in a run, from the machine itself. */
function everything(spec: RunSpec): Item[] {
  const items: Item[] = [];
  const machine = launch(spec);
  machine.happened.subscribe(({ seq, event }) => {
    items.push({ seq, steps: event.type === 'span' ? event.steps : null, text: describeEvent(event) });
  });
  machine.run();
  return items;
}

/** The first place where two runs differ, found by reading both through. */
function byReading(a: readonly Item[], b: readonly Item[]): Position | null {
  const i = a.findIndex((item, n) => item.text !== b[n]?.text);
  if (i < 0) return null;
  const [left, right] = [a[i], b[i]];
  if (left.steps !== null && right.steps !== null)
    return { seq: left.seq, step: Math.min(left.steps, right.steps) };
  if (left.steps === null && right.steps === null) return { seq: left.seq, step: 0 };
  return { seq: Math.min(left.seq, right.seq), step: 0 };
}

const twoRuns = fc.tuple(
  anyRun,
  fc.oneof(
    fc.record({ seed: fc.nat(1000) }),
    fc.record({ entropySeed: fc.nat(3) }),
    fc.record({ cores: fc.constantFrom(1, 2, 8) }),
    fc.record({ quantumSteps: fc.constantFrom(7, 61, 1000, 16384) }),
    // The same run for a long time.
    fc.record({ maxSteps: fc.integer({ min: 2000, max: 14_000 }) }),
    fc.record({ physicalPages: fc.integer({ min: 60, max: 120 }) }),
  ),
);

test('the first difference is the first one, whatever the runs differ in', (t) => {
  const fixed = { guest: 'futex-mutex', seed: 1, entropySeed: 0, cores: 2, quantumSteps: 61 } as const;
  const long = { ...fixed, strategy: 'random', maxSteps: 12_000 } as const;
  let late = 0;
  fc.assert(
    fc.property(twoRuns, ([{ guest, ...options }, change]) => {
      const specs = [specOf(guest, options), specOf(guest, { ...options, ...change })];
      const expected = byReading(everything(specs[0]), everything(specs[1]));
      const [a, b] = specs.map((spec) => new Run(recordRun(spec)));
      t.deepEqual(firstDivergence({ a, b })?.position ?? null, expected);
      if (expected !== null && expected.seq > 300) late++;
    }),
    { numRuns: 30, examples: [[[long, { maxSteps: 11_000 }]]] },
  );
  t.true(late > 0, 'bisection was tried');
});

/** The same recording with digests at some of the places between commands, given by their numbers. */
function withDigests(recording: Recording, places: readonly number[]): Recording {
  const parts: Uint8Array[] = [];
  const writer = new RecordingWriter({ write: (part) => parts.push(part.slice()) }, recording.header);
  for (const { bytes } of recording.blobs('images')) writer.blob('images', bytes);
  for (const row of recording.rows('schedule')) writer.append('schedule', 0, row);
  const timeline = new Timeline(recording);
  let place = 0;
  timeline.boundaries(START, timeline.end, (machine) => {
    if (!places.includes(place++)) return;
    const { seq, step } = machine.position;
    writer.append('digests', seq, {
      seq,
      step,
      state: stateHash(machine.k.snapshot()),
      events: machine.eventHash(),
    });
  });
  writer.end(recording.end!);
  return Recording.open(bytesSource(new Uint8Array(Buffer.concat(parts))));
}

test('digests in the recordings lead to the same place', (t) => {
  const places = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 12 });
  const spec = specOf('lost-update', { seed: 4, cores: 2, quantumSteps: 200, args: ['2'] });
  const specs = [spec, { ...spec, maxSteps: 9000 }, { ...spec, seed: 5 }];
  const runs = specs.map((each) => ({ items: everything(each), recording: recordRun(each) }));
  fc.assert(
    fc.property(fc.constantFrom(1, 2), places, (other, at) => {
      const expected = byReading(runs[0].items, runs[other].items);
      const [a, b] = [runs[0], runs[other]].map(({ recording }) => new Run(withDigests(recording, at)));
      t.deepEqual(firstDivergence({ a, b })?.position, expected!);
    }),
    { numRuns: 12 },
  );
});
