import test from 'ava';
import { InfoTopic } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { CachePolicy, VmoChildOption, VmoInfoFlag, VmoOp, VmoOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { gives, koidOf, signalsOf, withRights } from './ipc-support.js';
import {
  brokenMemory,
  contents,
  fill,
  heldPages,
  map,
  newChild,
  newVmo,
  PAGE,
  RW,
  rightsOf,
  vmoOf,
} from './vm-support.js';

const { RESIZABLE } = VmoOption;
const { NO_WRITE, REFERENCE, SLICE, SNAPSHOT, SNAPSHOT_AT_LEAST_ON_WRITE } = VmoChildOption;
const RESIZABLE_CHILD = VmoChildOption.RESIZABLE;

function u64(h: Harness, call: 'zx_vmo_get_size' | 'zx_vmo_get_stream_size', vmo: number): bigint {
  const out = h.scratch(8);
  if (h.call(call, [vmo, out]) !== 0n) throw new Error(call);
  return h.u64(out);
}

function infoOf(h: Harness, vmo: number) {
  const length = sizeOf('zx_info_vmo_t');
  const out = h.scratch(length);
  if (h.call('zx_object_get_info', [vmo, InfoTopic.VMO, out, length, 0, 0]) !== 0n) throw new Error('info');
  return decodeStruct('zx_info_vmo_t', new Uint8Array(h.peek(out, length).buffer));
}

test('a slice shows its part of the parent both ways, also through mappings', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  const slice = newChild(h, vmo, SLICE, PAGE, 2 * PAGE);
  fill(h, vmo, PAGE, [1, 2]);
  t.deepEqual(contents(h, slice, 0, 2), [1, 2]);
  fill(h, slice, PAGE, [3]);
  t.deepEqual(contents(h, vmo, 2 * PAGE, 1), [3]);
  const address = map(h, RW, 0, slice, PAGE, PAGE);
  t.is(h.peek(address, 1).getUint8(0), 3);
  h.poke(address, Uint8Array.of(4));
  t.deepEqual(contents(h, vmo, 2 * PAGE, 1), [4]);
  t.is(vmoOf(h, slice).pages.size, 0);
  t.is(heldPages(h), h.k.state.committedPages);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_read', [slice, h.scratch(1), 2 * PAGE, 1]);
  gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_vmar_map', [
    h.handles.rootVmar,
    RW,
    0,
    slice,
    0,
    3 * PAGE,
    h.scratch(8),
  ]);
});

test('a slice of a slice counts from where that begins, and outlives both', (t) => {
  const h = new Harness();
  const before = h.k.state.committedPages;
  const vmo = newVmo(h, 4 * PAGE);
  fill(h, vmo, 3 * PAGE, [7]);
  const outer = newChild(h, vmo, SLICE, PAGE, 3 * PAGE);
  const inner = newChild(h, outer, SLICE, 2 * PAGE, PAGE);
  const holder = koidOf(h, vmo);
  t.is(vmoOf(h, inner).parent, koidOf(h, outer));
  gives(t, h, 'OK', 'zx_handle_close', [outer]);
  t.is(vmoOf(h, inner).parent, holder);
  t.is(signalsOf(h, vmo), 0);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  t.is(vmoOf(h, inner).parent, 0);
  t.deepEqual(contents(h, inner, 0, 1), [7]);
  fill(h, inner, 1, [8]);
  t.deepEqual(contents(h, inner, 0, 2), [7, 8]);
  t.deepEqual(brokenMemory(h), []);
  gives(t, h, 'OK', 'zx_handle_close', [inner]);
  t.is(h.k.find(holder), undefined);
  // What the scratch memory took of results meanwhile stays.
  t.is(heldPages(h), h.k.state.committedPages);
  t.true(h.k.state.committedPages - before <= 1);
});

test('operations on a slice are on the parent, inside it', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  for (let page = 0; page < 4; page++) fill(h, vmo, page * PAGE, [page + 1]);
  const slice = newChild(h, vmo, SLICE, PAGE, 2 * PAGE);
  const op = (operation: number, offset: number, size: number) =>
    h.call('zx_vmo_op_range', [slice, operation, offset, size, 0, 0]);
  t.is(op(VmoOp.DECOMMIT, PAGE, PAGE), 0n);
  t.deepEqual([...vmoOf(h, vmo).pages.keys()], [0, 1, 3]);
  t.is(op(VmoOp.ZERO, 0, 2 * PAGE), 0n);
  t.is(op(VmoOp.COMMIT, 0, PAGE), 0n);
  t.deepEqual([...vmoOf(h, vmo).pages.keys()], [0, 1, 3]);
  t.deepEqual(contents(h, vmo, PAGE, 1), [0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [slice, VmoOp.ZERO, 2 * PAGE, PAGE, 0, 0]);
  gives(t, h, 'ERR_UNAVAILABLE', 'zx_vmo_set_size', [slice, PAGE]);
});

