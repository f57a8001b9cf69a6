import test from 'ava';
import { ChannelWriteOption, HandleOp } from '../../src/abi/ipc.js';
import { ObjectType } from '../../src/abi/object-types.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { Status } from '../../src/abi/status.js';
import { encodeStruct } from '../../src/abi/structs.js';
import { MAX_HANDLES } from '../../src/kernel/syscalls/handles.js';
import { endThread } from '../../src/kernel/syscalls/tasks.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness, SCRATCH } from './harness.js';
import {
  addMemory,
  blocks,
  bytesAt,
  gives,
  INFINITE,
  isOpen,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newEventpair,
  outcome,
  signalsOf,
  statusName,
  withRights,
  words,
} from './ipc-support.js';

const KERNEL_TXID = 0x80000000;

interface Request {
  bytes?: Uint8Array;
  handles?: Uint8Array;
  handleCount?: number;
  replyBytes?: number;
  replyHandles?: number;
  options?: number;
  deadline?: bigint;
}

/** A client of one end: makes calls and looks at their replies. */
class Client {
  readonly reply: number;
  readonly replyHandles: number;
  readonly actual: number;
  readonly thread: number;

  constructor(
    readonly h: Harness,
    readonly handle: number,
    readonly etc = false,
  ) {
    this.reply = h.scratch(64);
    this.replyHandles = h.scratch(64);
    this.actual = h.scratch(8);
    this.thread = h.newThread(h.process, 'client');
  }

  args(request: Request): [number, number, bigint, number, number, number] {
    const { h } = this;
    const bytes = request.bytes ?? words(0, 0x1234);
    const handles = request.handles ?? new Uint8Array(0);
    const values = {
      wr_bytes: h.scratch(bytes),
      wr_handles: h.scratch(handles),
      rd_bytes: this.reply,
      rd_handles: this.replyHandles,
      wr_num_bytes: bytes.length,
      wr_num_handles: request.handleCount ?? handles.length / (this.etc ? 20 : 4),
      rd_num_bytes: request.replyBytes ?? 64,
      rd_num_handles: request.replyHandles ?? 4,
    };
    const args = h.scratch(
      encodeStruct(this.etc ? 'zx_channel_call_etc_args_t' : 'zx_channel_call_args_t', values),
    );
    const { options = 0, deadline = INFINITE } = request;
    return [this.handle, options, deadline, args, this.actual, this.actual + 4];
  }

  call(request: Request = {}): string {
    const name = this.etc ? 'zx_channel_call_etc' : 'zx_channel_call';
    return statusName(this.h.call(name, this.args(request), this.thread));
  }

  get result(): string {
    return outcome(this.h, this.thread);
  }
}

/** What the other end reads: the words of the next message, and its handles. */
function serve(h: Harness, end: number): { words: number[]; handles: number[] } {
  const buffer = h.scratch(64);
  const handles = h.scratch(16);
  const actual = h.scratch(8);
  const result = h.call('zx_channel_read', [end, 0, buffer, handles, 64, 4, actual, actual + 4]);
  if (result !== 0n) throw new Error(statusName(result));
  const read = (address: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => h.u32(address + 4 * i));
  return { words: read(buffer, h.u32(actual) / 4), handles: read(handles, h.u32(actual + 4)) };
}

function answer(h: Harness, end: number, bytes: Uint8Array, handles: number[] = []): string {
  const list = h.scratch(words(...handles));
  return statusName(
    h.call('zx_channel_write', [end, 0, h.scratch(bytes), bytes.length, list, handles.length]),
  );
}

test('zx_channel_call writes its number, waits, and gets the reply that bears it', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  t.is(client.call({ bytes: words(7, 0xabc) }), 'blocked');
  const { words: message } = serve(h, z);
  t.deepEqual(message, [KERNEL_TXID + 1, 0xabc]);
  t.is(answer(h, z, words(message[0], 1, 2)), 'OK');
  t.is(client.result, 'OK');
  t.deepEqual([h.u32(client.actual), h.u32(client.actual + 4)], [12, 0]);
  t.deepEqual(bytesAt(h, client.reply, 12), words(message[0], 1, 2));
  t.is(signalsOf(h, a) & Signal.CHANNEL_READABLE, 0, 'the reply went past the queue');
});

test('zx_channel_call: numbers differ, replies find their callers in any order', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const clients = [0, 1, 2].map(() => new Client(h, a));
  for (const client of clients) t.is(client.call(), 'blocked');
  const txids = clients.map(() => serve(h, z).words[0]);
  t.deepEqual(
    txids,
    [1, 2, 3].map((n) => KERNEL_TXID + n),
  );
  for (const i of [2, 0, 1]) {
    t.is(answer(h, z, words(txids[i], i)), 'OK');
    t.is(clients[i].result, 'OK');
    t.is(h.u32(clients[i].reply + 4), i);
  }
});

