import test from 'ava';
import { Property } from '../../src/abi/info.js';
import { StreamMode, StreamSeekOrigin, StreamWriteOption } from '../../src/abi/ipc.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct } from '../../src/abi/structs.js';
import { CachePolicy, VmOption, VmoOption } from '../../src/abi/vm.js';
import { Harness, SCRATCH } from './harness.js';
import {
  bytesAt,
  gives,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  signalsOf,
  withRights,
} from './ipc-support.js';
import { BUFFER, BUFFER_BYTES, iovecs, type Moved, move, newStream, newVmo, ramp } from './object-support.js';

const { READ, WRITE, APPEND } = StreamMode;
const { START, CURRENT, END } = StreamSeekOrigin;
const PAGE = 4096;
const U64_MAX = (1n << 64n) - 1n;

/** A resizable VMO of a page whose stream is so long, and a stream over it. */
function fresh(h: Harness, contentBytes: number, mode = READ | WRITE): { vmo: number; stream: number } {
  const vmo = newVmo(h, contentBytes, VmoOption.RESIZABLE);
  return { vmo, stream: newStream(h, vmo, mode) };
}

function write(h: Harness, stream: number, bytes: Uint8Array, options = 0): Moved {
  h.poke(BUFFER, bytes);
  return move(h, 'zx_stream_writev', [stream, options, iovecs(h, [BUFFER, bytes.length]), 1]);
}

function writeAt(h: Harness, stream: number, offset: number | bigint, bytes: Uint8Array): Moved {
  h.poke(BUFFER, bytes);
  return move(h, 'zx_stream_writev_at', [stream, 0, offset, iovecs(h, [BUFFER, bytes.length]), 1]);
}

function read(h: Harness, stream: number, count: number): Moved & { bytes: Uint8Array } {
  const moved = move(h, 'zx_stream_readv', [stream, 0, iovecs(h, [BUFFER, count]), 1]);
  return { ...moved, bytes: bytesAt(h, BUFFER, moved.actual) };
}

function readAt(
  h: Harness,
  stream: number,
  offset: number | bigint,
  count: number,
): Moved & { bytes: Uint8Array } {
  const moved = move(h, 'zx_stream_readv_at', [stream, 0, offset, iovecs(h, [BUFFER, count]), 1]);
  return { ...moved, bytes: bytesAt(h, BUFFER, moved.actual) };
}

function seek(h: Harness, stream: number, whence: number, offset: number | bigint): Moved {
  return move(h, 'zx_stream_seek', [stream, whence, offset]);
}

function infoOf(h: Harness, stream: number) {
  const buffer = h.scratch(24);
  h.call('zx_object_get_info', [stream, 0x1a, buffer, 24, 0, 0]);
  const { options, seek, content_size } = decodeStruct('zx_info_stream_t', bytesAt(h, buffer, 24));
  return { options, seek, size: Number(content_size) };
}

test('zx_stream_create: INVALID_ARGS for modes and a bad out; rights by mode', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const out = h.scratch(4);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_stream_create', [8, vmo, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_stream_create', [READ, vmo, 0, NOWHERE]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_stream_create', [READ, NO_HANDLE, 0, out]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_stream_create', [READ, newEvent(h), 0, out]);
  for (const [mode, right] of [
    [READ, Right.READ],
    [WRITE, Right.WRITE],
  ]) {
    const weak = withRights(h, vmo, DEFAULT_RIGHTS.vmo & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_stream_create', [mode, weak, 0, out]);
    gives(t, h, 'OK', 'zx_stream_create', [mode ^ READ ^ WRITE, weak, 0, out]);
  }
  const neither = newStream(h, vmo, APPEND);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_stream_seek', [neither, START, 0, 0]);
});

