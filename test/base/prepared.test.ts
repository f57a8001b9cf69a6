import test from 'ava';
import { prepare, prepared } from '../../src/base/prepared.js';

test('bytes are made once, and not at all when a build gave them', (t) => {
  let made = 0;
  const make = () => Uint8Array.of(++made);
  t.deepEqual([prepared('one', make), prepared('one', make)], [Uint8Array.of(1), Uint8Array.of(1)]);
  prepare([['two', Uint8Array.of(9)]]);
  t.deepEqual(prepared('two', make), Uint8Array.of(9));
  t.is(made, 1);
});
