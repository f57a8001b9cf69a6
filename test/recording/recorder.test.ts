import test from 'ava';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Recorder } from '../../src/recording/recorder.js';
import { specOf } from '../timeline/runs.js';

const SLICE = 1 << 20;

test('the clock is looked at after each slice of a thread alone, and what it chose is written then', (t) => {
  const parts: Uint8Array[] = [];
  let recorder: Recorder | null = null;
  let askedSteps = 0;
  let flushes = 0;
  const stepsNow = () => recorder?.machine.k.state.steps ?? 0;
  const sink = {
    write: (bytes: Uint8Array) => parts.push(bytes.slice()),
    flushDue: () => {
      t.true(stepsNow() - askedSteps < 2 * SLICE, `at ${stepsNow()} after ${askedSteps} steps`);
      askedSteps = stepsNow();
      return askedSteps > 4 * SLICE;
    },
    flushed: () => {
      if (stepsNow() <= 4 * SLICE) return;
      flushes++;
      const recording = Recording.open(bytesSource(new Uint8Array(Buffer.concat(parts))));
      let steps = 0;
      for (const row of recording.rows('schedule')) steps += row.steps;
      t.true(steps >= stepsNow(), `${steps} of ${stepsNow()}`);
    },
  };
  recorder = new Recorder(
    specOf('spin', { args: ['100000000'], maxSteps: 12 * SLICE }),
    'essential',
    () => sink,
  );
  recorder.run();
  t.true(flushes >= 7, `${flushes}`);
});
