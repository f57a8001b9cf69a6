/**
 * A pager's VMO as its pages say one by one: plain states, no runs, no requests. Contents are one byte a page.
 *
 * - `absent`: the pager has to be asked for it
 * - `clean`, `dirty`, `cleaning`: held; the pager has the same, or not, or is being told
 * - `zero`, `zero-cleaning`: zeros that nobody holds and the pager does not know of, or is being told of
 */
export type PageState = 'absent' | 'clean' | 'dirty' | 'cleaning' | 'zero' | 'zero-cleaning';

export class PagerModel {
  readonly states: PageState[];
  readonly bytes: number[];
  modified = false;
  detached = false;

  constructor(
    readonly pages: number,
    readonly trapsDirty: boolean,
  ) {
    this.states = new Array<PageState>(pages).fill('absent');
    this.bytes = new Array<number>(pages).fill(0);
  }

  /** What the pager is asked for before a read: null, or the page itself. */
  lacksToRead(page: number): boolean {
    return this.states[page] === 'absent';
  }

  /** And before a write: first the page, then leave to write it. */
  lacksToWrite(page: number): 'read' | 'dirty' | null {
    if (this.trapsDirty) {
      if (this.states[page] === 'dirty') return null;
      return this.states[page] === 'absent' ? 'read' : 'dirty';
    }
    return this.states[page] === 'absent' ? 'read' : null;
  }

  write(page: number, byte: number): void {
    this.states[page] = 'dirty';
    this.bytes[page] = byte;
    this.modified = true;
  }

  supply(page: number, byte: number): void {
    if (this.states[page] !== 'absent') return;
    this.states[page] = 'clean';
    this.bytes[page] = byte;
  }

  /** zx_pager_op_range DIRTY: all of the range has to be there. */
  dirty(first: number, end: number): string {
    if (!this.trapsDirty) return 'ERR_NOT_SUPPORTED';
    if (this.detached) return 'ERR_BAD_STATE';
    if (this.states.slice(first, end).includes('absent')) return 'ERR_NOT_FOUND';
    if (first < end) this.modified = true;
    for (let page = first; page < end; page++) this.states[page] = 'dirty';
    return 'OK';
  }

  zero(first: number, end: number): void {
    if (first < end) this.modified = true;
    for (let page = first; page < end; page++) {
      this.states[page] = 'zero';
      this.bytes[page] = 0;
    }
  }

  beginWriteback(first: number, end: number, zerosOnly: boolean): void {
    for (let page = first; page < end; page++) {
      if (this.states[page] === 'dirty' && !zerosOnly) this.states[page] = 'cleaning';
      if (this.states[page] === 'zero') this.states[page] = 'zero-cleaning';
    }
  }

  endWriteback(first: number, end: number): void {
    for (let page = first; page < end; page++) {
      if (this.states[page] === 'cleaning') this.states[page] = 'clean';
      if (this.states[page] === 'zero-cleaning') this.states[page] = 'absent';
    }
  }

  /** Whether the pager is told that the page differs from its own, and whether as zeros. */
  isDirty(page: number): false | 'held' | 'zero' {
    const state = this.states[page];
    if (state === 'dirty' || state === 'cleaning') return 'held';
    return state === 'zero' || state === 'zero-cleaning' ? 'zero' : false;
  }

  detach(): void {
    this.detached = true;
    this.states.forEach((state, page) => {
      if (state === 'clean') this.states[page] = 'absent';
    });
  }
}
