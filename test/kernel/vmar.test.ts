import test from 'ava';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { ADDRESS_SPACES, VM_ALIGN_SHIFT, VmOption, VmoOption } from '../../src/abi/vm.js';
import { findMapping } from '../../src/kernel/objects/vmar.js';
import { MAX_REGIONS } from '../../src/kernel/syscalls/address-search.js';
import { Harness, SCRATCH } from './harness.js';
import { gives, isOpen, NO_HANDLE, NOWHERE, newEvent, withRights } from './ipc-support.js';
import {
  CAN_MAP_RWX,
  contents,
  fill,
  map,
  newVmar,
  newVmo,
  PAGE,
  R,
  RW,
  rightsOf,
  vmarOf,
  vmoOf,
  W,
  X,
} from './vm-support.js';

const { SPECIFIC, SPECIFIC_OVERWRITE, OFFSET_IS_UPPER_LIMIT, CAN_MAP_SPECIFIC, ALLOW_FAULTS } = VmOption;
const SPACE = CAN_MAP_RWX | CAN_MAP_SPECIFIC;
const align = (log2: number): number => (log2 << VM_ALIGN_SHIFT) >>> 0;
const HUGE = 0xfffffffffffff000n;

/** What can be done at an address: `'rw-'`, or `null` where nothing is mapped. */
function access(h: Harness, address: number): string | null {
  const mapping = findMapping(h.k, h.rootVmar, address);
  if (mapping === undefined) return null;
  return [...'rwx'].map((letter, bit) => ((mapping.permissions >> bit) & 1 ? letter : '-')).join('');
}

test('zx_vmar_allocate takes the lowest place that fits and gives rights as capabilities', (t) => {
  const h = new Harness();
  const first = newVmar(h, VmOption.CAN_MAP_READ, 0, 2 * PAGE);
  t.is(first.address, ADDRESS_SPACES.riscv64.base);
  t.is(rightsOf(h, first.vmar), DEFAULT_RIGHTS.vmar | Right.READ);
  const second = newVmar(h, SPACE | VmOption.COMPACT, 0, PAGE);
  t.is(second.address, first.address + 2 * PAGE);
  t.is(rightsOf(h, second.vmar), DEFAULT_RIGHTS.vmar | Right.READ | Right.WRITE | Right.EXECUTE);
  t.is(newVmar(h, align(21), 0, PAGE).address, 0x400000);
  t.is(newVmar(h, 0, 0, 2 * PAGE).address, second.address + PAGE);
});

test('zx_vmar_allocate: SPECIFIC and OFFSET_IS_UPPER_LIMIT', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 16 * PAGE);
  t.is(newVmar(h, SPECIFIC, 4 * PAGE, 2 * PAGE, vmar).address, address + 4 * PAGE);
  const out = h.scratch(16);
  const allocate = (
    status: Parameters<typeof gives>[2],
    options: number,
    offset: number,
    size: number,
  ): void => gives(t, h, status, 'zx_vmar_allocate', [vmar, options, offset, size, out, out + 8]);
  allocate('ERR_ALREADY_EXISTS', SPECIFIC, 5 * PAGE, PAGE);
  allocate('ERR_ALREADY_EXISTS', SPECIFIC, 0, 16 * PAGE);
  allocate('ERR_NO_RESOURCES', OFFSET_IS_UPPER_LIMIT, 8 * PAGE, 5 * PAGE);
  allocate('ERR_NO_RESOURCES', 0, 0, 11 * PAGE);
  t.is(newVmar(h, OFFSET_IS_UPPER_LIMIT, 4 * PAGE, 4 * PAGE, vmar).address, address);
  t.is(newVmar(h, OFFSET_IS_UPPER_LIMIT, 16 * PAGE, 10 * PAGE, vmar).address, address + 6 * PAGE);
});

