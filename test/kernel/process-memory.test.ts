import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { CachePolicy, VmOption } from '../../src/abi/vm.js';
import { Harness, SCRATCH } from './harness.js';
import {
  addMemory,
  bytesAt,
  gives,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  text,
  textAt,
  withRights,
} from './ipc-support.js';
import { newRunning } from './task-support.js';
import { map, newVmo, PAGE, R, RW } from './vm-support.js';

/** A process whose 64 KiB of memory at SCRATCH begin with the bytes given. */
function other(h: Harness, bytes = text('hello')): { handle: number; koid: number; vmar: number } {
  const { process: handle, vmar } = newRunning(h);
  const koid = koidOf(h, handle);
  addMemory(h, koid);
  h.poke(SCRATCH, bytes, koid);
  return { handle, koid, vmar };
}

test('zx_process_read_memory and zx_process_write_memory reach another process', (t) => {
  const h = new Harness();
  const { handle, koid } = other(h);
  const [buffer, actual] = [h.scratch(8), h.scratch(8)];
  gives(t, h, 'OK', 'zx_process_read_memory', [handle, SCRATCH + 1, buffer, 4, actual]);
  t.is(textAt(h, buffer, 4), 'ello');
  t.is(h.u64(actual), 4n);
  h.poke(buffer, text('JUMP'));
  gives(t, h, 'OK', 'zx_process_write_memory', [handle, SCRATCH + PAGE - 2, buffer, 4, actual]);
  t.deepEqual(bytesAt(h, SCRATCH + PAGE - 2, 4, koid), text('JUMP'));
  t.is(h.u64(actual), 4n);
  const written = h.events.filter((e) => e.type === 'user-memory-written' && e.process === koid);
  t.like(written.at(-1), { address: SCRATCH + PAGE, thread: h.thread });
});

test('a copy ends with the mapping, and what the mapping permits does not count', (t) => {
  const h = new Harness();
  const { handle } = other(h);
  const [buffer, actual] = [h.scratch(64), h.scratch(8)];
  const end = SCRATCH + 0x10000;
  gives(t, h, 'OK', 'zx_process_read_memory', [handle, end - 5, buffer, 64, actual]);
  t.is(h.u64(actual), 5n);
  gives(t, h, 'OK', 'zx_process_write_memory', [handle, end - 6, buffer, 64, actual]);
  t.is(h.u64(actual), 6n);
  const readOnly = map(h, R, 0, newVmo(h, PAGE), 0, PAGE);
  h.poke(buffer, text('abc'));
  gives(t, h, 'OK', 'zx_process_write_memory', [h.handles.process, readOnly, buffer, 3, actual]);
  t.is(textAt(h, readOnly, 3), 'abc');
});

const CALLS = ['zx_process_read_memory', 'zx_process_write_memory'] as const;

test('both: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const { handle } = other(h);
  const [buffer, actual] = [h.scratch(8), h.scratch(8)];
  const weak = withRights(h, handle, DEFAULT_RIGHTS.process & ~Right.WRITE);
  for (const name of CALLS) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, SCRATCH, buffer, 8, actual]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [h.handles.job, SCRATCH, buffer, 8, actual]);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, SCRATCH, buffer, 8, actual]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [handle, SCRATCH, 0, 8, actual]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [handle, SCRATCH, buffer, 0, actual]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [handle, SCRATCH, buffer, 0x4000001, actual]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [handle, SCRATCH, NOWHERE, 8, actual]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [handle, SCRATCH, buffer, 8, NOWHERE]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [handle, SCRATCH, buffer, 8, 0]);
  }
  const reader = withRights(h, handle, Right.WRITE);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_process_read_memory', [reader, SCRATCH, buffer, 8, actual]);
  gives(t, h, 'OK', 'zx_process_write_memory', [reader, SCRATCH, buffer, 8, actual]);
});

