import test from 'ava';
import { ClockOption } from '../../src/abi/clocks.js';
import { StreamMode } from '../../src/abi/ipc.js';
import { PacketType } from '../../src/abi/ports.js';
import { Signal } from '../../src/abi/signals.js';
import { VmarOp, VmOption, VmoChildOption, VmoOp } from '../../src/abi/vm.js';
import { Channel } from '../../src/sdk/channel.js';
import { Clock } from '../../src/sdk/clock.js';
import { Counter } from '../../src/sdk/counter.js';
import { Event } from '../../src/sdk/event.js';
import { Exception } from '../../src/sdk/exception.js';
import { Fifo } from '../../src/sdk/fifo.js';
import { Iob } from '../../src/sdk/iob.js';
import { launch } from '../../src/sdk/launch.js';
import { Pager } from '../../src/sdk/pager.js';
import { Port, signalOf } from '../../src/sdk/port.js';
import { type Main, program } from '../../src/sdk/program.js';
import { must } from '../../src/sdk/result.js';
import { Socket } from '../../src/sdk/socket.js';
import { Stream } from '../../src/sdk/stream.js';
import { Timer } from '../../src/sdk/timer.js';
import { Vmo } from '../../src/sdk/vmo.js';
import { FOREVER, run } from './support.js';

const PAGE = 4096;
const { PERM_READ, PERM_WRITE, CAN_MAP_READ, CAN_MAP_WRITE, CAN_MAP_SPECIFIC } = VmOption;

/** A program that must end well, having complained of nothing. */
function ends(name: string, main: Main): void {
  test(name, (t) => {
    const { console, end } = run(main);
    t.is(console, '');
    t.is(end.exitCode, 0);
  });
}

function same(actual: unknown, expected: unknown): void {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v));
  if (text(actual) !== text(expected)) throw new Error(`${text(actual)} is not ${text(expected)}`);
}

ends('VMOs: sizes, children, operations', function* (zx) {
  const { vmo } = must(yield* Vmo.create(zx, 5000, 2));
  same(must(yield* vmo.size()).size, 8192n);
  same(must(yield* vmo.streamSize()).size, 5000n);
  must(yield* vmo.write(Uint8Array.of(1, 2, 3), 4999));
  const { vmo: copy } = must(yield* vmo.createChild(VmoChildOption.SNAPSHOT, 4096, PAGE));
  must(yield* vmo.opRange(VmoOp.ZERO, 0, 8192));
  same([...must(yield* copy.read(903, 3)).bytes], [1, 2, 3]);
  same([...must(yield* vmo.read(4999, 3)).bytes], [0, 0, 0]);
  must(yield* vmo.setStreamSize(10));
  must(yield* vmo.setSize(PAGE));
  same((yield* vmo.read(PAGE, 1)).status, 'ZX_ERR_OUT_OF_RANGE');
  const { vmo: runnable } = must(yield* copy.replaceAsExecutable());
  same(copy.raw, 0);
  must(yield* runnable.close());
});

ends('VMARs: regions, mappings, protection', function* (zx) {
  const may = CAN_MAP_READ | CAN_MAP_WRITE | CAN_MAP_SPECIFIC;
  const { vmar, address } = must(yield* zx.rootVmar.allocate(may, 0, 4 * PAGE));
  const { vmo } = must(yield* Vmo.create(zx, 2 * PAGE));
  const { address: at } = must(
    yield* vmar.map(PERM_READ | PERM_WRITE | VmOption.SPECIFIC, PAGE, vmo, 0, 2 * PAGE),
  );
  same(at, address + BigInt(PAGE));
  yield* zx.storeInt32(at, 77);
  must(yield* vmar.opRange(VmarOp.COMMIT, at, 2 * PAGE));
  must(yield* vmar.protect(PERM_READ, at, PAGE));
  same(yield* zx.loadInt32(at), 77);
  same(must(yield* zx.process.readMemory(at, 4)).bytes[0], 77);
  same(must(yield* zx.process.writeMemory(at, Uint8Array.of(78))).actual, 1n);
  must(yield* vmar.unmap(at, PAGE));
  must(yield* vmar.destroy());
  same((yield* vmar.destroy()).status, 'ZX_ERR_BAD_STATE');
});

