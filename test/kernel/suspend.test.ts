import test from 'ava';
import fc from 'fast-check';
import { InfoTopic } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { ThreadState } from '../../src/abi/threads.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { canRun, newTarget, showsOf, suspend } from './exception-support.js';
import { Harness } from './harness.js';
import {
  blocks,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  withRights,
} from './ipc-support.js';
import { ENTRY, newProcess, newThread, processInfo, STACK, threadState } from './task-support.js';
import { rightsOf } from './vm-support.js';

const close = (h: Harness, handle: number) => h.call('zx_handle_close', [handle]);

for (const name of ['zx_task_suspend', 'zx_task_suspend_token'] as const) {
  test(`${name}: statuses`, (t) => {
    const h = new Harness();
    const token = h.scratch(4);
    const { process, thread } = newTarget(h);
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, token]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [h.give(h.job, DEFAULT_RIGHTS.job), token]);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [withRights(h, thread, Right.READ), token]);
    gives(t, h, 'ERR_NOT_SUPPORTED', name, [h.handles.thread, token]);
    gives(t, h, 'ERR_NOT_SUPPORTED', name, [h.handles.process, token]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [thread, NOWHERE]);
    gives(t, h, 'OK', name, [thread, token]);
    t.is(rightsOf(h, h.u32(token)), DEFAULT_RIGHTS['suspend-token']);
    gives(t, h, 'OK', 'zx_task_kill', [process]);
    gives(t, h, 'ERR_BAD_STATE', name, [thread, token]);
    gives(t, h, 'ERR_BAD_STATE', name, [process, token]);
  });
}

test('a suspended thread does not run until its last token is gone', (t) => {
  const h = new Harness();
  const { thread, tid } = newTarget(h);
  const tokens = [suspend(h, thread), suspend(h, thread)];
  t.false(canRun(h, tid));
  t.is(threadState(h, thread), ThreadState.SUSPENDED);
  t.is(showsOf(h, tid), 'suspended');
  close(h, tokens[0]);
  t.false(canRun(h, tid));
  close(h, tokens[1]);
  t.true(canRun(h, tid));
  t.is(threadState(h, thread), ThreadState.RUNNING);
  t.is(showsOf(h, tid), 'running');
});

test('a wait goes on while its thread is suspended, and ends, but the thread stays', (t) => {
  const h = new Harness();
  const event = newEvent(h);
  const sleeper = h.newThread(h.process, 'sleeper');
  const handle = h.give(sleeper, DEFAULT_RIGHTS.thread);
  blocks(t, h, 'zx_object_wait_one', [event, Signal.USER_0, INFINITE, 0], sleeper);
  const token = suspend(h, handle);
  t.is(threadState(h, handle), ThreadState.SUSPENDED);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.USER_0]);
  t.is(outcome(h, sleeper), 'OK');
  t.false(canRun(h, sleeper));
  close(h, token);
  t.true(canRun(h, sleeper));
});

test('a deadline passes for a suspended thread as for others', (t) => {
  const h = new Harness();
  const sleeper = h.newThread(h.process, 'sleeper');
  const handle = h.give(sleeper, DEFAULT_RIGHTS.thread);
  blocks(t, h, 'zx_object_wait_one', [newEvent(h), Signal.USER_0, 1000n, 0], sleeper);
  const token = suspend(h, handle);
  h.advance(1000n);
  expireWait(h, sleeper);
  t.is(outcome(h, sleeper), 'ERR_TIMED_OUT');
  t.false(canRun(h, sleeper));
  close(h, token);
  t.true(canRun(h, sleeper));
});

test('a process is suspended with all its threads, and with those that start then', (t) => {
  const h = new Harness();
  const { process, thread, tid } = newTarget(h);
  const second = newThread(h, process);
  const tokens = [suspend(h, process), suspend(h, process)];
  const own = suspend(h, thread);
  gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 0n, 0n]);
  t.is(threadState(h, second), ThreadState.SUSPENDED);
  t.is(showsOf(h, koidOf(h, second)), 'suspended');
  for (const token of tokens) {
    t.false(canRun(h, koidOf(h, second)));
    close(h, token);
  }
  t.true(canRun(h, koidOf(h, second)));
  t.false(canRun(h, tid));
  close(h, own);
  t.true(canRun(h, tid));
});

test('a thread can be suspended before it starts, a process too', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const thread = newThread(h, process);
  const tokens = [suspend(h, thread), suspend(h, process)];
  t.is(threadState(h, thread), ThreadState.NEW);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, ENTRY, STACK, 0, 0n]);
  t.is(threadState(h, thread), ThreadState.SUSPENDED);
  for (const token of tokens) {
    t.false(canRun(h, koidOf(h, thread)));
    close(h, token);
  }
  t.true(canRun(h, koidOf(h, thread)));
});

test('death does not wait for tokens, and tokens outlive the dead', (t) => {
  const h = new Harness();
  const { process, thread, tid } = newTarget(h);
  const tokens = [suspend(h, thread), suspend(h, process)];
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.true(processInfo(h, process).exited);
  t.is(showsOf(h, tid), 'terminated');
  close(h, process);
  close(h, thread);
  for (const token of tokens) t.is(close(h, token), 0n);
});

test('the threads of a process are the same list, suspended or not', (t) => {
  const h = new Harness();
  const { process, tid } = newTarget(h);
  suspend(h, process);
  const buffer = h.scratch(24);
  gives(t, h, 'OK', 'zx_object_get_info', [process, InfoTopic.PROCESS_THREADS, buffer, 8n, buffer + 8, 0]);
  t.is(h.u64(buffer), BigInt(tid));
});

/** Which threads may run, by counting tokens. */
test('tokens by the dozen: who can run is a matter of counting', (t) => {
  const what = fc.record({
    of: fc.constantFrom('process', 'first', 'second'),
    close: fc.boolean(),
    index: fc.nat(5),
  });
  const property = fc.property(fc.array(what, { maxLength: 30 }), (steps) => {
    const h = new Harness();
    const { process, thread, tid } = newTarget(h);
    const second = newThread(h, process);
    gives(t, h, 'OK', 'zx_thread_start', [second, ENTRY, STACK, 0n, 0n]);
    const tasks = { process, first: thread, second };
    const tokens: { process: number[]; first: number[]; second: number[] } = {
      process: [],
      first: [],
      second: [],
    };
    for (const { of, close: closing, index } of steps) {
      const list = tokens[of as keyof typeof tokens];
      if (!closing) list.push(suspend(h, tasks[of as keyof typeof tasks]));
      else if (index < list.length) close(h, list.splice(index, 1)[0]);
      const none = tokens.process.length === 0;
      t.is(canRun(h, tid), none && tokens.first.length === 0);
      t.is(canRun(h, koidOf(h, second)), none && tokens.second.length === 0);
    }
  });
  fc.assert(property, { numRuns: 60 });
});
