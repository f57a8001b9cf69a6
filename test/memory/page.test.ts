import test from 'ava';
import fc from 'fast-check';
import { digestWords, Hasher } from '../../src/base/digest.js';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';
import { PagePool } from '../../src/memory/pool.js';

const SLOTS = 8;

type Action = {
  readonly kind: 'new' | 'elsewhere' | 'copy' | 'write' | 'bring' | 'replace';
  readonly which: number;
};

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('new', 'elsewhere', 'copy', 'write', 'bring', 'replace'),
  which: fc.nat(1000),
});

test('pages keep their bytes wherever they are, and new ones are zero', (t) => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: 'max' }), (actions) => {
      const pool = new PagePool(new ArrayBuffer((SLOTS + 1) * PAGE_SIZE), PAGE_SIZE, SLOTS);
      const owner = {};
      const pages = [Page.zeroed(owner)];
      const model = [0];
      actions.forEach(({ kind, which }, i) => {
        const at = which % pages.length;
        const page = pages[at];
        if (kind === 'new') {
          pages.push(Page.zeroed(owner));
          model.push(0);
        } else if (kind === 'elsewhere') {
          const bytes = new Uint8Array(PAGE_SIZE).fill(i);
          const digest = Int32Array.from(digestWords(new Hasher().bytes(bytes).value()));
          pages.push(Page.elsewhere({ read: (to) => to.set(bytes) }, 0, digest));
          model.push(i & 0xff);
        } else if (kind === 'copy' || kind === 'replace') {
          const copy = page.copy(owner);
          if (kind === 'replace') pool.replace(page, copy);
          pages.push(copy);
          model.push(model[at]);
        } else if (kind === 'write') {
          // Those of a file are nobody's to write.
          if (page.owner === null) return;
          page.bytes.fill(i);
          model[at] = i & 0xff;
        } else {
          const address = pool.addressOf(page);
          if (pool.pageAt(address) !== page) throw new Error('another page is there');
        }
      });
      return pages.every((page, i) => {
        const same = page.bytes.every((byte) => byte === model[i]) && page.view.getUint8(7) === model[i];
        return same && pages.every((other, j) => page.hasBytesOf(other) === (model[i] === model[j]));
      });
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('a page of which the bytes cannot be had says so each time, and leaves the pool as it was', (t) => {
  const pool = new PagePool(new ArrayBuffer((SLOTS + 1) * PAGE_SIZE), PAGE_SIZE, SLOTS);
  const bad = Page.elsewhere({
    read: () => {
      throw new RangeError('gone');
    },
  });
  const copy = bad.copy({});
  for (let i = 0; i < 3 * SLOTS; i++) {
    for (const page of [bad, copy]) {
      t.throws(() => page.bytes, { message: 'gone' });
      t.throws(() => pool.addressOf(page), { message: 'gone' });
    }
    const good = Page.zeroed({});
    good.bytes.fill(i);
    t.is(pool.pageAt(pool.addressOf(good)), good);
    t.true(good.bytes.every((byte) => byte === i));
  }
});
