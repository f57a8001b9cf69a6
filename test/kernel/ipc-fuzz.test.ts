import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { encodeStruct } from '../../src/abi/structs.js';
import { type SyscallName, syscallByName } from '../../src/abi/syscalls.js';
import { type Digest, Hasher } from '../../src/base/digest.js';
import { handleValue } from '../../src/kernel/objects/handle-value.js';
import { hashEvent, stateHash } from '../../src/kernel/objects/state-hash.js';
import { endProcess, endThread } from '../../src/kernel/syscalls/tasks.js';
import { fireTimer } from '../../src/kernel/syscalls/timer.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness, SCRATCH } from './harness.js';
import {
  addMemory,
  INFINITE,
  koidOf,
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

/** Arguments are chosen by what the table says of them: mostly what makes sense, now and then what does not. */
const choice = fc.nat({ max: 99_999 });
const step = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({
      op: fc.constant('call' as const),
      name: fc.constantFrom(...CALLS),
      by: fc.nat({ max: 4 }),
      choices: fc.array(choice, { minLength: 16, maxLength: 16 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('time' as const), ns: fc.nat({ max: 2000 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('exit' as const), by: fc.nat({ max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('hash' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const THREADS = 8;
const OUT = SCRATCH + 0x8000;
/** Where each kind of structure is, in either process; the lists are made anew before each call. */
const PLACES = {
  handles: SCRATCH,
  dispositions: SCRATCH + 0x100,
  items: SCRATCH + 0x200,
  iovec: SCRATCH + 0x300,
  request: SCRATCH + 0x400,
  bytes: SCRATCH + 0x500,
  futexes: SCRATCH + 0x600,
};

/** Two processes with memory, threads and handles, which calls are thrown at. */
class Ground {
  readonly h: Harness;
  readonly threads: number[];

  constructor(mode: 'owned' | 'immer') {
    this.h = new Harness({}, mode);
    const { h } = this;
    const other = h.newProcess('other');
    addMemory(h, other);
    this.threads = Array.from({ length: THREADS }, (_, i) =>
      h.newThread(i % 4 === 3 ? other : h.process, `t${i}`),
    );
    for (let i = 0; i < 3; i++) {
      const [a, z] = newChannel(h);
      h.give(koidOf(h, i === 0 ? a : z), DEFAULT_RIGHTS.channel, other);
    }
    newEventpair(h);
    newEvent(h);
    newTimer(h);
    h.give(koidOf(h, newPort(h)), DEFAULT_RIGHTS.port, other);
    for (const koid of this.threads.slice(0, 3)) h.give(koid, DEFAULT_RIGHTS.thread);
  }

  /** A handle of the process, of the kind where one is asked for. */
  private handle(process: number, pick: number, kind = 'any'): number {
    if (pick % 17 === 0) return pick % 2 === 0 ? 0 : 0x7ffffff3;
    const { handles, handleSecret } = this.h.k.sharedBy(process);
    const fits = [...handles].filter(([, { koid }]) => kind === 'any' || this.h.k.find(koid)?.kind === kind);
    if (fits.length === 0) return 0;
    return handleValue(fits[pick % fits.length][0], handleSecret);
  }

  private prepare(process: number, picks: readonly number[]): void {
    const { h } = this;
    const [one, two, three] = picks.map((pick) => this.handle(process, pick));
    const same = 0x80000000;
    h.poke(PLACES.handles, words(one, two, three), process);
    h.poke(PLACES.dispositions, words(picks[0] % 3, one, 0, same, 0, 1, two, 0, same, 0), process);
    h.poke(PLACES.items, words(one, picks[1] % 16, 0, two, 12, 0, three, 8, 0), process);
    h.poke(PLACES.iovec, words(PLACES.bytes, 0, 8, 0, PLACES.items, 0, picks[2] % 9, 0), process);
    h.poke(PLACES.bytes, words((picks[0] % 2) * (0x80000000 + (picks[1] % 6)), picks[2]), process);
    const request = encodeStruct('zx_channel_call_args_t', {
      wr_bytes: PLACES.bytes,
      wr_num_bytes: 8,
      wr_handles: PLACES.dispositions,
      wr_num_handles: picks[0] % 2,
      rd_bytes: OUT,
      rd_num_bytes: picks[1] % 5 === 0 ? 4 : 64,
      rd_handles: picks[2] % 9 === 0 ? 0 : OUT + 64,
      rd_num_handles: 2,
    });
    h.poke(PLACES.request, request, process);
  }

  private pointer(cType: string, options: number, pick: number): number {
    if (pick % 29 === 0) return [0, 0x10, 2 ** 60, SCRATCH + 0xfffe][pick % 4];
    if (cType.includes('call')) return PLACES.request;
    if (cType.includes('futex')) return PLACES.futexes + 4 * (pick % 3);
    if (cType.includes('wait_item')) return PLACES.items;
    if (cType.includes('disposition')) return PLACES.dispositions;
    if (cType.startsWith('const zx_handle_t')) return PLACES.handles;
    if (cType.startsWith('const void')) return options === 2 ? PLACES.iovec : PLACES.bytes;
    if (cType.startsWith('const')) return PLACES.bytes;
    return OUT + 128 * (pick % 3);
  }

  private number(name: string, pick: number): bigint | number {
    const from = <T>(values: readonly T[]): T => values[pick % values.length];
    const now = this.h.k.nowNs;
    if (name === 'deadline')
      return from([INFINITE, INFINITE, 0n, now + 500n, now + BigInt(pick % 3000), -1n]);
    if (name === 'rights') return from([0x80000000, 3, 0x4000, 0x80000000]);
    if (name === 'signals' || name === 'set_mask') return from([8, 1, 0x01000000, 0x81000000, 12, 0]);
    if (name === 'clear_mask') return from([0, 8, 0x01000000, 4]);
    if (name === 'options') return pick % 5 === 0 ? from([0, 1, 2, 3, 4]) : 0;
    if (name === 'num_bytes') return from([0, 1, 2, 4, 8, 64, 70000]);
    if (name === 'num_handles') return from([0, 0, 1, 2, 3, 65]);
    return from([0, 1, 2, 0, 3, 1, 100000]);
  }

  /** What the call gave; nothing when its thread cannot make one. */
  private call({ name, by, choices }: Extract<Step, { op: 'call' }>): string {
    const ready = this.threads.filter((koid) => {
      const thread = this.h.k.find(koid);
      return thread?.kind === 'thread' && thread.life === 'ready';
    });
    if (ready.length === 0) return '';
    const thread = ready[by % ready.length];
    const { process } = this.h.k.get(thread, 'thread');
    this.prepare(process, choices.slice(8));
    let options = 0;
    const args = syscallByName(name).args.map((arg, i) => {
      const pick = choices[i];
      if (arg.kind === 'pointer') return this.pointer(arg.cType, options, pick);
      if (arg.kind === 'handle')
        return this.handle(process, pick, pick % 11 === 0 ? 'any' : arg.handle?.type);
      const value = this.number(arg.name, pick);
      if (arg.name === 'options') options = Number(value);
      return value;
    });
    return `${name} ${args.join()} = ${this.h.call(name, args, thread)}`;
  }

  /** Lets time pass; what is due happens, in order. */
  private pass(ns: number): void {
    const { h } = this;
    h.advance(BigInt(ns));
    for (;;) {
      const [due] = h.k.state.deadlines;
      if (due === undefined || due.atNs > h.k.nowNs) return;
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
  for (const { handles } of state.shared.values()) for (const { koid } of handles.values()) count(koid);
  for (const object of state.objects.values()) {
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
    fc.property(fc.array(step, { maxLength: 160, size: 'max' }), (steps) => {
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
    { numRuns: 250 },
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
