import test, { type ExecutionContext } from 'ava';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import type { StatusName } from '../../src/abi/status.js';
import { endThread, TaskReturnCode } from '../../src/kernel/syscalls/tasks.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import {
  blocks,
  gives,
  INFINITE,
  isOpen,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  words,
} from './ipc-support.js';

const MAX = 0xffffffff;

/** A process with futexes at `a` and `b`, both 0, and threads to wait on them. */
class Futexes {
  readonly h = new Harness();
  readonly a = this.h.scratch(words(0));
  readonly b = this.h.scratch(words(0));
  readonly threads = [0, 1, 2, 3].map((i) => this.h.newThread(this.h.process, `waiter ${i}`));
  readonly handles = this.threads.map((koid) => this.h.give(koid, DEFAULT_RIGHTS.thread));

  constructor(private readonly t: ExecutionContext) {}

  wait(i: number, address = this.a, owner = 0, deadline: bigint | number = INFINITE): void {
    blocks(this.t, this.h, 'zx_futex_wait', [address, 0, owner, deadline], this.threads[i]);
  }

  owner(address = this.a): number {
    const out = this.h.scratch(8);
    gives(this.t, this.h, 'OK', 'zx_futex_get_owner', [address, out]);
    return Number(this.h.u64(out));
  }

  get outcomes(): string[] {
    return this.threads.map((thread) => outcome(this.h, thread));
  }

  /** Who waits on a futex, in order. */
  queue(address = this.a): number[] {
    const futex = this.h.k.sharedBy(this.h.process).futexes.get(address);
    return [...(futex?.waiters.values() ?? [])].map((thread) => this.threads.indexOf(thread));
  }
}

test('zx_futex_wake wakes in order of arrival, as many as asked', (t) => {
  const f = new Futexes(t);
  for (const i of [2, 0, 3, 1]) f.wait(i);
  t.deepEqual(f.queue(), [2, 0, 3, 1]);
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.a, 0]);
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.a, 2]);
  t.deepEqual(f.outcomes, ['OK', 'blocked', 'OK', 'blocked']);
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.a, MAX]);
  t.deepEqual(f.outcomes, ['OK', 'OK', 'OK', 'OK']);
  t.is(f.h.k.sharedBy(f.h.process).futexes.size, 0);
});

test('zx_futex_wake wakes nobody of another address or another process, and needs no memory', (t) => {
  const f = new Futexes(t);
  f.wait(0);
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.b, MAX]);
  const other = f.h.newThread(f.h.newProcess('other'), 'other');
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.a, MAX], other);
  gives(t, f.h, 'OK', 'zx_futex_wake', [NOWHERE, MAX]);
  t.is(f.outcomes[0], 'blocked');
});

test('zx_futex_wait: INVALID_ARGS for null, misaligned, unreadable; BAD_STATE for another value', (t) => {
  const { h, a } = new Futexes(t);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wait', [0, 0, 0, INFINITE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wait', [a + 2, 0, 0, INFINITE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wait', [NOWHERE, 0, 0, INFINITE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wait', [0xfffffffffffffffcn, 0, 0, INFINITE]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_futex_wait', [a, 1, 0, INFINITE]);
  h.poke(a, words(-7));
  blocks(t, h, 'zx_futex_wait', [a, -7n, 0, INFINITE]);
});

test('zx_futex_wait: owner errors come after the value', (t) => {
  const { h, a } = new Futexes(t);
  const self = h.handles.thread;
  const stranger = h.give(h.newThread(h.newProcess('other'), 'other'), DEFAULT_RIGHTS.thread);
  const unborn = h.k.state.nextKoid;
  h.emit({ type: 'thread-created', koid: unborn, process: h.process, name: 'unborn' });
  const cases = [
    ['ERR_BAD_HANDLE', NO_HANDLE],
    ['ERR_WRONG_TYPE', newEvent(h)],
    ['ERR_INVALID_ARGS', self],
    ['ERR_INVALID_ARGS', stranger],
    ['ERR_INVALID_ARGS', h.give(unborn, DEFAULT_RIGHTS.thread)],
  ] as const;
  for (const [status, owner] of cases) {
    gives(t, h, status, 'zx_futex_wait', [a, 0, owner, INFINITE]);
    gives(t, h, 'ERR_BAD_STATE', 'zx_futex_wait', [a, 1, owner, INFINITE]);
  }
});

test('zx_futex_wait: INVALID_ARGS for an owner who waits on that futex; on another is fine', (t) => {
  const f = new Futexes(t);
  f.wait(0);
  gives(t, f.h, 'ERR_INVALID_ARGS', 'zx_futex_wait', [f.a, 0, f.handles[0], INFINITE]);
  f.wait(1, f.b, f.handles[0]);
  t.is(f.owner(f.b), f.threads[0]);
});

test('zx_futex_wait: TIMED_OUT at the deadline, or at once', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.a, 0, 400);
  f.wait(1);
  f.h.advance(400n);
  expireWait(f.h, f.threads[0]);
  t.is(f.outcomes[0], 'ERR_TIMED_OUT');
  t.deepEqual(f.queue(), [1]);
  gives(t, f.h, 'ERR_TIMED_OUT', 'zx_futex_wait', [f.a, 0, 0, 400]);
  gives(t, f.h, 'ERR_TIMED_OUT', 'zx_futex_wait', [f.b, 0, f.handles[0], 0]);
  t.is(f.owner(f.b), 0);
});

