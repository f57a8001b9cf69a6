import test from 'ava';
import fc from 'fast-check';
import { InfoTopic, Property } from '../../src/abi/info.js';
import { IobAccess } from '../../src/abi/ipc.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { VmarOp, VmOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import {
  blocks,
  bytesAt,
  gives,
  INFINITE,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newEvent,
  outcome,
  signalsOf,
  statusName,
  withRights,
} from './ipc-support.js';
import { brokenObjects } from './object-invariants.js';
import {
  BUFFER,
  iovecs,
  mapIob,
  newIob,
  newSharedRegion,
  newVmo,
  type Region,
  ramp,
  regionList,
  ringRegion,
} from './object-support.js';

const PAGE = 4096;
const { EP0_CAN_MAP_READ, EP0_CAN_MAP_WRITE, EP1_CAN_MAP_READ } = IobAccess;
const { EP0_CAN_MEDIATED_READ, EP0_CAN_MEDIATED_WRITE, EP1_CAN_MEDIATED_READ } = IobAccess;
const { PEER_CLOSED, UPDATED } = {
  PEER_CLOSED: Signal.IOB_PEER_CLOSED,
  UPDATED: Signal.IOB_SHARED_REGION_UPDATED,
};
/** A region whose blobs end 0 has numbered, and both ends can look at and change. */
const ALLOCATOR: Region = { access: 0x33 | EP0_CAN_MEDIATED_WRITE, discipline: 1 };
const PERM_READ = VmOption.PERM_READ;

function create(h: Harness, ...regions: readonly Region[]): string {
  const out = h.scratch(8);
  return statusName(h.call('zx_iob_create', [0, regionList(h, ...regions), regions.length, out, out + 4]));
}

function unmap(h: Harness, address: number, sizeBytes = PAGE): void {
  h.call('zx_vmar_unmap', [h.handles.rootVmar, address, sizeBytes]);
}

function allocate(h: Harness, end: number, blob: Uint8Array): number | string {
  h.poke(BUFFER, blob);
  const out = h.scratch(4);
  const status = statusName(h.call('zx_iob_allocate_id', [end, 0, 0, BUFFER, blob.length, out]));
  return status === 'OK' ? h.u32(out) : status;
}

function writev(h: Harness, end: number, ...parts: readonly Uint8Array[]): string {
  let at = BUFFER;
  const buffers = parts.map((part) => {
    h.poke(at, part);
    at += part.length;
    return [at - part.length, part.length] as const;
  });
  return statusName(h.call('zx_iob_writev', [end, 0, 0, iovecs(h, ...buffers), parts.length]));
}

function setU64(h: Harness, address: number, value: bigint): void {
  h.poke(address, new Uint8Array(BigUint64Array.of(value).buffer));
}