ends('ports: packets of users, signals and timers', function* (zx) {
  const { port } = must(yield* Port.create(zx));
  must(yield* port.queue(7n, Uint8Array.of(1, 2, 3)));
  const { packet: own } = must(yield* port.wait(0));
  same([own.key, own.type], [7n, PacketType.USER]);
  const { event } = must(yield* Event.create(zx));
  must(yield* event.waitAsync(port, 8n, Signal.USER_1));
  same((yield* port.wait(0)).status, 'ZX_ERR_TIMED_OUT');
  must(yield* event.signal(0, Signal.USER_1));
  const { packet } = must(yield* port.wait(0));
  same([packet.key, packet.type, signalOf(packet).trigger], [8n, PacketType.SIGNAL_ONE, Signal.USER_1]);
  same((yield* port.cancel(event, 8n)).status, 'ZX_ERR_NOT_FOUND');
  const { timer } = must(yield* Timer.create(zx));
  must(yield* timer.waitAsync(port, 9n, Signal.TIMER_SIGNALED));
  must(yield* timer.set(yield* zx.deadlineAfter(1000), 0));
  same(must(yield* port.wait(FOREVER)).packet.key, 9n);
  must(yield* timer.cancel());
});

ends('channels: a call and its answer', function* (zx) {
  const { first, second } = must(yield* Channel.create(zx));
  must(
    yield* zx.spawn(function* () {
      must(yield* second.waitOne(Signal.CHANNEL_READABLE, FOREVER));
      const { bytes, handles } = must(yield* second.read());
      must(yield* second.write(Uint8Array.of(...bytes.subarray(0, 4), bytes[4] + 1), handles));
    }),
  );
  const { event } = must(yield* Event.create(zx));
  const { koid } = must(yield* event.koid());
  const answer = must(yield* first.call({ bytes: Uint8Array.of(0, 0, 0, 0, 41), handles: [event] }, FOREVER));
  same(answer.bytes[4], 42);
  same(must(yield* answer.handles[0].koid()).koid, koid);
  same((yield* first.call({ bytes: new Uint8Array(3) }, FOREVER)).status, 'ZX_ERR_INVALID_ARGS');
});

ends('sockets, FIFOs, counters', function* (zx) {
  const { first, second } = must(yield* Socket.create(zx));
  same(must(yield* first.write(Uint8Array.of(1, 2, 3))).actual, 3n);
  same([...must(yield* second.read(2)).bytes], [1, 2]);
  same([...must(yield* second.read(9)).bytes], [3]);
  same((yield* second.read(1)).status, 'ZX_ERR_SHOULD_WAIT');
  const fifo = must(yield* Fifo.create(zx, 8, 4));
  same(must(yield* fifo.first.write(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0))).actualCount, 2);
  const { data, actualCount } = must(yield* fifo.second.read(5));
  same([[...data], actualCount], [[1, 0, 0, 0, 2, 0, 0, 0], 2]);
  const { counter } = must(yield* Counter.create(zx));
  must(yield* counter.add(5));
  must(yield* counter.add(-7n));
  same(must(yield* counter.read()).value, -2n);
  must(yield* counter.write(1));
  must(yield* counter.waitOne(Signal.COUNTER_POSITIVE, 0));
});

ends('streams and clocks', function* (zx) {
  const { vmo } = must(yield* Vmo.create(zx, PAGE));
  const { stream } = must(yield* Stream.create(zx, StreamMode.READ | StreamMode.WRITE, vmo));
  same(must(yield* stream.write(Uint8Array.of(1, 2, 3, 4))).actual, 4n);
  same(must(yield* stream.seek(-3n, 'CURRENT')).offset, 1n);
  same([...must(yield* stream.read(2)).data], [2, 3]);
  same([...must(yield* stream.readAt(0, 9)).data.subarray(0, 4)], [1, 2, 3, 4]);
  const { clock } = must(yield* Clock.create(zx, ClockOption.MONOTONIC, 100n));
  same(must(yield* clock.read()).now, 100n);
  must(yield* clock.update({ syntheticValue: 5000n }));
  if (must(yield* clock.read()).now < 5000n) throw new Error('the clock stands');
  same(must(yield* clock.details()).details.backstop_time, 100n);
  same((yield* clock.update({ syntheticValue: 1n })).status, 'ZX_ERR_INVALID_ARGS');
});

