import test from 'ava';
import fc from 'fast-check';
import { encodeStruct } from '../../src/abi/structs.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness } from './harness.js';
import { INFINITE, koidOf, newChannel, statusName, words } from './ipc-support.js';

const THREADS = 4;
const KERNEL_TXID = 0x80000000;
const READABLE = 1;
const WRITABLE = 2;
const PEER_CLOSED = 4;

const thread = fc.nat({ max: THREADS - 1 });
/** Ends 0 and 1 are one channel, 2 and 3 another. */
const end = fc.nat({ max: 3 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('write' as const), by: thread, end, length: fc.nat({ max: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('read' as const),
      by: thread,
      end,
      room: fc.nat({ max: 4 }),
      discard: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('call' as const),
      by: thread,
      end,
      room: fc.nat({ max: 4 }),
      now: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('reply' as const), by: thread, end, pick: fc.nat({ max: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('wait' as const),
      by: thread,
      end,
      mask: fc.constantFrom(READABLE, PEER_CLOSED, 7),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('expire' as const), by: thread }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), end }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What became of a thread's step: status, and the message it got, if any. */
type Ended = [by: number, status: string, message: number[] | null];

interface ModelEnd {
  open: boolean;
  queue: number[][];
  txid: number;
}
type ModelWait =
  | { by: number; kind: 'signal'; end: number; mask: number }
  | { by: number; kind: 'call'; end: number; txid: number; room: number };

/** Two channels as lists of messages (lists of words), and one list of all who wait, in order of arrival. */
class Model {
  readonly ends: ModelEnd[] = [0, 1, 2, 3].map(() => ({ open: true, queue: [], txid: KERNEL_TXID }));
  waits: ModelWait[] = [];
  readonly ended: Ended[] = [];
  /** Numbers of calls that were read somewhere, to reply with. */
  readonly seen: number[] = [0, 7, KERNEL_TXID + 5];
  private counter = 0;

  peer(end: number): ModelEnd {
    return this.ends[end ^ 1];
  }

  private done(by: number, status: string, message: number[] | null = null): void {
    this.ended.push([by, status, message]);
  }

  private endWait(wait: ModelWait, status: string, message: number[] | null = null): void {
    this.waits = this.waits.filter((w) => w !== wait);
    this.done(wait.by, status, message);
  }

  signals(end: number): number {
    const open = this.peer(end).open;
    return (this.ends[end].queue.length > 0 ? READABLE : 0) | (open ? WRITABLE : PEER_CLOSED);
  }

  private look(end: number): void {
    for (const wait of [...this.waits]) {
      if (wait.kind === 'signal' && wait.end === end && (this.signals(end) & wait.mask) !== 0)
        this.endWait(wait, 'OK');
    }
  }

  private enqueue(end: number, message: number[]): void {
    this.ends[end].queue.push(message);
    this.look(end);
  }

  /** Words of a message: unlike any other, so that order and identity show. */
  newMessage(length: number): number[] {
    return Array.from({ length }, () => ++this.counter);
  }

  write(by: number, end: number, message: number[]): void {
    if (!this.ends[end].open) this.done(by, 'ERR_BAD_HANDLE');
    else if (!this.peer(end).open) this.done(by, 'ERR_PEER_CLOSED');
    else {
      const caller = this.waits.find(
        (w) => w.kind === 'call' && w.end === (end ^ 1) && w.txid === message[0],
      );
      if (caller?.kind !== 'call') this.enqueue(end ^ 1, message);
      else if (message.length > caller.room) this.endWait(caller, 'ERR_BUFFER_TOO_SMALL');
      else this.endWait(caller, 'OK', message);
      this.done(by, 'OK');
    }
  }

  read(by: number, end: number, room: number, discard: boolean): void {
    const { open, queue } = this.ends[end];
    if (!open) this.done(by, 'ERR_BAD_HANDLE');
    else if (queue.length === 0) this.done(by, this.peer(end).open ? 'ERR_SHOULD_WAIT' : 'ERR_PEER_CLOSED');
    else if (queue[0].length > room) {
      if (discard) queue.shift();
      this.done(by, 'ERR_BUFFER_TOO_SMALL');
    } else {
      const message = queue.shift() as number[];
      if (message.length > 0) this.seen.push(message[0]);
      this.done(by, 'OK', message);
    }
  }

  call(by: number, end: number, room: number, now: boolean): void {
    if (!this.ends[end].open) this.done(by, 'ERR_BAD_HANDLE');
    else if (!this.peer(end).open) this.done(by, 'ERR_PEER_CLOSED');
    else {
      const txid = ++this.ends[end].txid;
      this.enqueue(end ^ 1, [txid, 99]);
      if (now) this.done(by, 'ERR_TIMED_OUT');
      else this.waits.push({ by, kind: 'call', end, txid, room });
    }
  }

  wait(by: number, end: number, mask: number): void {
    if (!this.ends[end].open) this.done(by, 'ERR_BAD_HANDLE');
    else if ((this.signals(end) & mask) !== 0) this.done(by, 'OK');
    else this.waits.push({ by, kind: 'signal', end, mask });
  }

  expire(by: number): void {
    const wait = this.waits.find((w) => w.by === by);
    if (wait !== undefined) this.endWait(wait, 'ERR_TIMED_OUT');
  }

  close(end: number): void {
    if (!this.ends[end].open) return;
    const calls = (of: number): ModelWait[] => this.waits.filter((w) => w.kind === 'call' && w.end === of);
    for (const wait of calls(end)) this.endWait(wait, 'ERR_CANCELED');
    for (const wait of this.waits.filter((w) => w.end === end)) this.endWait(wait, 'ERR_CANCELED');
    this.ends[end].open = false;
    this.ends[end].queue = [];
    for (const wait of calls(end ^ 1)) this.endWait(wait, 'ERR_PEER_CLOSED');
    this.look(end ^ 1);
  }
}

class Real {
  readonly h = new Harness();
  readonly handles = [...newChannel(this.h), ...newChannel(this.h)];
  readonly koids = this.handles.map((handle) => koidOf(this.h, handle));
  readonly threads = Array.from({ length: THREADS }, (_, i) => this.h.newThread(this.h.process, `t${i}`));
  readonly ended: Ended[] = [];
  /** For each thread: what it sends, what it gets, how much it got, and its call's arguments. */
  private readonly sent = this.threads.map(() => this.h.scratch(32));
  private readonly got = this.threads.map(() => this.h.scratch(32));
  private readonly actual = this.threads.map(() => this.h.scratch(8));
  private readonly args = this.threads.map(() => this.h.scratch(48));
  private readonly gets = this.threads.map(() => false);

  private note(by: number): void {
    const status = statusName(this.h.result(this.threads[by]));
    const count = this.h.u32(this.actual[by]) / 4;
    const message = Array.from({ length: count }, (_, i) => this.h.u32(this.got[by] + 4 * i));
    this.ended.push([by, status, status === 'OK' && this.gets[by] ? message : null]);
  }

  private watching(action: () => number): void {
    const before = this.h.events.length;
    const by = action();
    for (const e of this.h.events.slice(before)) {
      if (e.type === 'thread-woken') this.note(this.threads.indexOf(e.thread));
    }
    if (by >= 0 && this.h.result(this.threads[by]) !== 'blocked') this.note(by);
  }

  write(by: number, end: number, message: number[]): void {
    this.gets[by] = false;
    this.h.poke(this.sent[by], words(...message));
    this.watching(() => {
      this.h.call(
        'zx_channel_write',
        [this.handles[end], 0, this.sent[by], 4 * message.length, 0, 0],
        this.threads[by],
      );
      return by;
    });
  }

  read(by: number, end: number, room: number, discard: boolean): void {
    this.gets[by] = true;
    const [got, actual] = [this.got[by], this.actual[by]];
    const args = [this.handles[end], discard ? 1 : 0, got, 0, 4 * room, 0, actual, actual + 4];
    this.watching(() => {
      this.h.call('zx_channel_read', args, this.threads[by]);
      return by;
    });
  }

  call(by: number, end: number, room: number, now: boolean): void {
    this.gets[by] = true;
    this.h.poke(this.sent[by], words(0, 99));
    const request = encodeStruct('zx_channel_call_args_t', {
      wr_bytes: this.sent[by],
      wr_num_bytes: 8,
      rd_bytes: this.got[by],
      rd_num_bytes: 4 * room,
    });
    this.h.poke(this.args[by], request);
    const actual = this.actual[by];
    const args = [this.handles[end], 0, now ? 0n : INFINITE, this.args[by], actual, actual + 4];
    this.watching(() => {
      this.h.call('zx_channel_call', args, this.threads[by]);
      return by;
    });
  }

  wait(by: number, end: number, mask: number): void {
    this.gets[by] = false;
    this.watching(() => {
      this.h.call('zx_object_wait_one', [this.handles[end], mask, INFINITE, 0], this.threads[by]);
      return by;
    });
  }

  expire(by: number): void {
    this.watching(() => {
      expireWait(this.h, this.threads[by]);
      return -1;
    });
  }

  close(end: number): void {
    this.watching(() => {
      this.h.call('zx_handle_close', [this.handles[end]]);
      return -1;
    });
  }

  queue(end: number): number {
    const object = this.h.k.find(this.koids[end]);
    return object?.kind === 'channel' ? object.messages.size : 0;
  }
}

function apply(model: Model, real: Real, s: Step): void {
  if ('by' in s && s.op !== 'expire' && model.waits.some((wait) => wait.by === s.by)) return;
  switch (s.op) {
    case 'write':
    case 'reply': {
      const message =
        s.op === 'write' ? model.newMessage(s.length) : [model.seen[s.pick % model.seen.length], 5];
      model.write(s.by, s.end, message);
      real.write(s.by, s.end, message);
      return;
    }
    case 'read':
      model.read(s.by, s.end, s.room, s.discard);
      real.read(s.by, s.end, s.room, s.discard);
      return;
    case 'call':
      model.call(s.by, s.end, s.room, s.now);
      real.call(s.by, s.end, s.room, s.now);
      return;
    case 'wait':
      model.wait(s.by, s.end, s.mask);
      real.wait(s.by, s.end, s.mask);
      return;
    case 'expire':
      model.expire(s.by);
      real.expire(s.by);
      return;
    case 'close':
      model.close(s.end);
      real.close(s.end);
      return;
  }
}

test('channels are lists of messages: who gets which, in which order, and how calls end', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const model = new Model();
      const real = new Real();
      for (const s of steps) {
        apply(model, real, s);
        t.deepEqual(real.ended, model.ended);
        t.deepEqual(
          [0, 1, 2, 3].map((end) => real.queue(end)),
          model.ends.map(({ queue }) => queue.length),
        );
        model.ends.forEach(({ open }, end) => {
          if (open) t.is(real.h.k.get(real.koids[end], 'channel').signals, model.signals(end));
        });
      }
    }),
    { numRuns: 250 },
  );
});
