import test from 'ava';
import fc from 'fast-check';
import { givenOtherwise, partings } from '../../src/diff/lockstep.js';
import { type Observation, Path } from '../../src/diff/path.js';

type Seen = Partial<Observation> & Pick<Observation, 'index'>;

function path(pcs: readonly number[], seen: readonly Seen[] = []): Path {
  const made = new Path();
  pcs.forEach((pc, i) => {
    made.add(pc, { seq: 1, step: i + 1 });
  });
  for (const observation of seen) {
    made.observations.push({
      kind: 'load',
      address: 0x1000,
      sizeBytes: 8,
      value: 0n,
      call: 0,
      position: { seq: 1, step: observation.index + 1 },
      ...observation,
    });
  }
  return made;
}

const straight = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + 4 * i);

test('equal paths do not part', (t) => {
  const pcs = straight(0x100, 50);
  const seen = [
    { index: 3, value: 7n },
    { index: 20, value: 9n },
  ];
  t.deepEqual(partings(path(pcs, seen), path(pcs, seen)), []);
});

test('loads of one address that give two values part, with both values', (t) => {
  const pcs = straight(0x100, 50);
  const [parting, ...rest] = partings(
    path(pcs, [{ index: 30, value: 386n }]),
    path(pcs, [{ index: 30, value: 400n }]),
  );
  t.deepEqual(rest, []);
  t.is(parting.a, 30);
  t.deepEqual([parting.got!.a.value, parting.got!.b.value], [386n, 400n]);
});

test('what a thread stored itself is no reason', (t) => {
  const pcs = straight(0x100, 50);
  const side = (value: bigint): Path =>
    path(pcs, [
      { index: 2, kind: 'store', value },
      { index: 9, value },
    ]);
  t.deepEqual(partings(side(1n), side(2n)), []);
  // Another thread stored in between.
  const other = path(pcs, [
    { index: 2, kind: 'store', value: 2n },
    { index: 9, value: 3n },
  ]);
  t.is(partings(side(1n), other).length, 1);
});

test('loads of two addresses say nothing', (t) => {
  const pcs = straight(0x100, 30);
  const a = path(pcs, [{ index: 5, address: 0x1000, value: 1n }]);
  const b = path(pcs, [{ index: 5, address: 0x2000, value: 2n }]);
  t.deepEqual(partings(a, b), []);
});

test('the result of a call that is the last thing is compared too', (t) => {
  const pcs = straight(0x100, 5);
  const side = (value: bigint): Path => path(pcs, [{ index: 5, kind: 'result', address: 0, call: 9, value }]);
  const [parting] = partings(side(0n), side(-22n));
  t.is(parting.got!.a.call, 9);
  t.deepEqual(partings(side(0n), side(0n)), []);
});

test('a way that one run alone takes is passed over, and the rest still compared', (t) => {
  const before = straight(0x100, 40);
  const detour = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(detour, detour, fc.boolean(), (one, two, both) => {
      const after = straight(0x4000, 60);
      const wayA = straight(0x20000, one);
      const wayB = both ? straight(0x30000, two) : [];
      const loadAt = (way: readonly number[]): Seen => ({ index: before.length + way.length + 33 });
      const a = path([...before, ...wayA, ...after], [{ ...loadAt(wayA), value: 5n }]);
      const b = path([...before, ...wayB, ...after], [{ ...loadAt(wayB), value: 6n }]);
      const [split, load, ...rest] = partings(a, b);
      t.deepEqual(split, { a: before.length, b: before.length, got: null });
      t.is(load.got!.a.value, 5n);
      t.is(load.got!.b.value, 6n);
      t.deepEqual(rest, []);
    }),
    { numRuns: 40 },
  );
});

test('a function that both call, but from two places, is no meeting', (t) => {
  const before = straight(0x100, 40);
  const called = straight(0x20000, 60);
  const after = straight(0x4000, 60);
  const side = (way: readonly number[], frame: number, value: bigint): Path => {
    const seen = [
      // What it saves on its stack tells where it was called from; one word is in memory that both share.
      ...Array.from({ length: 6 }, (_, i) => ({ index: 10 * i + 9, address: 0x8000 + frame, value: 1n })),
      { index: 55, address: 0x1000, value },
      { index: called.length + 30, address: 0x1008, value },
    ].sort((x, y) => x.index - y.index);
    const made = path(
      [...before, ...way, ...called, ...after],
      seen.map((one) => ({ ...one, index: before.length + way.length + one.index })),
    );
    made.stack = { start: 0x8000, end: 0x9000 };
    return made;
  };
  const told = partings(side([], 0x100, 5n), side(straight(0x30000, 7), 0x200, 6n));
  t.deepEqual(
    told.map(({ got }) => got?.a.address ?? null),
    [null, 0x1008],
  );
  // Called from one place, it is one.
  const same = partings(side([], 0x100, 5n), side(straight(0x30000, 7), 0x100, 6n));
  t.deepEqual(
    same.map(({ got }) => got?.a.address ?? null),
    [null, 0x1000, 0x1008],
  );
});

test('a load shows what a call put into memory, until the thread stores there itself', (t) => {
  const pcs = straight(0x100, 50);
  const side = (value: number, own: boolean): Path => {
    const made = path(pcs, [
      ...(own ? [{ index: 15, kind: 'store' as const, address: 0x2008, value: BigInt(value) }] : []),
      { index: 20, address: 0x2008, value: BigInt(value) },
    ]);
    const bytes = new Uint8Array(16).fill(value);
    made.given.push({
      index: 10,
      address: 0x2000,
      sizeBytes: 16,
      bytes,
      call: 9,
      position: { seq: 2, step: 0 },
    });
    return made;
  };
  const [{ got }] = partings(side(1, false), side(2, false));
  t.is(got!.a.given?.call, 9);
  t.is(got!.b.given?.bytes[8], 2);
  t.deepEqual(partings(side(1, true), side(2, true)), []);
  const { a, b } = givenOtherwise(side(1, false), side(2, false))!;
  t.deepEqual([a.value, b.value, a.address], [0x01010101n, 0x02020202n, 0x2000]);
  t.is(givenOtherwise(side(1, false), side(1, true)), null);
});

test('paths that never meet again part once', (t) => {
  const common = straight(0x100, 10);
  const a = path([...common, ...straight(0x1000, 40_000)]);
  const b = path([...common, ...straight(0x900000, 40_000)]);
  t.deepEqual(partings(a, b), [{ a: 10, b: 10, got: null }]);
});

test('values that differ in every round of a loop are all there, in order', (t) => {
  const round = straight(0x100, 10);
  const pcs = Array.from({ length: 50 }, () => round).flat();
  const side = (value: bigint): Path =>
    path(
      pcs,
      Array.from({ length: 50 }, (_, i) => ({ index: 10 * i + 4, value: value + BigInt(i) })),
    );
  const found = partings(side(0n), side(1000n));
  t.deepEqual(
    found.map(({ a, got }) => [a, got!.b.value - got!.a.value]),
    Array.from({ length: 50 }, (_, i) => [10 * i + 4, 1000n]),
  );
});
