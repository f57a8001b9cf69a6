import { ClockOption, ClockUpdateOption } from '../../abi/clocks.js';
import { Status } from '../../abi/status.js';
import { decodeStruct, encodeStruct } from '../../abi/structs.js';
import type { ClockSetting, ClockState, ClockTransform } from '../objects/clock.js';
import { refuse, requireArgs } from './refusal.js';

const { MONOTONIC, CONTINUOUS } = ClockOption;
const { VALUE_VALID, RATE_ADJUST_VALID, ERROR_BOUND_VALID, REFERENCE_VALUE_VALID } = ClockUpdateOption;

const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);
const MILLION = 1_000_000;

/** To what an int64 can be. */
function saturate(value: bigint): bigint {
  return value > MAX ? MAX : value < MIN ? MIN : value;
}

/** What a clock shows at a time of its reference: rounded down, each step kept to 64 bits (lib/affine, Transform). */
export function applyTransform(transform: ClockTransform, reference: bigint): bigint {
  const { referenceOffset, syntheticOffset, numerator, denominator } = transform;
  const product = saturate(reference - referenceOffset) * BigInt(numerator);
  const divisor = BigInt(denominator);
  const floor = product / divisor - (product < 0n && product % divisor !== 0n ? 1n : 0n);
  return saturate(saturate(floor) + syntheticOffset);
}

/** The arguments of zx_clock_update, of either version. */
export interface ClockUpdate {
  readonly version: number;
  /** ZX_CLOCK_UPDATE_OPTION_* bits. */
  readonly options: number;
  readonly rateAdjust: number;
  readonly synthetic: bigint;
  /** Of version 2. */
  readonly reference: bigint;
  readonly errorBound: bigint;
}

/** The checks that do not need the clock (object/clock_dispatcher, Update). */
export function checkUpdate({ version, options }: ClockUpdate): void {
  if ((options & REFERENCE_VALUE_VALID) === 0) return;
  requireArgs(version === 2 && (options & (VALUE_VALID | RATE_ADJUST_VALID)) !== 0);
}

/**
 * A clock's setting after an update now. Refuses with BAD_STATE a first update without a value, with INVALID_ARGS what
 * breaks the clock's promises: not to go back, not to jump, not to be before its backstop.
 */
export function updatedSetting(clock: ClockState, update: ClockUpdate, now: bigint): ClockSetting {
  const { setting } = clock;
  const { options } = update;
  const started = setting.transform.numerator !== 0;
  const set = (options & VALUE_VALID) !== 0;
  const rate = (options & RATE_ADJUST_VALID) !== 0;
  if (!set && !started) refuse(Status.ERR_BAD_STATE);
  requireArgs(!(set && started && (clock.options & CONTINUOUS) !== 0));
  if (update.version === 2 && started && (clock.options & MONOTONIC) !== 0) {
    const explicit = (options & REFERENCE_VALUE_VALID) !== 0;
    requireArgs((!set || explicit) && !((set || explicit) && rate));
  }
  const errorBound = (options & ERROR_BOUND_VALID) !== 0;
  return {
    transform: updatedTransform(clock, update, now),
    errorBound: errorBound ? update.errorBound : setting.errorBound,
    errorBoundUpdatedAt: errorBound ? now : setting.errorBoundUpdatedAt,
    valueUpdatedAt: set ? now : setting.valueUpdatedAt,
    rateUpdatedAt: rate || !started ? now : setting.rateUpdatedAt,
    rateAdjust: rate ? update.rateAdjust : setting.rateAdjust,
    generation: setting.generation + 1,
  };
}

function updatedTransform(clock: ClockState, update: ClockUpdate, now: bigint): ClockTransform {
  const { transform: old, rateAdjust } = clock.setting;
  const { options } = update;
  const set = (options & VALUE_VALID) !== 0;
  const rate = (options & RATE_ADJUST_VALID) !== 0;
  const explicit = (options & REFERENCE_VALUE_VALID) !== 0;
  // The same rate once more changes nothing, not even by rounding.
  if (!set && (!rate || (!explicit && update.rateAdjust === rateAdjust))) return old;
  const referenceOffset = explicit ? update.reference : now;
  const syntheticOffset = set ? update.synthetic : applyTransform(old, referenceOffset);
  const ratio = rate
    ? { numerator: MILLION + update.rateAdjust, denominator: MILLION }
    : old.numerator === 0
      ? { numerator: 1, denominator: 1 }
      : { numerator: old.numerator, denominator: old.denominator };
  const transform = { referenceOffset, syntheticOffset, ...ratio };
  const shown = applyTransform(transform, now);
  requireArgs((clock.options & MONOTONIC) === 0 || shown >= applyTransform(old, now));
  requireArgs(shown >= clock.backstopTime);
  return transform;
}

function encodeTransform({ referenceOffset, syntheticOffset, numerator, denominator }: ClockTransform) {
  return {
    reference_offset: referenceOffset,
    synthetic_offset: syntheticOffset,
    rate: { synthetic_ticks: numerator, reference_ticks: denominator },
  };
}

/** The ratio that ticks have, which the kernel keeps in lowest terms, where that of time is as it was set. */
function reduced(transform: ClockTransform): ClockTransform {
  let [a, b] = [transform.numerator, transform.denominator];
  while (b !== 0) [a, b] = [b, a % b];
  return { ...transform, numerator: transform.numerator / a, denominator: transform.denominator / a };
}

/** zx_clock_details_v1_t: all there is to know about a clock, without the time of the question. */
export function encodeDetails({ options, backstopTime, setting }: Omit<ClockState, 'kind'>): Uint8Array {
  return encodeStruct('zx_clock_details_v1_t', {
    options,
    backstop_time: backstopTime,
    ticks_to_synthetic: encodeTransform(reduced(setting.transform)),
    mono_to_synthetic: encodeTransform(setting.transform),
    error_bound: setting.errorBound,
    last_value_update_ticks: setting.valueUpdatedAt,
    last_rate_adjust_update_ticks: setting.rateUpdatedAt,
    last_error_bounds_update_ticks: setting.errorBoundUpdatedAt,
    generation_counter: setting.generation,
  });
}

/** What mapped details show at a time of the reference; null for what are no details. */
export function readDetails(details: Uint8Array, reference: bigint): bigint | null {
  const { mono_to_synthetic } = decodeStruct('zx_clock_details_v1_t', details);
  const { reference_offset, synthetic_offset, rate } = mono_to_synthetic;
  if (rate.reference_ticks === 0) return null;
  const transform = {
    referenceOffset: reference_offset,
    syntheticOffset: synthetic_offset,
    numerator: rate.synthetic_ticks,
    denominator: rate.reference_ticks,
  };
  return applyTransform(transform, reference);
}

/** Details with the time of the question. */
export function withQueryTime(details: Uint8Array, reference: bigint): Uint8Array {
  const fields = decodeStruct('zx_clock_details_v1_t', details);
  return encodeStruct('zx_clock_details_v1_t', { ...fields, query_ticks: reference });
}
