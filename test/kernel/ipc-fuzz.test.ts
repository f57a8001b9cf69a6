import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { encodeStruct } from '../../src/abi/structs.js';
import { type SyscallName, syscallByName } from '../../src/abi/syscalls.js';
import { type Digest, Hasher } from '../../src/base/digest.js';
import { hashEvent, stateHash } from '../../src/kernel/objects/state-hash.js';
import { endProcess, endThread } from '../../src/kernel/syscalls/tasks.js';
import { fireTimer } from '../../src/kernel/syscalls/timer.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness, SCRATCH } from './harness.js';
import {
  addMemory,
  INFINITE,
  newChannel,
  newEvent,
  newEventpair,
  newPort,
  newTimer,
  words,
} from './ipc-support.js';

const CALLS: readonly SyscallName[] = [
  'zx_channel_create',
  'zx_channel_read',
  'zx_channel_read_etc',
  'zx_channel_write',
  'zx_channel_write_etc',
  'zx_channel_call',
  'zx_channel_call_etc',
  'zx_event_create',
  'zx_eventpair_create',
  'zx_futex_get_owner',
  'zx_futex_requeue',
  'zx_futex_requeue_single_owner',
  'zx_futex_wait',
  'zx_futex_wake',
  'zx_futex_wake_single_owner',
  'zx_handle_close',
  'zx_handle_close_many',
  'zx_handle_duplicate',
  'zx_handle_replace',
  'zx_object_signal',
  'zx_object_signal_peer',
  'zx_object_wait_async',
  'zx_object_wait_many',
  'zx_object_wait_one',
  'zx_port_cancel',
  'zx_port_cancel_key',
  'zx_port_create',
  'zx_port_queue',
  'zx_port_wait',
  'zx_timer_cancel',
  'zx_timer_create',
  'zx_timer_set',
];