test('zx_iob_create: options, regions and their fields', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  const one = regionList(h, {});
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_create', [1, one, 1, out, out + 4]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_create', [0, one, 0, out, out + 4]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_iob_create', [0, one, 65, out, out + 4]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_create', [0, NOWHERE, 1, out, out + 4]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_create', [0, one, 1, NOWHERE, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_create', [0, one, 1, out, NOWHERE]);
  const shared = newSharedRegion(h, 2 * PAGE);
  const ring = ringRegion(shared);
  const wrong: readonly Region[] = [
    { type: 2 },
    { access: 0 },
    { access: 0x133 },
    // Nobody could ever write it.
    { access: EP0_CAN_MAP_READ | EP1_CAN_MAP_READ },
    { access: 0x3b },
    { discipline: 2 },
    { discipline: 3 },
    { discipline: 1n << 40n },
    { options: 0x100 },
    { options: VmoOption.RESIZABLE | VmoOption.UNBOUNDED },
    { ...ALLOCATOR, size: 0 },
    { ...ALLOCATOR, size: 1n << 33n },
    { ...ALLOCATOR, access: EP0_CAN_MEDIATED_READ },
    { ...ALLOCATOR, access: EP0_CAN_MEDIATED_WRITE | EP1_CAN_MEDIATED_READ },
    { ...ring, discipline: 0 },
    { ...ring, discipline: 1 },
    { ...ring, size: PAGE },
    { ...ring, options: 1 },
    { ...ring, sharedRegion: newSharedRegion(h, PAGE) },
  ];
  const before = h.k.state.objects.size;
  for (const region of wrong) {
    t.is(
      create(h, {}, region),
      'ERR_INVALID_ARGS',
      JSON.stringify(region, (_, v) => String(v)),
    );
  }
  t.is(create(h, { size: 1n << 60n }), 'ERR_OUT_OF_RANGE');
  t.is(create(h, { options: VmoOption.DISCARDABLE }), 'ERR_NOT_SUPPORTED');
  t.is(create(h, { ...ring, sharedRegion: NO_HANDLE }), 'ERR_BAD_HANDLE');
  t.is(create(h, { ...ring, sharedRegion: newEvent(h) }), 'ERR_WRONG_TYPE');
  // Only the event of the last line.
  t.is(h.k.state.objects.size, before + 1);
  for (const region of [{ size: 0 }, { options: VmoOption.RESIZABLE }, { options: VmoOption.UNBOUNDED }]) {
    t.is(create(h, region), 'OK');
  }
  t.deepEqual(brokenObjects(h.k.state), []);
});

test('zx_iob_create and create_shared_region: NO_MEMORY when the pages that the kernel writes are not to be had', (t) => {
  const h = new Harness({ physicalPages: 8 });
  const out = h.scratch(8);
  const list = regionList(h, { ...ALLOCATOR, size: 4 * PAGE }, { ...ALLOCATOR, size: 4 * PAGE });
  gives(t, h, 'ERR_NO_MEMORY', 'zx_iob_create', [0, list, 2, out, out + 4]);
  gives(t, h, 'OK', 'zx_iob_create', [0, list, 1, out, out + 4]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_iob_create_shared_region', [0, 4 * PAGE, out]);
  gives(t, h, 'OK', 'zx_iob_create_shared_region', [0, 3 * PAGE, out]);
});

test('zx_iob_create_shared_region: INVALID_ARGS for options, sizes and bad pointers', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  for (const args of [
    [1, PAGE, out],
    [0, 0, out],
    [0, PAGE - 1, out],
    [0, PAGE, NOWHERE],
  ]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_create_shared_region', args);
  }
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_iob_create_shared_region', [0, 1n << 60n, out]);
  h.poke(BUFFER, ramp(0, 1));
  h.poke(h.scratch(1), ramp(0, 1));
  const before = h.k.state.committedPages;
  const region = newSharedRegion(h, 3 * PAGE);
  t.is(h.k.state.committedPages, before + 3);
  const end = newIob(h, ringRegion(region));
  h.call('zx_handle_close', [region]);
  // The ends keep the memory.
  t.is(h.k.state.committedPages, before + 3);
  t.is(writev(h, end[0], ramp(0, 3)), 'OK');
  for (const handle of end) h.call('zx_handle_close', [handle]);
  t.is(h.k.state.committedPages, before);
});