ends('IO buffers', function* (zx) {
  const { first, second } = must(
    yield* Iob.create(zx, [{ type: 0, access: 0x33, size: PAGE, discipline: { type: 0 } }]),
  );
  const { address } = must(yield* zx.rootVmar.mapIob(PERM_READ | PERM_WRITE, 0, first, 0, 0, PAGE));
  yield* zx.storeInt32(address, 9);
  const { address: there } = must(yield* zx.rootVmar.mapIob(PERM_READ, 0, second, 0, 0, PAGE));
  same(yield* zx.loadInt32(there), 9);
});

ends('pagers: a load waits for its page', function* (zx) {
  const { pager } = must(yield* Pager.create(zx));
  const { port } = must(yield* Port.create(zx));
  const { vmo } = must(yield* pager.createVmo(0, port, 3n, PAGE));
  const { vmo: source } = must(yield* Vmo.create(zx, PAGE));
  must(yield* source.write(Uint8Array.of(8), 0));
  must(
    yield* zx.spawn(function* () {
      const { packet } = must(yield* port.wait(FOREVER));
      same([packet.key, packet.type], [3n, PacketType.PAGE_REQUEST]);
      must(yield* pager.supplyPages(vmo, 0, PAGE, source, 0));
    }),
  );
  // Memory that is not there yet: the thread waits for the pager, and its load is done again.
  const { address: paged } = must(yield* zx.rootVmar.map(PERM_READ, 0, vmo, 0, PAGE));
  same(yield* zx.loadInt32(paged), 8);
});

ends('jobs: policy of what is made in them', function* (zx) {
  const { job } = must(yield* zx.job.createJob());
  must(yield* job.setPolicy([{ condition: 'NEW_EVENT', action: 'DENY', override: 'DENY' }]));
  // Never started, so that it is there on every schedule.
  const { process } = must(yield* job.createProcess('child'));
  same(must(yield* job.koids('JOB_PROCESSES')).koids, [must(yield* process.koid()).koid]);
  same((yield* job.setPolicy([{ condition: 'NEW_EVENT', action: 'ALLOW' }])).status, 'ZX_ERR_BAD_STATE');
  must(yield* job.kill());
  same(must(yield* process.wait(FOREVER)).returnCode, -1024n);
});

test('policy acts on programs in TypeScript', (t) => {
  const obedient = program('obedient', function* (zx) {
    return (yield* Event.create(zx)).status === 'ZX_ERR_ACCESS_DENIED' ? 1 : 0;
  });
  const { end } = run(
    function* (zx) {
      const { job } = must(yield* zx.job.createJob());
      must(yield* job.setPolicy([{ condition: 'NEW_EVENT', action: 'DENY' }]));
      const { process } = must(yield* launch(zx, { name: 'obedient', program: obedient, job }));
      return must(yield* process.wait(FOREVER)).returnCode;
    },
    { programs: [obedient] },
  );
  t.is(end.exitCode, 1);
});

ends("exceptions: a supervisor mends what a thread's fault needs, and the thread goes on", function* (zx) {
  const { channel } = must(yield* zx.process.createExceptionChannel());
  const { vmo } = must(yield* Vmo.create(zx, PAGE));
  const { vmar, address } = must(
    yield* zx.rootVmar.allocate(CAN_MAP_READ | CAN_MAP_WRITE | CAN_MAP_SPECIFIC, 0, PAGE),
  );
  let found = -1;
  const { thread } = must(
    yield* zx.spawn(function* () {
      found = yield* zx.compareExchange(address, 0, 6);
      found += yield* zx.loadInt32(address);
    }),
  );
  must(yield* channel.waitOne(Signal.CHANNEL_READABLE, FOREVER));
  const exception = must(yield* channel.read()).handles[0].as(Exception);
  same(must(yield* must(yield* exception.thread()).thread.koid()).koid, must(yield* thread.koid()).koid);
  must(yield* vmar.map(PERM_READ | PERM_WRITE | VmOption.SPECIFIC, 0, vmo, 0, PAGE));
  must(yield* exception.setState(1));
  must(yield* exception.close());
  must(yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER));
  same(found, 6);
});

ends('suspension: a thread stands still until its token closes', function* (zx) {
  let count = 0;
  const { thread } = must(
    yield* zx.spawn(function* () {
      for (; count < 1000; count++) yield* zx.work(10);
    }),
  );
  yield* zx.sleep(100n);
  const { token } = must(yield* thread.suspend());
  must(yield* thread.waitOne(Signal.THREAD_SUSPENDED, FOREVER));
  const before = count;
  yield* zx.sleep(5000n);
  same(count, before);
  yield* token.close();
  must(yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER));
  same(count, 1000);
});
