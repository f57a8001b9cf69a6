import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { ClockOption } from '../../src/abi/clocks.js';
import { INFO_TOPICS, InfoTopic, type InfoTopicName } from '../../src/abi/info.js';
import { ObjectType } from '../../src/abi/object-types.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import type { StatusName } from '../../src/abi/status.js';
import { sizeOf } from '../../src/abi/structs.js';
import { ThreadState } from '../../src/abi/threads.js';
import { crash, listen, newTarget } from './exception-support.js';
import { Harness, SCRATCH } from './harness.js';
import {
  addMemory,
  blocks,
  bytesAt,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newEventpair,
  newPort,
  newTimer,
  text,
  textAt,
  withRights,
  words,
} from './ipc-support.js';
import { newClock, newIob, newSocket, newStream } from './object-support.js';
import { ENTRY, newJob, newRunning, newThread, record, records, STACK, threadState } from './task-support.js';
import { newVmo, PAGE } from './vm-support.js';

/** The statuses that every topic with a buffer has. */
function commonStatuses(t: ExecutionContext, h: Harness, topic: InfoTopicName, handle: number): void {
  const spec = INFO_TOPICS[topic];
  const number = InfoTopic[topic];
  const size = spec.record === null ? 8 : sizeOf(spec.record);
  const [buffer, counts] = [h.scratch(size), h.scratch(16)];
  const call = (status: StatusName, args: (number | bigint)[]) =>
    gives(t, h, status, 'zx_object_get_info', args);
  call('ERR_BAD_HANDLE', [NO_HANDLE, number, buffer, size, 0, 0]);
  call('OK', [handle, number, buffer, size, 0, 0]);
  call('ERR_INVALID_ARGS', [handle, number, NOWHERE, size, 0, 0]);
  call('ERR_INVALID_ARGS', [handle, number, buffer, size, NOWHERE, 0]);
  call('ERR_INVALID_ARGS', [handle, number, buffer, size, 0, NOWHERE]);
  call(spec.list ? 'OK' : 'ERR_BUFFER_TOO_SMALL', [handle, number, 0, 0, counts, counts + 8]);
  t.is(h.u64(counts), 0n);
  t.true(h.u64(counts + 8) > 0n);
  if (spec.types !== 'any') call('ERR_WRONG_TYPE', [newPort(h), number, buffer, size, 0, 0]);
  if (spec.rights !== 0) {
    const { handles, handleSecret } = h.k.sharedBy(h.process);
    const { rights } = handles.get((handle >>> 2) ^ handleSecret)!;
    for (let bit = 1; bit <= spec.rights; bit *= 2) {
      if ((spec.rights & bit) === 0) continue;
      call('ERR_ACCESS_DENIED', [withRights(h, handle, rights & ~bit), number, buffer, size, 0, 0]);
    }
  }
}

test('every topic: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS, BUFFER_TOO_SMALL', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, thread, vmar } = newRunning(h, job);
  addMemory(h, koidOf(h, process));
  h.give(koidOf(h, thread), Right.NONE, koidOf(h, process));
  newJob(h, job);
  const handles: { readonly [T in InfoTopicName]?: number } = {
    HANDLE_BASIC: thread,
    HANDLE_COUNT: thread,
    HANDLE_TABLE: process,
    JOB: job,
    JOB_CHILDREN: job,
    JOB_PROCESSES: job,
    PROCESS: process,
    PROCESS_HANDLE_STATS: process,
    PROCESS_MAPS: process,
    PROCESS_THREADS: process,
    PROCESS_VMOS: process,
    TASK_RUNTIME: thread,
    TASK_STATS: process,
    THREAD: thread,
    THREAD_STATS: thread,
    TIMER: newTimer(h),
    VMAR: vmar,
    VMAR_MAPS: vmar,
    VMO: newVmo(h, PAGE),
    SOCKET: newSocket(h)[0],
    STREAM: newStream(h, newVmo(h, PAGE), 3),
    IOB: newIob(h, {})[0],
    IOB_REGIONS: newIob(h, {})[0],
    CLOCK_MAPPED_SIZE: newClock(h, ClockOption.MAPPABLE),
    THREAD_EXCEPTION_REPORT: threadInException(h, job),
  };
  for (const [topic, handle] of Object.entries(handles)) commonStatuses(t, h, topic as InfoTopicName, handle);
  // The rest are of objects that only drivers and hypervisors have, and what has no record.
  const others = Object.entries(INFO_TOPICS).filter(([topic]) => !(topic in handles));
  const rest = others.filter(
    ([, { types }]) => types === 'any' || types.some((type) => IS_MADE[type] === true),
  );
  t.deepEqual(
    rest.map(([topic]) => topic),
    ['HANDLE_VALID', 'THREAD_EXCEPTION_REPORT_V1'],
  );
});

