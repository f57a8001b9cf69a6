import test from 'ava';
import fc from 'fast-check';
import { IntMap } from '../../src/base/int-map.js';

/** Keys that share nodes, that meet at node borders, and that need divisions. */
const key = fc.oneof(
  fc.integer({ min: 0, max: 70 }),
  fc.integer({ min: 0, max: 40000 }),
  fc.constantFrom(31, 32, 1023, 1024, 2 ** 30 - 1, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
  fc.maxSafeNat(),
);
const change = fc.record({
  key,
  value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  owned: fc.boolean(),
  shared: fc.boolean(),
});

function sorted(model: ReadonlyMap<number, number>): [number, number][] {
  return [...model].sort((a, b) => a[0] - b[0]);
}

test('a map with changes in place and shared copies is a sorted Map, and shared copies keep what they had', (t) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), fc.array(key, { maxLength: 20 }), (changes, probes) => {
      let owner = {};
      let map = IntMap.empty<number>();
      const model = new Map<number, number>();
      const kept: { map: IntMap<number>; entries: [number, number][] }[] = [];
      for (const { key, value, owned, shared } of changes) {
        const by = owned ? owner : null;
        if (value === undefined) {
          map = map.delete(key, by);
          model.delete(key);
        } else {
          map = map.set(key, value, by);
          model.set(key, value);
        }
        t.is(map.size, model.size);
        t.is(map.get(key), value);
        if (shared) {
          kept.push({ map, entries: sorted(model) });
          owner = {};
        }
      }
      const entries = sorted(model);
      t.deepEqual([...map], entries);
      t.deepEqual(
        [...map.keys()],
        entries.map(([k]) => k),
      );
      t.deepEqual(
        [...map.values()],
        entries.map(([, v]) => v),
      );
      for (const probe of [...probes, ...model.keys()]) {
        t.is(map.get(probe), model.get(probe));
        t.deepEqual(
          map.floor(probe),
          entries.findLast(([k]) => k <= probe),
        );
        t.deepEqual(
          map.ceiling(probe),
          entries.find(([k]) => k >= probe),
        );
        t.deepEqual(
          [...map.entries(probe)],
          entries.filter(([k]) => k >= probe),
        );
      }
      for (const copy of kept) t.deepEqual([...copy.map], copy.entries);
    }),
  );
});

test("the shape is the keys' alone: other ways to the same keys give equal nodes", (t) => {
  const shape = (map: IntMap<number>): unknown =>
    JSON.parse(JSON.stringify(map.root, (name, value) => (name === 'owner' ? undefined : value)));
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 60 }), fc.array(key, { maxLength: 20 }), (keys, others) => {
      const owner = {};
      let map = IntMap.empty<number>();
      const extra = others.filter((other) => !keys.includes(other));
      for (const k of extra) map = map.set(k, 1, owner);
      for (const k of keys.toReversed()) map = map.set(k, k, owner);
      for (const k of extra) map = map.delete(k, owner);
      t.deepEqual(shape(map), shape(IntMap.from(keys.map((k) => [k, k] as const))));
    }),
  );
});
