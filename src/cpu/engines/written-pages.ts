import type { Page } from '../../memory/page.js';

/** A page is expected to be written when it was in so many epochs in a row: of others too many are not. */
const EPOCHS_IN_A_ROW = 4;
/** So many pages are made writable at once, at most: those of a small working set. */
const MOST_AT_ONCE = 16;
/** Whether one is still written is looked at in one epoch of so many: looking takes as long as copying. */
const LOOKED_AT_EVERY = 4;

interface Written {
  /** In how many epochs in a row, this one included. */
  readonly epochs: number;
  readonly page: Page;
  /** What `page` is a copy of, when nobody stored there yet and whether somebody does is to be looked at. */
  readonly original: Page | null;
}

/**
 * Which pages are written again and again, between one snapshot and the next: to copy them when an epoch starts costs
 * less than to leave generated code for each. One that was copied in vain has to show that again.
 */
export class WrittenPages {
  private now = new Map<number, Written>();
  private before: ReadonlyMap<number, Written> = new Map();

  /** A page was copied because of a store to it, or because one is expected. */
  add(pageNumber: number, page: Page, original: Page, expected: boolean): void {
    const epochs = (this.before.get(pageNumber)?.epochs ?? 0) + 1;
    const isDue = expected && epochs % LOOKED_AT_EVERY === 0;
    this.now.set(pageNumber, { epochs, page, original: isDue ? original : null });
  }

  /** To be called when an epoch starts: the pages to which stores are expected in it. */
  next(): number[] {
    const written = new Map<number, Written>();
    const expected: number[] = [];
    for (const [pageNumber, one] of this.now) {
      const { original } = one;
      if (original !== null && !original.isReleased && original.hasBytesOf(one.page)) continue;
      written.set(pageNumber, one);
      if (one.epochs >= EPOCHS_IN_A_ROW && expected.length < MOST_AT_ONCE) expected.push(pageNumber);
    }
    this.before = written;
    this.now = new Map();
    return expected;
  }

  clear(): void {
    this.before = new Map();
    this.now.clear();
  }
}