/** Kinds of objects that programs can make. */
const IS_MADE: Readonly<Record<string, boolean>> = Object.fromEntries(
  Object.keys(DEFAULT_RIGHTS).map((kind) => [
    kind,
    !['resource', 'interrupt', 'bti', 'msi', 'vcpu'].includes(kind),
  ]),
);

/** A handle to a thread that a handler has the exception of. */
function threadInException(h: Harness, job: number): number {
  const { thread, tid, process } = newTarget(h, job);
  listen(h, process);
  crash(h, tid);
  return thread;
}

test('topics that do not exist: NOT_SUPPORTED; of objects that do not exist: WRONG_TYPE', (t) => {
  const h = new Harness();
  const { process, thread } = h.handles;
  const buffer = h.scratch(256);
  for (const topic of [0, 3, 5, 6, 0xc, 0x17, 0x7fffffff, 0xffffffff]) {
    gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_get_info', [process, topic, buffer, 256, 0, 0]);
    gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_get_info', [NO_HANDLE, topic, buffer, 256, 0, 0]);
  }
  const strange = Object.entries(INFO_TOPICS).filter(([, { types }]) =>
    ['resource', 'bti', 'socket', 'stream', 'msi', 'vcpu', 'iob', 'interrupt', 'clock'].includes(types[0]),
  );
  t.is(strange.length, 17);
  for (const [topic] of strange) {
    const number = InfoTopic[topic as InfoTopicName];
    gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_get_info', [process, number, buffer, 256, 0, 0]);
  }
  for (const topic of [InfoTopic.THREAD_EXCEPTION_REPORT, InfoTopic.THREAD_EXCEPTION_REPORT_V1]) {
    gives(t, h, 'ERR_BAD_STATE', 'zx_object_get_info', [thread, topic, buffer, 256, 0, 0]);
  }
});

test('TASK_RUNTIME looks at the right before the type', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const args = (handle: number) => [handle, InfoTopic.TASK_RUNTIME, SCRATCH, 256, 0, 0];
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_get_info', args(event));
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_get_info', args(withRights(h, event, Right.WAIT)));
});

test('HANDLE_VALID needs neither a buffer nor a right', (t) => {
  const h = new Harness();
  const handle = h.give(h.job, Right.NONE);
  gives(t, h, 'OK', 'zx_object_get_info', [handle, InfoTopic.HANDLE_VALID, 0, 0, 0, 0]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_get_info', [NO_HANDLE, InfoTopic.HANDLE_VALID, 0, 0, 0, 0]);
});

test('HANDLE_BASIC names the object, its type, the rights and what it is related to', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [e0, e1] = newEventpair(h);
  const job = newJob(h);
  const { process, vmar, thread } = newRunning(h, job);
  const cases = [
    [a, 'channel', koidOf(h, z)],
    [e1, 'eventpair', koidOf(h, e0)],
    [job, 'job', h.job],
    [process, 'process', koidOf(h, job)],
    [thread, 'thread', koidOf(h, process)],
    [vmar, 'vmar', 0],
    [newVmo(h, PAGE), 'vmo', 0],
    [newEvent(h), 'event', 0],
    [newPort(h), 'port', 0],
    [newTimer(h), 'timer', 0],
  ] as const;
  for (const [handle, type, related] of cases) {
    const basic = record(h, handle, 'HANDLE_BASIC', 'zx_info_handle_basic_t');
    t.like(
      basic,
      { koid: BigInt(koidOf(h, handle)), type: ObjectType[type], related_koid: BigInt(related) },
      type,
    );
  }
  const few = withRights(h, a, Right.READ | Right.WAIT);
  t.is(record(h, few, 'HANDLE_BASIC', 'zx_info_handle_basic_t').rights, Right.READ | Right.WAIT);
  const peer = koidOf(h, z);
  h.call('zx_handle_close', [z]);
  t.is(record(h, a, 'HANDLE_BASIC', 'zx_info_handle_basic_t').related_koid, BigInt(peer), 'after its death');
});

