import test from 'ava';
import fc from 'fast-check';
import * as exact from '../../src/cpu/softfloat/exact.js';
import { BINARY64 } from '../../src/cpu/softfloat/format.js';
import { fromDouble, isNearestRoot, productError, toDouble } from '../../src/cpu/softfloat/host.js';
import { FloatEnv } from '../../src/cpu/softfloat.js';

test('isNearestRoot accepts the correctly rounded root and neither of its neighbours', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 2 ** -900, max: 2 ** 900, noNaN: true }), (square) => {
      const nearest = exact.sqrt(BINARY64, fromDouble(square), new FloatEnv());
      return [-2n, -1n, 0n, 1n, 2n].every((distance) => {
        const root = toDouble(nearest + distance);
        const product = root * root;
        const residue = square - product - productError(root, root, product);
        return isNearestRoot(root, residue, 2 ** -52) === (distance === 0n);
      });
    }),
    { numRuns: 20_000 },
  );
  t.pass();
});
