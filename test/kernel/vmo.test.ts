import test from 'ava';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { CachePolicy, VmOption, VmoChildOption, VmoOption } from '../../src/abi/vm.js';
import { MAX_VMO_BYTES } from '../../src/kernel/objects/vmo.js';
import { Harness } from './harness.js';
import { gives, isOpen, koidOf, NO_HANDLE, NOWHERE, newEvent, signalsOf, withRights } from './ipc-support.js';
import { contents, fill, heldPages, map, newChild, newVmo, PAGE, RW, rightsOf, vmoOf } from './vm-support.js';

const { DISCARDABLE, RESIZABLE, TRAP_DIRTY, UNBOUNDED } = VmoOption;
const { SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE, SNAPSHOT_MODIFIED, NO_WRITE } = VmoChildOption;

test('zx_vmo_create rounds the size up and keeps the stream size', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 5000);
  const out = h.scratch(8);
  gives(t, h, 'OK', 'zx_vmo_get_size', [vmo, out]);
  t.is(h.u64(out), 8192n);
  gives(t, h, 'OK', 'zx_vmo_get_stream_size', [vmo, out]);
  t.is(h.u64(out), 5000n);
  t.is(rightsOf(h, vmo), DEFAULT_RIGHTS.vmo);
  t.is(signalsOf(h, vmo), Signal.VMO_ZERO_CHILDREN);
  t.is(rightsOf(h, newVmo(h, 0, RESIZABLE)), DEFAULT_RIGHTS.vmo | Right.RESIZE);
});

test('zx_vmo_create: statuses', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_create', [PAGE, 1, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_create', [PAGE, TRAP_DIRTY, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_create', [PAGE, UNBOUNDED | RESIZABLE, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_create', [PAGE, 0, NOWHERE]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_create', [0xffffffffffffffffn, 0, out]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_create', [MAX_VMO_BYTES + 1, 0, out]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_create', [MAX_VMO_BYTES + 1, UNBOUNDED, out]);
  gives(t, h, 'OK', 'zx_vmo_create', [MAX_VMO_BYTES, 0, out]);
});

test('zx_vmo_create UNBOUNDED has the largest size and the stream size asked for', (t) => {
  const h = new Harness();
  const vmo = vmoOf(h, newVmo(h, 100, UNBOUNDED));
  t.is(vmo.sizeBytes, MAX_VMO_BYTES);
  t.is(vmo.contentSizeBytes, 100);
});

test('zx_vmo_get_size, zx_vmo_get_stream_size: INVALID_ARGS for a bad pointer', (t) => {
  const h = new Harness();
  const vmo = withRights(h, newVmo(h, PAGE), Right.NONE);
  for (const call of ['zx_vmo_get_size', 'zx_vmo_get_stream_size'] as const) {
    gives(t, h, 'ERR_INVALID_ARGS', call, [vmo, NOWHERE]);
    gives(t, h, 'OK', call, [vmo, h.scratch(8)]);
    gives(t, h, 'ERR_BAD_HANDLE', call, [NO_HANDLE, h.scratch(8)]);
    gives(t, h, 'ERR_WRONG_TYPE', call, [newEvent(h), h.scratch(8)]);
  }
});

test('zx_vmo_read and zx_vmo_write copy across pages', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 3 * PAGE);
  fill(h, vmo, PAGE - 2, [1, 2, 3, 4]);
  t.deepEqual(contents(h, vmo, PAGE - 3, 6), [0, 1, 2, 3, 4, 0]);
  t.is(vmoOf(h, vmo).pages.size, 2);
});

test('zx_vmo_read: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const buffer = h.scratch(2 * PAGE);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmo_read', [NO_HANDLE, buffer, 0, 1]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmo_read', [h.handles.process, buffer, 0, 1]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_read', [withRights(h, vmo, Right.WRITE), buffer, 0, 1]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_read', [vmo, buffer, 1, PAGE]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_read', [vmo, buffer, 0xffffffffffffffffn, 2]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_vmo_read', [vmo, NOWHERE, 0, 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_read', [vmo, 0, 0, 1]);
  gives(t, h, 'OK', 'zx_vmo_read', [vmo, 0, PAGE, 0]);
});

