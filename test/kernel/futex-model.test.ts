import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { endThread } from '../../src/kernel/syscalls/tasks.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import { INFINITE, outcome, statusName, words } from './ipc-support.js';

const THREADS = 5;
const thread = fc.nat({ max: THREADS - 1 });
const at = fc.nat({ max: 1 });
const owner = fc.oneof(fc.constant(-1), thread);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('wait' as const), by: thread, at, owner, now: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('wake' as const), at, count: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('wake-owner' as const), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('requeue' as const),
      at,
      count: fc.nat({ max: 2 }),
      move: fc.nat({ max: 3 }),
      owner,
      single: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('expire' as const), by: thread }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('kill' as const), by: thread }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Two queues of threads, written down as the manual tells it. Thread numbers; -1 is nobody. */
class Model {
  readonly queues: number[][] = [[], []];
  readonly owners = [-1, -1];
  readonly state: string[] = Array.from({ length: THREADS }, () => 'free');
  readonly woken: number[] = [];

  private end(by: number, how: string): void {
    this.queues.forEach((queue, i) => {
      const place = queue.indexOf(by);
      if (place >= 0) queue.splice(place, 1);
      if (queue.length === 0) this.owners[i] = -1;
    });
    this.state[by] = how;
    if (how !== 'gone') this.woken.push(by);
  }

  private alive(owner: number): number {
    return owner >= 0 && this.state[owner] === 'gone' ? -1 : owner;
  }

  private setOwner(at: number, owner: number): void {
    this.owners[at] = this.queues[at].length > 0 ? owner : -1;
  }

  wait(by: number, at: number, asked: number, now: boolean): string {
    const owner = this.alive(asked);
    if (owner === by || this.queues[at].includes(owner)) return 'ERR_INVALID_ARGS';
    if (now) {
      this.setOwner(at, owner);
      return 'ERR_TIMED_OUT';
    }
    this.queues[at].push(by);
    this.owners[at] = owner;
    this.state[by] = 'blocked';
    return 'blocked';
  }

  wake(at: number, count: number, keepOwner: boolean): void {
    const woken = this.queues[at].slice(0, count);
    for (const by of woken) this.end(by, 'OK');
    this.setOwner(at, keepOwner ? (woken[0] ?? -1) : -1);
  }

  requeue(at: number, count: number, move: number, asked: number, single: boolean): string {
    const owner = this.alive(asked);
    if (this.queues.some((queue) => queue.includes(owner))) return 'ERR_INVALID_ARGS';
    this.wake(at, single ? 1 : count, single);
    this.queues[1 - at].push(...this.queues[at].splice(0, move));
    this.setOwner(1 - at, owner);
    if (this.queues[at].length === 0) this.owners[at] = -1;
    return 'OK';
  }

  expire(by: number): void {
    this.end(by, 'ERR_TIMED_OUT');
  }

  kill(by: number): void {
    this.end(by, 'gone');
  }
}

/** The same steps on the kernel. */
class Real {
  readonly h = new Harness();
  readonly at = [this.h.scratch(words(0)), this.h.scratch(words(0))];
  readonly threads = Array.from({ length: THREADS }, (_, i) => this.h.newThread(this.h.process, `t${i}`));
  readonly handles = this.threads.map((koid) => this.h.give(koid, DEFAULT_RIGHTS.thread));
  private readonly out = this.h.scratch(8);

  apply(model: Model, s: Step): { expected: string; actual: string } | null {
    const { h, at } = this;
    const owner = 'owner' in s && s.owner >= 0 ? this.handles[s.owner] : 0;
    switch (s.op) {
      case 'wait': {
        if (model.state[s.by] === 'blocked' || model.state[s.by] === 'gone') return null;
        const expected = model.wait(s.by, s.at, s.owner, s.now);
        if (expected !== 'blocked') model.state[s.by] = expected;
        const deadline = s.now ? 0n : INFINITE;
        return {
          expected,
          actual: statusName(h.call('zx_futex_wait', [at[s.at], 0, owner, deadline], this.threads[s.by])),
        };
      }
      case 'wake':
        model.wake(s.at, s.count, false);
        return { expected: 'OK', actual: statusName(h.call('zx_futex_wake', [at[s.at], s.count])) };
      case 'wake-owner':
        model.wake(s.at, 1, true);
        return { expected: 'OK', actual: statusName(h.call('zx_futex_wake_single_owner', [at[s.at]])) };
      case 'requeue': {
        const expected = model.requeue(s.at, s.count, s.move, s.owner, s.single);
        const [from, to] = [at[s.at], at[1 - s.at]];
        const result = s.single
          ? h.call('zx_futex_requeue_single_owner', [from, 0, to, s.move, owner])
          : h.call('zx_futex_requeue', [from, s.count, 0, to, s.move, owner]);
        return { expected, actual: statusName(result) };
      }
      case 'expire':
        if (model.state[s.by] !== 'blocked') return null;
        model.expire(s.by);
        expireWait(h, this.threads[s.by]);
        return null;
      case 'kill':
        if (model.state[s.by] === 'gone') return null;
        model.kill(s.by);
        endThread(h, this.threads[s.by]);
        return null;
    }
  }

  queue(i: number): number[] {
    const futex = this.h.k.sharedBy(this.h.process).futexes.get(this.at[i]);
    return [...(futex?.waiters.values() ?? [])].map((koid) => this.threads.indexOf(koid));
  }

  owner(i: number): number {
    this.h.call('zx_futex_get_owner', [this.at[i], this.out]);
    return this.threads.indexOf(Number(this.h.u64(this.out)));
  }

  get woken(): number[] {
    return this.h.events.flatMap((e) => (e.type === 'thread-woken' ? [this.threads.indexOf(e.thread)] : []));
  }
}

test('futexes are two queues: results, order of waking, owners, queues', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const model = new Model();
      const real = new Real();
      for (const s of steps) {
        const compared = real.apply(model, s);
        if (compared !== null) t.is(compared.actual, compared.expected);
        for (const i of [0, 1]) {
          t.deepEqual(real.queue(i), model.queues[i]);
          const owner = model.owners[i];
          t.is(real.owner(i), owner >= 0 && model.state[owner] === 'gone' ? -1 : owner);
        }
        t.deepEqual(real.woken, model.woken);
        real.threads.forEach((koid, i) => {
          if (model.state[i] !== 'free') t.is(outcome(real.h, koid), model.state[i]);
        });
      }
    }),
    { numRuns: 150 },
  );
});