test('regions are memory that both ends map, each as far as it may', (t) => {
  const h = new Harness();
  const [a, b] = newIob(h, {}, { access: EP0_CAN_MAP_WRITE | EP0_CAN_MAP_READ | EP1_CAN_MAP_READ });
  const [at0, at1] = [mapIob(h, a, 0, PAGE), mapIob(h, b, 0, PAGE)];
  h.poke(at0, ramp(3, 9));
  t.deepEqual(bytesAt(h, at1, 9), ramp(3, 9));
  const second = mapIob(h, b, 1, PAGE, PERM_READ);
  h.poke(mapIob(h, a, 1, PAGE), ramp(70, 5));
  t.deepEqual(bytesAt(h, second, 5), ramp(70, 5));
  const out = h.scratch(8);
  const vmar = h.handles.rootVmar;
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map_iob', [vmar, 3, 0, b, 1, 0, PAGE, out]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, 3, second, PAGE]);
  for (const right of [Right.MAP, Right.WRITE, Right.READ]) {
    const weak = withRights(h, a, DEFAULT_RIGHTS.iob & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map_iob', [vmar, 3, 0, weak, 0, 0, PAGE, out]);
  }
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmar_map_iob', [vmar, 3, 0, a, 2, 0, PAGE, out]);
  gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_vmar_map_iob', [vmar, 3, 0, a, 0, PAGE, PAGE, out]);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_vmar_map_iob', [vmar, 3, 0, a, 0, 1n << 62n, PAGE, out]);
  const { ALLOW_FAULTS, FAULT_BEYOND_STREAM_SIZE } = VmOption;
  const faults = PERM_READ | ALLOW_FAULTS | FAULT_BEYOND_STREAM_SIZE;
  for (const args of [
    [faults, 0, a, 0, 0, PAGE, out],
    [3, 0, a, 0, 0, 0, out],
    [3, 0, a, 0, 1, PAGE, out],
    [3, 0, a, 0, 0, PAGE, NOWHERE],
  ]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map_iob', [vmar, ...args]);
  }
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_map_iob', [NO_HANDLE, 3, 0, a, 0, 0, PAGE, out]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_map_iob', [vmar, 3, 0, NO_HANDLE, 0, 0, PAGE, out]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmar_map_iob', [vmar, 3, 0, newEvent(h), 0, 0, PAGE, out]);
  t.deepEqual(brokenObjects(h.k.state), []);
});

test('an end is closed when neither handles nor mappings are left; what it wrote stays', (t) => {
  const h = new Harness();
  const [a, b] = newIob(h, {}, {});
  const koid = koidOf(h, b);
  const address = mapIob(h, a, 1, PAGE);
  h.poke(address, ramp(5, 5));
  h.call('zx_handle_close', [a]);
  t.is(signalsOf(h, b), 0);
  gives(t, h, 'ERR_PEER_CLOSED', 'zx_object_signal_peer', [b, 0, Signal.USER_0]);
  unmap(h, address);
  t.is(signalsOf(h, b), PEER_CLOSED);
  const other = mapIob(h, b, 1, PAGE);
  t.deepEqual(bytesAt(h, other, 5), ramp(5, 5));
  h.call('zx_handle_close', [b]);
  t.deepEqual(brokenObjects(h.k.state), []);
  unmap(h, other);
  t.is(h.k.find(koid), undefined);
  t.deepEqual(brokenObjects(h.k.state), []);
});

test('everything of an IO buffer goes with its last handle', (t) => {
  const h = new Harness();
  h.poke(h.scratch(1), ramp(0, 1));
  const before = [h.k.state.objects.size, h.k.state.committedPages];
  const [a, b] = newIob(h, {}, ALLOCATOR);
  gives(t, h, 'OK', 'zx_object_signal_peer', [a, 0, Signal.USER_0]);
  t.is(signalsOf(h, b), Signal.USER_0);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_signal_peer', [a, 0, PEER_CLOSED]);
  h.call('zx_handle_close', [b]);
  t.is(signalsOf(h, a), PEER_CLOSED);
  h.call('zx_handle_close', [a]);
  t.deepEqual([h.k.state.objects.size, h.k.state.committedPages], before);
});

