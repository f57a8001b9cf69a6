import test from 'ava';
import {
  CLOCK_ARGS_VERSION_SHIFT,
  CLOCK_UNKNOWN_ERROR_NS,
  ClockOption,
  ClockUpdateOption,
} from '../../src/abi/clocks.js';
import { InfoTopic } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, encodeStruct, sizeOf } from '../../src/abi/structs.js';
import { VmOption } from '../../src/abi/vm.js';
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
import { newClock } from './object-support.js';

const { MONOTONIC, CONTINUOUS, AUTO_START, BOOT, MAPPABLE } = ClockOption;
const { VALUE_VALID, RATE_ADJUST_VALID, ERROR_BOUND_VALID, REFERENCE_VALUE_VALID } = ClockUpdateOption;
const { CLOCK_STARTED: STARTED, CLOCK_UPDATED: UPDATED } = Signal;
const V1 = 1n << CLOCK_ARGS_VERSION_SHIFT;
const V2 = 2n << CLOCK_ARGS_VERSION_SHIFT;
const PAGE = 4096;
const MAX = (1n << 63n) - 1n;

function read(h: Harness, clock: number): bigint {
  const out = h.scratch(8);
  h.call('zx_clock_read', [clock, out]);
  return BigInt.asIntN(64, h.u64(out));
}

function detailsOf(h: Harness, clock: number) {
  const size = sizeOf('zx_clock_details_v1_t');
  const out = h.scratch(size);
  h.call('zx_clock_get_details', [clock, V1, out]);
  return decodeStruct('zx_clock_details_v1_t', bytesAt(h, out, size));
}

interface Change {
  value?: bigint;
  rate?: number;
  error?: bigint;
  reference?: bigint;
}

function update(
  h: Harness,
  clock: number,
  { value, rate, error, reference }: Change,
  version: 1 | 2 = 1,
): string {
  const bytes =
    version === 1
      ? encodeStruct('zx_clock_update_args_v1_t', {
          rate_adjust: rate ?? 0,
          value: value ?? 0n,
          error_bound: error ?? 0n,
        })
      : encodeStruct('zx_clock_update_args_v2_t', {
          rate_adjust: rate ?? 0,
          synthetic_value: value ?? 0n,
          reference_value: reference ?? 0n,
          error_bound: error ?? 0n,
        });
  const options =
    (value === undefined ? 0 : VALUE_VALID) |
    (rate === undefined ? 0 : RATE_ADJUST_VALID) |
    (error === undefined ? 0 : ERROR_BOUND_VALID) |
    (reference === undefined ? 0 : REFERENCE_VALUE_VALID);
  const asked = BigInt(options) | (version === 1 ? V1 : V2);
  return statusName(h.call('zx_clock_update', [clock, asked, h.scratch(bytes)]));
}

/** A clock with a backstop, or what it said. */
function createWithBackstop(h: Harness, options: number, backstop: bigint): number | string {
  const out = h.scratch(4);
  const args = h.scratch(encodeStruct('zx_clock_create_args_v1_t', { backstop_time: backstop }));
  const status = statusName(h.call('zx_clock_create', [V1 | BigInt(options), args, out]));
  return status === 'OK' ? h.u32(out) : status;
}

function mapClock(h: Harness, clock: number, options: number = VmOption.PERM_READ): number {
  const out = h.scratch(8);
  h.call('zx_vmar_map_clock', [h.handles.rootVmar, options, 0, clock, PAGE, out]);
  return Number(h.u64(out));
}