test('other messages queue while a call waits: without its number, and shorter than one', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  client.call();
  const [txid] = serve(h, z).words;
  for (const bytes of [words(txid + 1), words(txid & 0x7fffffff), new Uint8Array(3), new Uint8Array(0)]) {
    t.is(answer(h, z, bytes), 'OK');
  }
  t.is(client.result, 'blocked');
  t.is(h.k.get(koidOf(h, a), 'channel').messages.size, 4);
});

test("a call's own message never answers a call that waits at the other end", (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const [left, right] = [new Client(h, a), new Client(h, z)];
  t.is(left.call(), 'blocked');
  t.is(right.call(), 'blocked');
  t.deepEqual(serve(h, z).words[0], KERNEL_TXID + 1);
  t.deepEqual(serve(h, a).words[0], KERNEL_TXID + 1);
  t.is(left.result, 'blocked');
});

test('zx_channel_call carries handles both ways', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  const [sent, back] = [newEvent(h), newEvent(h)];
  const koids = [koidOf(h, sent), koidOf(h, back)];
  t.is(client.call({ handles: words(sent) }), 'blocked');
  const { words: message, handles } = serve(h, z);
  t.is(koidOf(h, handles[0]), koids[0]);
  t.is(answer(h, z, words(message[0]), [back]), 'OK');
  t.is(h.u32(client.actual + 4), 1);
  t.is(koidOf(h, h.u32(client.replyHandles)), koids[1]);
});

test('zx_channel_call_etc: dispositions out, described handles in', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a, true);
  const event = newEvent(h);
  t.is(client.call({ handles: words(HandleOp.DUPLICATE, event, 0, Right.SAME_RIGHTS, 0) }), 'blocked');
  t.true(isOpen(h, event));
  const [txid] = serve(h, z).words;
  const [pair] = newEventpair(h);
  t.is(answer(h, z, words(txid), [pair]), 'OK');
  t.is(client.result, 'OK');
  t.is(h.u32(client.replyHandles + 4), ObjectType.eventpair);
  t.is(h.u32(client.replyHandles + 8), DEFAULT_RIGHTS.eventpair);
});

test('zx_channel_call_etc: WRONG_TYPE and INVALID_ARGS by disposition', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a, true);
  const [one, two] = [newEvent(h), newEvent(h)];
  const wrong = words(HandleOp.MOVE, one, ObjectType.vmo, Right.SAME_RIGHTS, 0);
  t.is(client.call({ handles: wrong }), 'ERR_WRONG_TYPE');
  t.is(client.call({ handles: words(HandleOp.MOVE, two, 0, Right.READ, 0) }), 'ERR_INVALID_ARGS');
  t.false(isOpen(h, one) || isOpen(h, two));
  t.is(signalsOf(h, z) & Signal.CHANNEL_READABLE, 0);
});

test('zx_channel_call: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED for the channel, and the handles are gone', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const cases = [
    ['ERR_BAD_HANDLE', NO_HANDLE],
    ['ERR_WRONG_TYPE', newEvent(h)],
    ['ERR_ACCESS_DENIED', withRights(h, a, DEFAULT_RIGHTS.channel & ~Right.READ)],
    ['ERR_ACCESS_DENIED', withRights(h, a, DEFAULT_RIGHTS.channel & ~Right.WRITE)],
  ] as const;
  for (const [status, channel] of cases) {
    const event = newEvent(h);
    t.is(new Client(h, channel).call({ handles: words(event) }), status);
    t.false(isOpen(h, event));
  }
});

test('zx_channel_call: INVALID_ARGS', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  t.is(client.call({ bytes: new Uint8Array(3) }), 'ERR_INVALID_ARGS');
  t.is(client.call({ options: 1 }), 'ERR_INVALID_ARGS');
  const reserved = words(client.reply, 0, 4, 9);
  t.is(client.call({ bytes: reserved, options: ChannelWriteOption.USE_IOVEC }), 'ERR_INVALID_ARGS');
  const good = client.args({});
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_call', [a, 0, INFINITE, NOWHERE, client.actual, client.actual]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_call', [a, 0, INFINITE, good[3], NOWHERE, client.actual]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_channel_call', [a, 0, INFINITE, good[3], client.actual, 0]);
  const event = newEvent(h);
  t.is(client.call({ bytes: new Uint8Array(3), handles: words(event) }), 'ERR_INVALID_ARGS');
  t.false(isOpen(h, event));
  t.is(signalsOf(h, z) & Signal.CHANNEL_READABLE, 0);
});