test('the stream size of a slice is its own', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 3 * PAGE);
  fill(h, vmo, 2 * PAGE - 2, [1, 2, 3]);
  const slice = newChild(h, vmo, SLICE, PAGE, PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [slice, PAGE - 1]);
  t.is(u64(h, 'zx_vmo_get_stream_size', slice), BigInt(PAGE - 1));
  t.is(u64(h, 'zx_vmo_get_stream_size', vmo), BigInt(3 * PAGE));
  t.deepEqual(contents(h, vmo, 2 * PAGE - 2, 3), [1, 0, 3]);
});

test('a reference is its parent by another handle, size and stream size too', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE, RESIZABLE);
  const fixed = newChild(h, vmo, REFERENCE, 0, 0);
  const free = newChild(h, fixed, REFERENCE | RESIZABLE_CHILD, 0, 0);
  t.is(rightsOf(h, fixed), DEFAULT_RIGHTS.vmo);
  t.is(rightsOf(h, free), DEFAULT_RIGHTS.vmo | Right.RESIZE);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_set_size', [fixed, PAGE]);
  gives(t, h, 'OK', 'zx_vmo_set_size', [free, 3 * PAGE - 1]);
  for (const one of [vmo, fixed, free]) {
    t.is(u64(h, 'zx_vmo_get_size', one), BigInt(3 * PAGE));
    t.is(u64(h, 'zx_vmo_get_stream_size', one), BigInt(3 * PAGE - 1));
  }
  fill(h, fixed, 2 * PAGE, [9]);
  t.deepEqual(contents(h, free, 2 * PAGE, 1), [9]);
  const address = map(h, RW, 0, fixed, 0, 3 * PAGE);
  t.is(h.peek(address + 2 * PAGE, 1).getUint8(0), 9);
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, PAGE]);
  t.throws(() => h.peek(address + 2 * PAGE, 1));
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [free, 10]);
  t.is(u64(h, 'zx_vmo_get_stream_size', vmo), 10n);
});

test('references keep the memory after their parent; snapshots of them are snapshots of it', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  fill(h, vmo, 0, [1]);
  const reference = newChild(h, vmo, REFERENCE, 0, 0);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  const snapshot = newChild(h, reference, SNAPSHOT, 0, PAGE);
  fill(h, reference, 0, [2]);
  t.deepEqual(contents(h, snapshot, 0, 1), [1]);
  t.deepEqual(contents(h, reference, 0, 1), [2]);
  t.is(vmoOf(h, snapshot).parent, koidOf(h, reference));
  t.deepEqual(brokenMemory(h), []);
});

test('zx_vmo_create_child SLICE and REFERENCE: rights are those of the parent handle', (t) => {
  const h = new Harness();
  const rights = Right.DUPLICATE | Right.READ | Right.EXECUTE | Right.MAP;
  const added = Right.GET_PROPERTY | Right.SET_PROPERTY;
  const source = newVmo(h, PAGE);
  const vmo = withRights(h, source, rights);
  t.is(rightsOf(h, newChild(h, vmo, SLICE, 0, PAGE)), rights | added);
  t.is(rightsOf(h, newChild(h, vmo, REFERENCE, 0, 0)), rights | added);
  t.is(rightsOf(h, newChild(h, source, SLICE | NO_WRITE, 0, PAGE)), DEFAULT_RIGHTS.vmo & ~Right.WRITE);
});

test('zx_vmo_create_child SLICE: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  const child = (status: Parameters<typeof gives>[2], parent: number, ...args: (number | bigint)[]): void =>
    gives(t, h, status, 'zx_vmo_create_child', [parent, ...args, h.scratch(4)]);
  child('ERR_INVALID_ARGS', vmo, SLICE, 1, PAGE);
  child('ERR_INVALID_ARGS', vmo, SLICE, PAGE, 2 * PAGE);
  child('ERR_INVALID_ARGS', vmo, SLICE, 0xfffffffffffff000n, PAGE);
  child('ERR_INVALID_ARGS', vmo, SLICE | SNAPSHOT, 0, PAGE);
  child('ERR_INVALID_ARGS', vmo, SLICE | RESIZABLE_CHILD, 0, PAGE);
  child('ERR_OUT_OF_RANGE', vmo, SLICE, 0, 0xffffffffffffffffn);
  const resizable = newVmo(h, PAGE, RESIZABLE);
  child('ERR_INVALID_ARGS', resizable, SLICE, PAGE, PAGE);
  child('ERR_NOT_SUPPORTED', resizable, SLICE, 0, PAGE);
  child('ERR_NOT_SUPPORTED', newChild(h, resizable, REFERENCE, 0, 0), SLICE, 0, PAGE);
  const slice = newChild(h, vmo, SLICE, 0, PAGE);
  child('ERR_INVALID_ARGS', slice, SLICE, 0, 2 * PAGE);
  child('ERR_NOT_SUPPORTED', slice, SNAPSHOT, 0, PAGE);
  child('ERR_NOT_SUPPORTED', slice, SNAPSHOT_AT_LEAST_ON_WRITE, 0, PAGE);
  child('OK', vmo, SLICE, 2 * PAGE, 0);
});

