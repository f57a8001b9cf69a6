import test from 'ava';
import fc from 'fast-check';
import { Hasher, stringWords } from '../../src/base/digest.js';
import { IntMap } from '../../src/base/int-map.js';
import type { KernelEvent } from '../../src/kernel/objects/events.js';
import { hashEvent, hashValue } from '../../src/kernel/objects/state-hash.js';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';

/** What a state is made of, described so that it can be built twice and compared as text. */
type Plan =
  | { readonly is: 'undefined' | 'null' | 'true' | 'false' }
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'bigint'; readonly value: string }
  | { readonly is: 'string'; readonly value: string }
  | { readonly is: 'bytes' | 'page'; readonly value: readonly number[] }
  | { readonly is: 'list'; readonly items: readonly Plan[] }
  | { readonly is: 'record'; readonly fields: readonly (readonly [string, Plan])[] }
  | { readonly is: 'map' | 'object map'; readonly entries: readonly (readonly [number, Plan])[] };

const identifier = fc.constantFrom('a', 'b', 'ab', 'koid', 'state', 'observers', 'runQueue');

const { plan } = fc.letrec<{ plan: Plan }>((tie) => ({
  plan: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.record({ is: fc.constantFrom('undefined', 'null', 'true', 'false') }),
    fc.record({
      is: fc.constant('number'),
      value: fc.oneof(fc.integer({ min: -2, max: 12 }), fc.maxSafeInteger()),
    }),
    fc.record({ is: fc.constant('bigint'), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) }),
    fc.record({ is: fc.constant('string'), value: fc.string({ maxLength: 6 }) }),
    fc.record({
      is: fc.constantFrom('bytes', 'page'),
      value: fc.array(fc.nat(255), { maxLength: 6 }).map((list) => list.concat(1)),
    }),
    fc.record({ is: fc.constant('list'), items: fc.array(tie('plan'), { maxLength: 4 }) }),
    fc.record({
      is: fc.constant('record'),
      fields: fc.uniqueArray(fc.tuple(identifier, tie('plan')), { maxLength: 4, selector: ([name]) => name }),
    }),
    fc.record({
      is: fc.constantFrom('map', 'object map'),
      entries: fc.uniqueArray(
        fc.tuple(
          fc.oneof(fc.nat(70), fc.maxSafeNat()),
          tie('plan').filter((p) => p.is !== 'undefined'),
        ),
        { maxLength: 5, selector: ([k]) => k },
      ),
    }),
  ) as fc.Arbitrary<Plan>,
}));

/** Builds what the plan says; `turned` does it in another order, where order must not show. */
function build(p: Plan, turned: boolean): unknown {
  const ordered = <T>(items: readonly T[]): readonly T[] => (turned ? [...items].reverse() : items);
  switch (p.is) {
    case 'undefined':
      return undefined;
    case 'null':
      return null;
    case 'true':
    case 'false':
      return p.is === 'true';
    case 'number':
    case 'string':
      return p.value;
    case 'bigint':
      return BigInt(p.value);
    case 'bytes':
      return Uint8Array.from(p.value);
    case 'page': {
      const bytes = new Uint8Array(PAGE_SIZE);
      bytes.set(p.value);
      return new Page(bytes, turned ? {} : null);
    }
    case 'list':
      return p.items.map((item) => build(item, turned));
    case 'record':
      return Object.fromEntries(ordered(p.fields).map(([name, field]) => [name, build(field, turned)]));
    default: {
      // A kernel object is hashed once by identity; anything else in a map each time.
      const value = (q: Plan): unknown =>
        p.is === 'map' ? build(q, turned) : { koid: 1, observers: IntMap.empty(), q: build(q, turned) };
      let map = IntMap.empty<unknown>();
      if (turned) map = map.set(31, 'gone soon');
      for (const [k, v] of ordered(p.entries)) map = map.set(k, value(v), turned ? {} : null);
      return turned && !p.entries.some(([k]) => k === 31) ? map.delete(31) : map;
    }
  }
}