test('calls of a stream: handles, options, vectors', (t) => {
  const h = new Harness();
  const { stream } = fresh(h, 8);
  const vectors = iovecs(h, [BUFFER, 8]);
  for (const [name, offset, right] of [
    ['zx_stream_readv', [], Right.READ],
    ['zx_stream_readv_at', [0], Right.READ],
    ['zx_stream_writev', [], Right.WRITE],
    ['zx_stream_writev_at', [0], Right.WRITE],
  ] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, 0, ...offset, vectors, 1, 0]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), 0, ...offset, vectors, 1, 0]);
    const weak = withRights(h, stream, (DEFAULT_RIGHTS.stream | Right.READ | Right.WRITE) & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, 0, ...offset, vectors, 1, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [NO_HANDLE, 2, ...offset, vectors, 1, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [NO_HANDLE, 0, ...offset, 0, 0, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [stream, 0, ...offset, NOWHERE, 1, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [stream, 0, ...offset, vectors, 8193, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [stream, 0, ...offset, vectors, 1n << 60n, 0]);
    const huge = iovecs(h, [BUFFER, U64_MAX], [BUFFER, 1]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [stream, 0, ...offset, huge, 2, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [stream, 0, ...offset, vectors, 1, NOWHERE]);
    gives(t, h, 'ERR_NOT_FOUND', name, [stream, 0, ...offset, iovecs(h, [NOWHERE, 8]), 1, 0]);
    gives(t, h, 'OK', name, [stream, 0, ...offset, vectors, 0, 0]);
    gives(t, h, 'OK', name, [stream, 0, ...offset, vectors, 1, 0]);
  }
});

test('reading and writing go on where the last one ended; _at does not move', (t) => {
  const h = new Harness();
  const { stream } = fresh(h, 0);
  t.deepEqual(write(h, stream, ramp(0, 10)), { status: 'OK', actual: 10 });
  t.is(read(h, stream, 5).actual, 0);
  t.is(seek(h, stream, START, 2).actual, 2);
  t.deepEqual(read(h, stream, 3).bytes, ramp(2, 3));
  t.deepEqual(readAt(h, stream, 0, 100).bytes, ramp(0, 10));
  t.is(writeAt(h, stream, 1, ramp(90, 2)).actual, 2);
  t.deepEqual(read(h, stream, 100).bytes, ramp(5, 5));
  t.deepEqual(readAt(h, stream, 0, 5).bytes, Uint8Array.of(0, 90, 91, 3, 4));
  t.deepEqual(infoOf(h, stream), { options: READ | WRITE, seek: 10n, size: 10 });
});

test('vectors are one buffer, empty ones too', (t) => {
  const h = new Harness();
  const { stream } = fresh(h, 0);
  h.poke(BUFFER, ramp(0, 20));
  const list = iovecs(h, [BUFFER + 10, 5], [NOWHERE, 0], [BUFFER, 3]);
  t.is(move(h, 'zx_stream_writev', [stream, 0, list, 3]).actual, 8);
  t.deepEqual(readAt(h, stream, 0, 8).bytes, Uint8Array.of(10, 11, 12, 13, 14, 0, 1, 2));
  const back = iovecs(h, [BUFFER + 100, 1], [BUFFER + 200, 100]);
  t.is(move(h, 'zx_stream_readv_at', [stream, 0, 1, back, 2]).actual, 7);
  t.is(bytesAt(h, BUFFER + 100, 1)[0], 11);
  t.deepEqual(bytesAt(h, BUFFER + 200, 7), Uint8Array.of(12, 13, 14, 0, 1, 2, 0));
});

test('a buffer that is not there ends the transfer; what came before counts', (t) => {
  const h = new Harness();
  const { stream } = fresh(h, 0);
  const list = iovecs(h, [BUFFER, 5], [NOWHERE, 1], [BUFFER, 9]);
  t.deepEqual(move(h, 'zx_stream_writev', [stream, 0, list, 3]), { status: 'OK', actual: 5 });
  t.deepEqual(infoOf(h, stream), { options: READ | WRITE, seek: 5n, size: 5 });
  seek(h, stream, START, 0);
  const tail = SCRATCH + 0x100000 - 3;
  t.deepEqual(move(h, 'zx_stream_readv', [stream, 0, iovecs(h, [tail, 3], [NOWHERE, 2]), 2]), {
    status: 'OK',
    actual: 3,
  });
  t.is(infoOf(h, stream).seek, 3n);
});

test('APPEND writes at the end, by option, by mode and by property', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, 4);
  t.is(write(h, stream, ramp(1, 2), StreamWriteOption.APPEND).actual, 2);
  t.is(infoOf(h, stream).seek, 6n);
  const appending = newStream(h, vmo, WRITE | APPEND);
  t.is(write(h, appending, ramp(3, 2)).actual, 2);
  t.deepEqual(readAt(h, stream, 4, 9).bytes, ramp(1, 4));
  // A write at an offset is where it says.
  t.is(writeAt(h, appending, 0, ramp(7, 1)).actual, 1);
  t.deepEqual(readAt(h, stream, 0, 2).bytes, Uint8Array.of(7, 0));
  const value = h.scratch(Uint8Array.of(1));
  const { STREAM_MODE_APPEND } = Property;
  gives(t, h, 'OK', 'zx_object_set_property', [stream, STREAM_MODE_APPEND, value, 1]);
  seek(h, stream, START, 0);
  t.is(write(h, stream, ramp(5, 1)).actual, 1);
  t.is(infoOf(h, stream).seek, 9n);
  t.is(infoOf(h, stream).options, READ | WRITE | APPEND);
  gives(t, h, 'OK', 'zx_object_get_property', [stream, STREAM_MODE_APPEND, value, 1]);
  t.is(bytesAt(h, value, 1)[0], 1);
  h.poke(value, Uint8Array.of(0));
  gives(t, h, 'OK', 'zx_object_set_property', [stream, STREAM_MODE_APPEND, value, 1]);
  t.is(infoOf(h, stream).options, READ | WRITE);
  gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_object_get_property', [stream, STREAM_MODE_APPEND, value, 0]);
});

