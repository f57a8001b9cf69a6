import test from 'ava';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { VmarOp, VmOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { gives } from './ipc-support.js';
import { CAN_MAP_RWX, map, newVmar, newVmo, PAGE, R, RW, X } from './vm-support.js';

const { SPECIFIC, SPECIFIC_OVERWRITE, CAN_MAP_SPECIFIC, ALLOW_FAULTS } = VmOption;
const CODE_OFFSET = 2 * PAGE;
const CODE_BYTES = PAGE + 100;

/** A vDSO's VMO of five pages, code in the third and fourth, and a VMAR to map it in. */
function setUp(): { h: Harness; vdso: number; vmar: number; address: number } {
  const h = new Harness();
  const koid = h.k.state.nextKoid;
  h.emit({
    type: 'vmo-created',
    koid,
    sizeBytes: 5 * PAGE,
    contentSizeBytes: 5 * PAGE,
    resizable: false,
    discardable: false,
    name: 'vdso',
    vdsoCodeOffset: CODE_OFFSET,
    vdsoCodeSizeBytes: CODE_BYTES,
  });
  const vdso = h.give(koid, (DEFAULT_RIGHTS.vmo | Right.EXECUTE) & ~Right.WRITE);
  return { h, vdso, ...newVmar(h, CAN_MAP_RWX | CAN_MAP_SPECIFIC, 0, 16 * PAGE) };
}

test('the vDSO: executable only as exactly its code, once', (t) => {
  const { h, vdso, vmar, address } = setUp();
  const out = h.scratch(8);
  const mapping = (
    status: Parameters<typeof gives>[2],
    options: number,
    offset: number,
    vmoOffset: number,
    len: number,
  ): void => gives(t, h, status, 'zx_vmar_map', [vmar, options, offset, vdso, vmoOffset, len, out]);
  mapping('ERR_ACCESS_DENIED', R | X, 0, 0, 5 * PAGE);
  mapping('ERR_ACCESS_DENIED', R | X, 0, CODE_OFFSET, PAGE);
  mapping('ERR_ACCESS_DENIED', R | X | ALLOW_FAULTS, 0, CODE_OFFSET, 4 * PAGE);
  mapping('ERR_ACCESS_DENIED', R | X, 0, CODE_OFFSET - PAGE, 2 * PAGE);
  mapping('OK', R | SPECIFIC, 0, 0, 5 * PAGE);
  mapping('ERR_ACCESS_DENIED', R | X | SPECIFIC_OVERWRITE, 2 * PAGE, 0, 2 * PAGE);
  mapping('OK', R | X | SPECIFIC_OVERWRITE, 2 * PAGE, CODE_OFFSET, 2 * PAGE);
  t.is(h.k.get(h.rootVmar, 'vmar').vdsoCode, address + 2 * PAGE);
  mapping('ERR_ACCESS_DENIED', R | X, 0, CODE_OFFSET, 2 * PAGE);
  mapping('OK', R, 0, CODE_OFFSET, 2 * PAGE);
});

test('the vDSO: its code cannot be unmapped, changed, overwritten, given back or destroyed', (t) => {
  const { h, vdso, vmar, address } = setUp();
  map(h, R | SPECIFIC, 3 * PAGE, vdso, 0, CODE_OFFSET, vmar);
  map(h, R | X | SPECIFIC, 5 * PAGE, vdso, CODE_OFFSET, 2 * PAGE, vmar);
  const code = address + 5 * PAGE;
  const before = h.events.length;
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_unmap', [vmar, code + PAGE, PAGE]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_unmap', [vmar, address, 16 * PAGE]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_unmap', [h.handles.rootVmar, address, 16 * PAGE]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, R, code, PAGE]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, R, code - PAGE, 2 * PAGE]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_destroy', [vmar]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_op_range', [vmar, VmarOp.MAP_RANGE, code, PAGE, 0, 0]);
  const out = h.scratch(8);
  const overwrite = [vmar, RW | SPECIFIC_OVERWRITE, 6 * PAGE];
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map', [...overwrite, newVmo(h, PAGE), 0, PAGE, out]);
  const changes = h.events.slice(before).map((e) => e.type);
  t.false(changes.some((type) => type.startsWith('mapping-') || type === 'vmar-destroyed'));
  gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, address + 3 * PAGE, 2 * PAGE]);
});

test('the vDSO goes with its process', (t) => {
  const { h, vdso, vmar } = setUp();
  const { koid } = h.k.get([...h.k.sharedBy(h.process).handles.values()].slice(-2)[0].koid, 'vmo');
  map(h, R | X, 0, vdso, CODE_OFFSET, 2 * PAGE, vmar);
  t.is(h.call('zx_process_exit', [0]), 'gone');
  t.is(h.k.find(koid), undefined);
  t.is(h.k.state.committedPages, 0);
  t.is(h.k.state.regions, 0);
});
