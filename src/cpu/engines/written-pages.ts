import type { Page } from '../../memory/page.js';

/** A page is expected to be written when it was in so many epochs in a row: of others too many are not. */
const EPOCHS_IN_A_ROW = 4;
/** So many pages are made writable at once, at most: those of a small working set. */
const MOST_AT_ONCE = 64;
/** Whether one is written that was expected is looked at once in so many times: looking takes longer than copying. */
const LOOKED_AT_EVERY = 32;
/** Where stores went is known for so many epochs. */
const EPOCHS_KNOWN = 8;
/** Of more pages it is not: those are no small working set. */
const MOST_KNOWN = 256;
/** So many pages are expected behind one, at most. */
const MOST_BEHIND = 16;

interface Written {
  /** In how many epochs in a row it was added. */
  inARow: number;
  /** The last of them. */
  last: number;
  /** How often it was expected. */
  guesses: number;
  page: Page;
  /** What `page` is a copy of, when nobody stored there yet and whether somebody does is to be looked at. */
  original: Page | null;
  /** It had its bytes still when that was looked at: no store is expected until there was one. */
  inVain: boolean;
}

/**
 * Which pages are written again and again, between one snapshot and the next, or one behind the other: to copy them
 * when that begins costs less than to leave generated code for each. One that was copied in vain has to show it again.
 */
export class WrittenPages {
  private readonly pages = new Map<number, Written>();
  private epoch = 0;

  /** A page was copied because of a store to it, or because one is expected. */
  add(pageNumber: number, page: Page, original: Page, expected: boolean): void {
    const { epoch } = this;
    let written = this.pages.get(pageNumber);
    if (written === undefined) {
      written = { inARow: 0, last: -1, guesses: 0, page, original: null, inVain: false };
      this.pages.set(pageNumber, written);
    }
    if (written.last !== epoch) {
      written.inARow = written.last === epoch - 1 ? written.inARow + 1 : 1;
      written.last = epoch;
    }
    written.page = page;
    if (!expected) written.inVain = false;
    const isDue = expected && ++written.guesses % LOOKED_AT_EVERY === 0;
    written.original = isDue ? original : null;
  }

  /** To be called when an epoch starts: the pages to which stores are expected in it. */
  next(): number[] {
    const expected: number[] = [];
    const ended = this.epoch++;
    const isMany = this.pages.size > MOST_KNOWN;
    for (const [pageNumber, written] of this.pages) {
      const { inARow, last, page, original } = written;
      const isOld = isMany ? last !== ended : last <= this.epoch - EPOCHS_KNOWN;
      if (isOld) this.pages.delete(pageNumber);
      if (last !== ended) continue;
      if (original !== null) written.inVain = isSame(original, page);
      if (inARow >= EPOCHS_IN_A_ROW && !written.inVain && expected.length < MOST_AT_ONCE)
        expected.push(pageNumber);
    }
    return expected;
  }

  /** What may be stored to next, as this page followed those before it: no more than they are. */
  behind(pageNumber: number): number[] {
    const expected: number[] = [];
    let before = pageNumber - 1;
    while (pageNumber - before <= MOST_BEHIND && this.pages.get(before)?.last === this.epoch) before--;
    const end = 2 * pageNumber - before;
    for (let number = pageNumber + 1; number < end; number++) {
      const written = this.pages.get(number);
      if (written === undefined || written.inVain || written.last === this.epoch) break;
      expected.push(number);
    }
    return expected;
  }

  clear(): void {
    this.pages.clear();
  }
}

/** Other engines may have run in several epochs since: then either may be gone. */
function isSame(original: Page, page: Page): boolean {
  return !original.isReleased && !page.isReleased && original.hasBytesOf(page);
}