test('zx_clock_create: INVALID_ARGS for options, versions, arguments and backstops that cannot be', (t) => {
  const h = new Harness();
  h.advance(100n);
  const out = h.scratch(4);
  const args = h.scratch(8);
  for (const options of [0x20, CONTINUOUS, 1n << 32n, V2, 3n << CLOCK_ARGS_VERSION_SHIFT]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_create', [options, 0, out]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_create', [0, args, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_create', [V1, 0, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_create', [V1, NOWHERE, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_create', [0, 0, NOWHERE]);
  gives(t, h, 'OK', 'zx_clock_create', [MONOTONIC | CONTINUOUS | AUTO_START | BOOT, 0, out]);
  t.is(createWithBackstop(h, 0, -1n), 'ERR_INVALID_ARGS');
  t.is(createWithBackstop(h, AUTO_START, 101n), 'ERR_INVALID_ARGS');
  t.is(typeof createWithBackstop(h, AUTO_START, 100n), 'number');
  t.is(typeof createWithBackstop(h, 0, MAX), 'number');
});

test('handles: BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED; pointers and versions before them', (t) => {
  const h = new Harness();
  const clock = newClock(h, AUTO_START);
  const out = h.scratch(sizeOf('zx_clock_details_v1_t'));
  const value = V1 | BigInt(VALUE_VALID);
  for (const [name, args, right] of [
    ['zx_clock_read', [out], Right.READ],
    ['zx_clock_get_details', [V1, out], Right.READ],
    ['zx_clock_update', [value, out], Right.WRITE],
  ] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, ...args]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [newEvent(h), ...args]);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [withRights(h, clock, DEFAULT_RIGHTS.clock & ~right), ...args]);
    gives(t, h, 'OK', name, [clock, ...args]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_read', [clock, NOWHERE]);
  for (const options of [0n, V2, V1 | 1n]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_get_details', [NO_HANDLE, options, out]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_get_details', [NO_HANDLE, V1, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_get_details', [clock, V1, NOWHERE]);
  for (const [options, args] of [
    [value, 0],
    [value, NOWHERE],
    [BigInt(VALUE_VALID), out],
    [3n << CLOCK_ARGS_VERSION_SHIFT, out],
    [V1, out],
    [V1 | 0x10n, out],
    [V1 | (1n << 40n), out],
  ] as const) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_update', [NO_HANDLE, options, args]);
  }
});

test('a clock that starts itself shows the time; another stands until its first update', (t) => {
  const h = new Harness();
  h.advance(500n);
  const auto = newClock(h, AUTO_START);
  t.is(signalsOf(h, auto), STARTED);
  const clock = createWithBackstop(h, 0, 40n) as number;
  t.is(signalsOf(h, clock), 0);
  h.advance(7n);
  t.is(read(h, auto), 507n);
  t.is(read(h, clock), 40n);
  t.is(update(h, clock, { rate: 3 }), 'ERR_BAD_STATE');
  t.is(update(h, clock, { error: 3n }), 'ERR_BAD_STATE');
  t.is(update(h, clock, { value: 39n }), 'ERR_INVALID_ARGS');
  t.is(read(h, clock), 40n);
  t.is(update(h, clock, { value: 1000n }), 'OK');
  t.is(signalsOf(h, clock), STARTED);
  h.advance(11n);
  t.is(read(h, clock), 1011n);
  // Without any promise it may go back, as far as its backstop.
  t.is(update(h, clock, { value: 41n }), 'OK');
  t.is(read(h, clock), 41n);
});

test('rates are parts per million, rounded down, from where the clock is', (t) => {
  const h = new Harness();
  const clock = newClock(h, AUTO_START);
  t.is(update(h, clock, { rate: 1001 }), 'ERR_INVALID_ARGS');
  t.is(update(h, clock, { rate: -1001 }), 'ERR_INVALID_ARGS');
  h.advance(1_000_000n);
  t.is(update(h, clock, { rate: 1000 }), 'OK');
  t.is(read(h, clock), 1_000_000n);
  h.advance(999n);
  t.is(read(h, clock), 1_000_999n);
  h.advance(1n);
  t.is(read(h, clock), 1_001_001n);
  t.is(update(h, clock, { rate: -1000 }), 'OK');
  h.advance(10_000n);
  t.is(read(h, clock), 1_001_001n + 9_990n);
  // Before the point where the rate was set it goes the other way, and still down.
  t.is(update(h, clock, { value: -7n, rate: 1000 }), 'ERR_INVALID_ARGS');
  t.is(update(h, clock, { value: 0n, rate: -1000, reference: h.k.nowNs + 1n }, 2), 'ERR_INVALID_ARGS');
});

test('promises: a monotonic clock does not go back, a continuous one does not jump', (t) => {
  const h = new Harness();
  h.advance(100n);
  const monotonic = newClock(h, MONOTONIC | AUTO_START);
  t.is(update(h, monotonic, { value: 99n }), 'ERR_INVALID_ARGS');
  t.is(update(h, monotonic, { value: 100n }), 'OK');
  t.is(update(h, monotonic, { value: 500n }), 'OK');
  t.is(read(h, monotonic), 500n);
  const continuous = newClock(h, MONOTONIC | CONTINUOUS);
  t.is(update(h, continuous, { value: 5n }), 'OK');
  t.is(update(h, continuous, { value: 6n }), 'ERR_INVALID_ARGS');
  t.is(update(h, continuous, { rate: 10 }), 'OK');
  t.is(update(h, continuous, { error: 1n }), 'OK');
});

test('version 2: the point of reference may be given, but not for everything', (t) => {
  const h = new Harness();
  h.advance(1000n);
  const plain = newClock(h);
  t.is(update(h, plain, { error: 1n, reference: 5n }, 2), 'ERR_INVALID_ARGS');
  t.is(update(h, plain, { value: 50n, reference: 900n }, 2), 'OK');
  t.is(read(h, plain), 150n);
  t.is(update(h, plain, { rate: 1000, reference: 0n }, 2), 'OK');
  // It showed -850 at 0 and goes on from there, faster.
  t.is(read(h, plain), -850n + 1001n);
  t.is(update(h, plain, { value: 50n }, 2), 'OK');
  t.is(read(h, plain), 50n);
  const monotonic = newClock(h, MONOTONIC | AUTO_START);
  t.is(update(h, monotonic, { value: 5000n }, 2), 'ERR_INVALID_ARGS');
  t.is(update(h, monotonic, { value: 5000n, reference: 1000n }, 2), 'OK');
  t.is(update(h, monotonic, { value: 5000n, reference: 1000n, rate: 1 }, 2), 'ERR_INVALID_ARGS');
  t.is(update(h, monotonic, { reference: 1000n, rate: 1 }, 2), 'ERR_INVALID_ARGS');
  t.is(update(h, monotonic, { rate: 1 }, 2), 'OK');
  // The first version has no such field.
  const bytes = h.scratch(32);
  const options = V1 | BigInt(VALUE_VALID | REFERENCE_VALUE_VALID);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_update', [plain, options, bytes]);
});

test('zx_clock_get_details says all of it', (t) => {
  const h = new Harness();
  h.advance(10n);
  const clock = newClock(h, AUTO_START | BOOT);
  const one = {
    reference_offset: 0n,
    synthetic_offset: 0n,
    rate: { synthetic_ticks: 1, reference_ticks: 1 },
  };
  t.like(detailsOf(h, clock), {
    options: BigInt(AUTO_START | BOOT),
    backstop_time: 0n,
    ticks_to_synthetic: one,
    mono_to_synthetic: one,
    error_bound: CLOCK_UNKNOWN_ERROR_NS,
    query_ticks: 10n,
    last_value_update_ticks: 10n,
    last_rate_adjust_update_ticks: 10n,
    last_error_bounds_update_ticks: 0n,
  });
  h.advance(5n);
  const before = detailsOf(h, clock).generation_counter;
  t.is(update(h, clock, { error: 77n }), 'OK');
  h.advance(5n);
  t.is(update(h, clock, { rate: 500 }), 'OK');
  t.like(detailsOf(h, clock), {
    mono_to_synthetic: {
      reference_offset: 20n,
      synthetic_offset: 20n,
      rate: { synthetic_ticks: 1_000_500, reference_ticks: 1_000_000 },
    },
    ticks_to_synthetic: {
      reference_offset: 20n,
      synthetic_offset: 20n,
      rate: { synthetic_ticks: 2001, reference_ticks: 2000 },
    },
    error_bound: 77n,
    last_value_update_ticks: 10n,
    last_rate_adjust_update_ticks: 20n,
    last_error_bounds_update_ticks: 15n,
    generation_counter: before + 2,
  });
});

test('who waits for UPDATED sees every update, and only then', (t) => {
  const h = new Harness();
  const clock = newClock(h, AUTO_START);
  const other = h.newThread(h.process, 'other');
  const observed = h.scratch(4);
  for (let i = 0; i < 2; i++) {
    blocks(t, h, 'zx_object_wait_one', [clock, UPDATED, INFINITE, observed], other);
    t.is(update(h, clock, { error: 1n }), 'OK');
    t.is(outcome(h, other), 'OK');
    t.is(h.u32(observed), STARTED | UPDATED);
    t.is(signalsOf(h, clock), STARTED);
  }
  blocks(t, h, 'zx_object_wait_one', [clock, UPDATED, INFINITE, observed], other);
  t.is(update(h, clock, { rate: 2000 }), 'ERR_INVALID_ARGS');
  t.is(outcome(h, other), 'blocked');
});

test('a clock shows no more than an int64 can hold', (t) => {
  const h = new Harness();
  const clock = newClock(h);
  t.is(update(h, clock, { value: MAX - 1n }), 'OK');
  h.advance(1_000_000n);
  t.is(read(h, clock), MAX);
  t.is(update(h, clock, { value: MAX, reference: -MAX }, 2), 'OK');
  t.is(read(h, clock), MAX);
});

test('a mapped clock is the clock, also when all handles to it are closed', (t) => {
  const h = new Harness();
  const clock = newClock(h, AUTO_START | MAPPABLE);
  const koid = koidOf(h, clock);
  const page = h.k.get(koid, 'clock').vmo;
  const address = mapClock(h, clock);
  const out = h.scratch(8);
  h.advance(100n);
  t.is(update(h, clock, { rate: 1000 }), 'OK');
  h.advance(5000n);
  gives(t, h, 'OK', 'zx_clock_read_mapped', [address, out]);
  t.is(h.u64(out), 5105n);
  const size = sizeOf('zx_clock_details_v1_t');
  const [a, b] = [h.scratch(size), h.scratch(size)];
  gives(t, h, 'OK', 'zx_clock_get_details', [clock, V1, a]);
  gives(t, h, 'OK', 'zx_clock_get_details_mapped', [address, V1, b]);
  t.deepEqual(bytesAt(h, b, size), bytesAt(h, a, size));
  h.call('zx_handle_close', [clock]);
  t.is(h.k.find(koid), undefined);
  h.advance(1000n);
  gives(t, h, 'OK', 'zx_clock_read_mapped', [address, out]);
  t.is(h.u64(out), 6106n);
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, address, PAGE]);
  t.is(h.k.find(page), undefined);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_read_mapped', [address, out]);
});

test('an unmapped page goes with its clock, a mapped one with its mapping', (t) => {
  const h = new Harness();
  h.poke(h.scratch(1), Uint8Array.of(1));
  const before = h.k.state.committedPages;
  const clock = newClock(h, MAPPABLE);
  t.is(h.k.state.committedPages, before + 1);
  const address = mapClock(h, clock);
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, address, PAGE]);
  t.is(h.k.state.committedPages, before + 1);
  h.call('zx_handle_close', [clock]);
  t.is(h.k.state.committedPages, before);
});

