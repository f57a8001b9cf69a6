import { CLOCK_ARGS_VERSION_SHIFT, ClockOption, ClockUpdateOption } from '../../../src/abi/clocks.js';
import { Right } from '../../../src/abi/rights.js';
import { encodeStruct, sizeOf } from '../../../src/abi/structs.js';
import { VmOption } from '../../../src/abi/vm.js';
import type { Harness } from '../../kernel/harness.js';
import { koidOf, NOWHERE } from '../../kernel/ipc-support.js';
import { PAGE, R } from '../../kernel/vm-support.js';
import { type Args, refuses, valid } from '../causes.js';

const { MONOTONIC, CONTINUOUS, AUTO_START, MAPPABLE } = ClockOption;
const { VALUE_VALID, RATE_ADJUST_VALID } = ClockUpdateOption;
const V1 = 1n << CLOCK_ARGS_VERSION_SHIFT;
const V3 = 3n << CLOCK_ARGS_VERSION_SHIFT;
const DETAILS_BYTES = sizeOf('zx_clock_details_v1_t');

function newClock(h: Harness, options = 0, backstop: bigint | null = null): number {
  const out = h.scratch(4);
  const args =
    backstop === null ? 0 : h.scratch(encodeStruct('zx_clock_create_args_v1_t', { backstop_time: backstop }));
  const result = h.call('zx_clock_create', [BigInt(options) | (backstop === null ? 0n : V1), args, out]);
  if (result !== 0n) throw new Error(`zx_clock_create: ${result}`);
  return h.u32(out);
}

/** Arguments of an update of version 1. */
function update(h: Harness, clock: number, options: number, value: bigint, rateAdjust = 0): Args {
  const args = encodeStruct('zx_clock_update_args_v1_t', { value, rate_adjust: rateAdjust });
  return [clock, BigInt(options) | V1, h.scratch(args)];
}

valid('zx_clock_create', (h) => [0, 0, h.scratch(4)]);
refuses(
  'zx_clock_create',
  'ERR_INVALID_ARGS',
  'bad option combination, args version or out',
  (h) => [CONTINUOUS, 0, h.scratch(4)],
  (h) => [0x100, 0, h.scratch(4)],
  (h) => [V3, h.scratch(8), h.scratch(4)],
  (h) => [0, h.scratch(8), h.scratch(4)],
  () => [0, 0, NOWHERE],
);

valid('zx_clock_read', (h) => [newClock(h), h.scratch(8)]);
refuses('zx_clock_read', 'ERR_INVALID_ARGS', 'bad out', (h) => [newClock(h), NOWHERE]);

valid('zx_clock_get_details', (h) => [newClock(h), V1, h.scratch(DETAILS_BYTES)]);
refuses(
  'zx_clock_get_details',
  'ERR_INVALID_ARGS',
  'unknown struct version or bad pointer',
  (h) => [newClock(h), V3, h.scratch(DETAILS_BYTES)],
  (h) => [newClock(h), V1, NOWHERE],
);

valid('zx_clock_update', (h) => update(h, newClock(h), VALUE_VALID, 5n));
refuses(
  'zx_clock_update',
  'ERR_INVALID_ARGS',
  "change breaks clock's monotonic/continuous/backstop promise or bad version",
  (h) => {
    const clock = newClock(h, MONOTONIC);
    h.call('zx_clock_update', update(h, clock, VALUE_VALID, 1000n));
    return update(h, clock, VALUE_VALID, 500n);
  },
  (h) => {
    const clock = newClock(h, MONOTONIC | CONTINUOUS);
    h.call('zx_clock_update', update(h, clock, VALUE_VALID, 1000n));
    return update(h, clock, VALUE_VALID, 5000n);
  },
  (h) => update(h, newClock(h, 0, 100n), VALUE_VALID, 99n),
  (h) => [newClock(h), V3, h.scratch(64)],
  (h) => update(h, newClock(h, AUTO_START), RATE_ADJUST_VALID, 0n, 1001),
  (h) => update(h, newClock(h), 0, 0n),
);
refuses('zx_clock_update', 'ERR_BAD_STATE', 'first update without a value', (h) =>
  update(h, newClock(h), RATE_ADJUST_VALID, 0n, 10),
);

function mapArgs(h: Harness, clock: number, options: number = R, len = PAGE): Args {
  return [h.handles.rootVmar, options, 0, clock, len, h.scratch(8)];
}

valid('zx_vmar_map_clock', (h) => mapArgs(h, newClock(h, MAPPABLE)));
refuses(
  'zx_vmar_map_clock',
  'ERR_ACCESS_DENIED',
  'clock lacks READ, MAP',
  ...[Right.READ, Right.MAP].map((missing) => (h: Harness) => {
    const koid = koidOf(h, newClock(h, MAPPABLE));
    return mapArgs(h, h.give(koid, (Right.READ | Right.MAP) & ~missing));
  }),
);
refuses(
  'zx_vmar_map_clock',
  'ERR_INVALID_ARGS',
  "len not the clock's mapped size, writable/executable options, clock not created MAPPABLE",
  (h) => mapArgs(h, newClock(h, MAPPABLE), R, 2 * PAGE),
  (h) => mapArgs(h, newClock(h, MAPPABLE), R | VmOption.PERM_WRITE),
  (h) => mapArgs(h, newClock(h, MAPPABLE), R | VmOption.PERM_EXECUTE),
  (h) => mapArgs(h, newClock(h)),
);

/** Where a new clock is mapped. */
function mappedAt(h: Harness): bigint {
  const args = mapArgs(h, newClock(h, MAPPABLE));
  h.call('zx_vmar_map_clock', args);
  return h.u64(Number(args[5]));
}

refuses(
  'zx_clock_read_mapped',
  'ERR_INVALID_ARGS',
  'bad pointer',
  (h) => [NOWHERE, h.scratch(8)],
  (h) => [mappedAt(h), NOWHERE],
);
refuses(
  'zx_clock_get_details_mapped',
  'ERR_INVALID_ARGS',
  'unknown struct version or bad pointer',
  (h) => [mappedAt(h), V3, h.scratch(DETAILS_BYTES)],
  (h) => [mappedAt(h), V1, NOWHERE],
  (h) => [NOWHERE, V1, h.scratch(DETAILS_BYTES)],
);