test('zx_vmar_allocate: statuses', (t) => {
  const h = new Harness();
  const { vmar } = newVmar(h, VmOption.CAN_MAP_READ, 0, 16 * PAGE);
  const out = h.scratch(16);
  const root = h.handles.rootVmar;
  const allocate = (
    status: Parameters<typeof gives>[2],
    parent: number,
    options: number,
    offset: number | bigint,
    size: number | bigint,
  ): void => gives(t, h, status, 'zx_vmar_allocate', [parent, options, offset, size, out, out + 8]);
  allocate('ERR_BAD_HANDLE', NO_HANDLE, 0, 0, PAGE);
  allocate('ERR_WRONG_TYPE', newEvent(h), 0, 0, PAGE);
  allocate('ERR_ACCESS_DENIED', withRights(h, root, Right.READ), 0, 0, PAGE);
  allocate('ERR_ACCESS_DENIED', vmar, VmOption.CAN_MAP_WRITE, 0, PAGE);
  allocate('ERR_ACCESS_DENIED', withRights(h, vmar, ~0 >>> 1), VmOption.CAN_MAP_WRITE, 0, PAGE);
  allocate('ERR_ACCESS_DENIED', vmar, SPECIFIC, 0, PAGE);
  allocate('ERR_ACCESS_DENIED', vmar, OFFSET_IS_UPPER_LIMIT, PAGE, PAGE);
  for (const options of [R, SPECIFIC_OVERWRITE, VmOption.MAP_RANGE, 0x10000, align(9), align(33)]) {
    allocate('ERR_INVALID_ARGS', root, options, 0, PAGE);
  }
  allocate('ERR_INVALID_ARGS', root, 0, 0, 0);
  allocate('ERR_INVALID_ARGS', root, 0, 0, PAGE + 1);
  allocate('ERR_INVALID_ARGS', root, 0, PAGE, PAGE);
  allocate('ERR_INVALID_ARGS', root, SPECIFIC, 1, PAGE);
  allocate('ERR_INVALID_ARGS', root, SPECIFIC | OFFSET_IS_UPPER_LIMIT, PAGE, PAGE);
  allocate('ERR_INVALID_ARGS', root, SPECIFIC, HUGE, PAGE);
  allocate('ERR_INVALID_ARGS', root, SPECIFIC, PAGE, HUGE);
  allocate('ERR_INVALID_ARGS', root, OFFSET_IS_UPPER_LIMIT, HUGE, PAGE);
  allocate('ERR_INVALID_ARGS', root, OFFSET_IS_UPPER_LIMIT, PAGE, 2 * PAGE);
  allocate('ERR_INVALID_ARGS', root, SPECIFIC | align(30), PAGE, PAGE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_allocate', [root, 0, 0, PAGE, NOWHERE, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_allocate', [root, 0, 0, PAGE, out, NOWHERE]);
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  allocate('ERR_BAD_STATE', vmar, 0, 0, PAGE);
});

test('zx_vmar_allocate: NO_MEMORY when regions are nested too deeply', (t) => {
  const h = new Harness();
  let { vmar } = newVmar(h, SPACE, 0, PAGE);
  const out = h.scratch(16);
  let depth = 1;
  for (; depth < 1000; depth++) {
    const result = h.call('zx_vmar_allocate', [vmar, SPACE, 0, PAGE, out, out + 8]);
    if (result !== 0n) break;
    vmar = h.u32(out);
  }
  t.true(depth > 100 && depth < 1000);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmar_allocate', [vmar, SPACE, 0, PAGE, out, out + 8]);
  const address = map(h, RW, 0, newVmo(h, PAGE), 0, PAGE, vmar);
  t.is(access(h, address), 'rw-');
});

test('zx_vmar_map shows the VMO at the lowest place that fits', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 3 * PAGE);
  fill(h, vmo, 2 * PAGE, [7]);
  const address = map(h, RW, 0, vmo, PAGE, PAGE + 1);
  t.is(address, ADDRESS_SPACES.riscv64.base);
  t.is(h.peek(address + PAGE, 1).getUint8(0), 7);
  h.poke(address + 5, Uint8Array.of(9));
  t.deepEqual(contents(h, vmo, PAGE + 5, 1), [9]);
  t.is(access(h, address + 2 * PAGE), null);
  t.is(map(h, R | VmOption.MAP_RANGE, 0, vmo, 0, PAGE), address + 2 * PAGE);
});

