import type { Page } from '../../memory/page.js';

/** A page is expected to be written when it was in so many epochs in a row: of others too many are not. */
const EPOCHS_IN_A_ROW = 4;
/** So many pages are made writable at once, at most: those of a small working set. */
const MOST_AT_ONCE = 64;
/** Whether one is still written is looked at in one epoch of so many: looking takes as long as copying. */
const LOOKED_AT_EVERY = 8;

interface Written {
  /** In how many epochs in a row, the one it was added in last included. */
  epochs: number;
  /** The last of them. */
  last: number;
  page: Page;
  /** What `page` is a copy of, when nobody stored there yet and whether somebody does is to be looked at. */
  original: Page | null;
}

/**
 * Which pages are written again and again, between one snapshot and the next: to copy them when an epoch starts costs
 * less than to leave generated code for each. One that was copied in vain has to show that again.
 */
export class WrittenPages {
  /** Those of this epoch and the one before. */
  private readonly pages = new Map<number, Written>();
  private epoch = 0;

  /** A page was copied because of a store to it, or because one is expected. */
  add(pageNumber: number, page: Page, original: Page, expected: boolean): void {
    const { epoch } = this;
    const known = this.pages.get(pageNumber);
    if (known === undefined) {
      this.pages.set(pageNumber, { epochs: 1, last: epoch, page, original: null });
      return;
    }
    if (known.last !== epoch) known.epochs++;
    known.last = epoch;
    known.page = page;
    known.original = expected && known.epochs % LOOKED_AT_EVERY === 0 ? original : null;
  }

  /** To be called when an epoch starts: the pages to which stores are expected in it. */
  next(): number[] {
    const expected: number[] = [];
    for (const [pageNumber, { epochs, last, page, original }] of this.pages) {
      const inVain = original !== null && !original.isReleased && original.hasBytesOf(page);
      if (last !== this.epoch || inVain) this.pages.delete(pageNumber);
      else if (epochs >= EPOCHS_IN_A_ROW && expected.length < MOST_AT_ONCE) expected.push(pageNumber);
    }
    this.epoch++;
    return expected;
  }

  clear(): void {
    this.pages.clear();
  }
}
