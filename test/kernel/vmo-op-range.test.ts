import test from 'ava';
import { Right } from '../../src/abi/rights.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { CachePolicy, VmoChildOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { gives, NO_HANDLE, NOWHERE, newEvent, withRights } from './ipc-support.js';
import { contents, fill, heldPages, newChild, newVmo, PAGE, vmoOf } from './vm-support.js';

const HUGE = 0xfffffffffffff000n;

test('COMMIT makes pages that are not there, and only those', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  fill(h, vmo, PAGE, [5]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, PAGE - 1, PAGE + 2, 0, 0]);
  t.deepEqual([...vmoOf(h, vmo).pages.keys()], [0, 1, 2]);
  t.deepEqual(contents(h, vmo, PAGE, 1), [5]);
  t.is(h.k.state.committedPages, heldPages(h));
  fill(h, vmo, 0, [6]);
  t.deepEqual(contents(h, vmo, 2 * PAGE, 1), [0]);
});

test('COMMIT: OUT_OF_RANGE, NO_MEMORY', (t) => {
  const h = new Harness({ physicalPages: 10 });
  const vmo = newVmo(h, 1000 * PAGE);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 0, 1001 * PAGE, 0, 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, HUGE, 2 * PAGE, 0, 0]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 0, 1000 * PAGE, 0, 0]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 0, 10 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 5 * PAGE, 9 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 6 * PAGE, 2 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 500 * PAGE, 0, 0, 0]);
  t.is(heldPages(h), 10);
});

test('DECOMMIT gives pages back', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  fill(h, vmo, PAGE - 1, [1, 2]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, PAGE, 2 * PAGE, 0, 0]);
  t.deepEqual([...vmoOf(h, vmo).pages.keys()], [0]);
  t.deepEqual(contents(h, vmo, PAGE - 1, 2), [1, 0]);
  t.is(h.k.state.committedPages, heldPages(h));
});

test('DECOMMIT: OUT_OF_RANGE, INVALID_ARGS when not whole pages, NOT_SUPPORTED in a family', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  const decommit = [vmo, VmoOp.DECOMMIT];
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [...decommit, PAGE, 2 * PAGE, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_op_range', [...decommit, 1, PAGE, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_op_range', [...decommit, 0, PAGE - 1, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [...decommit, 1, 0, 0, 0]);
  const child = newChild(h, vmo, VmoChildOption.SNAPSHOT, 0, PAGE);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_op_range', [...decommit, 0, PAGE, 0, 0]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_op_range', [child, VmoOp.DECOMMIT, 0, PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_handle_close', [child]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [...decommit, 0, PAGE, 0, 0]);
});

test('ZERO clears any bytes, in children too', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  for (let page = 0; page < 4; page++) fill(h, vmo, page * PAGE + PAGE - 1, [page + 1]);
  const child = newChild(h, vmo, VmoChildOption.SNAPSHOT, 0, 4 * PAGE);
  gives(t, h, 'OK', 'zx_vmo_op_range', [child, VmoOp.ZERO, PAGE - 1, 2 * PAGE, 0, 0]);
  const ends = (handle: number): number[] =>
    [0, 1, 2, 3].map((page) => contents(h, handle, page * PAGE + PAGE - 1, 1)[0]);
  t.deepEqual(ends(child), [0, 0, 3, 4]);
  t.deepEqual(ends(vmo), [1, 2, 3, 4]);
  t.deepEqual([...vmoOf(h, child).pages.keys()], [0, 2, 3]);
  t.is(h.k.state.committedPages, heldPages(h));
});

test('ZERO: OUT_OF_RANGE; BAD_STATE for part of an uncached page', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  fill(h, vmo, 0, [1]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, PAGE, PAGE + 1, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, HUGE, 0, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, 0, 1, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, PAGE, 1, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, 0, PAGE, 0, 0]);
});

