import test from 'ava';
import fc from 'fast-check';
import { IntMap } from '../../src/base/int-map.js';
import { Prng, seedPrng } from '../../src/base/prng.js';
import type { Region } from '../../src/kernel/objects/vmar.js';
import { lowestGap, randomGap } from '../../src/kernel/syscalls/gap-search.js';
import { PAGE } from './vm-support.js';

const PAGES = 80;
const BASE = 4096 * PAGE;
const OWNER = {};

const anyRegions = fc.array(fc.record({ first: fc.nat(PAGES - 1), count: fc.integer({ min: 1, max: 6 }) }), {
  maxLength: 25,
});
const anyRequest = {
  count: fc.integer({ min: 1, max: 6 }),
  alignPages: fc.constantFrom(1, 1, 2, 8),
  start: fc.nat(PAGES - 1),
  owned: fc.boolean(),
};

/** Which pages are taken, and the same as a VMAR's regions. */
function layOut(asked: readonly { first: number; count: number }[], owned: boolean) {
  const taken = new Array<boolean>(PAGES).fill(false);
  let regions = IntMap.empty<Region>();
  for (const { first, count } of asked) {
    if (first + count > PAGES || taken.slice(first, first + count).includes(true)) continue;
    taken.fill(true, first, first + count);
    const region = { kind: 'vmar', koid: 1, base: BASE + first * PAGE, sizeBytes: count * PAGE } as Region;
    regions = regions.set(BASE / PAGE + first, region, owned ? OWNER : null);
  }
  return { taken, regions };
}

const isFree = (taken: readonly boolean[], first: number, count: number): boolean =>
  !taken.slice(first, first + count).includes(true);

test('the lowest gap is the first that fits at or above where the search begins', (t) => {
  fc.assert(
    fc.property(anyRegions, fc.record(anyRequest), (asked, { count, alignPages, start, owned }) => {
      const { taken, regions } = layOut(asked, owned);
      let wanted = Math.ceil(start / alignPages) * alignPages;
      while (!isFree(taken, wanted, count)) wanted += alignPages;
      const got = lowestGap(regions, OWNER, BASE + start * PAGE, count * PAGE, alignPages * PAGE);
      return (got - BASE) / PAGE === wanted;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a random gap is found soon in a range that is nearly full, and is one that fits', (t) => {
  fc.assert(
    fc.property(
      anyRegions,
      fc.record(anyRequest),
      fc.nat(),
      fc.constantFrom(2 ** 8, 2 ** 30),
      (asked, { count, alignPages, owned }, seed, limit) => {
        const { taken, regions } = layOut(asked, owned);
        const search = {
          regions,
          owner: OWNER,
          start: BASE,
          end: BASE + PAGES * PAGE,
          sizeBytes: count * PAGE,
          alignment: alignPages * PAGE,
        };
        const got = randomGap(search, limit, new Prng(seedPrng(seed, 'gaps')));
        const places = Array.from({ length: PAGES / alignPages }, (_, i) => i * alignPages);
        const fitting = places.filter((page) => page + count <= PAGES && isFree(taken, page, count));
        return got === null ? fitting.length === 0 : fitting.includes((got - BASE) / PAGE);
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