test('zx_vmo_write: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const buffer = h.scratch(2 * PAGE);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmo_write', [NO_HANDLE, buffer, 0, 1]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmo_write', [h.handles.process, buffer, 0, 1]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_write', [withRights(h, vmo, Right.READ), buffer, 0, 1]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_write', [vmo, buffer, 1, PAGE]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_vmo_write', [vmo, NOWHERE, 0, 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_write', [vmo, 0, 0, 1]);
  gives(t, h, 'OK', 'zx_vmo_write', [vmo, 0, PAGE, 0]);
});

test('zx_vmo_read, zx_vmo_write: a buffer that ends too early leaves everything as it was', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  fill(h, vmo, 0, [7, 7, 7]);
  const other = newVmo(h, PAGE);
  const edge = map(h, RW | VmOption.SPECIFIC, 0x1000000, other, 0, PAGE);
  const before = h.events.length;
  gives(t, h, 'ERR_NOT_FOUND', 'zx_vmo_read', [vmo, edge + PAGE - 2, 0, 4]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_vmo_write', [vmo, edge + PAGE - 2, 0, 4]);
  const changes = h.events.slice(before).filter((e) => !e.type.startsWith('syscall-'));
  t.deepEqual(changes, []);
});

test('zx_vmo_read, zx_vmo_write: BAD_STATE for memory that is not cached', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  const buffer = h.scratch(1);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_read', [vmo, buffer, 0, 1]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_write', [vmo, buffer, 0, 1]);
});

test('zx_vmo_write: NO_MEMORY when the pages cannot be had, and nothing is written', (t) => {
  const h = new Harness({ physicalPages: 4 });
  const vmo = newVmo(h, 8 * PAGE);
  // The scratch page of the out-argument is one, so three are free.
  const buffer = h.scratch(1);
  gives(t, h, 'OK', 'zx_vmo_write', [vmo, buffer, PAGE, 1]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmo_write', [vmo, buffer, 3 * PAGE, 3 * PAGE]);
  gives(t, h, 'OK', 'zx_vmo_write', [vmo, buffer, PAGE, 3 * PAGE]);
  t.is(h.k.state.committedPages, 4);
  // Memory is full: what is there already can still be written, and calls still give results.
  gives(t, h, 'OK', 'zx_vmo_write', [vmo, buffer, PAGE, PAGE]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmo_read', [vmo, buffer, 0, 2 * PAGE]);
  gives(t, h, 'OK', 'zx_vmo_get_size', [vmo, h.scratch(8)]);
  t.is(heldPages(h), 4);
});

test('zx_vmo_write from memory that is the VMO itself goes page by page', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  const address = map(h, RW, 0, vmo, 0, 2 * PAGE);
  fill(h, vmo, 0, [9]);
  gives(t, h, 'OK', 'zx_vmo_write', [vmo, address, PAGE, PAGE]);
  t.deepEqual(contents(h, vmo, PAGE, 2), [9, 0]);
});

test('zx_vmo_set_size: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE, RESIZABLE);
  const fixed = newVmo(h, PAGE);
  gives(t, h, 'ERR_UNAVAILABLE', 'zx_vmo_set_size', [fixed, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_set_size', [withRights(h, vmo, Right.WRITE), 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_set_size', [withRights(h, vmo, Right.RESIZE), 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_set_size', [vmo, MAX_VMO_BYTES + 1]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_set_size', [vmo, 0xffffffffffffffffn]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmo_set_size', [newEvent(h), 0]);
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, 3 * PAGE + 1]);
  t.is(vmoOf(h, vmo).sizeBytes, 4 * PAGE);
  t.is(vmoOf(h, vmo).contentSizeBytes, 3 * PAGE + 1);
});

test('zx_vmo_set_size: what was cut off is zero when the VMO grows again', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE, RESIZABLE);
  fill(h, vmo, PAGE - 2, [1, 2, 3, 4]);
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, PAGE - 1]);
  t.is(h.k.state.committedPages, heldPages(h));
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, 2 * PAGE]);
  t.deepEqual(contents(h, vmo, PAGE - 2, 4), [1, 0, 0, 0]);
});