test('HANDLE_COUNT counts handles in tables and in messages', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const count = () => record(h, event, 'HANDLE_COUNT', 'zx_info_handle_count_t').handle_count;
  t.is(count(), 1);
  const second = withRights(h, event, DEFAULT_RIGHTS.event);
  t.is(count(), 2);
  const [a] = newChannel(h);
  gives(t, h, 'OK', 'zx_channel_write', [a, 0, 0, 0, h.scratch(words(second)), 1]);
  t.is(count(), 2);
  gives(t, h, 'OK', 'zx_handle_close', [a]);
  t.is(count(), 2, 'the other end can still read it');
});

test('HANDLE_TABLE lists values, rights and koids, and who holds the other end of a channel', (t) => {
  const h = new Harness();
  const { process } = newRunning(h);
  const [a, z] = newChannel(h);
  const [peer, koid] = [koidOf(h, z), koidOf(h, process)];
  const value = h.give(peer, DEFAULT_RIGHTS.channel, koid);
  h.call('zx_handle_close', [z]);
  const [only, ...rest] = records(h, process, 'HANDLE_TABLE', 'zx_info_handle_extended_t');
  t.deepEqual(rest, []);
  t.like(only, {
    type: ObjectType.channel,
    handle_value: value,
    rights: DEFAULT_RIGHTS.channel,
    koid: BigInt(peer),
    related_koid: BigInt(koidOf(h, a)),
    peer_owner_koid: BigInt(h.process),
  });
  const own = records(h, h.handles.process, 'HANDLE_TABLE', 'zx_info_handle_extended_t');
  t.is(own.find((entry) => entry.handle_value === a)?.peer_owner_koid, BigInt(koid));
  t.is(own.length, h.k.sharedBy(h.process).handles.size);
});

test('the holder of a channel end follows it through messages and zx_handle_replace', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [carrier, other] = newChannel(h);
  const holder = (handle: number) =>
    records(h, h.handles.process, 'HANDLE_TABLE', 'zx_info_handle_extended_t').find(
      (entry) => entry.handle_value === handle,
    )?.peer_owner_koid;
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_handle_replace', [z, Right.SAME_RIGHTS, out]);
  t.is(holder(a), BigInt(h.process));
  gives(t, h, 'OK', 'zx_channel_write', [carrier, 0, 0, 0, h.scratch(words(h.u32(out))), 1]);
  t.is(holder(a), 0n);
  gives(t, h, 'OK', 'zx_channel_read', [other, 0, 0, out, 0, 1, 0, 0]);
  t.is(holder(a), BigInt(h.process));
});

test('PROCESS_HANDLE_STATS counts by type', (t) => {
  const h = new Harness();
  const { process } = newRunning(h);
  const koid = koidOf(h, process);
  for (const handle of [newEvent(h), newEvent(h), newPort(h)]) h.give(koidOf(h, handle), Right.NONE, koid);
  const counts = record(h, process, 'PROCESS_HANDLE_STATS', 'zx_info_process_handle_stats_t').handle_count;
  const expected = new Array<number>(64).fill(0);
  expected[ObjectType.event] = 2;
  expected[ObjectType.port] = 1;
  t.deepEqual([...counts], expected);
});

