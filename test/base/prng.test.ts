import test from 'ava';
import fc from 'fast-check';
import { nextU32, Prng, type PrngState, seedPrng } from '../../src/base/prng.js';

const MASK = 0xffffffffn;

/** xoshiro128** 1.1 as Blackman and Vigna print it, in BigInt arithmetic. */
function reference(state: readonly bigint[]): { value: bigint; state: bigint[] } {
  const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & MASK;
  const s = [...state];
  const value = (rotl((s[1] * 5n) & MASK, 7n) * 9n) & MASK;
  const t = (s[1] << 9n) & MASK;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 11n);
  return { value, state: s };
}

/** The number that gives 1 with an odd one, modulo 2^32, by Newton's iteration. */
function inverse(odd: bigint): bigint {
  let x = odd;
  for (let i = 0; i < 5; i++) x = (x * (2n - odd * x)) & MASK;
  return x;
}

const unsigned = (words: readonly number[]): bigint[] => words.map((w) => BigInt(w >>> 0));
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

test('the generator is xoshiro128**', (t) => {
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), (start) => {
      let ours: PrngState = start;
      let theirs = unsigned(start);
      for (let i = 0; i < 20; i++) {
        const a = nextU32(ours);
        const b = reference(theirs);
        if (BigInt(a.value) !== b.value || unsigned(a.state).join() !== b.state.join()) return false;
        ours = a.state;
        theirs = b.state;
      }
      return true;
    }),
  );
  // First outputs from the state 1, 2, 3, 4, worked out by hand: 2·5 rotated by 7, times 9; then s1 is 0.
  const first = nextU32([1, 2, 3, 4]);
  t.is(first.value, 11520);
  t.is(nextU32(first.state).value, 0);
});

test('seeds and streams give different states, none of them zero', (t) => {
  const seeds = [
    0,
    1,
    -1,
    2,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 32 + 1,
    0x9e3779b1,
    2 ** 53 - 1,
    1 - 2 ** 53,
  ];
  const states = new Set<string>();
  const streams = ['', 'schedule', 'cprng', 'handles 1024', 'handles 1025'];
  const expected = new Set([...seeds, ...Array.from({ length: 2000 }, (_, i) => i * 0x100000001)]);
  for (const seed of expected) for (const stream of streams) states.add(seedPrng(seed, stream).join());
  t.is(states.size, expected.size * streams.length);
  t.false(states.has('0,0,0,0'));
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
      const same = seedPrng(a, 'x').join() === seedPrng(b, 'x').join();
      return same === (a === b);
    }),
  );
});

test('a bounded draw stays below its bound and reaches everything', (t) => {
  for (const bound of [1, 2, 3, 10]) {
    const prng = new Prng(seedPrng(bound, 'below'));
    const counts = new Map<number, number>();
    for (let i = 0; i < 3000; i++) {
      const value = prng.below(bound);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    t.deepEqual(
      [...counts.keys()].sort((a, b) => a - b),
      [...Array(bound).keys()],
    );
    // Three thousand draws: six standard deviations from the mean.
    const mean = 3000 / bound;
    for (const count of counts.values()) t.true(Math.abs(count - mean) <= 6 * Math.sqrt(mean));
  }
  // A state whose next output is the greatest there is: 9·rotl(5·s1, 7) = 2^32 - 1, solved for s1.
  const rotated = (MASK * inverse(9n)) & MASK;
  const s1 = Number((((rotated >> 7n) | (rotated << 25n)) * inverse(5n)) & MASK) | 0;
  t.is(nextU32([1, s1, 1, 1]).value, 0xffffffff);
  for (const bound of [1, 2, 3, 1000, 2 ** 31, 2 ** 32 - 1, 2 ** 32]) {
    t.is(new Prng([1, s1, 1, 1]).below(bound), bound - 1);
  }
});

test('bytes are the words in little-endian order, cut to length', (t) => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.nat(20), (seed, length) => {
      const words = new Prng(seedPrng(seed, 'b'));
      const whole = new Uint8Array(24);
      const view = new DataView(whole.buffer);
      for (let i = 0; i < 24; i += 4) view.setUint32(i, words.u32(), true);
      const bytes = new Prng(seedPrng(seed, 'b')).bytes(length);
      return Buffer.compare(bytes, whole.subarray(0, length)) === 0;
    }),
  );
  t.pass();
});
