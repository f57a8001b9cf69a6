import test from 'ava';
import { Right } from '../../src/abi/rights.js';
import { VmarOp, VmOption, VmoChildOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { gives, NO_HANDLE, newEvent, withRights } from './ipc-support.js';
import {
  CAN_MAP_RWX,
  contents,
  fill,
  map,
  newChild,
  newVmar,
  newVmo,
  PAGE,
  R,
  RW,
  vmoOf,
} from './vm-support.js';

const { SPECIFIC, CAN_MAP_SPECIFIC, ALLOW_FAULTS } = VmOption;
const { COMMIT, DECOMMIT, ZERO, MAP_RANGE, DONT_NEED, ALWAYS_NEED, PREFETCH } = VmarOp;
const ALL = [COMMIT, DECOMMIT, ZERO, MAP_RANGE, DONT_NEED, ALWAYS_NEED, PREFETCH];

/** A VMAR of eight pages: two mappings in the first four, a VMAR with one in the fifth and sixth. */
function setUp(config = {}) {
  const h = new Harness(config);
  const { vmar, address } = newVmar(h, CAN_MAP_RWX | CAN_MAP_SPECIFIC, 0, 8 * PAGE);
  const a = newVmo(h, 4 * PAGE);
  const b = newVmo(h, 4 * PAGE);
  map(h, RW | SPECIFIC, 0, a, PAGE, 2 * PAGE, vmar);
  map(h, RW | SPECIFIC, 2 * PAGE, b, 0, 2 * PAGE, vmar);
  const inner = newVmar(h, CAN_MAP_RWX | SPECIFIC, 4 * PAGE, 2 * PAGE, vmar).vmar;
  map(h, RW, 0, b, 2 * PAGE, 2 * PAGE, inner);
  return { h, vmar, address, a, b, inner };
}

test('COMMIT and DECOMMIT act on the VMOs behind the range', (t) => {
  const { h, vmar, address, a, b } = setUp();
  gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, COMMIT, address + PAGE, PAGE + 1, 0, 0]);
  t.deepEqual([...vmoOf(h, a).pages.keys()], [2]);
  t.deepEqual([...vmoOf(h, b).pages.keys()], [0]);
  fill(h, b, 0, [5]);
  gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, DECOMMIT, address, 4 * PAGE, 0, 0]);
  t.is(vmoOf(h, a).pages.size + vmoOf(h, b).pages.size, 0);
});

test('ZERO reaches VMARs below', (t) => {
  const { h, vmar, address, a, b } = setUp();
  fill(h, a, PAGE, [1]);
  fill(h, b, 2 * PAGE, [2]);
  gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, ZERO, address, 6 * PAGE, 0, 0]);
  t.deepEqual([contents(h, a, PAGE, 1), contents(h, b, 2 * PAGE, 1)], [[0], [0]]);
});

test('hints and filling page tables change nothing', (t) => {
  const { h, vmar, address } = setUp();
  const before = h.events.length;
  for (const op of [MAP_RANGE, DONT_NEED, ALWAYS_NEED]) {
    gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, op, address, 6 * PAGE, 0, 0]);
  }
  gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, PREFETCH, address, 4 * PAGE, 0, 0]);
  t.true(h.events.slice(before).every((e) => e.type.startsWith('syscall-')));
});

test('zx_vmar_op_range: handles and arguments', (t) => {
  const { h, vmar, address } = setUp();
  for (const op of ALL) {
    const range = (status: Parameters<typeof gives>[2], ...rest: (number | bigint)[]): void =>
      gives(t, h, status, 'zx_vmar_op_range', [vmar, op, ...rest]);
    gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_op_range', [NO_HANDLE, op, address, PAGE, 0, 0]);
    gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmar_op_range', [newEvent(h), op, address, PAGE, 0, 0]);
    range('ERR_INVALID_ARGS', address, PAGE, h.scratch(8), 0);
    range('ERR_INVALID_ARGS', address, PAGE, 0, 8);
    range('ERR_INVALID_ARGS', address, 0, 0, 0);
    range('ERR_INVALID_ARGS', address + 1, PAGE, 0, 0);
    range('ERR_OUT_OF_RANGE', address, 9 * PAGE, 0, 0);
    range('ERR_OUT_OF_RANGE', address - PAGE, PAGE, 0, 0);
    range('ERR_BAD_STATE', address + 6 * PAGE, PAGE, 0, 0);
  }
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, address + PAGE, PAGE]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_op_range', [vmar, COMMIT, address, 3 * PAGE, 0, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_op_range', [vmar, COMMIT, address, 2 * PAGE, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_op_range', [vmar, 99, address, PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_op_range', [vmar, MAP_RANGE, address, PAGE, 0, 0]);
});

test('zx_vmar_op_range: INVALID_ARGS for VMARs below with COMMIT, DECOMMIT, PREFETCH, or without OP_CHILDREN', (t) => {
  const { h, vmar, address } = setUp();
  for (const op of [COMMIT, DECOMMIT, PREFETCH]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_op_range', [vmar, op, address, 6 * PAGE, 0, 0]);
  }
  const closed = withRights(h, vmar, Right.READ | Right.WRITE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_op_range', [closed, ZERO, address, 6 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmar_op_range', [closed, ZERO, address, 4 * PAGE, 0, 0]);
});

test('zx_vmar_op_range: ACCESS_DENIED by the rights of the VMAR handle and of the mapped VMO', (t) => {
  const { h, vmar, address, a } = setUp();
  const readable = withRights(h, vmar, Right.READ);
  const writable = withRights(h, vmar, Right.WRITE);
  for (const op of [COMMIT, DECOMMIT, ZERO]) {
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_op_range', [readable, op, address, PAGE, 0, 0]);
    gives(t, h, 'OK', 'zx_vmar_op_range', [writable, op, address, PAGE, 0, 0]);
  }
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_op_range', [writable, PREFETCH, address, PAGE, 0, 0]);
  map(h, R | SPECIFIC, 6 * PAGE, withRights(h, a, Right.READ | Right.MAP), 0, PAGE, vmar);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_op_range', [vmar, ZERO, address + 6 * PAGE, PAGE, 0, 0]);
  // Not writable now, but it could be.
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, R, address, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, COMMIT, address, PAGE, 0, 0]);
});

test('zx_vmar_op_range: OUT_OF_RANGE past the VMO, NOT_SUPPORTED, NO_MEMORY; then nothing happens at all', (t) => {
  const { h, vmar, address, a, b } = setUp({ physicalPages: 5 });
  map(h, RW | SPECIFIC | ALLOW_FAULTS, 6 * PAGE, a, 3 * PAGE, 2 * PAGE, vmar);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmar_op_range', [vmar, COMMIT, address + 6 * PAGE, 2 * PAGE, 0, 0]);
  const child = newChild(h, b, VmoChildOption.SNAPSHOT, 0, PAGE);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmar_op_range', [vmar, DECOMMIT, address, 3 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_handle_close', [child]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [a, 1, 0, 2 * PAGE, 0, 0]);
  // One scratch page and two of `a` are taken; the range lacks three.
  gives(t, h, 'OK', 'zx_vmar_op_range', [vmar, COMMIT, address, 3 * PAGE, 0, 0]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmar_op_range', [vmar, COMMIT, address, 4 * PAGE, 0, 0]);
  t.is(h.k.state.committedPages, 5);
});
