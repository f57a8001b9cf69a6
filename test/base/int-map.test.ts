import { setFlagsFromString } from 'node:v8';
import test from 'ava';
import fc from 'fast-check';
import { AssertionError } from '../../src/base/assert.js';
import { IntMap, IntMapNode, LEAF_KEYS, type Owner } from '../../src/base/int-map.js';

/** Keys where trees go wrong: neighbours, powers of 32 and their neighbours, the ends of 32 and of 53 bits. */
const key = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(10), fc.integer({ min: -1, max: 33 })).map(([l, d]) => 32 ** l + d),
  },
  {
    weight: 2,
    arbitrary: fc.nat(3).chain((d) => fc.constantFrom(2 ** 31 - d, 2 ** 32 + d, 2 ** 53 - 1 - d)),
  },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);

/** A shy change leaves the token aside that it could have used. */
type Step =
  | { readonly kind: 'set'; readonly key: number; readonly value: number; readonly shy: boolean }
  | {
      readonly kind: 'setAll';
      readonly keys: readonly number[];
      readonly value: number;
      readonly shy: boolean;
    }
  | { readonly kind: 'delete'; readonly key: number; readonly shy: boolean }
  /** Keeps the map as it is now and changes owner: none, or a new token. */
  | { readonly kind: 'keep'; readonly owned: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('set' as const), key, value: fc.nat(3), shy: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('setAll' as const),
      keys: fc
        .uniqueArray(fc.oneof(key, fc.nat(2000)), { maxLength: 40 })
        .map((keys) => keys.sort((a, b) => a - b)),
      value: fc.nat(3),
      shy: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), key, shy: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('keep' as const), owned: fc.boolean() }) },
);

/** The tree under the map, as plain data, and a check of what every node must be. */
function shapeOf(map: IntMap<unknown>): unknown {
  const node = (n: IntMapNode): unknown => ({
    level: n.level,
    bitmap: n.bitmap,
    slots: n.slots.map((slot) => (slot instanceof IntMapNode ? node(slot) : slot)),
  });
  return { size: map.size, root: map.root === null ? null : node(map.root) };
}

const sorted = (model: ReadonlyMap<number, number>): [number, number][] =>
  [...model].sort(([a], [b]) => a - b);

/** Everything a map answers, against a plain Map. Returns what is wrong, or null. */
function difference(
  map: IntMap<number>,
  model: ReadonlyMap<number, number>,
  probes: readonly number[],
): string | null {
  const entries = sorted(model);
  if (map.size !== model.size) return `size ${map.size}, not ${model.size}`;
  if (JSON.stringify([...map]) !== JSON.stringify(entries)) return `entries ${JSON.stringify([...map])}`;
  if (JSON.stringify(map.list()) !== JSON.stringify(entries)) return `list ${JSON.stringify(map.list())}`;
  if ([...map.keys()].join() !== entries.map(([k]) => k).join()) return 'keys';
  if ([...map.values()].join() !== entries.map(([, v]) => v).join()) return 'values';
  for (const probe of probes) {
    if (map.get(probe) !== model.get(probe)) return `get ${probe}: ${map.get(probe)}`;
    if (map.has(probe) !== model.has(probe)) return `has ${probe}`;
    const floor = entries.findLast(([k]) => k <= probe);
    if (map.floor(probe)?.join() !== floor?.join()) return `floor ${probe}: ${map.floor(probe)}`;
    const ceiling = entries.find(([k]) => k >= probe);
    if (map.ceiling(probe)?.join() !== ceiling?.join()) return `ceiling ${probe}: ${map.ceiling(probe)}`;
    const rest = entries.filter(([k]) => k >= probe);
    if (JSON.stringify([...map.entries(probe)]) !== JSON.stringify(rest)) return `entries from ${probe}`;
  }
  return null;
}

test('a map answers as a plain Map does; kept versions never change; equal keys have one shape', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const kept: { map: IntMap<number>; model: Map<number, number>; shape: string }[] = [];
      let map = IntMap.empty<number>();
      const model = new Map<number, number>();
      let owner: Owner | null = null;
      for (const s of steps) {
        // Without an owner every version is for keeps.
        if (s.kind === 'keep' || owner === null) {
          kept.push({ map, model: new Map(model), shape: JSON.stringify(shapeOf(map)) });
        }
        if (s.kind === 'keep') owner = s.owned ? {} : null;
        else if (s.kind === 'set') {
          map = map.set(s.key, s.value, s.shy ? null : owner);
          model.set(s.key, s.value);
        } else if (s.kind === 'setAll') {
          const values = s.keys.map((_, i) => s.value + i);
          map = map.setAll(s.keys, values, s.shy ? null : owner);
          s.keys.forEach((one, i) => {
            model.set(one, values[i]);
          });
        } else {
          map = map.delete(s.key, s.shy ? null : owner);
          model.delete(s.key);
        }
      }
      const probes = steps.flatMap((s) => ('key' in s ? [s.key, s.key + 1, Math.max(0, s.key - 1)] : []));
      t.is(difference(map, model, probes), null);
      t.deepEqual(shapeOf(map), shapeOf(IntMap.from(sorted(model))));
      t.deepEqual(shapeOf(map), shapeOf(IntMap.from(sorted(model).reverse())));
      for (const old of kept) {
        t.is(JSON.stringify(shapeOf(old.map)), old.shape);
        t.is(difference(old.map, old.model, []), null);
      }
    }),
    { numRuns: 200 },
  );
});

