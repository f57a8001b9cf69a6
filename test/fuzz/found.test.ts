/** What random calls and hostile files have found, each in small. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import type { SyscallName } from '../../src/abi/syscalls.js';
import { MAX_HANDLES } from '../../src/kernel/syscalls/handles.js';
import { updateJobSignals } from '../../src/kernel/syscalls/tasks.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { jacinthEach, scratchFolder } from '../cli/jacinth.js';
import { Harness, SCRATCH } from '../kernel/harness.js';
import { brokenInvariants } from '../kernel/invariants.js';
import {
  addMemory,
  INFINITE,
  koidOf,
  newChannel,
  newEvent,
  outcome,
  signalsOf,
} from '../kernel/ipc-support.js';
import { ENTRY, newJob, newProcess, newRunning, newThread, STACK } from '../kernel/task-support.js';
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

/** A call whose first handle is all that keeps a process from its end, which takes the caller's job along. */
const LAST_CALLS: Readonly<Record<string, (closed: number, event: number, channel: number) => LastCall>> = {
  zx_handle_close_many: (closed, event) => ({
    list: [closed, event, 0x1234567],
    args: [SCRATCH, 3],
  }),
  'zx_channel_write, refused': (closed, event) => ({
    list: [closed, event, 0x1234567],
    args: [0, 1, SCRATCH, 0, SCRATCH, 3],
  }),
  zx_channel_write_etc: (closed, event, channel) => ({
    // Moves that ask for the type of a VMO: each fails, and is closed.
    list: [0, closed, 3, 0, 0, 0, event, 3, 0, 0],
    args: [channel, 0, SCRATCH, 0, SCRATCH, 2],
  }),
  zx_futex_wake_handle_close_thread_exit: (closed) => ({ list: [], args: [SCRATCH, 1, 0, closed] }),
  zx_handle_close: (closed) => ({ list: [], args: [closed] }),
};

interface LastCall {
  readonly list: readonly number[];
  readonly args: readonly number[];
}

for (const [what, last] of Object.entries(LAST_CALLS)) {
  test(`a call may close what its caller's life hangs on: ${what}`, (t) => {
    const h = new Harness();
    // The harness leaves out the signals that only the start of a task sets.
    for (const harnessJob of [h.k.state.rootJob, h.job]) updateJobSignals(h, harnessJob);
    h.emit({ type: 'signals-changed', koid: h.thread, signals: Signal.THREAD_RUNNING });
    const job = newJob(h);
    const koid = koidOf(h, job);
    const { process, thread } = newRunning(h, job);
    const [caller, self] = [koidOf(h, process), koidOf(h, thread)];
    const critical = newProcess(h, job);
    h.call('zx_job_set_critical', [job, 0, critical.process]);
    addMemory(h, caller);
    const closed = h.give(koidOf(h, critical.process), DEFAULT_RIGHTS.process, caller);
    h.call('zx_channel_create', [0, SCRATCH, SCRATCH + 4], self);
    const channel = h.peek(SCRATCH, 4, caller).getUint32(0, true);
    const event = h.give(koidOf(h, newEvent(h)), DEFAULT_RIGHTS.event, caller);
    const { list, args } = last(closed, event, channel);
    h.poke(SCRATCH, new Uint8Array(Uint32Array.from(list).buffer), caller);
    for (const handle of [process, thread, critical.process]) h.call('zx_handle_close', [handle]);
    h.call(what.split(',')[0] as SyscallName, args, self);
    t.is(h.k.find(caller), undefined);
    t.is(h.k.find(self), undefined);
    t.is(h.k.get(koid, 'job').life, 'dead');
    t.deepEqual(brokenInvariants(h.k.state), []);
  });
}

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
