import test from 'ava';
import fc from 'fast-check';
import { CLOCK_ARGS_VERSION_SHIFT, ClockOption, ClockUpdateOption } from '../../src/abi/clocks.js';
import { encodeStruct } from '../../src/abi/structs.js';
import { VmOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { statusName } from './ipc-support.js';
import { newClock } from './object-support.js';

const { MONOTONIC, CONTINUOUS, AUTO_START, MAPPABLE } = ClockOption;
const { VALUE_VALID, RATE_ADJUST_VALID } = ClockUpdateOption;
const V1 = 1n << CLOCK_ARGS_VERSION_SHIFT;

const option = fc.constantFrom(0, MONOTONIC, MONOTONIC | CONTINUOUS);
const step = fc.record({
  wait: fc.nat({ max: 3_000_000 }),
  value: fc.option(fc.nat({ max: 9_000_000 }), { nil: null }),
  rate: fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null }),
});

/** Where it was set last, and how fast it goes from there: plain numbers, which these are small enough for. */
class Model {
  started: boolean;
  private at = 0;
  private shown = 0;
  private ppm = 0;

  constructor(private readonly options: number) {
    this.started = (options & AUTO_START) !== 0;
  }

  read(now: number): number {
    if (!this.started) return 0;
    return this.shown + Math.floor(((now - this.at) * (1_000_000 + this.ppm)) / 1_000_000);
  }

  update(now: number, value: number | null, rate: number | null): string {
    if (value === null && !this.started) return 'ERR_BAD_STATE';
    if (value !== null && this.started && (this.options & CONTINUOUS) !== 0) return 'ERR_INVALID_ARGS';
    const was = this.read(now);
    if (value !== null && (this.options & MONOTONIC) !== 0 && value < was) return 'ERR_INVALID_ARGS';
    if (value === null && rate === this.ppm) return 'OK';
    this.started = true;
    this.shown = value ?? was;
    this.at = now;
    this.ppm = rate ?? this.ppm;
    return 'OK';
  }
}

test('a clock goes at its rate from where it was set, keeps its promises, and its mapping shows the same', (t) => {
  fc.assert(
    fc.property(option, fc.boolean(), fc.array(step, { maxLength: 20 }), (promises, auto, steps) => {
      const h = new Harness();
      const options = promises | (auto ? AUTO_START : 0);
      const clock = newClock(h, options | MAPPABLE);
      const model = new Model(options);
      const out = h.scratch(8);
      h.call('zx_vmar_map_clock', [h.handles.rootVmar, VmOption.PERM_READ, 0, clock, 4096, out]);
      const mapped = Number(h.u64(out));
      let last = 0;
      const look = (): void => {
        const now = model.read(Number(h.k.nowNs));
        t.is(h.call('zx_clock_read', [clock, out]), 0n);
        t.is(Number(h.u64(out)), now);
        t.is(h.call('zx_clock_read_mapped', [mapped, out]), 0n);
        t.is(Number(h.u64(out)), now);
        t.true((promises & MONOTONIC) === 0 || now >= last);
        last = now;
      };
      for (const { wait, value, rate } of steps) {
        h.advance(BigInt(wait));
        look();
        if (value === null && rate === null) continue;
        const before = h.k.nowNs;
        const args = encodeStruct('zx_clock_update_args_v1_t', { rate_adjust: rate ?? 0, value: value ?? 0 });
        const given = (value === null ? 0 : VALUE_VALID) | (rate === null ? 0 : RATE_ADJUST_VALID);
        const status = h.call('zx_clock_update', [clock, V1 | BigInt(given), h.scratch(args)]);
        t.is(statusName(status), model.update(Number(before), value, rate));
        look();
      }
    }),
    { numRuns: 200 },
  );
});
