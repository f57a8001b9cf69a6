import type { IntMapNode, Owner } from '../base/int-map.js';
import type { Page } from './page.js';

/**
 * Pages side by side, as one of the lowest nodes of a map has them: they are made once somebody asks for one. A state that
 * was stored has thousands, of which some are never asked for and others are written first of all.
 */
export abstract class LatePages implements IntMapNode {
  readonly level = 0;
  readonly owner = null;
  private made: Page[] | null = null;

  constructor(
    readonly bitmap: number,
    readonly count: number,
  ) {}

  get slots(): Page[] {
    this.made ??= this.make();
    return this.made;
  }

  /** Whether somebody asked for them. */
  get isMade(): boolean {
    return this.made !== null;
  }

  protected abstract make(): Page[];

  /** Puts words of them there: of each a tag, and those of its digest. */
  abstract putDigests(to: Int32Array, start: number, tag: number): void;

  /** Copies of them all, in their places, where all await a store (`Page.awaitsStore`) and nobody asked for one; null elsewhere. */
  abstract renewed(owner: Owner): Page[] | null;
}
