import test from 'ava';
import { WrittenPages } from '../../src/cpu/engines/written-pages.js';
import { Page } from '../../src/memory/page.js';

const OWNER = {};

/** A page and its copy, with another byte when somebody stores to it. */
function copied(stored: boolean): [Page, Page] {
  const original = Page.zeroed(null);
  const page = original.copy(OWNER);
  if (stored) page.bytes[100] = 1;
  return [page, original];
}

test('a page that was written in several epochs in a row is expected until it is not written', (t) => {
  const pages = new WrittenPages();
  let epochs = 0;
  let expected: number[] = [];
  while (expected.length === 0) {
    pages.add(7, ...copied(true), false);
    if (epochs % 2 === 0) pages.add(8, ...copied(true), false);
    expected = pages.next();
    epochs++;
    t.true(epochs < 10);
  }
  t.true(epochs > 1);
  t.deepEqual(expected, [7]);
  pages.add(7, ...copied(true), true);
  t.deepEqual(pages.next(), [7]);
  // That it is not is seen by and by, and then for good.
  let inVain = 0;
  for (let more = [7]; more.length > 0; inVain++) {
    pages.add(7, ...copied(false), true);
    more = pages.next();
    t.true(inVain < 40);
  }
  pages.next();
  pages.add(7, ...copied(true), false);
  t.deepEqual(pages.next(), []);
});

test('a page that is stored to as it was is expected again once it is missed', (t) => {
  const pages = new WrittenPages();
  let missed = 0;
  let expected: number[] = [];
  for (let epoch = 0; epoch < 200; epoch++) {
    if (expected.length === 0) missed++;
    pages.add(7, ...copied(false), expected.length > 0);
    expected = pages.next();
  }
  t.true(missed < 20, `${missed}`);
});

test('what is expected is bounded', (t) => {
  const pages = new WrittenPages();
  let most = 0;
  for (let epoch = 0; epoch < 8; epoch++) {
    for (let page = 0; page < 300; page++) pages.add(page, ...copied(true), false);
    most = Math.max(most, pages.next().length);
  }
  t.true(most > 0 && most <= 64, `${most}`);
});

test('pages that are written one behind the other are expected, as far as they were written lately', (t) => {
  const pages = new WrittenPages();
  const misses: number[] = [];
  for (let epoch = 0; epoch < 10; epoch++) {
    t.deepEqual(pages.next(), []);
    // Every other epoch, so that they are never written in a row.
    if (epoch % 2 === 1) continue;
    const expected = new Set<number>();
    let missed = 0;
    for (let page = 10; page < 42; page++) {
      if (expected.has(page)) continue;
      missed++;
      const behind = pages.behind(page);
      pages.add(page, ...copied(true), false);
      for (const one of behind) {
        t.true(one > page && one < 42);
        t.false(expected.has(one));
        pages.add(one, ...copied(true), true);
        expected.add(one);
      }
    }
    misses.push(missed);
  }
  t.is(misses[0], 32);
  for (const missed of misses.slice(1)) t.true(missed < 8, `${misses}`);
});

test('a page behind others that was not written for long is not expected', (t) => {
  const pages = new WrittenPages();
  const write = (page: number) => pages.add(page, ...copied(true), false);
  for (const page of [5, 6, 7]) write(page);
  for (let epoch = 0; epoch < 20; epoch++) pages.next();
  for (const page of [4, 5, 6]) write(page);
  t.deepEqual(pages.behind(6), []);
});

test('pages that were released while other engines ran are not looked at', (t) => {
  for (const gone of [0, 1]) {
    const pages = new WrittenPages();
    for (let epoch = 0; epoch < 40; epoch++) {
      const pair = copied(false);
      pages.add(7, ...pair, true);
      pair[gone]!.release();
      t.notThrows(() => pages.next());
    }
  }
});