test('zx_vmar_map: a mapping without permissions takes its place and gives nothing', (t) => {
  const h = new Harness();
  const address = map(h, 0, 0, newVmo(h, PAGE), 0, PAGE);
  t.is(access(h, address), '---');
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_get_size', [newVmo(h, PAGE), address]);
});

test('zx_vmar_map: PERM_READ_IF_XOM_UNSUPPORTED reads, because nothing here maps memory to be run only', (t) => {
  const h = new Harness();
  const vmo = withRights(h, newVmo(h, PAGE), DEFAULT_RIGHTS.vmo | Right.EXECUTE);
  const address = map(h, X | VmOption.PERM_READ_IF_XOM_UNSUPPORTED, 0, vmo, 0, PAGE);
  t.is(access(h, address), 'r-x');
});

test('zx_vmar_map: statuses of handles, rights and options', (t) => {
  const h = new Harness();
  const root = h.handles.rootVmar;
  const vmo = newVmo(h, 4 * PAGE);
  const out = h.scratch(8);
  const mapping = (
    status: Parameters<typeof gives>[2],
    vmar: number,
    options: number,
    vmoHandle = vmo,
  ): void => gives(t, h, status, 'zx_vmar_map', [vmar, options, 0, vmoHandle, 0, PAGE, out]);
  mapping('ERR_BAD_HANDLE', NO_HANDLE, R);
  mapping('ERR_BAD_HANDLE', root, R, NO_HANDLE);
  mapping('ERR_WRONG_TYPE', vmo, R);
  mapping('ERR_WRONG_TYPE', root, R, root);
  mapping('ERR_ACCESS_DENIED', root, 0, withRights(h, vmo, Right.READ));
  mapping('ERR_ACCESS_DENIED', root, RW, withRights(h, vmo, Right.READ | Right.MAP));
  mapping('ERR_ACCESS_DENIED', root, R | X);
  mapping('ERR_ACCESS_DENIED', withRights(h, root, Right.READ), RW);
  mapping('ERR_ACCESS_DENIED', newVmar(h, VmOption.CAN_MAP_READ, 0, PAGE).vmar, SPECIFIC | R);
  // A handle with more rights than its VMAR has capabilities, as only a test can make.
  const narrow = newVmar(h, VmOption.CAN_MAP_READ, 0, PAGE).vmar;
  mapping('ERR_ACCESS_DENIED', withRights(h, narrow, Right.READ | Right.WRITE), R);
  for (const options of [
    W,
    R | VmOption.CAN_MAP_READ,
    R | VmOption.COMPACT,
    R | CAN_MAP_SPECIFIC,
    R | SPECIFIC_OVERWRITE | VmOption.MAP_RANGE,
    R | VmOption.FAULT_BEYOND_STREAM_SIZE,
    R | 0x10000,
    R | align(9),
  ]) {
    mapping('ERR_INVALID_ARGS', root, options);
  }
  const resizable = newVmo(h, PAGE, VmoOption.RESIZABLE);
  mapping('ERR_NOT_SUPPORTED', root, R | VmOption.REQUIRE_NON_RESIZABLE, resizable);
  mapping('OK', root, R, resizable);
  mapping('OK', root, R | VmOption.REQUIRE_NON_RESIZABLE, vmo);
  const discardable = newVmo(h, PAGE, VmoOption.DISCARDABLE);
  mapping('ERR_NOT_SUPPORTED', root, R, discardable);
  mapping('OK', root, R | ALLOW_FAULTS, discardable);
  const { vmar } = newVmar(h, SPACE, 0, PAGE);
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  mapping('ERR_BAD_STATE', vmar, R);
});

