import { IobAccess } from '../../../src/abi/ipc.js';
import { DEFAULT_RIGHTS, Right } from '../../../src/abi/rights.js';
import type { Harness } from '../../kernel/harness.js';
import { NOWHERE } from '../../kernel/ipc-support.js';
import {
  iovecs,
  mapIob,
  newIob,
  newSharedRegion,
  type Region,
  regionList,
  ringRegion,
} from '../../kernel/object-support.js';
import { PAGE, R, RW } from '../../kernel/vm-support.js';
import { type Args, refuses, valid } from '../causes.js';

const { EP0_CAN_MAP_READ, EP1_CAN_MAP_READ, EP0_CAN_MEDIATED_WRITE } = IobAccess;
/** A region whose blobs end 0 may have numbered, and that both ends may map. */
const ALLOCATOR: Region = { access: 0x33 | EP0_CAN_MEDIATED_WRITE, discipline: 1 };

const create = (h: Harness, options: number, ...regions: readonly Region[]): Args => [
  options,
  regionList(h, ...regions),
  regions.length,
  h.scratch(4),
  h.scratch(4),
];

valid('zx_iob_create', (h) => create(h, 0, {}));
refuses(
  'zx_iob_create',
  'ERR_INVALID_ARGS',
  'bad region type/access/size/discipline, options nonzero',
  (h) => create(h, 1, {}),
  (h) => create(h, 0, { type: 2 }),
  (h) => create(h, 0, { access: EP0_CAN_MAP_READ | EP1_CAN_MAP_READ }),
  (h) => create(h, 0, { ...ALLOCATOR, size: 0 }),
  (h) => create(h, 0, { discipline: 9 }),
);
refuses('zx_iob_create', 'ERR_OUT_OF_RANGE', 'too many regions (64)', (h) =>
  create(h, 0, ...new Array<Region>(65).fill({})),
);

valid('zx_iob_create_shared_region', (h) => [0, 2 * PAGE, h.scratch(4)]);
refuses(
  'zx_iob_create_shared_region',
  'ERR_INVALID_ARGS',
  'options, unaligned size or bad out',
  (h) => [1, PAGE, h.scratch(4)],
  (h) => [0, 1, h.scratch(4)],
  () => [0, PAGE, NOWHERE],
);

const allocator = (h: Harness): number => newIob(h, ALLOCATOR)[0];
const allocate = (h: Harness, end: number, size = 8, options = 0, index = 0): Args => [
  end,
  options,
  index,
  h.scratch(8),
  size,
  h.scratch(4),
];

/** An end of an allocator in whose header a program has written two words. */
function spoiled(h: Harness, next: number, head: number): number {
  const end = allocator(h);
  h.poke(mapIob(h, end, 0, PAGE), new Uint8Array(Uint32Array.of(next, head).buffer));
  return end;
}

valid('zx_iob_allocate_id', (h) => allocate(h, allocator(h)));
refuses('zx_iob_allocate_id', 'ERR_NO_MEMORY', 'region full', (h) => allocate(h, allocator(h), PAGE));
refuses('zx_iob_allocate_id', 'ERR_OUT_OF_RANGE', 'bad index', (h) => allocate(h, allocator(h), 8, 0, 1));
refuses('zx_iob_allocate_id', 'ERR_WRONG_TYPE', 'region discipline differs', (h) =>
  allocate(h, newIob(h, {})[0]),
);
refuses(
  'zx_iob_allocate_id',
  'ERR_INVALID_ARGS',
  'options or bad pointer',
  (h) => allocate(h, allocator(h), 8, 1),
  (h) => [allocator(h), 0, 0, NOWHERE, 8, h.scratch(4)],
  (h) => [allocator(h), 0, 0, h.scratch(8), 8, NOWHERE],
);
refuses('zx_iob_allocate_id', 'ERR_ACCESS_DENIED', 'endpoint lacks mediated write', (h) =>
  allocate(h, newIob(h, ALLOCATOR)[1]),
);
refuses(
  'zx_iob_allocate_id',
  'ERR_IO_DATA_INTEGRITY',
  'header or index of the region impossible',
  (h) => allocate(h, spoiled(h, 0, 2 * PAGE)),
  (h) => allocate(h, spoiled(h, 1000, PAGE)),
);

