import test from 'ava';
import fc from 'fast-check';
import { CLOCK_ARGS_VERSION_SHIFT } from '../../src/abi/clocks.js';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { encodeStruct } from '../../src/abi/structs.js';
import type { SyscallName } from '../../src/abi/syscalls.js';
import { handleValue } from '../../src/kernel/objects/handle-value.js';
import { Harness, SCRATCH } from './harness.js';
import { brokenObjects } from './object-invariants.js';
import { BUFFER, regionBytes } from './object-support.js';

const OUT = SCRATCH + 0x1000;
/** Structures, made anew before each call. */
const VECTORS = SCRATCH + 0x2000;
const REGIONS = SCRATCH + 0x3000;
const UPDATE = SCRATCH + 0x4000;
/** Where mappings go: pages that calls may name. */
const MAPPED = 0x20000000;
const PAGE = 4096;
const CLOCK_V1 = 1n << CLOCK_ARGS_VERSION_SHIFT;

type Args = readonly (number | bigint)[];
/** A number below the bound, and a handle of a kind. */
interface Pick {
  below(bound: number): number;
  handle(kind: string): number;
  one(...choices: readonly (number | bigint)[]): number | bigint;
}

const CALLS: readonly (readonly [SyscallName, (p: Pick, vmar: number) => Args])[] = [
  ['zx_counter_create', () => [0, OUT]],
  ['zx_counter_add', (p) => [p.handle('counter'), p.one(1n, -3n, (1n << 62n) + 1n, -(1n << 62n))]],
  ['zx_counter_write', (p) => [p.handle('counter'), p.below(3) - 1]],
  ['zx_counter_read', (p) => [p.handle('counter'), OUT]],
  ['zx_fifo_create', (p) => [1 + p.below(6), p.one(8, 8, 8, 24), 0, OUT, OUT + 4]],
  ['zx_fifo_write', (p) => [p.handle('fifo'), p.one(8, 8, 8, 24), BUFFER, p.below(5), p.one(0, OUT)]],
  ['zx_fifo_read', (p) => [p.handle('fifo'), p.one(8, 8, 8, 24), OUT, p.below(5), p.one(0, OUT + 512)]],
  ['zx_socket_create', (p) => [p.below(2), OUT, OUT + 4]],
  ['zx_socket_write', (p) => [p.handle('socket'), 0, BUFFER, p.one(0, 7, 9000, 0x40000), OUT]],
  ['zx_socket_read', (p) => [p.handle('socket'), p.one(0, 0, 8), BUFFER, p.one(0, 5, 5000, 0x50000), OUT]],
  ['zx_socket_set_disposition', (p) => [p.handle('socket'), p.below(3), p.below(3)]],
  ['zx_vmo_create', (p) => [p.below(3 * PAGE), p.one(0, 2), OUT]],
  ['zx_vmo_set_size', (p) => [p.handle('vmo'), p.below(4 * PAGE)]],
  ['zx_stream_create', (p) => [p.one(3, 3, 7, 1), p.handle('vmo'), p.one(0, 100, 1n << 60n), OUT]],
  ['zx_stream_writev', (p) => [p.handle('stream'), p.one(0, 1), VECTORS, p.below(3), OUT]],
  ['zx_stream_writev_at', (p) => [p.handle('stream'), 0, p.one(0, 5000, 1n << 63n), VECTORS, 2, OUT]],
  ['zx_stream_readv', (p) => [p.handle('stream'), 0, VECTORS, p.below(3), OUT]],
  ['zx_stream_readv_at', (p) => [p.handle('stream'), 0, p.below(3 * PAGE), VECTORS, 2, OUT]],
  ['zx_stream_seek', (p) => [p.handle('stream'), p.below(4), p.one(0n, -3n, 100n, 5000n), OUT]],
  ['zx_clock_create', (p) => [p.one(0, 1, 3, 4, 5, 0x10, 0x14), 0, OUT]],
  [
    'zx_clock_update',
    (p) => [p.handle('clock'), (CLOCK_V1 << BigInt(p.below(2))) | BigInt(p.below(16)), UPDATE],
  ],
  ['zx_clock_read', (p) => [p.handle('clock'), OUT]],
  ['zx_clock_get_details', (p) => [p.handle('clock'), CLOCK_V1, OUT]],
  ['zx_clock_read_mapped', (p) => [MAPPED + PAGE * p.below(3), OUT]],
  ['zx_clock_get_details_mapped', (p) => [MAPPED + PAGE * p.below(3), CLOCK_V1, OUT]],
  ['zx_vmar_map_clock', (p, vmar) => [vmar, p.one(0x11, 0x31), place(p), p.handle('clock'), PAGE, OUT]],
  ['zx_iob_create', (p) => [0, REGIONS, 1 + p.below(2), OUT, OUT + 4]],
  ['zx_iob_create_shared_region', (p) => [0, PAGE * (1 + p.below(3)), OUT]],
  ['zx_iob_allocate_id', (p) => [p.handle('iob'), 0, p.below(2), BUFFER, p.one(0, 10, 2000), OUT]],
  ['zx_iob_writev', (p) => [p.handle('iob'), 0, p.below(2), VECTORS, p.below(3)]],
  [
    'zx_vmar_map_iob',
    (p, vmar) => [vmar, p.one(0x11, 0x13, 0x33), place(p), p.handle('iob'), p.below(2), 0, PAGE, OUT],
  ],
  ['zx_vmar_unmap', (p, vmar) => [vmar, MAPPED + PAGE * p.below(3), PAGE * (1 + p.below(2))]],
  ['zx_system_get_event', (p) => [p.handle('job'), 1 + p.below(4), OUT]],
  ['zx_object_signal', (p) => [p.handle('any'), p.one(0, 8), p.one(8, 0x1000000)]],
  ['zx_object_signal_peer', (p) => [p.handle('any'), 0, 0x1000000]],
  ['zx_object_set_property', (p) => [p.handle('any'), p.one(3, 12, 13, 17, 24), BUFFER, 8]],
  ['zx_object_get_property', (p) => [p.handle('any'), p.one(3, 12, 13, 17, 24), OUT, 64]],
  ['zx_object_get_info', (p) => [p.handle('any'), p.one(22, 27, 34, 35, 36, 40, 2), OUT, 512, 0, 0]],
  ['zx_handle_duplicate', (p) => [p.handle('any'), 0x80000000, OUT]],
  ['zx_handle_close', (p) => [p.handle('any')]],
];