test('zx_vmar_map: statuses of offsets and sizes', (t) => {
  const h = new Harness();
  const { vmar } = newVmar(h, SPACE, 0, 4 * PAGE);
  const vmo = newVmo(h, 4 * PAGE);
  const out = h.scratch(8);
  const mapping = (
    status: Parameters<typeof gives>[2],
    options: number,
    offset: number | bigint,
    vmoOffset: number | bigint,
    len: number | bigint,
  ): void => gives(t, h, status, 'zx_vmar_map', [vmar, options | R, offset, vmo, vmoOffset, len, out]);
  mapping('ERR_INVALID_ARGS', 0, 0, 0, 0);
  mapping('ERR_INVALID_ARGS', 0, PAGE, 0, PAGE);
  mapping('ERR_INVALID_ARGS', SPECIFIC, 1, 0, PAGE);
  mapping('ERR_INVALID_ARGS', 0, 0, 1, PAGE);
  mapping('ERR_INVALID_ARGS', SPECIFIC, 4 * PAGE, 0, PAGE);
  mapping('ERR_INVALID_ARGS', SPECIFIC, HUGE, 0, PAGE);
  mapping('ERR_INVALID_ARGS', SPECIFIC | OFFSET_IS_UPPER_LIMIT, PAGE, 0, PAGE);
  mapping('ERR_INVALID_ARGS', ALLOW_FAULTS, 0, 0, 5 * PAGE);
  mapping('ERR_OUT_OF_RANGE', 0, 0, 0, 0xffffffffffffffffn);
  mapping('ERR_OUT_OF_RANGE', ALLOW_FAULTS, 0, HUGE, PAGE);
  mapping('ERR_BUFFER_TOO_SMALL', 0, 0, 3 * PAGE, 2 * PAGE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map', [vmar, R, 0, vmo, 0, PAGE, NOWHERE]);
  mapping('OK', ALLOW_FAULTS | SPECIFIC, 2 * PAGE, 3 * PAGE, 2 * PAGE);
  mapping('ERR_ALREADY_EXISTS', SPECIFIC, PAGE, 0, 2 * PAGE);
  mapping('ERR_NO_RESOURCES', 0, 0, 0, 3 * PAGE);
  mapping('ERR_NO_RESOURCES', OFFSET_IS_UPPER_LIMIT | ALLOW_FAULTS, 3 * PAGE, 0, 3 * PAGE);
  t.is(vmarOf(h, vmar).regions.size, 1);
});

test('SPECIFIC_OVERWRITE replaces what is in the way and leaves the rest', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 8 * PAGE);
  const old = newVmo(h, 8 * PAGE);
  for (let page = 0; page < 8; page++) fill(h, old, page * PAGE, [page]);
  map(h, R | SPECIFIC, PAGE, old, PAGE, 6 * PAGE, vmar);
  const fresh = newVmo(h, 2 * PAGE);
  fill(h, fresh, 0, [0xff]);
  map(h, RW | SPECIFIC_OVERWRITE, 3 * PAGE, fresh, 0, 2 * PAGE, vmar);
  const bytes = [1, 2, 3, 4, 5, 6].map((page) => h.peek(address + page * PAGE, 1).getUint8(0));
  t.deepEqual(bytes, [1, 2, 0xff, 0, 5, 6]);
  t.is(vmoOf(h, old).mappings, 2);
  t.is(access(h, address), null);
  newVmar(h, SPECIFIC, 7 * PAGE, PAGE, vmar);
  const out = h.scratch(8);
  const options = R | SPECIFIC_OVERWRITE;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map', [vmar, options, 6 * PAGE, fresh, 0, 2 * PAGE, out]);
});

test('SPECIFIC_OVERWRITE of the memory that should hold the result', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, PAGE);
  map(h, RW | SPECIFIC, 0, newVmo(h, PAGE), 0, PAGE, vmar);
  const vmo = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmar_map', [vmar, RW | SPECIFIC_OVERWRITE, 0, vmo, 0, PAGE, address]);
  t.is(h.u64(address), BigInt(address));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map', [vmar, R | SPECIFIC_OVERWRITE, 0, vmo, 0, PAGE, address]);
  t.is(access(h, address), null);
  t.is(vmoOf(h, vmo).mappings, 0);
});

test('a VMO lives as long as it is mapped', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 2 * PAGE);
  const { koid } = vmoOf(h, vmo);
  const address = map(h, RW, 0, vmo, 0, 2 * PAGE);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, address, PAGE]);
  t.not(h.k.find(koid), undefined);
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, address + PAGE, PAGE]);
  t.is(h.k.find(koid), undefined);
});