test('a write behind the end leaves zeros, whatever was in the VMO there', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, 4);
  h.poke(BUFFER, ramp(9, 100));
  gives(t, h, 'OK', 'zx_vmo_write', [vmo, BUFFER, 4, 100]);
  t.is(writeAt(h, stream, 20, ramp(1, 2)).actual, 2);
  t.deepEqual(readAt(h, stream, 0, 99).bytes, Uint8Array.of(...new Array(20).fill(0), 1, 2));
});

test('growth: the VMO in whole pages when it may, else NO_SPACE, or what fits', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, 0);
  const size = h.scratch(8);
  t.is(writeAt(h, stream, PAGE + 1, ramp(0, 3)).actual, 3);
  gives(t, h, 'OK', 'zx_vmo_get_size', [vmo, size]);
  t.is(h.u64(size), BigInt(2 * PAGE));
  t.is(writeAt(h, stream, 1n << 53n, ramp(0, 1)).status, 'ERR_OUT_OF_RANGE');
  t.is(writeAt(h, stream, U64_MAX, ramp(0, 2)).status, 'ERR_FILE_BIG');
  t.is(writeAt(h, stream, U64_MAX, ramp(0, 0)).status, 'OK');
  t.is(infoOf(h, stream).size, PAGE + 4);
  for (const stuck of [
    newStream(h, newVmo(h, PAGE), READ | WRITE),
    newStream(h, withRights(h, newVmo(h, PAGE, VmoOption.RESIZABLE), DEFAULT_RIGHTS.vmo), READ | WRITE),
  ]) {
    t.is(writeAt(h, stuck, PAGE, ramp(0, 1)).status, 'ERR_NO_SPACE');
    t.is(writeAt(h, stuck, PAGE - 2, ramp(0, 5)).actual, 2);
    t.is(infoOf(h, stuck).size, PAGE);
  }
});

test('the stream size of a VMO is its streams’ end', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, 0);
  write(h, stream, ramp(0, 100));
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 10]);
  t.is(readAt(h, stream, 0, 100).actual, 10);
  t.is(read(h, stream, 1).actual, 0);
  t.is(seek(h, stream, END, -3).actual, 7);
  t.deepEqual(read(h, stream, 100).bytes, ramp(7, 3));
});

