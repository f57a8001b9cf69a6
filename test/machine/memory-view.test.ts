import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { IntMap, type Owner } from '../../src/base/int-map.js';
import { applyEvent } from '../../src/kernel/objects/events.js';
import { threadMemory } from '../../src/machine/memory-view.js';
import { LatePages } from '../../src/memory/late-pages.js';
import { Page } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';
import { Harness } from '../kernel/harness.js';
import { map, newVmo, PAGE, RW, vmoOf } from '../kernel/vm-support.js';

const PAGES = 300;

/** Pages by their numbers that are made when somebody asks. */
class Late extends LatePages {
  constructor(
    bitmap: number,
    private readonly pages: readonly Page[],
  ) {
    super(bitmap, pages.length);
  }

  protected make(): Page[] {
    return [...this.pages];
  }

  putDigests(): void {
    throw new Error('nobody asks for these');
  }

  renewed(owner: Owner): Page[] | null {
    if (this.isMade || !this.pages.every(({ awaitsStore }) => awaitsStore)) return null;
    return this.pages.map((page) => Page.elsewhere(page.origin!, page.key, null, 0, owner));
  }
}

/** A VMO of which some pages are elsewhere, mapped from one of them on, and again. */
function world(
  numbers: readonly number[],
  isAwaited: (page: number) => boolean,
  first: number,
  maps: number,
  areLate = false,
) {
  const h = new Harness();
  const vmo = newVmo(h, PAGES * PAGE);
  const mapped = Array.from({ length: maps }, () => map(h, RW, 0, vmo, first * PAGE, (PAGES - first) * PAGE));
  const origin = { read: (to: Uint8Array) => to.fill(7), isAwaited };
  const pages = numbers.map((number) => Page.elsewhere(origin, number));
  for (const page of pages) page.exclusive = true;
  h.k.update(vmoOf(h, vmo).koid, 'vmo', (v) => {
    v.pages = v.pages.setAll(numbers, pages, h.k.owner);
    const late = v.pages
      .leaves()
      .map(([key, { bitmap, slots }]) => [key, new Late(bitmap, slots as Page[])] as const);
    if (areLate) v.pages = IntMap.fromLeaves(late);
  });
  return { h, vmo, shift: mapped[0]! / PAGE - first };
}

test('those pages come that are awaited nearby, whether they are made or not', (t) => {
  let areUnmade = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(PAGES - 1), { maxLength: 80 }),
      fc.nat(40),
      fc.nat(PAGES - 41),
      fc.constantFrom(1, 32, 64, 8192),
      fc.integer({ min: 2, max: 60 }),
      fc.boolean(),
      (some, first, asked, reach, share, areLate) => {
        const numbers = some.toSorted((a, b) => a - b);
        const isAwaited = (page: number) => page % share !== 0;
        const { h, vmo, shift } = world(numbers, isAwaited, first, 1, areLate);
        const page = first + asked;
        const start = page - (page % reach);
        const should = numbers.filter((n) => n >= first && n >= start && n < start + reach && isAwaited(n));
        const renewed = threadMemory(h.k, h.thread).renewAwaited(page + shift, reach);
        // Those that were never made come first.
        assert.deepEqual(
          renewed.map(({ pageNumber }) => pageNumber - shift).toSorted((a, b) => a - b),
          should,
        );
        for (const { pageNumber, page, original } of renewed) {
          assert.equal(vmoOf(h, vmo).pages.get(pageNumber - shift), page);
          assert.equal(page.key, pageNumber - shift);
          if (original === null) areUnmade++;
        }
        assert.equal(vmoOf(h, vmo).pages.size, numbers.length);
      },
    ),
  );
  t.true(areUnmade > 5, `${areUnmade}`);
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

test('pages that were copied make room for others, also those of several mappings', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(PAGES - 1), { maxLength: 60 }), (some) => {
      const all = Array.from({ length: PAGES }, (_, i) => i);
      const { h, vmo, shift } = world(all, () => false, 0, 1);
      const other = newVmo(h, PAGES * PAGE);
      const base = map(h, RW, 0, other, 0, PAGES * PAGE) / PAGE;
      const memory = threadMemory(h.k, h.thread);
      const slots = 4 * PAGES;
      const bytes = new Uint8Array((slots + 1) * PAGE);
      const pool = new PagePool(bytes.buffer, PAGE, slots);
      const copied = some
        .flatMap((i) => (i % 3 === 0 ? [i + shift] : [base + i, i + shift]))
        .map((pageNumber) => {
          const page = memory.pageForStore(pageNumber)!;
          assert.ok(memory.isRenewable);
          page.bytes[1] = pageNumber & 0xff;
          const [place, room] = [pool.addressOf(page), pool.takeRoom()!];
          bytes.copyWithin(room, place, place + PAGE);
          return { pageNumber, room, page, place };
        });
      h.k.snapshot();
      const rooms = copied.map(({ room }) => room);
      const { originals, copies } = memory.renew(
        copied.map(({ pageNumber }) => pageNumber),
        rooms,
      );
      pool.split(originals, copies, rooms);
      assert.deepEqual(
        originals,
        copied.map(({ page }) => page),
      );
      for (const [i, { pageNumber, page: original }] of copied.entries()) {
        const page = copies[i];
        const [of, at] = pageNumber >= base && pageNumber < base + PAGES ? [other, base] : [vmo, shift];
        assert.equal(vmoOf(h, of).pages.get(pageNumber - at), page);
        assert.deepEqual(page.bytes, original.bytes);
        assert.equal(pool.addressOf(page), copied[i].place);
        page.bytes[1]++;
        assert.equal(original.bytes[1], pageNumber & 0xff);
        assert.equal(memory.pageForStore(pageNumber), page);
      }
    }),
  );
  t.pass();
});

test('whoever keeps pages hears of a child, which has them, too', (t) => {
  const { h, vmo } = world([0, 1], () => false, 0, 1);
  const { koid, sizeBytes } = vmoOf(h, vmo);
  for (const from of [0, koid]) {
    const before = h.k.memoryGeneration;
    applyEvent(h.k, {
      ...{
        type: 'vmo-child-created',
        koid: h.k.state.nextKoid,
        parent: koid,
        from,
        fromOffset: 0,
        sizeBytes,
      },
      ...{ childKind: 'snapshot', lender: 0, lenderOffset: 0, lenderBytes: 0, immutable: false, name: '' },
      ...{ contentSizeBytes: sizeBytes, resizable: false },
    });
    t.true(h.k.memoryGeneration > before);
  }
});