const ring = (h: Harness, sizeBytes = 2 * PAGE): [number, number] =>
  newIob(h, ringRegion(newSharedRegion(h, sizeBytes), 5n), {});
const writev = (h: Harness, end: number, sizeBytes = 8, options = 0, index = 0, count = 1): Args => [
  end,
  options,
  index,
  iovecs(h, ...new Array(count).fill([h.scratch(sizeBytes), sizeBytes])),
  count,
];

valid('zx_iob_writev', (h) => writev(h, ring(h)[0]));
refuses('zx_iob_writev', 'ERR_OUT_OF_RANGE', 'bad index', (h) => writev(h, ring(h)[0], 8, 0, 2));
refuses('zx_iob_writev', 'ERR_WRONG_TYPE', 'region discipline differs', (h) =>
  writev(h, ring(h)[0], 8, 0, 1),
);
refuses('zx_iob_writev', 'ERR_ACCESS_DENIED', 'endpoint lacks mediated write', (h) => writev(h, ring(h)[1]));
refuses(
  'zx_iob_writev',
  'ERR_INVALID_ARGS',
  'options, bad vector, more than 8 vectors, too long',
  (h) => writev(h, ring(h)[0], 8, 1),
  (h) => [ring(h)[0], 0, 0, NOWHERE, 1],
  (h) => writev(h, ring(h)[0], 8, 0, 0, 9),
  (h) => writev(h, ring(h, 32 * PAGE)[0], 65536),
);
refuses('zx_iob_writev', 'ERR_NO_SPACE', 'ring full', (h) => writev(h, ring(h)[0], PAGE));
refuses('zx_iob_writev', 'ERR_IO_DATA_INTEGRITY', 'head or tail of the ring impossible', (h) => {
  const shared = newSharedRegion(h, 2 * PAGE);
  const mappable = { ...ringRegion(shared), access: 0x33 | EP0_CAN_MEDIATED_WRITE };
  const [end] = newIob(h, mappable);
  // The tail before the head.
  h.poke(mapIob(h, end, 0, PAGE), new Uint8Array(BigUint64Array.of(0n, 8n).buffer));
  return writev(h, end);
});

const map = (h: Harness, end: number, options: number = RW, index = 0, offset = 0, length = PAGE): Args => [
  h.handles.rootVmar,
  options,
  0,
  end,
  index,
  offset,
  length,
  h.scratch(8),
];
valid('zx_vmar_map_iob', (h) => map(h, newIob(h, {})[0]));
refuses(
  'zx_vmar_map_iob',
  'ERR_ACCESS_DENIED',
  'handle lacks READ, WRITE, EXECUTE as the permissions asked for',
  (h) => map(h, newIob(h, {})[0], R).with(0, h.give(h.rootVmar, DEFAULT_RIGHTS.vmar | Right.WRITE)),
  (h) => map(h, newIob(h, {})[0]).with(0, h.give(h.rootVmar, DEFAULT_RIGHTS.vmar | Right.READ)),
);
refuses('zx_vmar_map_iob', 'ERR_OUT_OF_RANGE', 'bad index or range', (h) => map(h, newIob(h, {})[0], R, 1));
refuses(
  'zx_vmar_map_iob',
  'ERR_ACCESS_DENIED',
  'endpoint lacks map access',
  (h) => map(h, newIob(h, { access: 0x3 })[1], R),
  (h) => map(h, newIob(h, { access: 0x13 })[1], RW),
);
refuses(
  'zx_vmar_map_iob',
  'ERR_INVALID_ARGS',
  'as vmar_map',
  (h) => map(h, newIob(h, {})[0], R, 0, 1),
  (h) => map(h, newIob(h, {})[0], R, 0, 0, 0),
  (h) => map(h, newIob(h, {})[0], R | 0x10000),
);
