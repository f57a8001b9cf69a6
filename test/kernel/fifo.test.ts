import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { MAX_MESSAGE_BYTES } from '../../src/kernel/syscalls/quota.js';
import { Harness } from './harness.js';
import {
  blocks,
  bytesAt,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  signalsOf,
  withRights,
} from './ipc-support.js';
import { BUFFER, type Moved, move, newFifo, ramp } from './object-support.js';

const { FIFO_READABLE: READABLE, FIFO_WRITABLE: WRITABLE, FIFO_PEER_CLOSED: PEER_CLOSED } = Signal;

function write(h: Harness, fifo: number, elementBytes: number, bytes: Uint8Array): Moved {
  h.poke(BUFFER, bytes);
  return move(h, 'zx_fifo_write', [fifo, elementBytes, BUFFER, bytes.length / elementBytes]);
}

function read(h: Harness, fifo: number, elementBytes: number, count: number): Moved & { bytes: Uint8Array } {
  const moved = move(h, 'zx_fifo_read', [fifo, elementBytes, BUFFER, count]);
  return { ...moved, bytes: bytesAt(h, BUFFER, moved.actual * elementBytes) };
}

test('zx_fifo_create: OUT_OF_RANGE for nothing and for more than 4096 bytes; INVALID_ARGS for options and bad outs', (t) => {
  const h = new Harness();
  const [a, b] = [h.scratch(4), h.scratch(4)];
  for (const [count, size] of [
    [0, 8],
    [8, 0],
    [4097, 1],
    [1, 4097],
    [64, 65],
    [1n << 63n, 2],
    [1n << 32n, 1n << 32n],
  ]) {
    gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_fifo_create', [count, size, 0, a, b]);
  }
  for (const [count, size] of [
    [1, 4096],
    [4096, 1],
    [3, 7],
  ]) {
    gives(t, h, 'OK', 'zx_fifo_create', [count, size, 0, a, b]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_fifo_create', [0, 8, 1, a, b]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_fifo_create', [8, 8, 0, NOWHERE, b]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_fifo_create', [8, 8, 0, a, NOWHERE]);
});

test('zx_fifo_read and _write: handles, sizes, pointers', (t) => {
  const h = new Harness();
  const [near] = newFifo(h, 4, 8);
  for (const name of ['zx_fifo_read', 'zx_fifo_write'] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, 8, BUFFER, 1, 0]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), 8, BUFFER, 1, 0]);
    const right = name === 'zx_fifo_read' ? Right.READ : Right.WRITE;
    const weak = withRights(h, near, DEFAULT_RIGHTS.fifo & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, 8, BUFFER, 1, 0]);
    gives(t, h, 'ERR_OUT_OF_RANGE', name, [near, 4, BUFFER, 1, 0]);
    gives(t, h, 'ERR_OUT_OF_RANGE', name, [near, 8, BUFFER, 0, 0]);
    gives(t, h, 'OK', 'zx_fifo_write', [near, 8, BUFFER, 1, 0]);
    const end = name === 'zx_fifo_read' ? newFifo(h, 1, 1)[0] : near;
    if (name === 'zx_fifo_write') {
      gives(t, h, 'ERR_INVALID_ARGS', name, [end, 8, NOWHERE, 1, 0]);
      gives(t, h, 'ERR_INVALID_ARGS', name, [end, 8, BUFFER, 1, NOWHERE]);
    }
  }
});

test('a read with a bad pointer takes nothing', (t) => {
  const h = new Harness();
  const [near, far] = newFifo(h, 4, 2);
  write(h, near, 2, ramp(1, 4));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_fifo_read', [far, 2, NOWHERE, 1, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_fifo_read', [far, 2, BUFFER, 1, NOWHERE]);
  t.deepEqual(read(h, far, 2, 4), { status: 'OK', actual: 2, bytes: ramp(1, 4) });
});

test('a closed peer: what is there can be read, nothing can be written', (t) => {
  const h = new Harness();
  const [near, far] = newFifo(h, 2, 1);
  write(h, near, 1, ramp(7, 2));
  t.is(signalsOf(h, near), 0);
  h.call('zx_handle_close', [near]);
  t.is(signalsOf(h, far), READABLE | PEER_CLOSED);
  t.is(write(h, far, 1, ramp(0, 1)).status, 'ERR_PEER_CLOSED');
  // The peer comes before the size of elements (object/fifo_dispatcher).
  t.is(write(h, far, 3, ramp(0, 3)).status, 'ERR_PEER_CLOSED');
  t.deepEqual(read(h, far, 1, 9).bytes, ramp(7, 2));
  t.is(signalsOf(h, far), PEER_CLOSED);
  t.is(read(h, far, 1, 1).status, 'ERR_PEER_CLOSED');
});