test('what is told of an IO buffer: topics, name, mappings', (t) => {
  const h = new Harness();
  const shared = newSharedRegion(h, 2 * PAGE);
  const [a, b] = newIob(h, { size: 5000, access: 0x13 }, ringRegion(shared, 9n));
  const out = h.scratch(4 * 128);
  gives(t, h, 'OK', 'zx_object_get_info', [a, InfoTopic.IOB, out, 16, 0, 0]);
  t.like(decodeStruct('zx_info_iob_t', bytesAt(h, out, 16)), { options: 0n, region_count: 2 });
  const size = sizeOf('zx_iob_region_info_t');
  const regions = [a, b].map((end) => {
    gives(t, h, 'OK', 'zx_object_get_info', [end, InfoTopic.IOB_REGIONS, out, 2 * size, 0, 0]);
    return [0, 1].map((i) => decodeStruct('zx_iob_region_info_t', bytesAt(h, out + i * size, size)));
  });
  t.like(regions[0][0].region, { type: 0, access: 0x13, size: 8192n });
  t.is(regions[1][0].region.access, 0x31);
  t.like(regions[1][1].region, { type: 1, access: 0x81, size: 8192n });
  t.is(regions[0][1].koid, BigInt(koidOf(h, shared)));
  t.is(regions[0][0].koid, regions[1][0].koid);

  const name = h.scratch(32);
  h.poke(name, new TextEncoder().encode('two ends'));
  gives(t, h, 'OK', 'zx_object_set_property', [a, Property.NAME, name, 8]);
  gives(t, h, 'OK', 'zx_object_get_property', [b, Property.NAME, out, 32]);
  t.is(new TextDecoder().decode(bytesAt(h, out, 9)), 'two ends\0');

  mapIob(h, a, 0, 2 * PAGE);
  const bytes = sizeOf('zx_info_maps_t');
  const counts = h.scratch(16);
  const maps = h.scratch(16 * bytes);
  const args = [h.handles.process, InfoTopic.PROCESS_MAPS, maps, 16 * bytes, counts, 0];
  gives(t, h, 'OK', 'zx_object_get_info', args);
  const found = Array.from({ length: Number(h.u64(counts)) }, (_, i) =>
    decodeStruct('zx_info_maps_t', bytesAt(h, maps + i * bytes, bytes)),
  ).map(({ u }) => decodeStruct('zx_info_maps_mapping_t', u).vmo_koid);
  t.true(found.includes(regions[0][0].koid));
  const vmoBytes = sizeOf('zx_info_vmo_t');
  const vmos = h.scratch(16 * vmoBytes);
  const asked = [h.handles.process, InfoTopic.PROCESS_VMOS, vmos, 16 * vmoBytes, counts, 0];
  gives(t, h, 'OK', 'zx_object_get_info', asked);
  const held = Array.from({ length: Number(h.u64(counts)) }, (_, i) =>
    decodeStruct('zx_info_vmo_t', bytesAt(h, vmos + i * vmoBytes, vmoBytes)),
  ).filter(({ flags }) => (flags & 0x200) !== 0);
  t.deepEqual(
    held.map(({ koid }) => koid),
    [...regions[0], ...regions[1]].map(({ koid }) => koid),
  );
  t.is(held[2].handle_rights, Right.MAP | Right.READ);
});

test('zx_iob_allocate_id and zx_iob_writev: what they refuse', (t) => {
  const h = new Harness();
  const shared = newSharedRegion(h, 2 * PAGE);
  const [a, b] = newIob(h, ALLOCATOR, {});
  const [ring, other] = newIob(h, ringRegion(shared), {});
  const out = h.scratch(4);
  const list = iovecs(h, [BUFFER, 4], [NOWHERE, 4]);
  for (const [name, end, peer, args] of [
    ['zx_iob_allocate_id', a, b, [BUFFER, 4, out]],
    ['zx_iob_writev', ring, other, [list, 1]],
  ] as const) {
    gives(t, h, 'ERR_INVALID_ARGS', name, [end, 1, 0, ...args]);
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, 0, 0, ...args]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), 0, 0, ...args]);
    const weak = withRights(h, end, DEFAULT_RIGHTS.iob & ~Right.WRITE);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, 0, 0, ...args]);
    gives(t, h, 'ERR_OUT_OF_RANGE', name, [end, 0, 2, ...args]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [end, 0, 1, ...args]);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [peer, 0, 0, ...args]);
    gives(t, h, 'OK', name, [end, 0, 0, ...args]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_allocate_id', [a, 0, 0, NOWHERE, 4, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_allocate_id', [a, 0, 0, BUFFER, 4, NOWHERE]);
  const nine = iovecs(h, ...Array.from({ length: 9 }, () => [BUFFER, 1] as const));
  const long = iovecs(h, [BUFFER, 65520]);
  for (const args of [
    [list, 2],
    [NOWHERE, 1],
    [0, 1],
    [nine, 9],
    [long, 1],
    [iovecs(h, [BUFFER, (1n << 64n) - 1n], [BUFFER, 1]), 2],
  ]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_iob_writev', [ring, 0, 0, ...args]);
  }
  gives(t, h, 'OK', 'zx_iob_writev', [ring, 0, 0, nine, 8]);
});

