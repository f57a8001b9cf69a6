import { Right } from '../src/abi/rights.js';
import { RISCV64 } from '../src/cpu/riscv64/arch.js';
import { applyEvent, type KernelEvent } from '../src/kernel/objects/events.js';
import { leaveBySyscall } from '../src/kernel/syscalls/restricted.js';
import { Harness } from '../test/kernel/harness.js';

/** How many system calls a second the kernel decides and applies, without a CPU and without a recording. */
class Bench extends Harness {
  eventCount = 0;

  override emit(event: KernelEvent): void {
    applyEvent(this.k, event);
    this.eventCount++;
  }
}

const INFINITE = 0x7fffffffffffffffn;
const READABLE = 1;
const MIN_MS = 1000;

interface Workload {
  readonly name: string;
  /** One round; gives how many calls it made. */
  readonly round: () => number;
  readonly bench: Bench;
}

function expect(result: bigint | string, wanted: bigint | string): void {
  if (result !== wanted) throw new Error(`${result}, not ${wanted}`);
}

function pair(b: Bench): [number, number] {
  const out = b.scratch(8);
  expect(b.call('zx_channel_create', [0, out, out + 4]), 0n);
  return [b.u32(out), b.u32(out + 4)];
}

/** Write and read, there and back, by one thread. */
function writeRead(): Workload {
  const bench = new Bench();
  const [a, z] = pair(bench);
  const buffer = bench.scratch(64);
  const actual = bench.scratch(8);
  const round = (): number => {
    for (const [from, to] of [
      [a, z],
      [z, a],
    ]) {
      expect(bench.call('zx_channel_write', [from, 0, buffer, 32, 0, 0]), 0n);
      expect(bench.call('zx_channel_read', [to, 0, buffer, 0, 64, 0, actual, actual + 4]), 0n);
    }
    return 4;
  };
  return { name: 'channel write, read', round, bench };
}

/** Two threads: each waits for the other's message, reads it and answers. */
function pingPong(): Workload {
  const bench = new Bench();
  const [a, z] = pair(bench);
  const buffer = bench.scratch(64);
  const actual = bench.scratch(8);
  const ping = bench.thread;
  const pong = bench.newThread(bench.process, 'pong');
  const half = (thread: number, end: number, other: number, otherEnd: number): void => {
    expect(bench.call('zx_object_wait_one', [end, READABLE, INFINITE, actual], thread), 'blocked');
    expect(bench.call('zx_channel_write', [otherEnd, 0, buffer, 32, 0, 0], other), 0n);
    expect(bench.result(thread), 0n);
    expect(bench.call('zx_channel_read', [end, 0, buffer, 0, 64, 0, actual, actual + 4], thread), 0n);
  };
  const round = (): number => {
    half(pong, z, ping, a);
    half(ping, a, pong, z);
    return 6;
  };
  return { name: 'channel wait, write, read by two threads', round, bench };
}

/** zx_channel_call answered by another thread. */
function channelCall(): Workload {
  const bench = new Bench();
  const [a, z] = pair(bench);
  const buffer = bench.scratch(64);
  const actual = bench.scratch(8);
  const args = bench.scratch(48);
  const view = new DataView(new ArrayBuffer(48));
  view.setBigUint64(0, BigInt(buffer), true);
  view.setBigUint64(16, BigInt(buffer), true);
  view.setUint32(32, 32, true);
  view.setUint32(40, 64, true);
  bench.poke(args, new Uint8Array(view.buffer));
  const server = bench.newThread(bench.process, 'server');
  const round = (): number => {
    expect(bench.call('zx_channel_call', [a, 0, INFINITE, args, actual, actual + 4]), 'blocked');
    expect(bench.call('zx_channel_read', [z, 0, buffer, 0, 64, 0, actual, actual + 4], server), 0n);
    expect(bench.call('zx_channel_write', [z, 0, buffer, 32, 0, 0], server), 0n);
    expect(bench.result(), 0n);
    return 3;
  };
  return { name: 'channel call, read, write', round, bench };
}

/** An asynchronous wait on an event that ends in a packet. */
function portWait(): Workload {
  const bench = new Bench();
  const out = bench.scratch(8);
  expect(bench.call('zx_port_create', [0, out]), 0n);
  const port = bench.u32(out);
  expect(bench.call('zx_event_create', [0, out]), 0n);
  const event = bench.u32(out);
  const packet = bench.scratch(48);
  const round = (): number => {
    expect(bench.call('zx_object_wait_async', [event, port, 7, 8, 0]), 0n);
    expect(bench.call('zx_object_signal', [event, 0, 8]), 0n);
    expect(bench.call('zx_port_wait', [port, INFINITE, packet]), 0n);
    expect(bench.call('zx_object_signal', [event, 8, 0]), 0n);
    return 4;
  };
  return { name: 'port wait_async, signal, wait', round, bench };
}

/** A futex that one thread waits on and another wakes. */
function futex(): Workload {
  const bench = new Bench();
  const word = bench.scratch(4);
  const waiter = bench.newThread(bench.process, 'waiter');
  const round = (): number => {
    expect(bench.call('zx_futex_wait', [word, 0, 0, INFINITE], waiter), 'blocked');
    expect(bench.call('zx_futex_wake', [word, 1]), 0n);
    return 2;
  };
  return { name: 'futex wait, wake', round, bench };
}

/** Handles made and closed. */
function handles(): Workload {
  const bench = new Bench();
  const out = bench.scratch(8);
  const round = (): number => {
    expect(bench.call('zx_event_create', [0, out]), 0n);
    const event = bench.u32(out);
    expect(bench.call('zx_handle_duplicate', [event, Right.SAME_RIGHTS, out]), 0n);
    expect(bench.call('zx_handle_close', [bench.u32(out)]), 0n);
    expect(bench.call('zx_handle_close', [event]), 0n);
    return 4;
  };
  return { name: 'event create, duplicate, close', round, bench };
}

/** Into restricted mode and out again by a system call; a round trip counts as one call. */
function restricted(): Workload {
  const bench = new Bench({}, 'owned', RISCV64);
  expect(bench.call('zx_restricted_bind_state', [0, bench.scratch(4), 0]), 0n);
  const round = (): number => {
    expect(bench.call('zx_restricted_enter', [0, 0x1000, 0]), 0n);
    leaveBySyscall(bench, bench.thread);
    return 1;
  };
  return { name: 'restricted enter, leave', round, bench };
}

function measure({ name, round, bench }: Workload): void {
  for (let i = 0; i < 2000; i++) round();
  const eventsBefore = bench.eventCount;
  let calls = 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < MIN_MS) {
    for (let i = 0; i < 200; i++) calls += round();
    elapsed = performance.now() - start;
  }
  const perSecond = (count: number): string => Math.round((count / elapsed) * 1000).toLocaleString('en');
  console.log(
    `${name.padEnd(42)} ${perSecond(calls).padStart(10)} calls/s ${perSecond(bench.eventCount - eventsBefore).padStart(11)} events/s`,
  );
}

for (const make of [writeRead, pingPong, channelCall, portWait, futex, handles, restricted]) measure(make());