test('ZERO of an enormous sparse VMO takes no longer than its pages', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 ** 50);
  fill(h, vmo, 2 ** 49, [1]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, 1, 2 ** 50 - 1, 0, 0]);
  t.is(vmoOf(h, vmo).pages.size, 0);
});

test('LOCK, TRY_LOCK, UNLOCK count on a discardable VMO', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE, VmoOption.DISCARDABLE);
  const state = h.scratch(new Uint8Array(sizeOf('zx_vmo_lock_state_t')).fill(0xaa));
  const size = sizeOf('zx_vmo_lock_state_t');
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_op_range', [vmo, VmoOp.UNLOCK, 0, 2 * PAGE, 0, 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [vmo, VmoOp.LOCK, 0, PAGE, state, size]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_op_range', [vmo, VmoOp.LOCK, 0, 2 * PAGE, state, size - 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_op_range', [vmo, VmoOp.LOCK, 0, 2 * PAGE, NOWHERE, size]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.LOCK, 0, 2 * PAGE, state, size]);
  t.deepEqual(decodeStruct('zx_vmo_lock_state_t', new Uint8Array(h.peek(state, size).buffer)), {
    offset: 0n,
    size: BigInt(2 * PAGE),
    discarded_offset: 0n,
    discarded_size: 0n,
  });
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.TRY_LOCK, 0, 2 * PAGE, 0, 0]);
  t.is(vmoOf(h, vmo).locks, 2);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.UNLOCK, 0, 2 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.UNLOCK, 0, 2 * PAGE, 0, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_op_range', [vmo, VmoOp.UNLOCK, 0, 2 * PAGE, 0, 0]);
});

test('lock operations: NOT_SUPPORTED on a VMO that is not discardable', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  for (const op of [VmoOp.LOCK, VmoOp.TRY_LOCK, VmoOp.UNLOCK]) {
    gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_op_range', [vmo, op, 0, PAGE, h.scratch(32), 32]);
  }
});

test('cache operations: nothing to do; INVALID_ARGS for no bytes, OUT_OF_RANGE past the end', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  for (const op of [VmoOp.CACHE_SYNC, VmoOp.CACHE_CLEAN, VmoOp.CACHE_CLEAN_INVALIDATE]) {
    gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, op, 1, 10, 0, 0]);
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_op_range', [vmo, op, 0, 0, 0, 0]);
    gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [vmo, op, 1, PAGE, 0, 0]);
  }
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_op_range', [vmo, VmoOp.CACHE_INVALIDATE, 0, PAGE, 0, 0]);
});

test('hints: always OK; PREFETCH checks its range', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ALWAYS_NEED, 0, 9 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.DONT_NEED, HUGE, HUGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.PREFETCH, 0, PAGE, 0, 0]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_op_range', [vmo, VmoOp.PREFETCH, 0, PAGE + 1, 0, 0]);
});

test('zx_vmo_op_range: ACCESS_DENIED by operation, BAD_HANDLE, WRONG_TYPE, INVALID_ARGS for an unknown one', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const readable = withRights(h, vmo, Right.READ);
  const writable = withRights(h, vmo, Right.WRITE);
  const neither = withRights(h, vmo, Right.MAP);
  const denied = (handle: number, op: number): void =>
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_op_range', [handle, op, 0, PAGE, 0, 0]);
  for (const op of [VmoOp.COMMIT, VmoOp.DECOMMIT, VmoOp.ZERO]) denied(readable, op);
  for (const op of [VmoOp.CACHE_SYNC, VmoOp.CACHE_CLEAN, VmoOp.PREFETCH]) denied(writable, op);
  for (const op of [VmoOp.LOCK, VmoOp.TRY_LOCK, VmoOp.UNLOCK]) denied(neither, op);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_op_range', [vmo, 5, 0, PAGE, 0, 0]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmo_op_range', [NO_HANDLE, VmoOp.COMMIT, 0, PAGE, 0, 0]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmo_op_range', [newEvent(h), VmoOp.COMMIT, 0, PAGE, 0, 0]);
});
