import test from 'ava';
import fc from 'fast-check';
import { PayloadError } from '../../src/recording/format/recording-error.js';
import { decodeSparse, encodeSparse } from '../../src/recording/format/sparse.js';

/** Words of memory: much of it zero. */
const memory = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer()), { maxLength: 200 })
  .map((words) => new Uint8Array(Int32Array.from(words).buffer));

test('memory comes back from its words that are not zero', (t) => {
  fc.assert(
    fc.property(memory, (bytes) => {
      const stored = encodeSparse(bytes);
      if (stored === null) return;
      t.true(stored.length < bytes.length);
      t.deepEqual(decodeSparse(stored, bytes.length), bytes);
    }),
  );
});

test('what is no shorter, or not made of words, is left as it is', (t) => {
  t.is(encodeSparse(new Uint8Array(4096).fill(1)), null);
  t.is(encodeSparse(new Uint8Array(4097)), null);
  t.is(encodeSparse(new Uint8Array(0)), null);
  t.is(encodeSparse(new Uint8Array(4096))?.length, 4096 / 32);
});

test('any other bytes and lengths are refused, or give as much as was claimed', (t) => {
  let refused = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2000), (stored, rawLength) => {
      try {
        t.is(decodeSparse(stored, rawLength).length, rawLength);
      } catch (reason) {
        refused++;
        t.true(reason instanceof PayloadError);
      }
    }),
    { numRuns: 1000 },
  );
  t.true(refused > 100);
});

test('each byte of what is stored counts', (t) => {
  const bytes = new Uint8Array(512);
  bytes.set([1, 2, 3], 100);
  bytes.set([9], 511);
  const stored = encodeSparse(bytes)!;
  for (let i = 0; i < stored.length; i++) {
    const changed = stored.slice();
    changed[i] ^= 0x40;
    try {
      t.notDeepEqual(decodeSparse(changed, bytes.length), bytes);
    } catch (reason) {
      t.true(reason instanceof PayloadError);
    }
    t.throws(() => decodeSparse(stored.slice(0, i), bytes.length), { instanceOf: PayloadError });
  }
});
