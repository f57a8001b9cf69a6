import test from 'ava';
import { Status } from '../../src/abi/status.js';
import { VmOption } from '../../src/abi/vm.js';
import type { Access } from '../../src/cpu/arch.js';
import { decidePageFault } from '../../src/kernel/syscalls/page-fault.js';
import { readUser, readUserInt32 } from '../../src/kernel/syscalls/user-memory.js';
import { Harness } from './harness.js';
import { gives, NOWHERE } from './ipc-support.js';
import { map, newVmo, PAGE, R, RW } from './vm-support.js';

const { ALLOW_FAULTS } = VmOption;

test('zx_vmar_map FAULT_BEYOND_STREAM_SIZE: whole pages past the stream size are not there', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 3 * PAGE);
  const options = RW | ALLOW_FAULTS | VmOption.FAULT_BEYOND_STREAM_SIZE;
  const address = map(h, options, 0, vmo, 0, 3 * PAGE);
  const readable = (page: number) => readUser(h.k, h.process, address + page * PAGE, 1) !== null;
  t.deepEqual([0, 1, 2].map(readable), [true, true, true]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, PAGE + 1]);
  t.deepEqual([0, 1, 2].map(readable), [true, true, false]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, PAGE]);
  t.deepEqual([0, 1, 2].map(readable), [true, false, false]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 0]);
  t.deepEqual([0, 1, 2].map(readable), [false, false, false]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 3 * PAGE]);
  t.deepEqual([0, 1, 2].map(readable), [true, true, true]);
});

test('zx_vmar_map FAULT_BEYOND_STREAM_SIZE stays through protect and partial unmap', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  const options = RW | ALLOW_FAULTS | VmOption.FAULT_BEYOND_STREAM_SIZE;
  const address = map(h, options, 0, vmo, 0, 4 * PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 2 * PAGE]);
  const root = h.handles.rootVmar;
  gives(t, h, 'OK', 'zx_vmar_protect', [root, R, address + 2 * PAGE, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [root, address, PAGE]);
  t.not(readUser(h.k, h.process, address + PAGE, 1), null);
  for (const page of [0, 2, 3]) t.is(readUser(h.k, h.process, address + page * PAGE, 1), null);
});

test('page faults: why an address cannot be had', (t) => {
  const h = new Harness();
  const address = map(h, R | ALLOW_FAULTS, 0, newVmo(h, PAGE), 0, 2 * PAGE);
  const why = (access: Access, at: number | bigint) => decidePageFault(h, h.thread, access, BigInt(at));
  t.is(why('load', NOWHERE), Status.ERR_NOT_FOUND);
  t.is(why('load', 2n ** 64n - 1n), Status.ERR_NOT_FOUND);
  t.is(why('store', address), Status.ERR_ACCESS_DENIED);
  t.is(why('fetch', address), Status.ERR_ACCESS_DENIED);
  t.is(why('load', address + PAGE), Status.ERR_OUT_OF_RANGE);
});

test('four bytes that are read alone are those of a longer read, where there are any', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  const options = RW | ALLOW_FAULTS | VmOption.FAULT_BEYOND_STREAM_SIZE;
  const address = map(h, options, 0, vmo, 0, 4 * PAGE);
  const filled = Uint8Array.from({ length: 2 * PAGE }, (_, i) => i * 37);
  h.poke(address, filled);
  gives(t, h, 'OK', 'zx_vmar_protect', [h.handles.rootVmar, 0, address + PAGE, PAGE]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 3 * PAGE]);
  const seen = new Set<boolean>();
  const places = [-4, 0, 4, PAGE - 4, PAGE, 2 * PAGE - 4, 2 * PAGE, 3 * PAGE - 4, 3 * PAGE, 4 * PAGE];
  for (const at of [...places.map((place) => address + place), 0, 2 ** 47 - 4, 2 ** 53]) {
    const bytes = readUser(h.k, h.process, at, 4);
    const expected = bytes === null ? null : new DataView(bytes.buffer).getInt32(0, true);
    t.is(readUserInt32(h.k, h.process, at), expected, `0x${at.toString(16)}`);
    seen.add(expected === null);
  }
  t.is(seen.size, 2);
  t.is(readUserInt32(h.k, h.process + 1, address), null);
});