test('zx_vmo_create_child REFERENCE: statuses', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const child = (status: Parameters<typeof gives>[2], parent: number, ...args: (number | bigint)[]): void =>
    gives(t, h, status, 'zx_vmo_create_child', [parent, ...args, h.scratch(4)]);
  child('ERR_INVALID_ARGS', vmo, REFERENCE, PAGE, 0);
  child('ERR_INVALID_ARGS', vmo, REFERENCE, 0, PAGE);
  child('ERR_INVALID_ARGS', vmo, REFERENCE | SNAPSHOT, 0, 0);
  child('ERR_NOT_SUPPORTED', vmo, REFERENCE | RESIZABLE_CHILD, 0, 0);
  child('ERR_NOT_SUPPORTED', newChild(h, vmo, SLICE, 0, PAGE), REFERENCE, 0, 0);
  child('ERR_NOT_SUPPORTED', newVmo(h, PAGE, VmoOption.DISCARDABLE), REFERENCE, 0, 0);
  const uncached = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [uncached, CachePolicy.UNCACHED]);
  child('ERR_BAD_STATE', uncached, REFERENCE, 0, 0);
  child('ERR_BAD_STATE', uncached, SLICE, 0, PAGE);
});

test('zx_vmo_set_cache_policy: BAD_STATE for memory that others have, and for theirs', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const slice = newChild(h, vmo, SLICE, 0, PAGE);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [slice, CachePolicy.UNCACHED]);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [slice, CachePolicy.UNCACHED]);
});

test('ZX_VMO_ZERO_CHILDREN and num_children count slices and references', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const slice = newChild(h, vmo, SLICE, 0, PAGE);
  const reference = newChild(h, vmo, REFERENCE, 0, 0);
  t.is(signalsOf(h, vmo), 0);
  t.is(infoOf(h, vmo).num_children, 2n);
  gives(t, h, 'OK', 'zx_handle_close', [slice]);
  gives(t, h, 'OK', 'zx_handle_close', [reference]);
  t.is(signalsOf(h, vmo), Signal.VMO_ZERO_CHILDREN);
});

test('ZX_INFO_VMO: what is borrowed is the lender’s; slices are no clones', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE, RESIZABLE);
  fill(h, vmo, 0, [1]);
  const reference = newChild(h, vmo, REFERENCE, 0, 0);
  const info = infoOf(h, reference);
  t.is(info.size_bytes, BigInt(2 * PAGE));
  t.is(info.committed_bytes, 0n);
  t.is(info.parent_koid, BigInt(koidOf(h, vmo)));
  const { IS_COW_CLONE, IMMUTABLE } = VmoInfoFlag;
  t.is(Number(info.flags) & (IS_COW_CLONE | VmoInfoFlag.RESIZABLE), VmoInfoFlag.RESIZABLE);
  t.is(infoOf(h, vmo).committed_bytes, BigInt(PAGE));
  const flags = (child: number) => Number(infoOf(h, child).flags) & (IS_COW_CLONE | IMMUTABLE);
  t.is(flags(newChild(h, vmo, SNAPSHOT, 0, PAGE)), IS_COW_CLONE);
  t.is(flags(newChild(h, vmo, SNAPSHOT | NO_WRITE, 0, PAGE)), IS_COW_CLONE | IMMUTABLE);
  t.is(flags(newChild(h, vmo, SNAPSHOT_AT_LEAST_ON_WRITE | NO_WRITE, 0, PAGE)), IS_COW_CLONE);
});

test('zx_vmar_op_range reaches the parent through a mapped slice', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 3 * PAGE);
  const slice = newChild(h, vmo, SLICE, PAGE, 2 * PAGE);
  const address = map(h, RW, 0, slice, 0, 2 * PAGE);
  gives(t, h, 'OK', 'zx_vmar_op_range', [h.handles.rootVmar, 1, address, 2 * PAGE, 0, 0]);
  t.deepEqual([...vmoOf(h, vmo).pages.keys()], [1, 2]);
});
