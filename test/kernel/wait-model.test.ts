import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import { INFINITE, koidOf, newEvent, statusName, words } from './ipc-support.js';

const EVENTS = 3;
const THREADS = 4;
/** Each event has two handles: 2e and 2e + 1. */
const handle = fc.nat({ max: 2 * EVENTS - 1 });
const thread = fc.nat({ max: THREADS - 1 });
const mask = fc.constantFrom(
  0,
  Signal.EVENT_SIGNALED,
  Signal.USER_0,
  Signal.USER_0 | Signal.EVENT_SIGNALED,
  Signal.USER_1,
);

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('signal' as const), handle, clear: mask, set: mask }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('wait' as const),
      by: thread,
      items: fc.array(fc.record({ handle, mask }), { minLength: 1, maxLength: 4 }),
      one: fc.boolean(),
      now: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const), handle }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('expire' as const), by: thread }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface ModelWait {
  by: number;
  items: { handle: number; mask: number }[];
}

/** Events are masks; waits are a list in order of arrival, and each change looks through it. */
class Model {
  readonly signals = Array.from({ length: EVENTS }, () => 0);
  waits: ModelWait[] = [];
  /** Thread, status, pending signals: in the order in which waits ended. */
  readonly ended: [number, string, number[]][] = [];

  private end(wait: ModelWait, status: string, closed = -1): void {
    this.waits = this.waits.filter((w) => w !== wait);
    const pending = wait.items.map(
      (item) => (this.signals[item.handle >> 1] | (item.handle === closed ? Signal.HANDLE_CLOSED : 0)) >>> 0,
    );
    this.ended.push([wait.by, status, pending]);
  }

  signal(handle: number, clear: number, set: number): void {
    const event = handle >> 1;
    this.signals[event] = (this.signals[event] & ~clear) | set;
    for (const wait of [...this.waits]) {
      if (wait.items.some((item) => item.handle >> 1 === event && (this.signals[event] & item.mask) !== 0)) {
        this.end(wait, 'OK');
      }
    }
  }

  wait(wait: ModelWait, now: boolean): void {
    this.waits.push(wait);
    if (wait.items.some(({ handle, mask }) => (this.signals[handle >> 1] & mask) !== 0)) this.end(wait, 'OK');
    else if (now) this.end(wait, 'ERR_TIMED_OUT');
  }

  close(handle: number): void {
    for (const wait of [...this.waits]) {
      if (wait.items.some((item) => item.handle === handle)) this.end(wait, 'ERR_CANCELED', handle);
    }
  }

  expire(by: number): void {
    const wait = this.waits.find((w) => w.by === by);
    if (wait !== undefined) this.end(wait, 'ERR_TIMED_OUT');
  }
}

class Real {
  readonly h = new Harness();
  readonly handles: number[] = [];
  readonly threads = Array.from({ length: THREADS }, (_, i) => this.h.newThread(this.h.process, `t${i}`));
  /** Where each thread's wait items are, and whether it waits by wait_one. */
  private readonly waits = this.threads.map(() => ({ address: 0, count: 0, one: false }));
  readonly ended: [number, string, number[]][] = [];
  private readonly items = this.threads.map(() => this.h.scratch(12 * 4));
  private readonly out = this.h.scratch(4);

  constructor() {
    for (let i = 0; i < EVENTS; i++) {
      const event = newEvent(this.h);
      this.handles.push(event, this.h.give(koidOf(this.h, event), DEFAULT_RIGHTS.event));
    }
  }

  private note(by: number): void {
    const { address, count, one } = this.waits[by];
    const pending = Array.from({ length: count }, (_, i) => this.h.u32(one ? address : address + 12 * i + 8));
    this.ended.push([by, statusName(this.h.result(this.threads[by])), pending]);
  }

  /** Does something and notes whom it woke, in order. */
  private watch(action: () => void): void {
    const before = this.h.events.length;
    action();
    for (const e of this.h.events.slice(before)) {
      if (e.type === 'thread-woken') this.note(this.threads.indexOf(e.thread));
    }
  }

  wait({ by, items, one, now }: Extract<Step, { op: 'wait' }>): void {
    const { h, threads } = this;
    const address = this.items[by];
    const used = one ? items.slice(0, 1) : items;
    this.waits[by] = { address, count: used.length, one };
    const deadline = now ? 0n : INFINITE;
    let result: bigint | string;
    if (one) {
      const [{ handle, mask }] = used;
      result = h.call('zx_object_wait_one', [this.handles[handle], mask, deadline, address], threads[by]);
    } else {
      h.poke(address, words(...used.flatMap(({ handle, mask }) => [this.handles[handle], mask, 0])));
      result = h.call('zx_object_wait_many', [address, used.length, deadline], threads[by]);
    }
    if (result !== 'blocked') this.note(by);
  }

  signal(handle: number, clear: number, set: number): void {
    this.watch(() => this.h.call('zx_object_signal', [this.handles[handle], clear, set]));
  }

  reopen(handle: number): void {
    this.watch(() => {
      this.h.call('zx_handle_replace', [this.handles[handle], Right.SAME_RIGHTS, this.out]);
      this.handles[handle] = this.h.u32(this.out);
    });
  }

  expire(by: number): void {
    this.watch(() => expireWait(this.h, this.threads[by]));
  }
}

function apply(model: Model, real: Real, s: Step): void {
  switch (s.op) {
    case 'signal':
      model.signal(s.handle, s.clear, s.set);
      real.signal(s.handle, s.clear, s.set);
      return;
    case 'wait':
      if (model.waits.some((wait) => wait.by === s.by)) return;
      model.wait({ by: s.by, items: s.one ? s.items.slice(0, 1) : s.items }, s.now);
      real.wait(s);
      return;
    case 'reopen':
      model.close(s.handle);
      real.reopen(s.handle);
      return;
    case 'expire':
      model.expire(s.by);
      real.expire(s.by);
      return;
  }
}

test('waits for one and for many: who ends when, in which order, with what', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50, size: 'max' }), (steps) => {
      const model = new Model();
      const real = new Real();
      for (const s of steps) {
        apply(model, real, s);
        t.deepEqual(real.ended, model.ended);
      }
      const observers = real.h.k.state.objects;
      const registered = [...observers.values()].reduce((n, object) => n + object.observers.size, 0);
      t.is(
        registered,
        model.waits.reduce((n, wait) => n + wait.items.length, 0),
      );
    }),
    { numRuns: 200 },
  );
});