test('zx_stream_seek: INVALID_ARGS for an unknown origin and places below 0 or above 2^64', (t) => {
  const h = new Harness();
  const { stream } = fresh(h, 100);
  t.is(seek(h, stream, 3, 0).status, 'ERR_INVALID_ARGS');
  t.is(seek(h, stream, START, -1).status, 'ERR_INVALID_ARGS');
  t.is(seek(h, stream, END, -101).status, 'ERR_INVALID_ARGS');
  t.is(seek(h, stream, END, -100).actual, 0);
  t.is(seek(h, stream, CURRENT, (1n << 63n) - 1n).status, 'OK');
  t.is(seek(h, stream, CURRENT, (1n << 63n) - 1n).status, 'OK');
  t.is(infoOf(h, stream).seek, U64_MAX - 1n);
  t.is(seek(h, stream, CURRENT, 2).status, 'ERR_INVALID_ARGS');
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_stream_seek', [stream, START, 0, NOWHERE]);
  t.is(infoOf(h, stream).seek, U64_MAX - 1n);
  t.is(read(h, stream, 5).actual, 0);
  t.is(write(h, stream, ramp(0, 5)).status, 'ERR_FILE_BIG');
});

test('uncached memory is no source and no sink: BAD_STATE', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, 8);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  t.is(read(h, stream, 1).status, 'ERR_BAD_STATE');
  t.is(write(h, stream, ramp(0, 1)).status, 'ERR_BAD_STATE');
});

test('a stream keeps its VMO, and the VMO its memory', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, 0);
  write(h, stream, ramp(4, 4));
  const koid = koidOf(h, vmo);
  h.call('zx_handle_close', [vmo]);
  t.not(h.k.find(koid), undefined);
  t.deepEqual(readAt(h, stream, 0, 9).bytes, ramp(4, 4));
  const committed = h.k.state.committedPages;
  h.call('zx_handle_close', [stream]);
  t.is(h.k.find(koid), undefined);
  t.is(h.k.state.committedPages, committed - 1);
});

test('a stream over a child keeps the family together', (t) => {
  const h = new Harness();
  const parent = newVmo(h, PAGE);
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_vmo_create_child', [parent, 1, 0, PAGE, out]);
  const child = h.u32(out);
  const stream = newStream(h, child, READ | WRITE);
  h.call('zx_handle_close', [child]);
  t.is(signalsOf(h, parent) & Signal.VMO_ZERO_CHILDREN, 0);
  h.call('zx_handle_close', [stream]);
  t.is(signalsOf(h, parent) & Signal.VMO_ZERO_CHILDREN, Signal.VMO_ZERO_CHILDREN);
});

test('no memory left: NO_MEMORY when nothing could be kept, else what could', (t) => {
  const h = new Harness({ physicalPages: 300 });
  h.poke(BUFFER, new Uint8Array(BUFFER_BYTES).fill(1));
  const { stream } = fresh(h, 0);
  const list = iovecs(h, [BUFFER, 20 * PAGE]);
  // What the buffer and the scratch memory have taken.
  const left = 300 - h.k.state.committedPages;
  const written: number[] = [];
  for (let i = 0; i < 10; i++) {
    h.call('zx_stream_writev', [stream, 0, list, 1, 0]);
    written.push(infoOf(h, stream).size / PAGE);
  }
  t.is(Math.max(...written), left);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_stream_writev', [stream, 0, list, 1, 0]);
  t.is(infoOf(h, stream).size, left * PAGE);
  const size = h.scratch(8);
  gives(t, h, 'OK', 'zx_vmo_get_size', [fresh(h, 1).vmo, size]);
});

test('a stream over a VMO that is mapped: one memory', (t) => {
  const h = new Harness();
  const { vmo, stream } = fresh(h, PAGE);
  const at = h.scratch(8);
  const options = VmOption.PERM_READ | VmOption.PERM_WRITE;
  gives(t, h, 'OK', 'zx_vmar_map', [h.handles.rootVmar, options, 0, vmo, 0, PAGE, at]);
  const address = Number(h.u64(at));
  writeAt(h, stream, 100, ramp(3, 5));
  t.deepEqual(bytesAt(h, address + 100, 5), ramp(3, 5));
  // It reads into itself what it reads from itself.
  t.is(move(h, 'zx_stream_readv_at', [stream, 0, 100, iovecs(h, [address + 102, 5]), 1]).actual, 5);
  t.deepEqual(bytesAt(h, address + 100, 7), Uint8Array.of(3, 4, 3, 4, 5, 6, 7));
});
