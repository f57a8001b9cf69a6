import type { Page } from '../../memory/page.js';
import { type Decoded, PAGE_HALVES } from './evaluator.js';

/** The instructions decoded from one page so far, by half-word. */
class CodePage {
  readonly decoded: (Decoded | null)[] = new Array(PAGE_HALVES).fill(null);
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
  of(page: Page): CodePage {
    if (page.code instanceof CodePage) return page.code;
    if (this.cost > COST_LIMIT) this.clear();
    const code = new CodePage();
    page.code = code;
    this.pages.push(page);
    this.cost += PAGE_COST;
    return code;
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
