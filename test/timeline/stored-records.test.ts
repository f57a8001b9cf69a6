import test from 'ava';
import { Hasher } from '../../src/base/digest.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import type { StoredRecord } from '../../src/recording/checkpoints/checkpoint-file.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { recordRun, specOf } from './runs.js';
import { checkpointFile, openStored, withRecords } from './stored.js';

test('what of a checkpoint no state has is checked, too', (t) => {
  const recording = recordRun(specOf('channel-ping-pong', { cores: 1, quantumSteps: 61, maxSteps: 12_000 }));
  const file = checkpointFile(recording, { steps: 200, events: 1 << 20 });
  const changes: ((record: StoredRecord) => Partial<StoredRecord>)[] = [
    ({ slices }) => ({ slices: slices + 1 }),
    ({ slices }) => ({ slices: Math.max(0, slices - 1) }),
    () => ({ span: null }),
    ({ span }) => ({ span: { core: 0, thread: 0, steps: 1, ...span, ...(span && { core: span.core + 1 }) } }),
    ({ span }) => ({ span: span && { ...span, steps: span.steps + 1 } }),
    () => ({ events: new Hasher().save() }),
  ];
  const end = { seq: recording.end!.events, step: 0 };
  for (const [i, change] of changes.entries()) {
    let changed = 0;
    const other = withRecords(file, (record) => {
      const one = { ...record, ...change(record) };
      if (JSON.stringify(one) !== JSON.stringify(record)) changed++;
      return one;
    });
    const told: string[] = [];
    const stored = openStored(other, recording, ({ message }) => told.push(message));
    const without = new Timeline(recording);
    for (let seq = 1; seq < end.seq; seq += 97) {
      const timeline = new Timeline(recording, stored);
      const [here, there] = [timeline, without].map((one) => one.seek({ seq, step: 0 }));
      t.is(here.eventHash(), there.eventHash(), `${i}`);
      t.is(stateHash(here.k.snapshot()), stateHash(there.k.snapshot()));
    }
    t.true(changed > 2, `${i}`);
    t.is(told.length, 1);
    t.regex(told[0], /^a checkpoint (?:does not have its hash|is not what the index says), /);
  }
});
