import test from 'ava';
import fc from 'fast-check';
import { Hasher } from '../../src/base/digest.js';
import { Marks } from '../../src/diff/marks.js';

function digestOf(fact: number): string {
  return new Hasher().number(fact).value();
}

function marksOf(facts: readonly number[]): Marks {
  const marks = new Marks();
  facts.forEach((fact, i) => {
    marks.add(digestOf(fact), 0, 10 + i);
  });
  return marks;
}

test('how long two histories are alike is found, to within a stride', (t) => {
  const few = fc.array(fc.nat(3), { maxLength: 40 });
  fc.assert(
    fc.property(few, few, few, (common, left, right) => {
      const [a, b] = [
        [...common, ...left],
        [...common, ...right],
      ];
      let alike = 0;
      while (alike < a.length && alike < b.length && a[alike] === b[alike]) alike++;
      t.deepEqual(marksOf(a).alike(marksOf(b)), { facts: alike, within: 1 });
      t.is(marksOf(a).equals(marksOf(b)), alike === a.length && alike === b.length);
      t.is(marksOf(a).seqAt(alike, 7), alike === 0 ? 7 : 9 + alike);
    }),
  );
});

test('long histories keep fewer marks, and still tell where to look', (t) => {
  for (const [length, alike] of [
    [40_000, 39_990],
    [100_000, 70_001],
    [100_000, 3],
  ]) {
    const facts = Array.from({ length }, (_, i) => i % 1000);
    const a = marksOf(facts);
    const b = marksOf(facts.with(alike, -1));
    const found = a.alike(b);
    t.true(
      found.facts <= alike && alike < found.facts + found.within,
      `${alike} in ${JSON.stringify(found)}`,
    );
    t.true(found.within <= 16);
    t.is(a.seqAt(found.facts, 0), found.facts === 0 ? 0 : 9 + found.facts);
    t.false(a.equals(b));
    t.deepEqual(a.alike(marksOf(facts.slice(0, alike))).facts <= alike, true);
  }
});

test('a history is another with two facts exchanged, or with other steps', (t) => {
  t.false(marksOf([1, 2, 3]).equals(marksOf([2, 1, 3])));
  const late = new Marks();
  late.add(digestOf(1), 5, 10);
  t.false(marksOf([1]).equals(late));
});