test('who waits to read or write is woken by the other side', (t) => {
  const h = new Harness();
  const [near, far] = newFifo(h, 1, 1);
  const other = h.newThread(h.process, 'other');
  blocks(t, h, 'zx_object_wait_one', [far, READABLE, INFINITE, 0], other);
  gives(t, h, 'OK', 'zx_fifo_write', [near, 1, BUFFER, 1, 0]);
  t.is(outcome(h, other), 'OK');
  blocks(t, h, 'zx_object_wait_one', [near, WRITABLE | PEER_CLOSED, INFINITE, 0]);
  gives(t, h, 'OK', 'zx_fifo_read', [far, 1, BUFFER, 1, 0], other);
  t.is(outcome(h), 'OK');
});

test('FIFOs take their memory when they are made, until there is none left, and give it back', (t) => {
  const h = new Harness();
  const [a, b] = [h.scratch(4), h.scratch(4)];
  h.k.state.messageBytes = MAX_MESSAGE_BYTES - 2 * 64 + 1;
  gives(t, h, 'ERR_NO_MEMORY', 'zx_fifo_create', [8, 8, 0, a, b]);
  h.k.state.messageBytes--;
  gives(t, h, 'OK', 'zx_fifo_create', [8, 8, 0, a, b]);
  const [koidA, koidB] = [koidOf(h, h.u32(a)), koidOf(h, h.u32(b))];
  t.is(h.k.state.messageBytes, MAX_MESSAGE_BYTES);
  for (const address of [a, b]) h.call('zx_handle_close', [h.u32(address)]);
  t.is(h.k.find(koidA) ?? h.k.find(koidB), undefined);
  t.is(h.k.state.messageBytes, MAX_MESSAGE_BYTES - 128);
});

test('each end names the other, and only FIFO ends have peers to signal', (t) => {
  const h = new Harness();
  const [near, far] = newFifo(h, 1, 1);
  gives(t, h, 'OK', 'zx_object_signal_peer', [near, 0, Signal.USER_1]);
  t.is(signalsOf(h, far), WRITABLE | Signal.USER_1);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal_peer', [near, 0, READABLE]);
  h.call('zx_handle_close', [far]);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_object_signal_peer', [near, 0, Signal.USER_1]);
});

const step = fc.record({
  end: fc.nat({ max: 1 }),
  op: fc.constantFrom('read' as const, 'write' as const, 'write' as const),
  count: fc.nat({ max: 9 }),
});

test('a FIFO is two lists of elements with a bound', (t) => {
  const shape = fc.record({ elements: fc.integer({ min: 1, max: 6 }), size: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(shape, fc.array(step, { maxLength: 40 }), ({ elements, size }, steps) => {
      const h = new Harness();
      const ends = newFifo(h, elements, size);
      /** What waits at each end. */
      const queues: number[][] = [[], []];
      let next = 0;
      for (const { end, op, count } of steps) {
        const queue = queues[op === 'write' ? 1 - end : end];
        if (op === 'write') {
          const bytes = ramp(next, count * size);
          const room = Math.min(count, elements - queue.length / size);
          const status = count === 0 ? 'ERR_OUT_OF_RANGE' : room === 0 ? 'ERR_SHOULD_WAIT' : 'OK';
          t.deepEqual(write(h, ends[end], size, bytes), { status, actual: room });
          queue.push(...bytes.slice(0, room * size));
          next += room * size;
        } else {
          const took = Math.min(count, queue.length / size);
          const status = count === 0 ? 'ERR_OUT_OF_RANGE' : took === 0 ? 'ERR_SHOULD_WAIT' : 'OK';
          const bytes = Uint8Array.from(queue.splice(0, took * size));
          t.deepEqual(read(h, ends[end], size, count), { status, actual: took, bytes });
        }
        for (const side of [0, 1]) {
          const readable = queues[side].length > 0 ? READABLE : 0;
          const writable = queues[1 - side].length < elements * size ? WRITABLE : 0;
          t.is(signalsOf(h, ends[side]), readable | writable);
        }
      }
    }),
  );
});