test('a change shares what it does not touch, and no change gives the same map', (t) => {
  const map = IntMap.from(Array.from({ length: 5000 }, (_, i) => [i * 3, i] as const));
  t.is(map.set(300, 100), map);
  t.is(map.delete(301), map);
  const changed = map.set(300, 7);
  const nodes = (m: IntMap<unknown>): Set<IntMapNode> => {
    const all = new Set<IntMapNode>();
    const go = (n: IntMapNode): void => {
      all.add(n);
      for (const slot of n.slots) if (slot instanceof IntMapNode) go(slot);
    };
    go(m.root!);
    return all;
  };
  const before = nodes(map);
  const fresh = [...nodes(changed)].filter((node) => !before.has(node));
  // One path: the root has level 2 for keys below 32768.
  t.is(fresh.length, 3);
});

test('an owner changes its own nodes in place, and nobody else does', (t) => {
  const base = IntMap.from([[1, 'a']]);
  const owner = {};
  const first = base.set(2, 'b', owner);
  const second = first.set(3, 'c', owner);
  t.is(first.root, second.root);
  t.not(base.root, first.root);
  const other = second.set(4, 'd', {});
  t.not(other.root, second.root);
  t.not(second.set(4, 'd').root, second.root);
  t.deepEqual([...base], [[1, 'a']]);
  t.is(second.get(4), undefined);
});

test('the greatest key is 2^53 - 1, and what cannot be a key is not found', (t) => {
  const map = IntMap.from([
    [0, 'zero'],
    [Number.MAX_SAFE_INTEGER, 'last'],
  ]);
  t.is(map.get(Number.MAX_SAFE_INTEGER), 'last');
  t.deepEqual(map.floor(Number.MAX_SAFE_INTEGER - 1), [0, 'zero']);
  t.deepEqual(map.ceiling(1), [Number.MAX_SAFE_INTEGER, 'last']);
  for (const no of [-1, 2 ** 53, 2 ** 55, 2 ** 60, 2 ** 64, Number.POSITIVE_INFINITY, Number.NaN]) {
    t.is(map.get(no), undefined, String(no));
    t.is(map.delete(no), map);
  }
  t.is(IntMap.from([[5, 'five']]).get(Number.NaN), undefined);
  for (const no of [-1, 0.5, 2 ** 53, Number.NaN]) {
    t.throws(() => map.set(no, 'x'), { instanceOf: AssertionError });
  }
  t.throws(() => map.set(1, undefined as unknown as string), { instanceOf: AssertionError });
});

test('an empty map has no nodes, however it became empty', (t) => {
  let map = IntMap.empty<number>();
  for (let i = 0; i < 100; i++) map = map.set(i * 1000, i);
  for (let i = 99; i >= 0; i--) map = map.delete(i * 1000, i % 2 === 0 ? {} : null);
  t.is(map, IntMap.empty<number>());
  t.is(map.root, null);
  t.is(map.floor(5), undefined);
  t.is(map.ceiling(0), undefined);
});

test('a map is the same when it is put together again from its lowest nodes', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 200 }), (keys) => {
      const map = IntMap.from(keys.map((k) => [k, `${k}`]));
      const leaves = map.leaves();
      const again = IntMap.fromLeaves<string>(leaves);
      const inOrder = leaves.every(
        ([first], i) => first % LEAF_KEYS === 0 && first > (leaves[i - 1]?.[0] ?? -1),
      );
      return inOrder && JSON.stringify(shapeOf(again)) === JSON.stringify(shapeOf(map));
    }),
  );
  t.pass();
});

/** Asks the host how it keeps a list: natives are functions of V8 that scripts have once a flag allows them. */
function isOfFloats(list: readonly unknown[]): boolean {
  setFlagsFromString('--allow-natives-syntax');
  return new Function('list', 'return %HasDoubleElements(list)')(list) as boolean;
}

test('a map has other leaves in place of its own, whoever owns it, and each key finds its leaf', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 100 }), fc.nat(3), (keys, every) => {
      const owner: Owner = {};
      const map = IntMap.from(keys.map((key): [number, number] => [key, 1]));
      const leaves = map.leaves().filter((_, i) => i % (every + 1) === 0);
      const others = leaves.map(
        ([first, { bitmap, slots }]) =>
          [
            first,
            new IntMapNode(
              0,
              bitmap,
              slots.map(() => 2),
              owner,
            ),
          ] as const,
      );
      const changed = map.withLeaves(others, owner);
      const firsts = new Set(leaves.map(([first]) => first));
      const isIn = (key: number) => firsts.has(key - (key % LEAF_KEYS));
      t.deepEqual(
        changed.list(),
        map.list().map(([key]) => [key, isIn(key) ? 2 : 1]),
      );
      t.true(map.list().every(([, value]) => value === 1));
      for (const [first, leaf] of others) t.is(changed.leaf(first + LEAF_KEYS - 1), leaf);
      t.is(changed.size, map.size);
    }),
  );
  t.is(IntMap.empty().leaf(0), null);
  t.is(IntMap.from([[5, 1]]).leaf(LEAF_KEYS), null);
  const leaf = new IntMapNode(0, 1, [7], null);
  t.throws(() => IntMap.from([[5, 1]]).withLeaves([[0, leaf]], {}), { instanceOf: AssertionError });
});

test('a large number in one map leaves the small ones of others as they are', (t) => {
  const large = 2 ** 40;
  const made = (key: number, value: number) => [
    ...IntMap.from([[key, value]]).entries(),
    ...IntMap.from([[key, value]]).list(),
  ];
  // The control: a list made in the same place as another of large numbers is one of floats.
  const pair = (key: number, value: number): number[] => [key, value];
  for (let i = 0; i < 1000; i++) {
    made(large, large);
    pair(large, large);
  }
  t.true(isOfFloats(pair(1, 2)));
  for (const entry of made(1, 2)) t.false(isOfFloats(entry));
  t.false(isOfFloats(IntMap.from([[1, 2]]).root?.slots ?? []));
});