function place(p: Pick): number {
  return MAPPED - 0x200000 + PAGE * p.below(3);
}

/** Nothing that the whole test process stands on is closed. */
const KEPT = new Set(['job', 'process', 'thread', 'vmar']);

class Ground {
  readonly h: Harness;

  constructor(mode: 'owned' | 'immer') {
    this.h = new Harness({ physicalPages: 300 }, mode);
    this.h.give(this.h.k.state.rootJob, DEFAULT_RIGHTS.job);
  }

  /** Makes the call that the choices tell of; gives its name if it succeeded. */
  step(choices: readonly number[]): SyscallName | null {
    const { h } = this;
    let next = 1;
    const pick: Pick = {
      below: (bound) => choices[next++ % choices.length] % bound,
      one: (...list) => list[pick.below(list.length)],
      handle: (kind) => {
        const { handles, handleSecret } = h.k.sharedBy(h.process);
        const fits = [...handles].filter(([, { koid }]) => {
          const found = h.k.find(koid)?.kind ?? '';
          return kind === 'any' ? !KEPT.has(found) : found === kind;
        });
        return fits.length === 0 ? 0 : handleValue(fits[pick.below(fits.length)][0], handleSecret);
      },
    };
    this.prepare(pick);
    const [name, args] = CALLS[choices[0] % CALLS.length];
    return h.call(name, args(pick, h.handles.rootVmar)) === 0n ? name : null;
  }

  private prepare(p: Pick): void {
    const vectors = new BigUint64Array(
      [BUFFER, p.one(0, 9, 4097), BUFFER + 0x2000, p.below(100)].map(BigInt),
    );
    this.h.poke(VECTORS, new Uint8Array(vectors.buffer));
    this.h.poke(BUFFER, new Uint8Array(new BigUint64Array([BigInt(p.below(3))]).buffer));
    const access = Number(p.one(0x33, 0x3b, 0x18, 0xbb));
    const regions = [
      regionBytes({ access: 0x33, options: Number(p.one(0, 2)) }),
      regionBytes(
        p.below(2) === 0
          ? { access, discipline: 1, size: PAGE }
          : { type: 1, access, size: 0, discipline: 2, sharedRegion: p.handle('iob-shared-region') },
      ),
    ];
    // Mapped regions come first now and then.
    if (p.below(2) === 0) regions.reverse();
    regions.forEach((bytes, i) => {
      this.h.poke(REGIONS + i * bytes.length, bytes);
    });
    const update = encodeStruct('zx_clock_update_args_v2_t', {
      rate_adjust: Number(p.one(0, 1000, -1000, 1001)),
      synthetic_value: BigInt(p.one(0, 1000, 1n << 40n)),
      reference_value: BigInt(p.one(0n, this.h.k.nowNs)),
      error_bound: 5n,
    });
    this.h.poke(UPDATE, update);
  }
}

const step = fc.array(fc.nat({ max: 99_999 }), { minLength: 12, maxLength: 12 });

test('random calls give the same in both modes, and break nothing', (t) => {
  const succeeded = new Set<SyscallName>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 400, size: 'max' }), (steps) => {
      const [owned, drafted] = [new Ground('owned'), new Ground('immer')];
      for (const choices of steps) {
        for (const { h } of [owned, drafted]) h.advance(BigInt(choices[0]));
        const name = owned.step(choices);
        t.is(drafted.step(choices), name);
        if (name !== null) succeeded.add(name);
        const broken = brokenObjects(owned.h.k.state);
        if (broken.length > 0) t.fail(`${name}: ${broken.join('; ')}`);
      }
      t.is(owned.h.hash(), drafted.h.hash());
    }),
    { numRuns: 40, seed: 20231 },
  );
  // Else the calls above would be too few or too wrong to say anything.
  t.deepEqual(
    CALLS.map(([name]) => name).filter((name) => !succeeded.has(name)),
    [],
  );
});
