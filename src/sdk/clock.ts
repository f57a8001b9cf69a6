import { ClockUpdateOption } from '../abi/clocks.js';
import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** What to change of a clock. */
export interface ClockUpdate {
  /** Its value, ns, and the reference time at which it has it; now when that is left out. */
  readonly syntheticValue?: Wide;
  readonly referenceValue?: Wide;
  /** Parts per million. */
  readonly rateAdjust?: number;
  /** ns. */
  readonly errorBound?: Wide;
}

/** A clock of the program's own. */
export class Clock extends Handle {
  /** `zx_clock_create`. @param options ZX_CLOCK_OPT_* @param backstopTime ns; null: none */
  static *create(zx: Zx, options: Wide = 0, backstopTime: Wide | null = null) {
    const result = yield* zx.clockCreate(options, backstopTime);
    return mapped(result, ['clock'], ({ out }) => ({ clock: new Clock(zx, out) }));
  }

  /** `zx_clock_read`, ns. */
  *read() {
    return yield* this.zx.clockRead(this.raw);
  }

  /** `zx_clock_get_details`. */
  *details() {
    return yield* this.zx.clockGetDetails(this.raw);
  }

  /** `zx_clock_update`. */
  *update({ syntheticValue, referenceValue, rateAdjust, errorBound }: ClockUpdate) {
    const { RATE_ADJUST_VALID, ERROR_BOUND_VALID, SYNTHETIC_VALUE_VALID, REFERENCE_VALUE_VALID } =
      ClockUpdateOption;
    const options =
      (syntheticValue === undefined ? 0 : SYNTHETIC_VALUE_VALID) |
      (referenceValue === undefined ? 0 : REFERENCE_VALUE_VALID) |
      (rateAdjust === undefined ? 0 : RATE_ADJUST_VALID) |
      (errorBound === undefined ? 0 : ERROR_BOUND_VALID);
    return yield* this.zx.clockUpdate(this.raw, options, {
      synthetic_value: syntheticValue ?? 0,
      reference_value: referenceValue ?? 0,
      rate_adjust: rateAdjust ?? 0,
      error_bound: errorBound ?? 0,
    });
  }
}
