import test from 'ava';
import { InfoTopic, type InfoTopicName } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import type { StatusName } from '../../src/abi/status.js';
import { decodeStruct } from '../../src/abi/structs.js';
import { ADDRESS_SPACES, MapsType, VmOption, VmoInfoFlag } from '../../src/abi/vm.js';
import { Harness, SCRATCH } from './harness.js';
import { gives, koidOf, text } from './ipc-support.js';
import { koids, nameOf, newProcess, newRunning, record, records } from './task-support.js';
import { CAN_MAP_RWX, fill, map, newChild, newVmar, newVmo, PAGE, R, RW } from './vm-support.js';

test('VMAR tells where it is, also when it is destroyed', (t) => {
  const h = new Harness();
  const { vmar, address } = newVmar(h, CAN_MAP_RWX, 0, 8 * PAGE);
  t.deepEqual(record(h, vmar, 'VMAR', 'zx_info_vmar_t'), { base: BigInt(address), len: BigInt(8 * PAGE) });
  gives(t, h, 'OK', 'zx_vmar_destroy', [vmar]);
  t.is(record(h, vmar, 'VMAR', 'zx_info_vmar_t').base, BigInt(address));
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_get_info', [vmar, InfoTopic.VMAR_MAPS, SCRATCH, 64, 0, 0]);
});

test('VMO describes a VMO, its family and its mappings', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, 4 * PAGE, 2);
  gives(t, h, 'OK', 'zx_object_set_property', [vmo, 3, h.scratch(text('parent')), 6]);
  fill(h, vmo, 0, [1]);
  fill(h, vmo, 2 * PAGE, [1]);
  const child = newChild(h, vmo, 1, 0, 4 * PAGE);
  map(h, RW, 0, vmo, 0, PAGE);
  map(h, R, 0, vmo, PAGE, PAGE);
  const parentInfo = record(h, vmo, 'VMO', 'zx_info_vmo_t');
  t.is(nameOf(parentInfo.name), 'parent');
  t.like(parentInfo, {
    koid: BigInt(koidOf(h, vmo)),
    size_bytes: BigInt(4 * PAGE),
    parent_koid: 0n,
    num_children: 1n,
    num_mappings: 2n,
    share_count: 1n,
    flags: VmoInfoFlag.TYPE_PAGED | VmoInfoFlag.RESIZABLE | VmoInfoFlag.VIA_HANDLE,
    committed_bytes: BigInt(2 * PAGE),
    handle_rights: DEFAULT_RIGHTS.vmo | Right.RESIZE,
    cache_policy: 0,
  });
  t.like(record(h, child, 'VMO', 'zx_info_vmo_t'), {
    parent_koid: BigInt(koidOf(h, vmo)),
    num_children: 0n,
    num_mappings: 0n,
    share_count: 0n,
    flags: VmoInfoFlag.TYPE_PAGED | VmoInfoFlag.IS_COW_CLONE | VmoInfoFlag.VIA_HANDLE,
  });
});