/** What a program that looks at an allocator's memory finds under a number. */
function blobOf(h: Harness, address: number, id: number): Uint8Array {
  return bytesAt(h, address + h.u32(address + 12 + 8 * id), h.u32(address + 8 + 8 * id));
}

test('numbers are given in order, and who maps the region finds the bytes by them, until it is full', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 900 }), { minLength: 1, maxLength: 20 }), (blobs) => {
      const h = new Harness();
      const [end, peer] = newIob(h, ALLOCATOR);
      const address = mapIob(h, peer, 0, PAGE, PERM_READ);
      const kept: Uint8Array[] = [];
      let free = PAGE - 8;
      for (const blob of blobs) {
        const fits = free >= 8 + blob.length;
        t.is(allocate(h, end, blob), fits ? kept.length : 'ERR_NO_MEMORY');
        if (!fits) continue;
        kept.push(blob);
        free -= 8 + blob.length;
      }
      kept.forEach((blob, id) => {
        t.deepEqual(blobOf(h, address, id), blob);
      });
    }),
    { numRuns: 15 },
  );
});

test('zx_iob_allocate_id: IO_DATA_INTEGRITY when a program spoiled the header or the index', (t) => {
  const h = new Harness();
  const [end] = newIob(h, ALLOCATOR);
  const address = mapIob(h, end, 0, PAGE);
  t.is(allocate(h, end, ramp(1, 4)), 0);
  const good = bytesAt(h, address, 24);
  for (const header of [
    [1, PAGE + 1],
    [1, 15],
    [0x3fffffff, PAGE],
    [0xffffffff, 0xffffffff],
    [0, PAGE],
  ]) {
    h.poke(address, new Uint8Array(Uint32Array.from(header).buffer));
    t.is(allocate(h, end, ramp(1, 4)), 'ERR_IO_DATA_INTEGRITY', header.join());
  }
  h.poke(address, good);
  h.poke(address + 16, Uint8Array.of(0, 0, 0, 0, 1));
  t.is(allocate(h, end, ramp(1, 4)), 'ERR_IO_DATA_INTEGRITY');
  h.poke(address + 16, new Uint8Array(8));
  t.is(allocate(h, end, ramp(1, 4)), 1);
});

test('messages of many writers come out of the ring in order, with their tags, across its end', (t) => {
  const h = new Harness();
  const ringBytes = PAGE;
  const shared = newSharedRegion(h, PAGE + ringBytes);
  const tags = [7n, 1n << 63n];
  const writers = tags.map((tag) => newIob(h, ringRegion(shared, tag))[0]);
  const [, reader] = newIob(h, { ...ringRegion(shared), access: EP0_CAN_MEDIATED_WRITE | 0x30 });
  const address = mapIob(h, reader, 0, PAGE + ringBytes);
  const byteAt = (at: number): number =>
    bytesAt(h, address + PAGE + (((at % ringBytes) + ringBytes) % ringBytes), 1)[0];
  const u64At = (at: number): bigint => h.u64(address + PAGE + (at % ringBytes));
  const model: { tag: bigint; bytes: Uint8Array }[] = [];
  let read = 0;
  let used = 0;
  const step = fc.oneof(
    fc.record({ writer: fc.nat(1), length: fc.nat(1500), first: fc.nat(250) }),
    fc.constant('read' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      for (const move of steps) {
        if (move === 'read') {
          const next = model.shift();
          t.is(h.u64(address) === BigInt(read), next === undefined);
          if (next === undefined) continue;
          t.is(u64At(read), next.tag);
          t.is(u64At(read + 8), BigInt(next.bytes.length));
          const bytes = next.bytes.map((_, i) => byteAt(read + 16 + i));
          t.deepEqual(bytes, next.bytes);
          const size = 8 * Math.ceil((16 + bytes.length) / 8);
          read += size;
          used -= size;
          setU64(h, address + 8, BigInt(read));
          continue;
        }
        const bytes = ramp(move.first, move.length);
        const size = 8 * Math.ceil((16 + bytes.length) / 8);
        const parts = [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];
        const fits = used + size <= ringBytes;
        t.is(writev(h, writers[move.writer], ...parts), fits ? 'OK' : 'ERR_NO_SPACE');
        if (!fits) continue;
        model.push({ tag: tags[move.writer], bytes });
        used += size;
      }
    }),
    { numRuns: 15 },
  );
});

