import test from 'ava';
import fc from 'fast-check';
import { WaitAsyncOption } from '../../src/abi/ports.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, encodeStruct } from '../../src/abi/structs.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import { bytesAt, INFINITE, koidOf, newEvent, newPort, statusName } from './ipc-support.js';

const EVENTS = 2;
const THREADS = 3;
/** Each event has two handles: 2e and 2e + 1. */
const handle = fc.nat({ max: 2 * EVENTS - 1 });
const thread = fc.nat({ max: THREADS - 1 });
const key = fc.nat({ max: 2 });
const mask = fc.constantFrom(0, Signal.EVENT_SIGNALED, Signal.USER_0, Signal.USER_0 | Signal.EVENT_SIGNALED);

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ op: fc.constant('queue' as const), key }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('wait' as const), by: thread, now: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('watch' as const), handle, key, mask, edge: fc.boolean() }),
  },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('signal' as const), handle, clear: mask, set: mask }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cancel' as const), handle, key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cancel-key' as const), key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const), handle }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('expire' as const), by: thread }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a thread gets: key, whether it is a user's packet, and trigger and observed of a signal. */
type ModelPacket = {
  key: number;
  user: boolean;
  trigger: number;
  observed: number;
  handle: number;
  age: number;
};
type Ended = [by: number, status: string, packet: Omit<ModelPacket, 'handle' | 'age'> | null];

interface Watch {
  handle: number;
  /** Which of the handles that were one after another in this place. */
  age: number;
  key: number;
  mask: number;
  edge: boolean;
}

/** A port as a list of packets, a list of waiters, and events with lists of watches. */
class Model {
  readonly signals = Array.from({ length: EVENTS }, () => 0);
  readonly ages = Array.from({ length: 2 * EVENTS }, () => 0);
  watches: Watch[] = [];
  packets: ModelPacket[] = [];
  waiters: number[] = [];
  readonly ended: Ended[] = [];

  private deliver(by: number, { key, user, trigger, observed }: ModelPacket): void {
    this.ended.push([by, 'OK', { key, user, trigger, observed }]);
  }

  private put(packet: ModelPacket): void {
    const by = this.waiters.shift();
    if (by === undefined) this.packets.push(packet);
    else this.deliver(by, packet);
  }

  queue(key: number): void {
    this.put({ key, user: true, trigger: 0, observed: 0, handle: -1, age: 0 });
  }

  wait(by: number, now: boolean): void {
    const packet = this.packets.shift();
    if (packet !== undefined) this.deliver(by, packet);
    else if (now) this.ended.push([by, 'ERR_TIMED_OUT', null]);
    else this.waiters.push(by);
  }

  private fire(watch: Watch): void {
    this.watches = this.watches.filter((w) => w !== watch);
    const { key, mask, handle, age } = watch;
    this.put({ key, user: false, trigger: mask, observed: this.signals[handle >> 1], handle, age });
  }

  watch(handle: number, key: number, mask: number, edge: boolean): void {
    const watch = { handle, age: this.ages[handle], key, mask, edge };
    this.watches.push(watch);
    if (!edge && (this.signals[handle >> 1] & mask) !== 0) this.fire(watch);
  }

  signal(handle: number, clear: number, set: number): void {
    const event = handle >> 1;
    const before = this.signals[event];
    this.signals[event] = (before & ~clear) | set;
    const rising = this.signals[event] & ~before;
    for (const watch of [...this.watches]) {
      if (watch.handle >> 1 === event && (rising & watch.mask) !== 0) this.fire(watch);
    }
  }

  private remove(gone: (what: Watch | ModelPacket) => boolean): string {
    const before = this.watches.length + this.packets.length;
    this.watches = this.watches.filter((watch) => !gone(watch));
    this.packets = this.packets.filter((packet) => !gone(packet));
    return this.watches.length + this.packets.length < before ? 'OK' : 'ERR_NOT_FOUND';
  }

  cancel(handle: number, key: number): string {
    const age = this.ages[handle];
    return this.remove((what) => what.handle === handle && what.age === age && what.key === key);
  }

  cancelKey(key: number): string {
    return this.remove((what) => what.handle >= 0 && what.key === key);
  }

  reopen(handle: number): void {
    this.watches = this.watches.filter((watch) => watch.handle !== handle);
    this.ages[handle]++;
  }