test('zx_channel_call gathers by iovec', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  const [one, two] = [h.scratch(words(0, 5)), h.scratch(words(6))];
  const args = client.args({});
  const request = encodeStruct('zx_channel_call_args_t', {
    wr_bytes: h.scratch(words(one, 0, 8, 0, two, 0, 4, 0)),
    wr_num_bytes: 2,
    rd_bytes: client.reply,
    rd_num_bytes: 64,
  });
  const { USE_IOVEC } = ChannelWriteOption;
  const given = [a, USE_IOVEC, INFINITE, h.scratch(request), args[4], args[5]];
  blocks(t, h, 'zx_channel_call', given, client.thread);
  t.deepEqual(serve(h, z).words, [KERNEL_TXID + 1, 5, 6]);
});

test('zx_channel_call: OUT_OF_RANGE over the limits', (t) => {
  const h = new Harness();
  const client = new Client(h, newChannel(h)[0]);
  t.is(client.call({ bytes: new Uint8Array(65537) }), 'ERR_OUT_OF_RANGE');
  t.is(client.call({ handles: new Uint8Array(4 * 65) }), 'ERR_OUT_OF_RANGE');
  t.is(client.call({ handleCount: 0xffffffff }), 'ERR_OUT_OF_RANGE');
});

test('zx_channel_call: NOT_SUPPORTED for the channel itself in the list', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  t.is(new Client(h, a).call({ handles: words(a) }), 'ERR_NOT_SUPPORTED');
  t.is(signalsOf(h, z), Signal.CHANNEL_PEER_CLOSED, 'it was closed with the others');
});

test('zx_channel_call: PEER_CLOSED before and while it waits', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  t.is(client.call(), 'blocked');
  h.call('zx_handle_close', [z]);
  t.is(client.result, 'ERR_PEER_CLOSED');
  const event = newEvent(h);
  t.is(client.call({ handles: words(event) }), 'ERR_PEER_CLOSED');
  t.false(isOpen(h, event));
});

test('zx_channel_call: CANCELED when its handle is closed or sent away, and by that handle only', (t) => {
  for (const how of ['close', 'send'] as const) {
    const h = new Harness();
    const [a, z] = newChannel(h);
    const other = withRights(h, a, DEFAULT_RIGHTS.channel);
    const [client, beside] = [new Client(h, a), new Client(h, other)];
    client.call();
    beside.call();
    if (how === 'close') h.call('zx_handle_close', [a]);
    else gives(t, h, 'OK', 'zx_channel_write', [newChannel(h)[0], 0, 0, 0, h.scratch(words(a)), 1]);
    t.is(client.result, 'ERR_CANCELED');
    t.is(beside.result, 'blocked');
    t.is(answer(h, z, words(KERNEL_TXID + 2)), 'OK');
    t.is(beside.result, 'OK');
  }
});

test('zx_channel_call: TIMED_OUT, and the late reply queues', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  t.is(client.call({ deadline: 1000n }), 'blocked');
  h.advance(1000n);
  t.deepEqual(
    h.k.state.deadlines.map((d) => [d.kind, d.koid, d.atNs]),
    [['thread', client.thread, 1000n]],
  );
  expireWait(h, client.thread);
  t.is(client.result, 'ERR_TIMED_OUT');
  t.is(h.k.state.deadlines.length, 0);
  t.is(answer(h, z, words(serve(h, z).words[0])), 'OK');
  t.is(signalsOf(h, a) & Signal.CHANNEL_READABLE, Signal.CHANNEL_READABLE);
});

test('zx_channel_call with a deadline that passed still writes, and its number is not used again', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  t.is(client.call({ deadline: 0n }), 'ERR_TIMED_OUT');
  t.is(client.call(), 'blocked');
  t.deepEqual([serve(h, z).words[0], serve(h, z).words[0]], [KERNEL_TXID + 1, KERNEL_TXID + 2]);
});

test('zx_channel_call: BUFFER_TOO_SMALL drops the reply and its handles; the writer knows nothing', (t) => {
  for (const request of [{ replyBytes: 7 }, { replyHandles: 0 }]) {
    const h = new Harness();
    const [a, z] = newChannel(h);
    const client = new Client(h, a);
    client.call(request);
    const [kept, sent] = newEventpair(h);
    t.is(answer(h, z, words(serve(h, z).words[0], 1), [sent]), 'OK');
    t.is(client.result, 'ERR_BUFFER_TOO_SMALL');
    t.is(signalsOf(h, kept), Signal.EVENTPAIR_PEER_CLOSED);
    t.is(signalsOf(h, a) & Signal.CHANNEL_READABLE, 0);
  }
});

