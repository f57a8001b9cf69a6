/** What random calls and hostile files have found, each in small. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Signal } from '../../src/abi/signals.js';
import { MAX_HANDLES } from '../../src/kernel/syscalls/handles.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { jacinthEach, scratchFolder } from '../cli/jacinth.js';
import { Harness, SCRATCH } from '../kernel/harness.js';
import { INFINITE, newChannel, outcome, signalsOf } from '../kernel/ipc-support.js';
import { ENTRY, newThread, STACK } from '../kernel/task-support.js';
import { recordRun, specFor } from '../property/runs.js';

test('who waits for a thread to run is told when it starts, and its user signals stay', (t) => {
  const h = new Harness();
  const thread = newThread(h);
  const waiter = h.newThread(h.process, 'waiter');
  h.call('zx_object_signal', [thread, 0, Signal.USER_0]);
  t.is(h.call('zx_object_wait_one', [thread, Signal.THREAD_RUNNING, INFINITE, 0], waiter), 'blocked');
  t.is(h.call('zx_thread_start', [thread, ENTRY, STACK, 0, 0]), 0n);
  t.is(outcome(h, waiter), 'OK');
  t.is(signalsOf(h, thread), (Signal.THREAD_RUNNING | Signal.USER_0) >>> 0);
});

test('a message that claims four billion handles costs no more than one with as many as there can be', (t) => {
  const h = new Harness();
  const [channel] = newChannel(h);
  const quickest = (count: number): number => {
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now();
      t.is(h.call('zx_channel_write', [channel, 0, SCRATCH, 4, SCRATCH + 4096, count]), -14n);
      return performance.now() - started;
    });
    return Math.min(...times);
  };
  quickest(MAX_HANDLES);
  const most = quickest(MAX_HANDLES);
  const claimed = quickest(0xffffffff);
  // A list that was read to its end would take ten thousand times as long.
  t.true(claimed < 20 * most, `${claimed} ms, ${most} ms`);
});

test('names in a recording do not steer a terminal', (t) => {
  const { recording, bytes } = recordRun(specFor('hello', []), 'essential');
  const { header, end } = Recording.open(bytesSource(bytes));
  const parts: Uint8Array[] = [];
  const writer = new RecordingWriter(
    { write: (part) => void parts.push(part) },
    {
      ...header,
      jacinth: '\u001b[31m0.1',
      images: [{ ...header.images[0], name: '\u001b]0;title\u0007\nname' }],
      arguments: ['\u001b[2J'],
    },
  );
  for (const image of recording.blobs('images')) writer.blob('images', image.bytes);
  for (const row of recording.rows('schedule')) writer.append('schedule', 0, row);
  writer.end({ ...end!, cause: '\u001b[1mbad\n' });
  const folder = scratchFolder();
  const [forged, good] = [join(folder, 'forged.jacinth'), join(folder, 'good.jacinth')];
  writeFileSync(forged, Buffer.concat(parts));
  writeFileSync(good, bytes);
  const commands = [
    ['info', forged],
    ['show', forged, '--at', 'end'],
    ['diff', forged, good],
    ['replay', forged],
  ];
  for (const [i, { stdout, stderr }] of jacinthEach(commands).entries()) {
    t.notRegex(stdout + stderr, /[^\n -~…]/, commands[i][0]);
    t.not(stdout + stderr, '');
  }
});