test('zx_vmo_set_stream_size: OUT_OF_RANGE past the VMO; zeroes what is past the smaller size', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_set_stream_size', [vmo, 2 * PAGE + 1]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_set_stream_size', [withRights(h, vmo, Right.READ), 1]);
  fill(h, vmo, PAGE - 2, [1, 2, 3, 4]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, PAGE - 1]);
  t.deepEqual(contents(h, vmo, PAGE - 2, 4), [1, 0, 0, 0]);
  fill(h, vmo, PAGE - 1, [5, 6]);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 2 * PAGE]);
  t.deepEqual(contents(h, vmo, PAGE - 2, 4), [1, 0, 0, 0]);
});

test('zx_vmo_create_child: both sides of a snapshot go their own ways', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 3 * PAGE);
  fill(h, vmo, PAGE, [1]);
  for (const kind of [SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE, SNAPSHOT_MODIFIED]) {
    fill(h, vmo, PAGE, [1]);
    const child = newChild(h, vmo, kind, PAGE, 2 * PAGE - 1);
    fill(h, vmo, PAGE, [2]);
    t.deepEqual(contents(h, child, 0, 1), [1]);
    fill(h, child, 0, [3]);
    t.deepEqual(contents(h, vmo, PAGE, 1), [2]);
    t.is(vmoOf(h, child).contentSizeBytes, 2 * PAGE - 1);
  }
});

test('zx_vmo_create_child: reaches past the parent and past 4 GiB', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 ** 33);
  fill(h, vmo, 2 ** 32, [8]);
  t.deepEqual(contents(h, newChild(h, vmo, SNAPSHOT, 2 ** 32, PAGE), 0, 1), [8]);
  t.deepEqual(contents(h, newChild(h, vmo, SNAPSHOT, 2 ** 33, PAGE), 0, 1), [0]);
  t.deepEqual(contents(h, newChild(h, vmo, SNAPSHOT, 0, PAGE), 0, 1), [0]);
});

test('zx_vmo_create_child: rights of the child', (t) => {
  const h = new Harness();
  const source = newVmo(h, PAGE);
  const rights = Right.DUPLICATE | Right.READ | Right.EXECUTE | Right.MAP;
  const vmo = withRights(h, source, rights);
  const added = Right.GET_PROPERTY | Right.SET_PROPERTY;
  const plain = (rights & ~Right.EXECUTE) | added | Right.WRITE;
  t.is(rightsOf(h, newChild(h, vmo, SNAPSHOT, 0, PAGE)), plain);
  t.is(rightsOf(h, newChild(h, vmo, SNAPSHOT | VmoChildOption.RESIZABLE, 0, PAGE)), plain | Right.RESIZE);
  t.is(rightsOf(h, newChild(h, source, SNAPSHOT | NO_WRITE, 0, PAGE)), DEFAULT_RIGHTS.vmo & ~Right.WRITE);
  t.is(rightsOf(h, newChild(h, vmo, SNAPSHOT | NO_WRITE, 0, PAGE)), rights | added);
});

test('zx_vmo_create_child: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE, RESIZABLE);
  const out = h.scratch(4);
  const child = (status: Parameters<typeof gives>[2], ...args: (number | bigint)[]): void =>
    gives(t, h, status, 'zx_vmo_create_child', [vmo, ...args]);
  child('ERR_INVALID_ARGS', 0, 0, PAGE, out);
  child('ERR_INVALID_ARGS', SNAPSHOT | SNAPSHOT_MODIFIED, 0, PAGE, out);
  child('ERR_INVALID_ARGS', SNAPSHOT | 0x100, 0, PAGE, out);
  child('ERR_INVALID_ARGS', SNAPSHOT | NO_WRITE | VmoChildOption.RESIZABLE, 0, PAGE, out);
  child('ERR_INVALID_ARGS', VmoChildOption.SLICE | VmoChildOption.RESIZABLE, 0, PAGE, out);
  child('ERR_INVALID_ARGS', SNAPSHOT, 1, PAGE, out);
  child('ERR_INVALID_ARGS', SNAPSHOT, 0, PAGE, NOWHERE);
  child('ERR_OUT_OF_RANGE', SNAPSHOT, 0, 0xffffffffffffffffn, out);
  child('ERR_OUT_OF_RANGE', SNAPSHOT, 0, MAX_VMO_BYTES + 1, out);
  child('ERR_OUT_OF_RANGE', SNAPSHOT, 0xfffffffffffff000n, PAGE, out);
  const noDuplicate = withRights(h, vmo, Right.READ);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_create_child', [noDuplicate, SNAPSHOT, 0, PAGE, out]);
  const discardable = newVmo(h, PAGE, DISCARDABLE);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_create_child', [discardable, SNAPSHOT, 0, PAGE, out]);
  const uncached = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [uncached, CachePolicy.WRITE_COMBINING]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_create_child', [uncached, SNAPSHOT, 0, PAGE, out]);
  t.is(signalsOf(h, vmo), Signal.VMO_ZERO_CHILDREN);
});