test('zx_channel_call: INVALID_ARGS when the reply has nowhere to go, and it is dropped', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const thread = h.newThread(h.process, 'client');
  const actual = h.scratch(8);
  const request = encodeStruct('zx_channel_call_args_t', {
    wr_bytes: h.scratch(words(0)),
    wr_num_bytes: 4,
    rd_bytes: NOWHERE,
    rd_num_bytes: 64,
    rd_handles: NOWHERE,
    rd_num_handles: 1,
  });
  blocks(t, h, 'zx_channel_call', [a, 0, INFINITE, h.scratch(request), actual, actual + 4], thread);
  const [kept, sent] = newEventpair(h);
  t.is(answer(h, z, words(serve(h, z).words[0]), [sent]), 'OK');
  t.is(outcome(h, thread), 'ERR_INVALID_ARGS');
  t.is(signalsOf(h, kept), Signal.EVENTPAIR_PEER_CLOSED);
});

test('zx_channel_call: NO_MEMORY when the queue is full, and nothing waits', (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  for (let i = 0; i < 3500; i++) h.call('zx_channel_write', [a, 0, 0, 0, 0, 0]);
  const event = newEvent(h);
  t.is(new Client(h, a).call({ handles: words(event) }), 'ERR_NO_MEMORY');
  t.false(isOpen(h, event));
  t.is(h.k.get(koidOf(h, a), 'channel').calls.size, 0);
});

test("zx_channel_call: NO_MEMORY when the caller has no room for the reply's handles", (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const caller = h.newProcess('caller');
  addMemory(h, caller);
  const thread = h.newThread(caller, 'caller');
  const handle = h.give(koidOf(h, a), DEFAULT_RIGHTS.channel, caller);
  const request = encodeStruct('zx_channel_call_args_t', {
    wr_bytes: SCRATCH + 64,
    wr_num_bytes: 4,
    rd_bytes: SCRATCH + 128,
    rd_num_bytes: 64,
    rd_handles: SCRATCH + 256,
    rd_num_handles: 1,
  });
  h.poke(SCRATCH, request, caller);
  blocks(t, h, 'zx_channel_call', [handle, 0, INFINITE, SCRATCH, SCRATCH + 512, SCRATCH + 516], thread);
  for (let i = 1; i < MAX_HANDLES; i++) h.give(h.job, DEFAULT_RIGHTS.job, caller);
  t.is(answer(h, z, words(serve(h, z).words[0]), [newEvent(h)]), 'OK');
  t.is(outcome(h, thread), 'ERR_NO_MEMORY');
});

test('a reply to another process lands in its memory and its handle table', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const caller = h.newProcess('caller');
  addMemory(h, caller);
  const thread = h.newThread(caller, 'caller');
  const handle = h.give(koidOf(h, a), DEFAULT_RIGHTS.channel, caller);
  h.call('zx_handle_close', [a]);
  const request = encodeStruct('zx_channel_call_args_t', {
    wr_bytes: SCRATCH + 64,
    wr_num_bytes: 4,
    rd_bytes: SCRATCH + 128,
    rd_num_bytes: 64,
    rd_handles: SCRATCH + 256,
    rd_num_handles: 1,
  });
  h.poke(SCRATCH, request, caller);
  blocks(t, h, 'zx_channel_call', [handle, 0, INFINITE, SCRATCH, SCRATCH + 512, SCRATCH + 516], thread);
  const event = newEvent(h);
  const koid = koidOf(h, event);
  t.is(answer(h, z, words(serve(h, z).words[0], 99), [event]), 'OK');
  t.is(outcome(h, thread), 'OK');
  t.deepEqual(bytesAt(h, SCRATCH + 132, 4, caller), words(99));
  const { handles, handleSecret } = h.k.sharedBy(caller);
  const value = h.peek(SCRATCH + 256, 4, caller).getUint32(0, true);
  t.is(handles.get((value >>> 2) ^ handleSecret)?.koid, koid);
});

test('a caller that dies leaves no call behind, and its reply queues', (t) => {
  const h = new Harness();
  const [a, z] = newChannel(h);
  const client = new Client(h, a);
  client.call();
  endThread(h, client.thread);
  t.is(h.k.get(koidOf(h, a), 'channel').calls.size, 0);
  t.is(answer(h, z, words(serve(h, z).words[0])), 'OK');
  t.is(h.k.get(koidOf(h, a), 'channel').messages.size, 1);
});

test("the halves of the vDSO's own channel call are not built", (t) => {
  const h = new Harness();
  const [a] = newChannel(h);
  const out = h.scratch(64);
  const { ERR_NOT_SUPPORTED } = Status;
  t.is(h.call('zx_channel_call_noretry', [a, 0, INFINITE, out, out, out]), BigInt(ERR_NOT_SUPPORTED));
  t.is(h.call('zx_channel_call_finish', [INFINITE, out, out, out]), BigInt(ERR_NOT_SUPPORTED));
});