test('a mapping past the end of its VMO is there when the VMO grows', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE, VmoOption.RESIZABLE);
  const address = map(h, RW, 0, vmo, 0, 2 * PAGE);
  const out = address + PAGE;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_get_size', [vmo, out]);
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, 2 * PAGE]);
  gives(t, h, 'OK', 'zx_vmo_get_size', [vmo, out]);
  t.is(h.u64(out), BigInt(2 * PAGE));
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, PAGE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmo_get_size', [vmo, out]);
});

test('zx_vmar_unmap splits mappings and takes whole VMARs', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 8 * PAGE);
  const vmo = newVmo(h, 8 * PAGE);
  map(h, RW | SPECIFIC, 0, vmo, 0, 4 * PAGE, vmar);
  const inner = newVmar(h, SPACE | SPECIFIC, 4 * PAGE, 2 * PAGE, vmar);
  map(h, R, 0, vmo, 0, PAGE, inner.vmar);
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, address + PAGE, PAGE + 1]);
  const pages = (): (string | null)[] => [0, 1, 2, 3, 4, 5].map((page) => access(h, address + page * PAGE));
  t.deepEqual(pages(), ['rw-', null, null, 'rw-', 'r--', null]);
  t.is(vmoOf(h, vmo).mappings, 3);
  const closed = withRights(h, vmar, Right.NONE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_unmap', [closed, address, 8 * PAGE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_unmap', [vmar, address, 5 * PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [closed, address, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, address, 8 * PAGE]);
  t.deepEqual(pages(), [null, null, null, null, null, null]);
  t.true(vmarOf(h, inner.vmar).destroyed);
  t.is(vmarOf(h, vmar).regions.size, 0);
});

test('zx_vmar_unmap: statuses', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 4 * PAGE);
  map(h, RW | SPECIFIC, 0, newVmo(h, PAGE), 0, PAGE, vmar);
  const unmap = (status: Parameters<typeof gives>[2], addr: number | bigint, len: number | bigint): void =>
    gives(t, h, status, 'zx_vmar_unmap', [vmar, addr, len]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_unmap', [NO_HANDLE, address, PAGE]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmar_unmap', [newEvent(h), address, PAGE]);
  unmap('ERR_INVALID_ARGS', address + 1, PAGE);
  unmap('ERR_INVALID_ARGS', address, 0);
  unmap('ERR_INVALID_ARGS', address, 0xffffffffffffffffn);
  unmap('ERR_INVALID_ARGS', address - PAGE, PAGE);
  unmap('ERR_INVALID_ARGS', address + 3 * PAGE, 2 * PAGE);
  unmap('ERR_INVALID_ARGS', HUGE, PAGE);
  unmap('ERR_NOT_FOUND', address + PAGE, 2 * PAGE);
  unmap('OK', address, 4 * PAGE);
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  unmap('ERR_BAD_STATE', address, PAGE);
});

test('zx_vmar_protect changes a part, and joins what is alike again', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 8 * PAGE);
  const vmo = newVmo(h, 6 * PAGE);
  map(h, RW | SPECIFIC, 0, vmo, 0, 6 * PAGE, vmar);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, R, address + PAGE, 2 * PAGE]);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, 0, address + 2 * PAGE, 2 * PAGE - 1]);
  const pages = (): (string | null)[] => [0, 1, 2, 3, 4, 5].map((page) => access(h, address + page * PAGE));
  t.deepEqual(pages(), ['rw-', 'r--', '---', '---', 'rw-', 'rw-']);
  t.is(vmarOf(h, vmar).regions.size, 4);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, RW, address + PAGE, 3 * PAGE]);
  t.is(vmarOf(h, vmar).regions.size, 1);
  t.is(vmoOf(h, vmo).mappings, 1);
  h.poke(address + 3 * PAGE, Uint8Array.of(4));
  t.deepEqual(contents(h, vmo, 3 * PAGE, 1), [4]);
});

