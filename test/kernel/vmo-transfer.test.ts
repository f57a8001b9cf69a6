import test from 'ava';
import { VmoChildOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { gives, withRights } from './ipc-support.js';
import { contents, fill, heldPages, map, newChild, newVmo, PAGE, RW, vmoOf } from './vm-support.js';

test('zx_vmo_transfer_data moves pages and leaves zeros', (t) => {
  const h = new Harness();
  const [from, to] = [newVmo(h, 4 * PAGE), newVmo(h, 4 * PAGE)];
  fill(h, from, PAGE, [1]);
  fill(h, from, 3 * PAGE, [3]);
  for (let page = 0; page < 4; page++) fill(h, to, page * PAGE, [9]);
  gives(t, h, 'OK', 'zx_vmo_transfer_data', [to, 0, 0, 3 * PAGE, from, PAGE]);
  t.deepEqual(
    [0, 1, 2, 3].map((page) => contents(h, to, page * PAGE, 1)[0]),
    [1, 0, 3, 9],
  );
  t.deepEqual([...vmoOf(h, to).pages.keys()], [0, 2, 3]);
  t.is(vmoOf(h, from).pages.size, 0);
  t.is(heldPages(h), h.k.state.committedPages);
});

test('zx_vmo_transfer_data is a memmove, also within one VMO and through slices', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE);
  for (let page = 0; page < 4; page++) fill(h, vmo, page * PAGE, [page + 1]);
  const slice = newChild(h, vmo, VmoChildOption.SLICE, PAGE, 3 * PAGE);
  gives(t, h, 'OK', 'zx_vmo_transfer_data', [slice, 0, 0, 3 * PAGE, vmo, 0]);
  t.deepEqual(
    [0, 1, 2, 3].map((page) => contents(h, vmo, page * PAGE, 1)[0]),
    [0, 1, 2, 3],
  );
});

test('zx_vmo_transfer_data: mappings see it, snapshots of the source do not', (t) => {
  const h = new Harness();
  const [from, to] = [newVmo(h, PAGE), newVmo(h, PAGE)];
  fill(h, from, 0, [1]);
  const snapshot = newChild(h, from, VmoChildOption.SNAPSHOT, 0, PAGE);
  const [a, b] = [map(h, RW, 0, from, 0, PAGE), map(h, RW, 0, to, 0, PAGE)];
  gives(t, h, 'OK', 'zx_vmo_transfer_data', [to, 0, 0, PAGE, from, 0]);
  t.is(h.peek(a, 1).getUint8(0), 0);
  t.is(h.peek(b, 1).getUint8(0), 1);
  h.poke(b, Uint8Array.of(2));
  t.deepEqual(contents(h, snapshot, 0, 1), [1]);
});

test('zx_vmo_transfer_data: nothing moves when it fails, or when source and target are one place', (t) => {
  const h = new Harness();
  const [from, to] = [newVmo(h, 2 * PAGE), newVmo(h, PAGE)];
  fill(h, from, 0, [1]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmo_transfer_data', [to, 0, 0, 2 * PAGE, from, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmo_transfer_data', [withRights(h, to, 4), 0, 0, PAGE, from, 0]);
  gives(t, h, 'OK', 'zx_vmo_transfer_data', [from, 0, 0, 5 * PAGE, from, 0]);
  gives(t, h, 'OK', 'zx_vmo_transfer_data', [to, 0, 0, 0, from, 0]);
  t.deepEqual(contents(h, from, 0, 1), [1]);
});