/** An argument is chosen by its kind in the table, from values that make sense and some that do not. */
const choice = fc.nat({ max: 999 });
const step = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      op: fc.constant('call' as const),
      name: fc.constantFrom(...CALLS),
      by: fc.nat({ max: 4 }),
      choices: fc.array(choice, { minLength: 8, maxLength: 8 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('time' as const), ns: fc.nat({ max: 2000 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('exit' as const), by: fc.nat({ max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('hash' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Two processes with memory, threads, handles and prepared structures, which calls are thrown at. */
class Ground {
  readonly h: Harness;
  readonly threads: number[];
  private readonly other: number;
  private readonly handles: number[];
  private readonly addresses: number[];

  constructor(mode: 'owned' | 'immer') {
    this.h = new Harness({}, mode);
    const { h } = this;
    this.other = h.newProcess('other');
    addMemory(h, this.other);
    this.threads = [0, 1, 2].map((i) => h.newThread(h.process, `t${i}`));
    this.threads.push(h.newThread(this.other, 'o0'), h.newThread(this.other, 'o1'));
    const own = [
      ...newChannel(h),
      ...newChannel(h),
      ...newEventpair(h),
      newEvent(h),
      newPort(h),
      newTimer(h),
    ];
    const threads = this.threads.slice(0, 3).map((koid) => h.give(koid, DEFAULT_RIGHTS.thread));
    this.handles = [...own, h.handles.process, ...threads, 0, 0x7ffffff3];
    this.addresses = this.prepare(own, threads);
  }

  private prepare(own: number[], threads: number[]): number[] {
    const { h } = this;
    const list = h.scratch(words(own[6], own[1], threads[0]));
    const dispositions = h.scratch(words(0, own[6], 0, 0x80000000, 0, 1, own[7], 6, 0x80000000, 0));
    const items = h.scratch(words(own[0], 1, 0, own[4], 12, 0, own[8], 8, 0));
    const futex = h.scratch(words(0));
    const iovec = h.scratch(words(list, 0, 12, 0, items, 0, 8, 0));
    const request = h.scratch(
      encodeStruct('zx_channel_call_args_t', {
        wr_bytes: list,
        wr_num_bytes: 8,
        wr_handles: list,
        wr_num_handles: 1,
        rd_bytes: h.scratch(64),
        rd_num_bytes: 64,
        rd_handles: h.scratch(64),
        rd_num_handles: 2,
      }),
    );
    const reply = h.scratch(words(0x80000001, 1));
    const out = h.scratch(4096);
    return [list, dispositions, items, futex, iovec, request, reply, out, out + 4, futex, 0, 0x10, 2 ** 60];
  }

  /** A value for an argument, by what the table says of it. */
  private value(kind: string, name: string, pick: number): bigint | number {
    const from = <T>(values: readonly T[]): T => values[pick % values.length];
    if (kind === 'handle') {
      const table = this.h.k.get(this.h.process, 'process');
      const slots = [...table.handles.keys()];
      const known = slots.length > 0 ? (((from(slots) ^ table.handleSecret) << 2) | 3) >>> 0 : 0;
      return pick % 3 === 0 ? from(this.handles) : known;
    }
    if (kind === 'pointer') return from(this.addresses);
    if (name === 'deadline')
      return from([INFINITE, 0n, this.h.k.nowNs + 500n, this.h.k.nowNs + BigInt(pick), -1n]);
    if (name === 'rights') return from([0x80000000, 3, 0x4000]);
    if (name === 'signals' || name.endsWith('_mask')) return from([8, 1, 4, 0x01000000, 0x81000008, 0]);
    if (name === 'options') return from([0, 0, 0, 0, 1, 2, 4]);
    if (name === 'num_bytes') return from([0, 1, 4, 8, 64, 2, 70000]);
    return from([0, 1, 2, 3, 1, 2, 64, 100000]);
  }

  /** What the call gave; nothing when its thread cannot make one. */
  call({ name, by, choices }: Extract<Step, { op: 'call' }>): string {
    const thread = this.h.k.find(this.threads[by]);
    if (thread?.kind !== 'thread' || thread.life !== 'ready') return '';
    const args = syscallByName(name).args.map((arg, i) => this.value(arg.kind, arg.name, choices[i]));
    return `${name} ${args.join()} = ${this.h.call(name, args, this.threads[by])}`;
  }

  /** Lets time pass; what is due happens, in order. */
  pass(ns: number): void {
    const { h } = this;
    h.advance(BigInt(ns));
    for (
      let due = h.k.state.deadlines[0];
      due !== undefined && due.atNs <= h.k.nowNs;
      due = h.k.state.deadlines[0]
    ) {
      if (due.kind === 'timer') fireTimer(h, due.koid);
      else expireWait(h, due.koid);
    }
  }

  apply(s: Step): string {
    if (s.op === 'call') return this.call(s);
    if (s.op === 'time') this.pass(s.ns);
    else if (s.op === 'exit') endThread(this.h, this.threads[s.by]);
    else return this.h.hash();
    return '';
  }
}

/** What every state must be, whatever the guests did. */
function checkState(h: Harness): void {
  const { state } = h.k;
  let charged = 0;
  const counts = new Map<number, number>();
  const count = (koid: number): void => void counts.set(koid, (counts.get(koid) ?? 0) + 1);
  for (const object of state.objects.values()) {
    if (object.kind === 'process') for (const { koid } of object.handles.values()) count(koid);
    if (object.kind === 'channel') {
      for (const { bytes, handles } of object.messages.values()) {
        charged += 128 + bytes.length + 32 * handles.length;
        for (const { koid } of handles) count(koid);
      }
      const readable = (object.signals & 1) !== 0;
      if (readable !== object.messages.size > 0)
        throw new Error(`channel ${object.koid}: READABLE is ${readable}`);
    }
    if (object.kind === 'port') charged += 128 * (object.packets.size + object.registrations.size);
    if (object.kind === 'thread' && (object.life === 'blocked') !== (object.wait !== null)) {
      throw new Error(`thread ${object.koid} is ${object.life} and waits for ${object.wait?.kind}`);
    }
  }
  if (charged !== state.messageBytes) throw new Error(`${state.messageBytes} bytes charged, not ${charged}`);
  for (const { koid, handleCount } of state.objects.values()) {
    if (handleCount !== (counts.get(koid) ?? 0)) throw new Error(`object ${koid}: ${handleCount} handles`);
  }
  for (const koid of counts.keys())
    if (h.k.find(koid) === undefined) throw new Error(`handle to no object ${koid}`);
}

/** Every event can be hashed, as a machine does. */
function eventHash(h: Harness): Digest {
  const hasher = new Hasher();
  for (const event of h.events) hashEvent(hasher, event);
  return hasher.value();
}

test('any calls: no exception, counts hold, in place and by drafts alike, and old snapshots stay', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const owned = new Ground('owned');
      const drafts = new Ground('immer');
      const early = owned.h.k.snapshot();
      const earlyHash = stateHash(early);
      for (const s of steps) {
        const result = owned.apply(s);
        t.is(drafts.apply(s), result);
        checkState(owned.h);
      }
      t.is(owned.h.hash(), drafts.h.hash());
      t.is(stateHash({ ...early }), earlyHash);
      t.is(eventHash(drafts.h), eventHash(owned.h));
      for (const ground of [owned, drafts]) endProcess(ground.h, ground.h.process, 0n);
      checkState(owned.h);
      t.is(owned.h.hash(), drafts.h.hash());
    }),
    { numRuns: 150 },
  );
});

test('arguments without sense: a status or a wait, never an exception', (t) => {
  const wild = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.nat({ max: 70 }).map(BigInt),
    fc.nat({ max: 0x100010 }).map((offset) => BigInt(SCRATCH + offset)),
    fc.constantFrom(2n ** 63n, 2n ** 64n - 1n, 2n ** 47n, 2n ** 47n - 4n, 2n ** 32n, 0n),
  );
  const call = fc.record({
    name: fc.constantFrom(...CALLS),
    args: fc.array(wild, { minLength: 8, maxLength: 8 }),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60, size: 'max' }), (calls) => {
      const h = new Harness();
      const [a, z] = newChannel(h);
      const good = [a, z, newEvent(h), newPort(h), newTimer(h)].map(BigInt);
      for (const { name, args } of calls) {
        const thread = h.newThread(h.process, 'wild');
        const mixed = args.map((value, i) =>
          i === 0 && value % 2n === 0n ? good[Number(value % 5n)] : value,
        );
        h.call(name, mixed, thread);
        checkState(h);
      }
      t.notThrows(() => eventHash(h));
    }),
    { numRuns: 100 },
  );
});