test('zx_vmar_protect joins only what could be one mapping', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 4 * PAGE);
  const vmo = newVmo(h, 4 * PAGE);
  map(h, RW | SPECIFIC, 0, vmo, 0, PAGE, vmar);
  map(h, R | SPECIFIC, PAGE, withRights(h, vmo, Right.READ | Right.MAP), PAGE, PAGE, vmar);
  map(h, RW | SPECIFIC, 2 * PAGE, vmo, 0, PAGE, vmar);
  map(h, RW | SPECIFIC, 3 * PAGE, newVmo(h, 2 * PAGE), PAGE, PAGE, vmar);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, R, address, 4 * PAGE]);
  t.is(vmarOf(h, vmar).regions.size, 4);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, RW, address + PAGE, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, RW, address + 2 * PAGE, 2 * PAGE]);
});

test('zx_vmar_protect: rights of the VMO when it was mapped are the limit', (t) => {
  const h = new Harness();
  const vmo = withRights(h, newVmo(h, PAGE), Right.READ | Right.MAP | Right.EXECUTE);
  const address = map(h, R, 0, vmo, 0, PAGE);
  const root = h.handles.rootVmar;
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [root, RW, address, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_protect', [root, R | X, address, PAGE]);
  const readOnly = withRights(h, root, Right.READ);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [readOnly, R | X, address, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_protect', [readOnly, R, address, PAGE]);
  const option = VmOption.PERM_READ_IF_XOM_UNSUPPORTED;
  gives(t, h, 'OK', 'zx_vmar_protect', [root, X | option, address, PAGE]);
});

test('zx_vmar_protect in VMARs below only takes permissions away, with OP_CHILDREN', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 4 * PAGE);
  const inner = newVmar(h, SPACE | SPECIFIC, PAGE, PAGE, vmar);
  const vmo = newVmo(h, 3 * PAGE);
  map(h, RW | SPECIFIC, 0, vmo, 0, PAGE, vmar);
  map(h, RW, 0, vmo, PAGE, PAGE, inner.vmar);
  map(h, RW | SPECIFIC, 2 * PAGE, vmo, 2 * PAGE, PAGE, vmar);
  const closed = withRights(h, vmar, Right.READ | Right.WRITE);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_protect', [closed, R, address, 3 * PAGE]);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, R, address, 3 * PAGE]);
  t.is(access(h, address + PAGE), 'r--');
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, RW, address, 3 * PAGE]);
  t.is(access(h, address), 'r--');
  gives(t, h, 'OK', 'zx_vmar_protect', [inner.vmar, RW, address + PAGE, PAGE]);
});

test('zx_vmar_protect: statuses', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 4 * PAGE);
  map(h, RW | SPECIFIC, PAGE, newVmo(h, PAGE), 0, PAGE, vmar);
  const protect = (
    status: Parameters<typeof gives>[2],
    options: number,
    addr: number | bigint,
    len: number | bigint,
  ): void => gives(t, h, status, 'zx_vmar_protect', [vmar, options, addr, len]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_protect', [NO_HANDLE, R, address, PAGE]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmar_protect', [newEvent(h), 0, address, PAGE]);
  protect('ERR_INVALID_ARGS', W, address + PAGE, PAGE);
  protect('ERR_INVALID_ARGS', R | SPECIFIC, address + PAGE, PAGE);
  protect('ERR_INVALID_ARGS', R | align(12), address + PAGE, PAGE);
  protect('ERR_INVALID_ARGS', R, address + PAGE + 1, PAGE);
  protect('ERR_INVALID_ARGS', R, address + PAGE, 0);
  protect('ERR_INVALID_ARGS', R, address - PAGE, PAGE);
  protect('ERR_INVALID_ARGS', R, address, HUGE);
  protect('ERR_NOT_FOUND', R, address, 2 * PAGE);
  protect('ERR_NOT_FOUND', R, address + PAGE, 2 * PAGE);
  protect('ERR_NOT_FOUND', R, address + 2 * PAGE, PAGE);
  protect('OK', R, address + PAGE, PAGE);
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  protect('ERR_BAD_STATE', R, address, PAGE);
});