test('the owner is who the last waiter named, also one that does not come to wait, and lasts while somebody waits', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.a, f.handles[3], 400);
  t.is(f.owner(), f.threads[3]);
  gives(t, f.h, 'ERR_TIMED_OUT', 'zx_futex_wait', [f.a, 0, f.handles[2], 0]);
  t.is(f.owner(), f.threads[2]);
  f.wait(1);
  t.is(f.owner(), 0);
  gives(t, f.h, 'ERR_TIMED_OUT', 'zx_futex_wait', [f.a, 0, f.handles[2], 0]);
  for (const i of [0, 1]) {
    t.is(f.owner(), f.threads[2]);
    expireWait(f.h, f.threads[i]);
  }
  t.is(f.owner(), 0);
});

test('zx_futex_wake leaves no owner, also when it wakes nobody', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.a, f.handles[3]);
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.a, 0]);
  t.is(f.owner(), 0);
  t.deepEqual(f.queue(), [0]);
});

test('a dead thread owns nothing, and cannot be made owner', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.a, f.handles[3]);
  endThread(f.h, f.threads[3]);
  t.is(f.owner(), 0);
  f.wait(1, f.a, f.handles[3]);
  t.is(f.owner(), 0);
});

test('zx_futex_wake_single_owner wakes one and makes it the owner while others wait', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.a, f.handles[3]);
  f.wait(1, f.a, f.handles[3]);
  gives(t, f.h, 'OK', 'zx_futex_wake_single_owner', [f.a]);
  t.deepEqual(f.outcomes.slice(0, 2), ['OK', 'blocked']);
  t.is(f.owner(), f.threads[0]);
  gives(t, f.h, 'OK', 'zx_futex_wake_single_owner', [f.a]);
  t.is(f.owner(), 0);
  gives(t, f.h, 'OK', 'zx_futex_wake_single_owner', [f.a]);
});

test('zx_futex_wake, wake_single_owner, get_owner: INVALID_ARGS', (t) => {
  const { h, a } = new Futexes(t);
  for (const address of [0, a + 1, 0x8000000000000000n]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wake', [address, 1]);
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_wake_single_owner', [address]);
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_get_owner', [address, h.scratch(8)]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_futex_get_owner', [a, NOWHERE]);
  gives(t, h, 'OK', 'zx_futex_get_owner', [a, 0]);
});

test('zx_futex_requeue wakes some, moves some to the end of the other queue, and names its owner', (t) => {
  const f = new Futexes(t);
  f.wait(3, f.b);
  for (const i of [0, 1, 2]) f.wait(i, f.a, f.h.handles.thread);
  gives(t, f.h, 'OK', 'zx_futex_requeue', [f.a, 1, 0, f.b, 1, f.h.handles.thread]);
  t.deepEqual(f.outcomes, ['OK', 'blocked', 'blocked', 'blocked']);
  t.deepEqual([f.queue(f.a), f.queue(f.b)], [[2], [3, 1]]);
  t.deepEqual([f.owner(f.a), f.owner(f.b)], [0, f.h.thread]);
  gives(t, f.h, 'OK', 'zx_futex_wake', [f.b, MAX]);
  t.deepEqual(f.outcomes, ['OK', 'OK', 'blocked', 'OK']);
});

test('a moved waiter times out of the queue it is in then', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.a, 0, 400);
  gives(t, f.h, 'OK', 'zx_futex_requeue', [f.a, 0, 0, f.b, MAX, f.h.handles.thread]);
  t.deepEqual([f.queue(f.a), f.queue(f.b)], [[], [0]]);
  expireWait(f.h, f.threads[0]);
  t.is(f.outcomes[0], 'ERR_TIMED_OUT');
  t.is(f.h.k.sharedBy(f.h.process).futexes.size, 0);
});

