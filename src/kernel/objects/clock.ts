import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';
import { holdVmo } from './vmo.js';

/**
 * How a clock follows from its reference: it shows `syntheticOffset` at `referenceOffset`, and goes on from there at
 * `numerator`/`denominator` of the reference's rate. Numerator 0: it was not started.
 */
export interface ClockTransform {
  readonly referenceOffset: bigint;
  readonly syntheticOffset: bigint;
  readonly numerator: number;
  readonly denominator: number;
}

/** What changes with zx_clock_update. Times are of the reference, ns, which are its ticks as well. */
export interface ClockSetting {
  readonly transform: ClockTransform;
  readonly errorBound: bigint;
  readonly valueUpdatedAt: bigint;
  readonly rateUpdatedAt: bigint;
  readonly errorBoundUpdatedAt: bigint;
  /** Parts per million. */
  readonly rateAdjust: number;
  /** Updates so far. */
  readonly generation: number;
}

export interface ClockState extends ObjectBase {
  readonly kind: 'clock';
  /** ZX_CLOCK_OPT_* bits. */
  readonly options: number;
  readonly backstopTime: bigint;
  readonly setting: ClockSetting;
  /** Where its details can be mapped; 0 unless it is MAPPABLE. */
  readonly vmo: number;
}

export interface ClockEvents {
  /** `vmo`: made before, or 0. */
  'clock-created': {
    koid: number;
    options: number;
    backstopTime: bigint;
    setting: ClockSetting;
    signals: number;
    vmo: number;
  };
  'clock-updated': { koid: number; setting: ClockSetting };
}

export const clockReducers: Reducers<ClockEvents> = {
  'clock-created': (k, e) => {
    const { options, backstopTime, setting, vmo } = e;
    k.create({
      kind: 'clock',
      ...newObject(e.koid, e.signals, IntMap.empty()),
      options,
      backstopTime,
      setting,
      vmo,
    });
    if (vmo !== 0) holdVmo(k, vmo, e.koid);
  },
  'clock-updated': (k, e) => {
    k.update(e.koid, 'clock', (clock) => {
      clock.setting = e.setting;
    });
  },
};