test('PROCESS_MAPS walks the address space from the top, parents first, by address', (t) => {
  const h = new Harness();
  const { process, vmar: root } = newProcess(h);
  const outer = newVmar(
    h,
    CAN_MAP_RWX | VmOption.SPECIFIC | VmOption.CAN_MAP_SPECIFIC,
    0x100000,
    16 * PAGE,
    root,
  );
  const inner = newVmar(h, CAN_MAP_RWX | VmOption.SPECIFIC, 4 * PAGE, 4 * PAGE, outer.vmar);
  const vmo = newVmo(h, 4 * PAGE);
  fill(h, vmo, 3 * PAGE, [1]);
  const low = map(h, R | VmOption.SPECIFIC, 0x1000, vmo, PAGE, 3 * PAGE, root);
  const deep = map(h, RW, 0, vmo, 0, PAGE, inner.vmar);
  const seen = records(h, process, 'PROCESS_MAPS', 'zx_info_maps_t').map((entry) => {
    const where = [entry.type, Number(entry.depth), Number(entry.base), Number(entry.size)];
    return [nameOf(entry.name), ...where];
  });
  const { base, top } = ADDRESS_SPACES.riscv64;
  t.deepEqual(seen, [
    [`proc:${koidOf(h, process)}`, MapsType.ASPACE, 0, base, top - base],
    ['root', MapsType.VMAR, 1, base, top - base],
    ['', MapsType.MAPPING, 2, low, 3 * PAGE],
    ['useralloc', MapsType.VMAR, 2, outer.address, 16 * PAGE],
    ['useralloc', MapsType.VMAR, 3, inner.address, 4 * PAGE],
    ['', MapsType.MAPPING, 4, deep, PAGE],
  ]);
  const mapping = decodeStruct(
    'zx_info_maps_mapping_t',
    records(h, process, 'PROCESS_MAPS', 'zx_info_maps_t')[2].u,
  );
  t.like(mapping, {
    mmu_flags: R,
    vmo_koid: BigInt(koidOf(h, vmo)),
    vmo_offset: BigInt(PAGE),
    committed_bytes: BigInt(PAGE),
  });
  const depths = records(h, outer.vmar, 'VMAR_MAPS', 'zx_info_maps_t').map(({ depth }) => Number(depth));
  t.deepEqual(depths, [0, 1, 2]);
});

test('PROCESS_VMOS lists by handle, then by mapping', (t) => {
  const h = new Harness();
  const { process, vmar } = newRunning(h);
  const vmo = newVmo(h, PAGE);
  map(h, R, 0, vmo, 0, PAGE, vmar);
  h.give(koidOf(h, vmo), Right.READ, koidOf(h, process));
  const seen = records(h, process, 'PROCESS_VMOS', 'zx_info_vmo_t');
  t.deepEqual(
    seen.map(({ koid, handle_rights, flags }) => [
      Number(koid),
      handle_rights,
      flags & ~VmoInfoFlag.TYPE_PAGED,
    ]),
    [
      [koidOf(h, vmo), Right.READ, VmoInfoFlag.VIA_HANDLE],
      [koidOf(h, vmo), 0, VmoInfoFlag.VIA_MAPPING],
    ],
  );
});

test('TASK_STATS tells private memory from shared', (t) => {
  const h = new Harness();
  const { process, vmar } = newRunning(h);
  const shared = newVmo(h, 4 * PAGE);
  const own = newVmo(h, 4 * PAGE);
  for (const vmo of [shared, own]) fill(h, vmo, 0, new Array(PAGE + 1).fill(1));
  map(h, R, 0, shared, 0, 4 * PAGE);
  map(h, R, 0, shared, 0, 4 * PAGE, vmar);
  map(h, RW, 0, own, PAGE, 2 * PAGE, vmar);
  const stats = record(h, process, 'TASK_STATS', 'zx_info_task_stats_t');
  t.deepEqual(
    [stats.mem_mapped_bytes, stats.mem_private_bytes, stats.mem_shared_bytes, stats.mem_scaled_shared_bytes],
    [6, 1, 2, 1].map((pages) => BigInt(pages * PAGE)),
  );
});

test('of a process that is dead or has not begun', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  const ask = (status: StatusName, topic: InfoTopicName) =>
    gives(t, h, status, 'zx_object_get_info', [process, InfoTopic[topic], SCRATCH, 1024, 0, 0]);
  ask('ERR_BAD_STATE', 'PROCESS_VMOS');
  ask('OK', 'PROCESS_MAPS');
  ask('OK', 'TASK_STATS');
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  for (const topic of ['PROCESS_VMOS', 'PROCESS_MAPS', 'TASK_STATS'] as const) ask('ERR_BAD_STATE', topic);
  t.deepEqual(koids(h, process, 'PROCESS_THREADS'), []);
  t.deepEqual(records(h, process, 'HANDLE_TABLE', 'zx_info_handle_extended_t'), []);
});