test('zx_vmo_create_child: NO_MEMORY when a snapshot would hold more pages than there are', (t) => {
  const h = new Harness({ physicalPages: 6 });
  const vmo = newVmo(h, 3 * PAGE);
  fill(h, vmo, 0, [1]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, 1, 0, 3 * PAGE, 0, 0]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmo_create_child', [vmo, SNAPSHOT, 0, 3 * PAGE, h.scratch(4)]);
  gives(t, h, 'OK', 'zx_vmo_create_child', [vmo, SNAPSHOT, PAGE, 3 * PAGE, h.scratch(4)]);
  t.is(heldPages(h), 6);
});

test('ZX_VMO_ZERO_CHILDREN: children without handles or mappings are gone; grandchildren count then', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const child = newChild(h, vmo, SNAPSHOT, 0, PAGE);
  const grandchild = newChild(h, child, SNAPSHOT, 0, PAGE);
  t.is(signalsOf(h, vmo), 0);
  const mapped = map(h, RW, 0, child, 0, PAGE);
  gives(t, h, 'OK', 'zx_handle_close', [child]);
  t.is(vmoOf(h, vmo).children.size, 1);
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, mapped, PAGE]);
  t.is(signalsOf(h, vmo), 0);
  t.deepEqual([...vmoOf(h, vmo).children.keys()], [koidOf(h, grandchild)]);
  t.is(vmoOf(h, grandchild).parent, koidOf(h, vmo));
  gives(t, h, 'OK', 'zx_handle_close', [grandchild]);
  t.is(signalsOf(h, vmo), Signal.VMO_ZERO_CHILDREN);
});

test('a chain of snapshots whose older ends are closed holds no more than the last', (t) => {
  const h = new Harness();
  let vmo = newVmo(h, PAGE);
  fill(h, vmo, 0, [1]);
  const before = h.k.state.committedPages;
  for (let i = 0; i < 20; i++) {
    const child = newChild(h, vmo, SNAPSHOT, 0, PAGE);
    gives(t, h, 'OK', 'zx_handle_close', [vmo]);
    vmo = child;
  }
  t.is(h.k.state.committedPages, before);
  t.is(vmoOf(h, vmo).parent, 0);
});

test('zx_vmo_set_cache_policy: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_set_cache_policy', [vmo, 4]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_set_cache_policy', [withRights(h, vmo, Right.READ), 0]);
  const mapped = map(h, RW, 0, vmo, 0, PAGE);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, mapped, PAGE]);
  const child = newChild(h, vmo, SNAPSHOT, 0, PAGE);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [child, CachePolicy.UNCACHED]);
  const discardable = newVmo(h, PAGE, DISCARDABLE);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [discardable, CachePolicy.UNCACHED]);
  gives(t, h, 'OK', 'zx_handle_close', [child]);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED_DEVICE]);
  t.is(vmoOf(h, vmo).cachePolicy, CachePolicy.UNCACHED_DEVICE);
});

test('zx_vmo_replace_as_executable gives a handle with EXECUTE for the old one', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_vmo_replace_as_executable', [vmo, 0, out]);
  t.false(isOpen(h, vmo));
  t.is(rightsOf(h, h.u32(out)), DEFAULT_RIGHTS.vmo | Right.EXECUTE);
});

test('zx_vmo_replace_as_executable: statuses; the handle is consumed', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  const event = newEvent(h);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmo_replace_as_executable', [NO_HANDLE, 0, out]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmo_replace_as_executable', [event, 0, out]);
  t.false(isOpen(h, event));
  const first = newVmo(h, PAGE);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmo_replace_as_executable', [first, NO_HANDLE, out]);
  t.false(isOpen(h, first));
  const second = newVmo(h, PAGE);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmo_replace_as_executable', [second, h.handles.process, out]);
  t.false(isOpen(h, second));
  const third = newVmo(h, PAGE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_replace_as_executable', [third, 0, NOWHERE]);
});
