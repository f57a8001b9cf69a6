import test from 'ava';
import fc from 'fast-check';
import { FloatEnv, NX, RNE } from '../../src/cpu/softfloat.js';
import { OPERATIONS, ROUNDING_MODES } from './operations.js';
import { operandsFor } from './patterns.js';

for (const operation of OPERATIONS) {
  test(`${operation.name}: the API and the exact layer agree on result and flags`, (t) => {
    fc.assert(
      fc.property(
        operandsFor(operation.operands),
        fc.constantFrom(RNE, RNE, RNE, ...ROUNDING_MODES),
        fc.constantFrom(0, NX),
        ([a, b, c], rounding, flags) => {
          const env = Object.assign(new FloatEnv(), { rounding, flags });
          const reference = Object.assign(new FloatEnv(), { rounding, flags });
          const result = operation.api(a, b, c, env);
          const expected = operation.exact(a, b, c, reference);
          if (result === expected && env.flags === reference.flags && env.rounding === rounding) return;
          throw new Error(
            `got ${result.toString(16)} flags ${env.flags}, exact ${expected.toString(16)} flags ${reference.flags}`,
          );
        },
      ),
      { numRuns: Number(process.env.SOFTFLOAT_RUNS ?? 4000) },
    );
    t.pass();
  });
}