test('both: NOT_FOUND where nothing is mapped, BAD_STATE after death', (t) => {
  const h = new Harness();
  const { handle, vmar } = other(h);
  const [buffer, actual] = [h.scratch(8), h.scratch(8)];
  for (const name of CALLS) {
    for (const vaddr of [0, SCRATCH - 1, SCRATCH + 0x10000, 2 ** 38, 0xffff_ffff_ffff_ffffn]) {
      gives(t, h, 'ERR_NOT_FOUND', name, [handle, vaddr, buffer, 8, actual]);
    }
  }
  gives(t, h, 'OK', 'zx_task_kill', [handle]);
  for (const name of CALLS) gives(t, h, 'ERR_BAD_STATE', name, [handle, SCRATCH, buffer, 8, actual]);
  gives(t, h, 'OK', 'zx_handle_close', [vmar]);
  for (const name of CALLS) gives(t, h, 'ERR_BAD_STATE', name, [handle, SCRATCH, buffer, 8, actual]);
});

test('both: OUT_OF_RANGE past the VMO, BAD_STATE in uncached memory', (t) => {
  const h = new Harness();
  const [buffer, actual] = [h.scratch(8), h.scratch(8)];
  const { process } = h.handles;
  const resizable = newVmo(h, 2 * PAGE, 2);
  const address = map(h, RW | VmOption.ALLOW_FAULTS, 0, resizable, 0, 2 * PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_size', [resizable, PAGE]);
  const uncached = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [uncached, CachePolicy.UNCACHED]);
  const there = map(h, RW, 0, uncached, 0, PAGE);
  for (const name of CALLS) {
    gives(t, h, 'ERR_OUT_OF_RANGE', name, [process, address + PAGE - 4, buffer, 8, actual]);
    gives(t, h, 'OK', name, [process, address + PAGE - 8, buffer, 8, actual]);
    gives(t, h, 'ERR_BAD_STATE', name, [process, there, buffer, 8, actual]);
  }
});

test('zx_process_write_memory: ACCESS_DENIED in the vDSO, NO_MEMORY when no page is left', (t) => {
  const h = new Harness({ physicalPages: 4 });
  const [buffer, actual] = [h.scratch(8), h.scratch(8)];
  const koid = h.k.state.nextKoid;
  h.emit({
    type: 'vmo-created',
    koid,
    sizeBytes: PAGE,
    contentSizeBytes: PAGE,
    resizable: false,
    discardable: false,
    name: 'vdso',
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: PAGE,
  });
  const vdso = map(h, R, 0, h.give(koid, DEFAULT_RIGHTS.vmo), 0, PAGE);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_process_write_memory', [h.handles.process, vdso, buffer, 8, actual]);
  gives(t, h, 'OK', 'zx_process_read_memory', [h.handles.process, vdso, buffer, 8, actual]);
  const big = map(h, RW, 0, newVmo(h, 16 * PAGE), 0, 16 * PAGE);
  const write = (size: number) => [h.handles.process, big, SCRATCH, size, actual];
  gives(t, h, 'ERR_NO_MEMORY', 'zx_process_write_memory', write(16 * PAGE));
  gives(t, h, 'OK', 'zx_process_write_memory', write(PAGE));
});

test('what is written is what is read, at any place and length', (t) => {
  const h = new Harness();
  const { handle, koid } = other(h);
  const [buffer, actual] = [h.scratch(0x4000), h.scratch(8)];
  const model = new Uint8Array(0x10000);
  model.set(text('hello'));
  fc.assert(
    fc.property(
      fc.nat(0xffff),
      fc.uint8Array({ minLength: 1, maxLength: 0x3000, size: 'max' }),
      (offset, bytes) => {
        h.poke(buffer, bytes);
        t.is(h.call('zx_process_write_memory', [handle, SCRATCH + offset, buffer, bytes.length, actual]), 0n);
        const count = Math.min(bytes.length, 0x10000 - offset);
        t.is(h.u64(actual), BigInt(count));
        model.set(bytes.subarray(0, count), offset);
        const from = Math.max(0, offset - 100);
        t.is(h.call('zx_process_read_memory', [handle, SCRATCH + from, buffer, 0x4000, actual]), 0n);
        const end = Math.min(0x10000, from + 0x4000);
        t.deepEqual(bytesAt(h, buffer, end - from), model.slice(from, end));
      },
    ),
    { numRuns: 40 },
  );
  t.deepEqual(bytesAt(h, SCRATCH, 0x10000, koid), model);
});