test('zx_clock_create MAPPABLE: NO_MEMORY when no page is left', (t) => {
  const h = new Harness({ physicalPages: 1 });
  const out = h.scratch(4);
  h.poke(out, new Uint8Array(4));
  gives(t, h, 'ERR_NO_MEMORY', 'zx_clock_create', [MAPPABLE, 0, out]);
  gives(t, h, 'OK', 'zx_clock_create', [0, 0, out]);
});

test('zx_vmar_map_clock: INVALID_ARGS for lengths, permissions and clocks that are not mappable', (t) => {
  const h = new Harness();
  const vmar = h.handles.rootVmar;
  const clock = newClock(h, MAPPABLE);
  const out = h.scratch(8);
  const { PERM_READ, PERM_WRITE, PERM_EXECUTE, PERM_READ_IF_XOM_UNSUPPORTED, FAULT_BEYOND_STREAM_SIZE } =
    VmOption;
  for (const options of [PERM_WRITE, PERM_EXECUTE, PERM_READ_IF_XOM_UNSUPPORTED, FAULT_BEYOND_STREAM_SIZE]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map_clock', [vmar, PERM_READ | options, 0, clock, PAGE, out]);
  }
  for (const len of [0, PAGE - 1, 2 * PAGE]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map_clock', [vmar, PERM_READ, 0, clock, len, out]);
  }
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map_clock', [vmar, PERM_READ, 0, newClock(h), PAGE, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map_clock', [vmar, PERM_READ, 0, clock, PAGE, NOWHERE]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_vmar_map_clock', [NO_HANDLE, PERM_READ, 0, clock, PAGE, out]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_vmar_map_clock', [vmar, PERM_READ, 0, newEvent(h), PAGE, out]);
  for (const right of [Right.READ, Right.MAP]) {
    const weak = withRights(h, clock, (DEFAULT_RIGHTS.clock | Right.MAP) & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map_clock', [vmar, PERM_READ, 0, weak, PAGE, out]);
  }
  // Nobody can ever write it.
  const address = mapClock(h, clock);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_protect', [vmar, PERM_READ | PERM_WRITE, address, PAGE]);
});

test('ZX_INFO_CLOCK_MAPPED_SIZE: INVALID_ARGS of a clock that cannot be mapped', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  const topic = InfoTopic.CLOCK_MAPPED_SIZE;
  gives(t, h, 'OK', 'zx_object_get_info', [newClock(h, MAPPABLE), topic, out, 8, 0, 0]);
  t.is(h.u64(out), BigInt(PAGE));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_get_info', [newClock(h), topic, out, 8, 0, 0]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_get_info', [newEvent(h), topic, out, 8, 0, 0]);
});

test('what is mapped elsewhere is no clock: a number or INVALID_ARGS, whatever is there', (t) => {
  const h = new Harness();
  const size = sizeOf('zx_clock_details_v1_t');
  const out = h.scratch(size);
  const zeros = h.scratch(size);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_read_mapped', [zeros, out]);
  const ones = h.scratch(new Uint8Array(size).fill(255));
  gives(t, h, 'OK', 'zx_clock_read_mapped', [ones, out]);
  gives(t, h, 'OK', 'zx_clock_get_details_mapped', [ones, V1, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_get_details_mapped', [ones, V2, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_get_details_mapped', [ones, V1, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_clock_get_details_mapped', [NOWHERE, V1, out]);
});
