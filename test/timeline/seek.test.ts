import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { comparePositions, formatPosition, type Position } from '../../src/machine/position.js';
import { Fold } from '../../src/recording/fold.js';
import { NoSuchPosition, Timeline } from '../../src/timeline/timeline.js';
import { anyRun, anyShare, positionAt, recordRun, spanSteps, specOf } from './runs.js';

/** State and events at positions, gone to in the order given. */
function hashesBySeeking(timeline: Timeline, positions: readonly Position[]): Map<string, string> {
  return new Map(
    positions.map((position) => {
      const machine = timeline.seek(position);
      return [formatPosition(position), `${stateHash(machine.k.snapshot())} ${machine.eventHash()}`];
    }),
  );
}

test('every way to a position leads to the same state: forward, backward, anyhow, and by folding events', (t) => {
  fc.assert(
    fc.property(
      anyRun,
      fc.array(anyShare, { minLength: 1, maxLength: 12 }),
      ({ guest, ...options }, shares) => {
        const spec = specOf(guest, options);
        const recording = recordRun(spec, 'full');
        const steps = spanSteps(recording);
        const positions = shares.map((share) => positionAt(recording, steps, share));
        const sorted = [...positions].sort(comparePositions);
        const fold = new Fold(recording);
        const folded = new Map(
          sorted.map((position) => {
            assert(fold.foldTo(position));
            return [formatPosition(position), `${stateHash(fold.state)} ${fold.eventHash()}`];
          }),
        );
        const essential = new Timeline(recordRun(spec));
        assert.deepEqual(essential.end, { seq: recording.end!.events, step: 0 });
        for (const [name, order, timeline] of [
          ['forward', sorted, new Timeline(recording)],
          ['backward', [...sorted].reverse(), essential],
          ['anyhow', positions, essential],
        ] as const) {
          const sought = hashesBySeeking(timeline, order);
          for (const [position, hash] of folded)
            assert.equal(sought.get(position), hash, `${name} to ${position}`);
        }
      },
    ),
    { numRuns: 30 },
  );
  t.pass();
});

test('after a look anywhere the run goes on as it was recorded', (t) => {
  const recording = recordRun(specOf('c-threads', { cores: 2, seed: 5, quantumSteps: 100 }));
  const timeline = new Timeline(recording);
  const { events } = recording.end!;
  for (const share of [0.9, 0.1, 0.5, 0.51, 0.3]) {
    timeline.seek({ seq: Math.floor(events * share), step: 0 });
    // To the end by whole commands: digests are compared there.
    const machine = timeline.seek(timeline.end);
    t.is(machine.eventHash(), recording.end!.eventHash);
    t.is(stateHash(machine.k.snapshot()), recording.end!.stateHash);
  }
});

test('positions that the run does not have are refused', (t) => {
  const recording = recordRun(specOf('hello'));
  const steps = spanSteps(recordRun(specOf('hello'), 'full'));
  const timeline = new Timeline(recording);
  const { events } = recording.end!;
  for (const position of [
    { seq: 0, step: 1 },
    { seq: events, step: 1 },
    { seq: events + 1, step: 0 },
    { seq: Number.MAX_SAFE_INTEGER, step: 0 },
    ...[...steps].map(([seq, count]) => ({ seq, step: count + 1 })),
    // Inside a command no instruction runs.
    { seq: 20, step: 1 },
  ]) {
    t.throws(() => timeline.seek(position), { instanceOf: NoSuchPosition }, formatPosition(position));
  }
  for (const [seq, step] of steps) t.deepEqual(timeline.seek({ seq, step }).position, { seq, step });
});
