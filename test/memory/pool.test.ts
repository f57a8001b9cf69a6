import { fc } from '@fast-check/ava';
import test from 'ava';
import { PAGE_SIZE, Page, type PageOrigin, type PageSource } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';

const SLOTS = 16;

/** Pages of one value each, which is their key; a negative one cannot be read. */
class Values implements PageSource {
  private readonly origin: PageOrigin = { source: this, read: (to, key) => fill(to, key) };

  page(value: number): Page {
    return Page.elsewhere(this.origin, value);
  }

  readAll(pages: readonly Page[], to: Uint8Array): void {
    for (const [i, { key }] of pages.entries()) fill(to.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE), key);
  }
}

function fill(to: Uint8Array, value: number): void {
  // As if it were found out when some bytes are there.
  to.fill(Math.abs(value));
  if (value < 0) throw new RangeError('cannot be read');
}

test('pages that are brought together are what they are one by one, and stay so when one cannot be read', (t) => {
  // 0 is a page of zeros, others of one of two sources, copied or not.
  const kind = fc.record({ value: fc.integer({ min: -1, max: 9 }), source: fc.nat(1), isCopy: fc.boolean() });
  const batches = fc.array(fc.array(kind, { maxLength: SLOTS / 2 }), { maxLength: 12 });
  fc.assert(
    fc.property(batches, (kinds) => {
      const memory = new ArrayBuffer((SLOTS + 1) * PAGE_SIZE);
      const pool = new PagePool(memory, PAGE_SIZE, SLOTS);
      const sources = [new Values(), new Values()];
      const owner = {};
      const made: { readonly page: Page; readonly value: number }[] = [];
      for (const batch of kinds) {
        const some = batch.map(({ value, source, isCopy }) => {
          const page = value === 0 ? Page.zeroed(null) : sources[source].page(value);
          return { page: isCopy ? page.copy(owner) : page, value };
        });
        const fails = some.some(({ value }) => value < 0);
        const bring = () => pool.bringAll(some.map(({ page }) => page));
        if (fails) t.throws(bring, { instanceOf: RangeError });
        else bring();
        made.push(...some);
        for (const { page, value } of made) {
          if (value < 0) continue;
          const bytes = new Uint8Array(memory, pool.addressOf(page), PAGE_SIZE);
          t.true(bytes.every((byte) => byte === value));
          t.true(page.bytes.every((byte) => byte === value));
        }
      }
    }),
  );
});
