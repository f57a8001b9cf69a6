/**
 * Records until it is killed: `node record-forever.js FILE`. Says on stdout, on and on, up to which number it has
 * recorded and when; each record holds its number.
 */
import { writeSync } from 'node:fs';
import { RecordingFileSink } from '../../src/platform/node/recording-file.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { HEADER } from './sample.js';

const writer = new RecordingWriter(RecordingFileSink.create(process.argv[2]), HEADER);
const pause = new Int32Array(new SharedArrayBuffer(4));
let saidAtMs = 0;
for (let i = 0; ; i++) {
  writer.append('kernel-events', i, { type: 'tick', i });
  // A slow run: little is buffered, and only the clock makes it be written.
  Atomics.wait(pause, 0, 0, 1);
  const nowMs = performance.now();
  if (nowMs - saidAtMs < 10) continue;
  writeSync(1, `${JSON.stringify({ i, atMs: nowMs })}\n`);
  saidAtMs = nowMs;
}