test('lists give what fits of what there is', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const children = [newJob(h, job), newJob(h, job), newJob(h, job)].map((child) => koidOf(h, child));
  const [buffer, counts] = [h.scratch(64), h.scratch(16)];
  for (const [size, actual] of [
    [0, 0n],
    [7, 0n],
    [8, 1n],
    [23, 2n],
    [24, 3n],
    [64, 3n],
  ] as const) {
    h.poke(buffer, new Uint8Array(64));
    gives(t, h, 'OK', 'zx_object_get_info', [job, InfoTopic.JOB_CHILDREN, buffer, size, counts, counts + 8]);
    t.deepEqual([h.u64(counts), h.u64(counts + 8)], [actual, 3n]);
    const given = Array.from({ length: 8 }, (_, i) => Number(h.u64(buffer + 8 * i)));
    t.deepEqual(given, [...children.slice(0, Number(actual)), ...new Array(8 - Number(actual)).fill(0)]);
  }
  gives(t, h, 'OK', 'zx_object_get_info', [
    job,
    InfoTopic.JOB_CHILDREN,
    buffer,
    0xffff_ffff_ffff_ffffn,
    counts,
    0,
  ]);
  t.is(h.u64(counts), 3n, 'a size is believed no further than there are records');
});

test('THREAD says what a thread waits in', (t) => {
  const h = new Harness({ cores: 5 });
  const wait = (call: (thread: number) => void): number => {
    const thread = h.newThread(h.process, 'waiter');
    call(thread);
    return threadState(h, h.give(thread, DEFAULT_RIGHTS.thread));
  };
  const event = newEvent(h);
  const items = h.scratch(words(event, Signal.EVENT_SIGNALED, 0));
  const [channel] = newChannel(h);
  const [argsBytes, message] = [h.scratch(64), h.scratch(16)];
  const view = new DataView(new ArrayBuffer(64));
  view.setBigUint64(0, BigInt(message), true);
  view.setUint32(32, 16, true);
  h.poke(argsBytes, new Uint8Array(view.buffer));
  const at = h.scratch(8);
  t.is(
    wait((thread) => blocks(t, h, 'zx_nanosleep', [INFINITE], thread)),
    ThreadState.BLOCKED_SLEEPING,
  );
  t.is(
    wait((thread) => blocks(t, h, 'zx_object_wait_one', [event, 8, INFINITE, 0], thread)),
    ThreadState.BLOCKED_WAIT_ONE,
  );
  t.is(
    wait((thread) => blocks(t, h, 'zx_object_wait_many', [items, 1, INFINITE], thread)),
    ThreadState.BLOCKED_WAIT_MANY,
  );
  t.is(
    wait((thread) => blocks(t, h, 'zx_port_wait', [newPort(h), INFINITE, h.scratch(48)], thread)),
    ThreadState.BLOCKED_PORT,
  );
  t.is(
    wait((thread) => blocks(t, h, 'zx_futex_wait', [at, 0, 0, INFINITE], thread)),
    ThreadState.BLOCKED_FUTEX,
  );
  t.is(
    wait((thread) => blocks(t, h, 'zx_channel_call', [channel, 0, INFINITE, argsBytes, at, at + 4], thread)),
    ThreadState.BLOCKED_CHANNEL,
  );
  const fresh = newThread(h);
  t.is(threadState(h, fresh), ThreadState.NEW);
  t.is(threadState(h, h.handles.thread), ThreadState.RUNNING);
  t.is(record(h, fresh, 'THREAD', 'zx_info_thread_t').cpu_affinity_mask.mask[0], 0b11111n);
});

