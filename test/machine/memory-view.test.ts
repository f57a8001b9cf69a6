import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { threadMemory } from '../../src/machine/memory-view.js';
import { Page } from '../../src/memory/page.js';
import { Harness } from '../kernel/harness.js';
import { map, newVmo, PAGE, RW, vmoOf } from '../kernel/vm-support.js';

const PAGES = 300;

/** A VMO of which some pages are elsewhere, mapped from one of them on, and again. */
function world(
  numbers: readonly number[],
  isAwaited: (page: number) => boolean,
  first: number,
  maps: number,
) {
  const h = new Harness();
  const vmo = newVmo(h, PAGES * PAGE);
  const mapped = Array.from({ length: maps }, () => map(h, RW, 0, vmo, first * PAGE, (PAGES - first) * PAGE));
  const origin = { read: (to: Uint8Array) => to.fill(7), isAwaited };
  const pages = numbers.map((number) => Page.elsewhere(origin, number));
  for (const page of pages) page.exclusive = true;
  h.k.update(vmoOf(h, vmo).koid, 'vmo', (v) => {
    v.pages = v.pages.setAll(numbers, pages, h.k.owner);
  });
  return { h, vmo, shift: mapped[0]! / PAGE - first };
}

test('those pages come that are awaited nearby, in order', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(PAGES - 1), { maxLength: 80 }),
      fc.nat(40),
      fc.nat(PAGES - 41),
      fc.constantFrom(1, 32, 64, 8192),
      fc.integer({ min: 2, max: 5 }),
      (some, first, asked, reach, share) => {
        const numbers = some.toSorted((a, b) => a - b);
        const isAwaited = (page: number) => page % share !== 0;
        const { h, vmo, shift } = world(numbers, isAwaited, first, 1);
        const page = first + asked;
        const start = page - (page % reach);
        const should = numbers.filter((n) => n >= first && n >= start && n < start + reach && isAwaited(n));
        const renewed = threadMemory(h.k, h.thread).renewAwaited(page + shift, reach);
        assert.deepEqual(
          renewed.map(({ pageNumber }) => pageNumber - shift),
          should,
        );
        for (const { pageNumber, page } of renewed)
          assert.equal(vmoOf(h, vmo).pages.get(pageNumber - shift), page);
        assert.equal(vmoOf(h, vmo).pages.size, numbers.length);
      },
    ),
  );
  t.pass();
});

test('where pages may be known by other numbers, none is looked at', (t) => {
  let looks = 0;
  const { h, shift } = world(
    Array.from({ length: PAGES }, (_, i) => i),
    () => ++looks > 0,
    0,
    2,
  );
  const memory = threadMemory(h.k, h.thread);
  for (let page = 0; page < PAGES; page++) t.deepEqual(memory.renewAwaited(page + shift, 8192), []);
  t.is(looks, 0);
});

test('pages are renewed in whatever order they are told, also those of several mappings', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(PAGES - 1), { maxLength: 60 }), fc.nat(PAGES - 1), (some, hole) => {
      const all = Array.from({ length: PAGES }, (_, i) => i).filter((i) => i !== hole);
      const one = world(all, () => false, 0, 1);
      const other = newVmo(one.h, PAGES * PAGE);
      const base = map(one.h, RW, 0, other, 0, PAGES * PAGE) / PAGE;
      const memory = threadMemory(one.h.k, one.h.thread);
      const told = some.flatMap((i) => (i % 3 === 0 ? [i + one.shift] : [base + i, i + one.shift]));
      const renewed = memory.renew(told);
      const should = some.filter((i) => i !== hole).toSorted((a, b) => a - b);
      assert.deepEqual(
        renewed.map(({ pageNumber }) => pageNumber - one.shift),
        should,
      );
      for (const { page, original } of renewed) assert.deepEqual(page.bytes, original.bytes);
    }),
  );
  t.pass();
});