test('zx_futex_requeue without anybody to move still names the owner of a queue that has waiters', (t) => {
  const f = new Futexes(t);
  f.wait(0, f.b);
  gives(t, f.h, 'OK', 'zx_futex_requeue', [f.a, 1, 0, f.b, 0, f.handles[1]]);
  t.is(f.owner(f.b), f.threads[1]);
  gives(t, f.h, 'OK', 'zx_futex_requeue', [f.b, 0, 0, f.a, 0, f.handles[1]]);
  t.deepEqual([f.owner(f.a), f.owner(f.b)], [0, 0]);
});

test('zx_futex_requeue_single_owner makes the woken thread owner of what is left', (t) => {
  const f = new Futexes(t);
  for (const i of [0, 1, 2]) f.wait(i);
  gives(t, f.h, 'OK', 'zx_futex_requeue_single_owner', [f.a, 0, f.b, 1, f.h.handles.thread]);
  t.deepEqual([f.queue(f.a), f.queue(f.b)], [[2], [1]]);
  t.deepEqual([f.owner(f.a), f.owner(f.b)], [f.threads[0], f.h.thread]);
});

test('zx_futex_requeue: INVALID_ARGS, BAD_STATE, BAD_HANDLE, WRONG_TYPE, and nothing moves', (t) => {
  const f = new Futexes(t);
  const { h, a, b } = f;
  f.wait(0);
  f.wait(1, b);
  for (const name of ['zx_futex_requeue', 'zx_futex_requeue_single_owner'] as const) {
    const refuses = (
      status: StatusName,
      from: number,
      value: number,
      to: number | bigint,
      owner: number,
    ): void => {
      const rest = [value, to, 1, owner];
      gives(t, h, status, name, name === 'zx_futex_requeue' ? [from, 1, ...rest] : [from, ...rest]);
    };
    refuses('ERR_INVALID_ARGS', 0, 0, b, 0);
    refuses('ERR_INVALID_ARGS', a, 0, 0, 0);
    refuses('ERR_INVALID_ARGS', a + 1, 0, b, 0);
    refuses('ERR_INVALID_ARGS', a, 0, b + 1, 0);
    refuses('ERR_INVALID_ARGS', a, 0, a, 0);
    refuses('ERR_INVALID_ARGS', NOWHERE, 0, b, 0);
    refuses('ERR_INVALID_ARGS', a, 0, 0xfffffffffffffffcn, 0);
    refuses('ERR_BAD_STATE', a, 1, b, NO_HANDLE);
    refuses('ERR_BAD_HANDLE', a, 0, b, NO_HANDLE);
    refuses('ERR_WRONG_TYPE', a, 0, b, newEvent(h));
    refuses('ERR_INVALID_ARGS', a, 0, b, f.handles[0]);
    refuses('ERR_INVALID_ARGS', a, 0, b, f.handles[1]);
  }
  t.deepEqual([f.queue(a), f.queue(b)], [[0], [1]]);
});

test('zx_futex_wake_handle_close_thread_exit stores, wakes, closes and ends the thread', (t) => {
  const f = new Futexes(t);
  const { h, a, handles, threads } = f;
  f.wait(0);
  t.is(h.call('zx_futex_wake_handle_close_thread_exit', [a, 1, -3n, handles[1]], threads[1]), 'gone');
  t.is(h.u32(a) | 0, -3);
  t.is(f.outcomes[0], 'OK');
  t.false(isOpen(h, handles[1]));
  t.is(h.call('zx_futex_wake_handle_close_thread_exit', [a, 1, 9, 0], threads[2]), 'gone');
  t.is(h.u32(a), 9);
  t.is(h.k.get(h.process, 'process').life, 'running');
});

test('zx_futex_wake_handle_close_thread_exit: a store that faults and a bad handle end the process', (t) => {
  for (const [address, handle, exception] of [
    [NOWHERE, 0, 'page-fault'],
    [0, 0, 'page-fault'],
    [null, NO_HANDLE, 'undefined-instruction'],
  ] as const) {
    const { h, a, threads } = new Futexes(t);
    const args = [address ?? a, 1, 0, handle];
    t.is(h.call('zx_futex_wake_handle_close_thread_exit', args, threads[0]), 'gone');
    const { life, returnCode } = h.k.get(h.process, 'process');
    t.deepEqual([life, returnCode], ['dead', TaskReturnCode.EXCEPTION_KILL]);
    t.true(h.events.some((event) => event.type === 'exception-raised' && event.exception === exception));
  }
});
