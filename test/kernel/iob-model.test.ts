import test from 'ava';
import fc from 'fast-check';
import { Signal } from '../../src/abi/signals.js';
import { Harness } from './harness.js';
import { bytesAt, INFINITE, outcome, statusName } from './ipc-support.js';
import { brokenObjects } from './object-invariants.js';
import { BUFFER, iovecs, mapIob, newIob, newSharedRegion, ramp, ringRegion } from './object-support.js';
import { foldsAlike, type Marks, mark, runAlike } from './refold.js';

const PAGE = 4096;
const RING = PAGE;
const HEADER = 16;
const TAGS = [7n, 8n] as const;
/** End 0 has numbers given and looks, end 1 only looks. */
const ALLOCATOR = { access: 0x19, discipline: 1 };
/** End 0 has messages written, end 1 takes them out by way of its mapping. */
const RING_ACCESS = 0x38;

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      by: fc.nat(1),
      parts: fc.array(fc.constantFrom(0, 1, 7, 8, 100, 1000, 1500), { maxLength: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('take' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('allocate' as const),
      size: fc.constantFrom(0, 1, 50, 900, 5000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), by: fc.nat(1) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

interface Message {
  readonly tag: bigint;
  readonly bytes: Uint8Array;
}

const padded = ({ bytes }: Message): number => Math.ceil((HEADER + bytes.length) / 8) * 8;

class World {
  readonly h: Harness;
  readonly wrong: string[] = [];
  readonly marks: Marks = new Map();
  /** What is in the ring, oldest first; what is in the allocator. */
  private readonly queue: Message[] = [];
  private readonly blobs: Uint8Array[] = [];
  private readonly writers: (number | null)[];
  private readonly ring: number;
  private readonly allocator: number;
  private readonly allocated: number;
  private readonly shared: number;
  private readonly waiter: number;
  private waiting = false;
  private nextByte = 0;

  constructor(mode: 'owned' | 'immer') {
    this.h = new Harness({}, mode);
    this.shared = newSharedRegion(this.h, PAGE + RING);
    const ends = TAGS.map((tag) => newIob(this.h, { ...ringRegion(this.shared, tag), access: RING_ACCESS }));
    this.writers = ends.map(([writer]) => writer);
    this.ring = mapIob(this.h, ends[0][1], 0, PAGE + RING);
    const [numbers, readers] = newIob(this.h, ALLOCATOR);
    this.allocator = numbers;
    this.allocated = mapIob(this.h, readers, 0, PAGE, 1);
    this.waiter = this.h.newThread(this.h.process, 'waiter');
  }

  private expect(what: string, got: unknown, wanted: unknown): void {
    if (String(got) !== String(wanted)) this.wrong.push(`${what}: ${String(got)}, not ${String(wanted)}`);
  }

  private bytes(length: number): Uint8Array {
    this.nextByte += 17;
    return ramp(this.nextByte % 251, length);
  }

  run(c: Command): void {
    const { h } = this;
    switch (c.op) {
      case 'write':
        this.write(c.by, c.parts);
        break;
      case 'take':
        for (let i = 0; i < c.count && this.queue.length > 0; i++) this.take();
        break;
      case 'allocate':
        this.allocate(this.bytes(c.size));
        break;
      case 'wait': {
        if (this.waiting) break;
        const args = [this.shared, Signal.IOB_SHARED_REGION_UPDATED, INFINITE, 0];
        this.expect('wait', h.call('zx_object_wait_one', args, this.waiter), 'blocked');
        this.waiting = true;
        break;
      }
      case 'close': {
        const writer = this.writers[c.by];
        if (writer !== null) this.expect('close', h.call('zx_handle_close', [writer]), 0n);
        this.writers[c.by] = null;
        break;
      }
    }
    this.compare();
    mark(this.marks, h);
  }

  private write(by: number, parts: readonly number[]): void {
    const writer = this.writers[by];
    if (writer === null) return;
    const bytes = this.bytes(parts.reduce((sum, length) => sum + length, 0));
    this.h.poke(BUFFER, bytes);
    let at = BUFFER;
    const buffers = parts.map((length) => {
      at += length;
      return [at - length, length] as const;
    });
    const vectors = iovecs(this.h, ...buffers);
    const message = { tag: TAGS[by], bytes };
    const used = this.queue.reduce((sum, m) => sum + padded(m), 0);
    const fits = used + padded(message) <= RING;
    const got = statusName(this.h.call('zx_iob_writev', [writer, 0, 0, vectors, parts.length]));
    this.expect('writev', got, fits ? 'OK' : 'ERR_NO_SPACE');
    if (!fits) return;
    this.queue.push(message);
    if (this.waiting) this.expect('waiter', outcome(this.h, this.waiter), 'OK');
    this.waiting = false;
  }

  /** The oldest message goes: the reader says so by moving the tail. */
  private take(): void {
    const message = this.queue.shift() as Message;
    const tail = this.h.u64(this.ring + 8) + BigInt(padded(message));
    this.h.poke(this.ring + 8, new Uint8Array(BigUint64Array.of(tail).buffer));
  }

  private allocate(blob: Uint8Array): void {
    const { h, blobs } = this;
    h.poke(BUFFER, blob);
    const out = h.scratch(4);
    const used = blobs.reduce((sum, { length }) => sum + 8 + length, 8);
    const fits = used + 8 + blob.length <= PAGE;
    const got = statusName(h.call('zx_iob_allocate_id', [this.allocator, 0, 0, BUFFER, blob.length, out]));
    this.expect('allocate', got, fits ? 'OK' : 'ERR_NO_MEMORY');
    if (!fits) return;
    this.expect('number', h.u32(out), blobs.length);
    blobs.push(blob);
  }

  /** What the memory says, read as a program would. */
  private compare(): void {
    const { h, queue, blobs } = this;
    let at = h.u64(this.ring + 8);
    const ringByte = (offset: bigint): number => this.ring + PAGE + Number(offset % BigInt(RING));
    for (const message of queue) {
      this.expect('tag', h.u64(ringByte(at)), message.tag);
      this.expect('length', h.u64(ringByte(at + 8n)), message.bytes.length);
      const got = message.bytes.map((_, i) => bytesAt(h, ringByte(at + BigInt(HEADER + i)), 1)[0]);
      this.expect('bytes', Buffer.compare(got, message.bytes), 0);
      at += BigInt(padded(message));
    }
    this.expect('head', h.u64(this.ring), at);
    this.expect('next number', h.u32(this.allocated), blobs.length);
    blobs.forEach((blob, i) => {
      const index = this.allocated + 8 + 8 * i;
      this.expect('size of blob', h.u32(index), blob.length);
      this.expect(
        'blob',
        Buffer.compare(bytesAt(h, this.allocated + h.u32(index + 4), blob.length), blob),
        0,
      );
    });
    this.wrong.push(...brokenObjects(h.k.state));
  }
}

const commands = fc.array(command, { minLength: 5, maxLength: 30, size: 'max' });

test('IO buffers: a queue of messages with tags, and a list of numbered blobs', (t) => {
  fc.assert(
    fc.property(commands, (list) => runAlike(new World('owned'), list)),
    { numRuns: 80, includeErrorInReport: true },
  );
  t.pass();
});

test('IO buffers: recorded events lead to the states they were recorded in, in any order and both ways of reducing', (t) => {
  fc.assert(
    fc.property(commands, fc.nat(), (list, seed) =>
      foldsAlike(new World('owned'), new World('immer'), list, seed),
    ),
    { numRuns: 20 },
  );
  t.pass();
});
