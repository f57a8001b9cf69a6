import test from 'ava';
import fc from 'fast-check';
import { RegisterSet } from '../../src/cpu/engines/register-set.js';

const slot = fc.integer({ min: 0, max: 63 });

test('a register set is the set of what was added, in order of slot, from any slot on', (t) => {
  fc.assert(
    fc.property(fc.array(slot), fc.integer({ min: 0, max: 64 }), (added, from) => {
      const set = new RegisterSet();
      for (const one of added) set.add(one);
      const expected = [...new Set(added)].sort((a, b) => a - b);
      t.deepEqual([...set], expected);
      t.is(set.next(from), expected.find((one) => one >= from) ?? -1);
    }),
  );
});