  expire(by: number): void {
    if (!this.waiters.includes(by)) return;
    this.waiters = this.waiters.filter((waiter) => waiter !== by);
    this.ended.push([by, 'ERR_TIMED_OUT', null]);
  }
}

class Real {
  readonly h = new Harness();
  readonly port = newPort(this.h);
  readonly handles: number[] = [];
  readonly threads = Array.from({ length: THREADS }, (_, i) => this.h.newThread(this.h.process, `t${i}`));
  readonly ended: Ended[] = [];
  private readonly buffers = this.threads.map(() => this.h.scratch(48));
  private readonly packet = this.h.scratch(48);

  constructor() {
    for (let i = 0; i < EVENTS; i++) {
      const event = newEvent(this.h);
      this.handles.push(event, this.h.give(koidOf(this.h, event), DEFAULT_RIGHTS.event));
    }
  }

  private note(by: number): void {
    const status = statusName(this.h.result(this.threads[by]));
    if (status !== 'OK') {
      this.ended.push([by, status, null]);
      return;
    }
    const { key, type, u } = decodeStruct('zx_port_packet_t', bytesAt(this.h, this.buffers[by], 48));
    const { trigger, observed } = decodeStruct('zx_packet_signal_t', u);
    this.ended.push([by, status, { key: Number(key), user: type === 0, trigger, observed }]);
  }

  private watching<T>(action: () => T): T {
    const before = this.h.events.length;
    const result = action();
    for (const e of this.h.events.slice(before)) {
      if (e.type === 'thread-woken') this.note(this.threads.indexOf(e.thread));
    }
    return result;
  }

  apply(s: Step): string {
    const { h, port, handles, threads } = this;
    return this.watching(() => {
      switch (s.op) {
        case 'queue':
          h.poke(this.packet, encodeStruct('zx_port_packet_t', { key: BigInt(s.key) }));
          return statusName(h.call('zx_port_queue', [port, this.packet]));
        case 'wait': {
          const result = h.call(
            'zx_port_wait',
            [port, s.now ? 0n : INFINITE, this.buffers[s.by]],
            threads[s.by],
          );
          if (result !== 'blocked') this.note(s.by);
          return '';
        }
        case 'watch': {
          const option = s.edge ? WaitAsyncOption.EDGE : WaitAsyncOption.ONCE;
          return statusName(h.call('zx_object_wait_async', [handles[s.handle], port, s.key, s.mask, option]));
        }
        case 'signal':
          return statusName(h.call('zx_object_signal', [handles[s.handle], s.clear, s.set]));
        case 'cancel':
          return statusName(h.call('zx_port_cancel', [port, handles[s.handle], s.key]));
        case 'cancel-key':
          return statusName(h.call('zx_port_cancel_key', [port, 0, s.key]));
        case 'reopen':
          h.call('zx_handle_replace', [handles[s.handle], Right.SAME_RIGHTS, this.packet]);
          handles[s.handle] = h.u32(this.packet);
          return 'OK';
        case 'expire':
          expireWait(h, threads[s.by]);
          return '';
      }
    });
  }
}

function applyModel(model: Model, s: Step): string {
  switch (s.op) {
    case 'queue':
      model.queue(s.key);
      return 'OK';
    case 'wait':
      model.wait(s.by, s.now);
      return '';
    case 'watch':
      model.watch(s.handle, s.key, s.mask, s.edge);
      return 'OK';
    case 'signal':
      model.signal(s.handle, s.clear, s.set);
      return 'OK';
    case 'cancel':
      return model.cancel(s.handle, s.key);
    case 'cancel-key':
      return model.cancelKey(s.key);
    case 'reopen':
      model.reopen(s.handle);
      return 'OK';
    case 'expire':
      model.expire(s.by);
      return '';
  }
}

test('a port is a list of packets: who gets which, in which order, and what cancelling leaves', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const model = new Model();
      const real = new Real();
      for (const s of steps) {
        if (s.op === 'wait' && model.waiters.includes(s.by)) continue;
        t.is(real.apply(s), applyModel(model, s));
        t.deepEqual(real.ended, model.ended);
        const port = real.h.k.get(koidOf(real.h, real.port), 'port');
        t.deepEqual(
          [...port.packets.values()].map((p) => Number(p.key)),
          model.packets.map((p) => p.key),
        );
        t.is(port.registrations.size, model.watches.length);
        t.is(real.h.k.state.messageBytes, 128 * (model.watches.length + model.packets.length));
      }
    }),
    { numRuns: 200 },
  );
});