/** Equal for plans of equal values, different for others. */
function canonical(p: Plan): string {
  switch (p.is) {
    case 'list':
      return `[${p.items.map(canonical).join()}]`;
    case 'record':
      return `{${p.fields
        .map(([name, field]) => `${name}:${canonical(field)}`)
        .sort()
        .join()}}`;
    case 'map':
    case 'object map': {
      const entries = [...p.entries].sort(([a], [b]) => a - b);
      const kind = entries.length === 0 ? 'map' : p.is;
      return `${kind}<${entries.map(([k, v]) => `${k}:${canonical(v)}`).join()}>`;
    }
    case 'page': {
      const bytes = [...p.value];
      while (bytes.at(-1) === 0) bytes.pop();
      return `page${bytes}`;
    }
    case 'bytes':
      return `bytes${p.value}`;
    default:
      return JSON.stringify(p);
  }
}

function digestOf(value: unknown): string {
  const h = new Hasher();
  hashValue(h, value);
  return h.value();
}

test('equal values have equal hashes, however they came to be', (t) => {
  fc.assert(
    fc.property(plan, (p) => digestOf(build(p, false)) === digestOf(build(p, true))),
    { numRuns: 500 },
  );
  t.pass();
});

test('hashes of two values are equal only when the values are', (t) => {
  fc.assert(
    fc.property(plan, plan, (a, b) => {
      const same = digestOf(build(a, false)) === digestOf(build(b, false));
      return same === (canonical(a) === canonical(b));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

/** Every list of up to two of these, every record of them in fields a and b, every map of them at keys 0, 1 and 32. */
function* composites(parts: readonly Plan[]): Generator<Plan> {
  const both: readonly (readonly Plan[])[] = parts.flatMap((a) => parts.map((b) => [a, b]));
  for (const items of [[], ...parts.map((p) => [p]), ...both]) yield { is: 'list', items };
  const fields = (['a', 'b'] as const).flatMap((name) => parts.map((p) => [[name, p]] as const));
  const pairs = both.map(([a, b]) => [['a', a] as const, ['b', b] as const]);
  for (const f of [[], ...fields, ...pairs]) yield { is: 'record', fields: f };
  const entries = [0, 1, 32].flatMap((key) => parts.map((p) => [[key, p]] as const));
  const full = both.map(([a, b]) => [[0, a] as const, [32, b] as const]);
  for (const e of [[], ...entries, ...full]) yield { is: 'map', entries: e };
}

test('all small values have hashes of their own', (t) => {
  const leaves: Plan[] = [
    { is: 'null' },
    { is: 'number', value: 0 },
    { is: 'number', value: 1 },
    { is: 'string', value: '' },
  ];
  const shallow = [...leaves, ...composites(leaves)];
  const all = [...leaves, ...composites(shallow)];
  const seen = new Map<string, string>();
  for (const p of all) {
    const digest = digestOf(build(p, false));
    const what = canonical(p);
    if ((seen.get(digest) ?? what) !== what) t.is(seen.get(digest), what);
    seen.set(digest, what);
  }
  t.is(seen.size, new Set(all.map(canonical)).size);
  t.true(seen.size > 10_000);
});

/** The plan with one leaf changed: the one that `where` falls on. */
function mutate(p: Plan, where: number): Plan {
  const at = <T>(items: readonly T[], change: (item: T) => T): T[] =>
    items.map((item, i) => (i === where % items.length ? change(item) : item));
  const deeper = (q: Plan): Plan => mutate(q, Math.floor(where / 5));
  switch (p.is) {
    case 'list':
      return p.items.length === 0 ? { is: 'list', items: [p] } : { is: 'list', items: at(p.items, deeper) };
    case 'record':
      if (p.fields.length === 0) return { is: 'record', fields: [['a', { is: 'null' }]] };
      return { is: 'record', fields: at(p.fields, ([name, q]) => [name, deeper(q)] as const) };
    case 'map':
    case 'object map':
      if (p.entries.length === 0) return { is: p.is, entries: [[0, { is: 'null' }]] };
      return { is: p.is, entries: at(p.entries, ([k, q]) => [k, deeper(q)] as const) };
    case 'bytes':
    case 'page':
      return { is: p.is, value: at(p.value, (byte) => byte ^ 0x80) };
    case 'number':
      return { is: 'number', value: p.value === 0 ? 1 : -p.value };
    case 'string':
      return { is: 'string', value: `${p.value}\0` };
    default:
      return p.is === 'null' ? { is: 'false' } : { is: 'null' };
  }
}

test('a change anywhere changes the hash', (t) => {
  fc.assert(
    fc.property(plan, fc.nat(), (p, where) => {
      const changed = mutate(p, where);
      fc.pre(canonical(changed) !== canonical(p));
      return digestOf(build(p, false)) !== digestOf(build(changed, false));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('a kept part of a map is not hashed again, and a changed one is', (t) => {
  const map = IntMap.from(
    Array.from({ length: 2000 }, (_, i) => [i, { koid: i, observers: 0, value: i }] as const),
  );
  const before = digestOf(map);
  const changed = map.set(1234, { koid: 1234, observers: 0, value: -1 });
  t.not(digestOf(changed), before);
  t.is(digestOf(changed.set(1234, { koid: 1234, observers: 0, value: 1234 })), before);
  t.is(digestOf(map), before);
});

test('records of any number of shapes have digests that do not depend on the order of their fields', (t) => {
  const digest = (value: unknown): string => {
    const h = new Hasher();
    hashValue(h, value);
    return h.value();
  };
  // More shapes than are remembered.
  for (let i = 0; i < 6000; i += 100) {
    const name = `field ${i}`;
    t.is(digest({ [name]: 1, a: 2, z: 3 }), digest({ z: 3, [name]: 1, a: 2 }));
    for (let j = i; j < i + 100; j++) digest({ [`field ${j}`]: j });
  }
});

test('an event folds its type, how many fields it has, and its fields in order of their names', (t) => {
  const value = fc.oneof(
    plan,
    fc
      .array(fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { maxLength: 20 })
      .map(
        (items): Plan => ({
          is: 'list',
          items: items.map((item) =>
            typeof item === 'number' ? { is: 'number', value: item } : { is: 'bigint', value: String(item) },
          ),
        }),
      ),
    fc.constantFrom(0, 64, 200, 5000).map((length): Plan => ({ is: 'string', value: 'x'.repeat(length) })),
    fc.constantFrom(63, 64, 257, 9000).map((length): Plan => ({ is: 'bytes', value: Array(length).fill(7) })),
  );
  const fields = fc.uniqueArray(fc.tuple(identifier, value), { maxLength: 6, selector: ([name]) => name });
  fc.assert(
    fc.property(fc.array(fc.tuple(fields, fc.boolean()), { maxLength: 5 }), (events) => {
      const [got, want] = [new Hasher(), new Hasher()];
      for (const [unordered, turned] of events) {
        const sorted = [...unordered].sort(([a], [b]) => (a < b ? -1 : 1));
        // Events of one type have the same fields.
        const type = `event of ${sorted.map(([name]) => name).join(' ')}`;
        const record = build({ is: 'record', fields: unordered }, turned) as object;
        hashEvent(got, (turned ? { ...record, type } : { type, ...record }) as unknown as KernelEvent);
        want.list(stringWords(type)).word(sorted.length + 1);
        for (const [, field] of sorted) hashValue(want, build(field, turned));
        if (got.value() !== want.value()) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`field ${i + 1000}`, i]));
  const [got, want] = [new Hasher(), new Hasher()];
  hashEvent(got, { type: 'event of many', ...many } as unknown as KernelEvent);
  want.list(stringWords('event of many')).word(2001);
  for (let i = 0; i < 2000; i++) hashValue(want, i);
  t.is(got.value(), want.value());
});