test('zx_iob_writev: NO_SPACE for what never fits, IO_DATA_INTEGRITY for a head and tail that cannot be', (t) => {
  const h = new Harness();
  const shared = newSharedRegion(h, 2 * PAGE);
  const [end] = newIob(h, { ...ringRegion(shared), access: 0x1b });
  const address = mapIob(h, end, 0, 2 * PAGE);
  t.is(writev(h, end, new Uint8Array(PAGE - 15)), 'ERR_NO_SPACE');
  t.is(writev(h, end, new Uint8Array(PAGE - 16)), 'OK');
  t.is(writev(h, end, new Uint8Array(0)), 'ERR_NO_SPACE');
  for (const [head, tail] of [
    [8n, 16n],
    [12n, 0n],
    [(1n << 64n) - 8n, (1n << 64n) - 8n],
  ]) {
    setU64(h, address, head);
    setU64(h, address + 8, tail);
    t.is(writev(h, end, new Uint8Array(8)), 'ERR_IO_DATA_INTEGRITY', `${head} ${tail}`);
  }
  setU64(h, address, 1n << 40n);
  setU64(h, address + 8, 1n << 40n);
  t.is(writev(h, end, ramp(1, 8)), 'OK');
  t.is(h.u64(address), (1n << 40n) + 24n);
});

test('who waits for UPDATED of a shared region sees every write, and only then', (t) => {
  const h = new Harness();
  const shared = newSharedRegion(h, 2 * PAGE);
  const [end] = newIob(h, ringRegion(shared));
  const other = h.newThread(h.process, 'other');
  const observed = h.scratch(4);
  t.is(writev(h, end, ramp(1, 8)), 'OK');
  blocks(t, h, 'zx_object_wait_one', [shared, UPDATED, INFINITE, observed], other);
  t.is(writev(h, end, new Uint8Array(PAGE)), 'ERR_NO_SPACE');
  t.is(outcome(h, other), 'blocked');
  t.is(writev(h, end, ramp(1, 8)), 'OK');
  t.is(outcome(h, other), 'OK');
  t.is(h.u32(observed), UPDATED);
  t.is(signalsOf(h, shared), 0);
});

test('pages that a program gave back are taken again, or NO_MEMORY', (t) => {
  const h = new Harness({ physicalPages: 16 });
  const [end] = newIob(h, { ...ALLOCATOR, size: 2 * PAGE });
  const address = mapIob(h, end, 0, 2 * PAGE);
  t.is(allocate(h, end, ramp(1, 4)), 0);
  const decommit = [h.handles.rootVmar, VmarOp.DECOMMIT, address + PAGE, PAGE, 0, 0];
  gives(t, h, 'OK', 'zx_vmar_op_range', decommit);
  const vmo = newVmo(h, 16 * PAGE);
  const rest = 16 - h.k.state.committedPages;
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.COMMIT, 0, rest * PAGE, 0, 0]);
  t.is(allocate(h, end, ramp(1, 4)), 'ERR_NO_MEMORY');
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, 0, PAGE, 0, 0]);
  t.is(allocate(h, end, ramp(1, 4)), 1);
});