test('zx_vmar_destroy: everything below goes; handles stay and are of no use', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 8 * PAGE);
  const inner = newVmar(h, SPACE | SPECIFIC, 4 * PAGE, 2 * PAGE, vmar);
  const vmo = newVmo(h, PAGE);
  map(h, RW | SPECIFIC, 0, vmo, 0, PAGE, vmar);
  map(h, RW, 0, vmo, 0, PAGE, inner.vmar);
  const { regions } = h.k.state;
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  t.is(h.k.state.regions, regions - 4);
  t.is(access(h, address), null);
  t.is(vmoOf(h, vmo).mappings, 0);
  t.true(isOpen(h, vmar) && isOpen(h, inner.vmar));
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_destroy', [vmar]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_destroy', [inner.vmar]);
  const { koid } = vmarOf(h, inner.vmar);
  gives(t, h, 'OK', 'zx_handle_close', [inner.vmar]);
  t.is(h.k.find(koid), undefined);
});

test('zx_vmar_destroy: statuses', (t) => {
  const h = new Harness();
  const root = h.handles.rootVmar;
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmar_destroy', [root]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_destroy', [withRights(h, root, Right.READ)]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_destroy', [NO_HANDLE]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmar_destroy', [newEvent(h)]);
});

test('a VMAR without handles stays mapped', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, PAGE);
  map(h, RW, 0, newVmo(h, PAGE), 0, PAGE, vmar);
  gives(t, h, 'OK', 'zx_handle_close', [vmar]);
  t.is(access(h, address), 'rw-');
});

test('zx_vmar_unmap_handle_close_thread_exit unmaps, closes and ends the thread', (t) => {
  const h = new Harness();
  const thread = h.newThread(h.process, 'other');
  const vmo = newVmo(h, PAGE);
  const address = map(h, RW, 0, vmo, 0, PAGE);
  const name = 'zx_vmar_unmap_handle_close_thread_exit';
  const root = h.handles.rootVmar;
  gives(t, h, 'ERR_INVALID_ARGS', name, [root, address, 0, vmo], thread);
  gives(t, h, 'ERR_NOT_FOUND', name, [root, address + PAGE, PAGE, vmo], thread);
  gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, address, PAGE, vmo], thread);
  gives(t, h, 'ERR_WRONG_TYPE', name, [vmo, address, PAGE, vmo], thread);
  t.true(isOpen(h, vmo));
  t.is(h.call(name, [root, address, PAGE, vmo], thread), 'gone');
  t.false(isOpen(h, vmo));
  t.is(access(h, address), null);
  const again = h.newThread(h.process, 'third');
  t.is(h.call(name, [root, SCRATCH, 16 * PAGE, NO_HANDLE], again), 'gone');
});

test('a machine has room for so many regions only: NO_MEMORY', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, SPACE, 0, 2 * MAX_REGIONS * PAGE);
  const vmo = newVmo(h, 3 * PAGE);
  const { koid } = vmoOf(h, vmo);
  const large = map(h, RW | SPECIFIC, 0, vmo, 0, 3 * PAGE, vmar);
  for (let page = 4; h.k.state.regions < MAX_REGIONS; page += 2) {
    h.emit({
      type: 'mapping-added',
      vmar: vmarOf(h, vmar).koid,
      base: address + page * PAGE,
      sizeBytes: PAGE,
      vmo: koid,
      vmoOffset: 0,
      permissions: R,
      maxPermissions: R,
      endsWithStream: false,
    });
  }
  const out = h.scratch(16);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmar_map', [vmar, R, 0, vmo, 0, PAGE, out]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmar_allocate', [vmar, 0, 0, PAGE, out, out + 8]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmar_unmap', [vmar, large + PAGE, PAGE]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_vmar_protect', [vmar, R, large, PAGE]);
  gives(t, h, 'OK', 'zx_vmar_protect', [vmar, R, large, 3 * PAGE]);
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, address + 4 * PAGE, PAGE]);
  t.is(map(h, R, 0, vmo, 0, 3 * PAGE, vmar), address + 3 * PAGE);
});