test('runtime is counted by instruction, queueing by time; the dead still count', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, thread } = newRunning(h, job);
  const koid = koidOf(h, thread);
  const runtime = (handle: number) => {
    const { cpu_time, queue_time } = record(h, handle, 'TASK_RUNTIME', 'zx_info_task_runtime_t');
    return [cpu_time, queue_time];
  };
  const stats = () => record(h, thread, 'THREAD_STATS', 'zx_info_thread_stats_t');
  t.like(stats(), { total_runtime: 0n, last_scheduled_cpu: 0xffffffff });
  h.advance(30n);
  t.deepEqual(runtime(thread), [0n, 30n], 'it is in the queue now');
  h.emit({ type: 'slice-started', core: 0, thread: koid, steps: 100, quantumSteps: 100 });
  h.emit({ type: 'span', core: 0, thread: koid, steps: 60 });
  h.emit({ type: 'thread-preempted', core: 0, thread: koid });
  h.advance(5n);
  t.like(stats(), { total_runtime: 60n, last_scheduled_cpu: 0 });
  for (const handle of [thread, process, job]) t.deepEqual(runtime(handle), [60n, 35n]);
  const second = newThread(h, process);
  gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 0, 0]);
  t.is(h.call('zx_thread_exit', [], koid), 'gone');
  h.advance(2n);
  t.deepEqual(runtime(thread), [60n, 35n]);
  t.deepEqual(runtime(process), [60n, 37n]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_get_info', [thread, InfoTopic.THREAD_STATS, SCRATCH, 64, 0, 0]);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  h.advance(9n);
  t.deepEqual(runtime(process), [60n, 37n]);
  t.deepEqual(runtime(job), [60n, 37n]);
  t.deepEqual(runtime(h.handles.job)[0], 0n, "a child job's processes are not its parent's");
});

test('TIMER tells when it will fire', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_timer_create', [2, 1, out]);
  const timer = h.u32(out);
  const idle = { options: 2, clock_id: 1, deadline: 0n, slack: 0n };
  t.deepEqual(record(h, timer, 'TIMER', 'zx_info_timer_t'), idle);
  gives(t, h, 'OK', 'zx_timer_set', [timer, 500n, 7n]);
  t.deepEqual(record(h, timer, 'TIMER', 'zx_info_timer_t'), { ...idle, deadline: 500n, slack: 7n });
  gives(t, h, 'OK', 'zx_timer_cancel', [timer]);
  t.deepEqual(record(h, timer, 'TIMER', 'zx_info_timer_t'), idle);
});

test('any topic of any object, with any buffer, gives a status and writes nothing beside the buffer', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, vmar, thread } = newRunning(h, job);
  addMemory(h, koidOf(h, process));
  const handles = [
    ...[job, process, vmar, thread, NO_HANDLE, newVmo(h, PAGE), newEvent(h), newTimer(h), newPort(h)],
    ...newChannel(h),
    h.handles.process,
  ];
  const buffer = h.scratch(new Uint8Array(1024).fill(0xee));
  const numbers = Object.values(InfoTopic) as number[];
  fc.assert(
    fc.property(
      fc.constantFrom(...handles),
      fc.oneof(fc.constantFrom(...numbers), fc.nat()),
      fc.nat(512),
      (handle, topic, size) => {
        h.poke(buffer, new Uint8Array(1024).fill(0xee));
        const result = h.call('zx_object_get_info', [handle, topic, buffer + 256, size, 0, 0]);
        t.is(typeof result, 'bigint');
        t.deepEqual(bytesAt(h, buffer, 256), new Uint8Array(256).fill(0xee));
        t.deepEqual(bytesAt(h, buffer + 256 + size, 768 - size), new Uint8Array(768 - size).fill(0xee));
      },
    ),
    { numRuns: 500 },
  );
});

test('names in records are those of zx_object_set_property', (t) => {
  const h = new Harness();
  const buffer = h.scratch(32);
  gives(t, h, 'OK', 'zx_object_set_property', [h.handles.thread, 3, h.scratch(text('worker')), 6]);
  gives(t, h, 'OK', 'zx_object_get_property', [h.handles.thread, 3, buffer, 32]);
  t.is(textAt(h, buffer, 7), 'worker\0');
});
