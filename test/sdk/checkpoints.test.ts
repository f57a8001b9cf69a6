import test from 'ava';
import { open } from '../../src/library/open.js';
import { replay } from '../../src/library/replay.js';
import { RecordingError } from '../../src/recording/format/recording-error.js';
import { recordBytes, recordRun, specOf } from '../timeline/runs.js';
import { checkpointFile } from '../timeline/stored.js';
import { bank } from './bank.js';
import { run } from './support.js';

test('checkpoints of programs in TypeScript cannot be kept: their threads are in the host', (t) => {
  const what = bank(2, 2, true);
  const { bytes } = run(what, { seed: 1 });
  const written: Uint8Array[] = [];
  const sink = { write: (part: Uint8Array) => void written.push(part) };
  const error = t.throws(() => replay(bytes, { programs: [what], checkpoints: sink }), {
    instanceOf: RecordingError,
  });
  t.regex(error.message, /TypeScript/);
  t.is(written.length, 0);
  // Nor are any believed that somebody made.
  const other = checkpointFile(recordRun(specOf('hello')), { steps: 1000, events: 20 });
  t.throws(() => open(bytes, { programs: [what], checkpoints: other }), { message: /TypeScript/ });
});

test('the library keeps checkpoints and looks by them', (t) => {
  const bytes = recordBytes(specOf('hello'));
  const parts: Uint8Array[] = [];
  const sink = { write: (part: Uint8Array) => void parts.push(part.slice()) };
  t.is(replay(bytes, { checkpoints: sink }).divergence, null);
  const checkpoints = new Uint8Array(Buffer.concat(parts));
  const [session, plain] = [open(bytes, { checkpoints }), open(bytes)];
  t.deepEqual(session.stateAt(session.end).steps, plain.stateAt(plain.end).steps);
  const problems: RecordingError[] = [];
  const damaged = checkpoints.slice();
  for (let at = 400; at < damaged.length - 450; at += 60) damaged[at] ^= 1;
  const careful = open(bytes, { checkpoints: damaged, onProblem: (problem) => problems.push(problem) });
  t.is(careful.stateAt(careful.end).steps, plain.stateAt(plain.end).steps);
  t.is(problems.length, 1);
});
