import type { Page } from '../../memory/page.js';
import { type Decoded, PAGE_HALVES } from './evaluator.js';

/** What the engines of a process made of one page. */
export class PageCode {
  /** Of the reference engine: the instructions decoded so far, by half-word. */
  decoded: (Decoded | null)[] | null = null;
  /** Of the fast engine: as decoded for the addresses that the page was seen at. */
  readonly places: object[] = [];

  static of(page: Page): PageCode {
    if (page.code instanceof PageCode) return page.code;
    const code = new PageCode();
    page.code = code;
    return code;
  }
}

const PAGE_COST = 256;
/** About 100 bytes each: a guest that runs through much code must not fill the host's memory. */
const COST_LIMIT = 1 << 19;

/** What one engine decoded, counted, so that all of it can be dropped when it becomes too much. */
export class CodeStore {
  private pages: Page[] = [];
  private cost = 0;

  /**
   * The page's instructions. They leave the page when it is written; those of other pages may be dropped by this
   * call, so ask again after having asked for another page.
   */
  of(page: Page): (Decoded | null)[] {
    if (page.code instanceof PageCode && page.code.decoded !== null) return page.code.decoded;
    if (this.cost > COST_LIMIT) this.clear();
    const code = PageCode.of(page);
    code.decoded = new Array(PAGE_HALVES).fill(null);
    this.pages.push(page);
    this.cost += PAGE_COST;
    return code.decoded;
  }

  countInstruction(): void {
    this.cost++;
  }

  private clear(): void {
    for (const page of this.pages) page.code = null;
    this.pages = [];
    this.cost = 0;
  }
}
