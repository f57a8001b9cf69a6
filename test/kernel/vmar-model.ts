import type { StatusName } from '../../src/abi/status.js';

/** A page of the model's address space: what is mapped there. */
export interface Cell {
  readonly vmar: ModelVmar;
  readonly vmo: number;
  readonly vmoPage: number;
  /** Of 'r', 'w', 'x': what is allowed now, and what ever could be. */
  readonly now: string;
  readonly limit: string;
}

export interface ModelVmar {
  readonly first: number;
  readonly count: number;
  /** Of 'r', 'w', 'x' and 's' for CAN_MAP_SPECIFIC. */
  readonly can: string;
  readonly parent: ModelVmar | null;
  alive: boolean;
}

export type Placing = 'any' | 'specific' | 'overwrite' | 'limit';

/** Where something should go: in pages; `at` counts from the VMAR's start. */
export interface Wish {
  readonly how: Placing;
  readonly at: number;
  readonly count: number;
  /** Pages. */
  readonly alignment: number;
}

type Answer = { status: StatusName; page?: number };

const no = (status: StatusName): Answer => ({ status });
const subset = (part: string, whole: string): boolean => [...part].every((letter) => whole.includes(letter));

/**
 * Address spaces told as a list of pages: every question is answered by looking at all of them. Written from the
 * manual's rules, knowing nothing of intervals, trees or splitting.
 */
export class PageModel {
  readonly cells: (Cell | null)[];
  readonly vmars: ModelVmar[];

  constructor(readonly pages: number) {
    this.cells = new Array<Cell | null>(pages).fill(null);
    this.vmars = [{ first: 0, count: pages, can: 'rwxs', parent: null, alive: true }];
  }

  /** Whether a page of a VMAR is taken by something that lies directly in it. */
  private taken(vmar: ModelVmar, page: number): boolean {
    return this.cells[page]?.vmar === vmar || this.childAt(vmar, page) !== undefined;
  }

  private childAt(vmar: ModelVmar, page: number): ModelVmar | undefined {
    return this.vmars.find(
      (child) =>
        child.alive && child.parent === vmar && page >= child.first && page < child.first + child.count,
    );
  }

  private range(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => first + i);
  }

  private inside(vmar: ModelVmar, first: number, count: number): boolean {
    return first >= vmar.first && first + count <= vmar.first + vmar.count;
  }

  /** The first page for a wish, or why there is none. `base`: the page number that the space begins at. */
  private place(vmar: ModelVmar, wish: Wish, can: string, base: number): Answer {
    const { how, at, count, alignment } = wish;
    if (!vmar.alive) return no('ERR_BAD_STATE');
    if (count === 0) return no('ERR_INVALID_ARGS');
    if (!subset(can, vmar.can)) return no('ERR_ACCESS_DENIED');
    if (how === 'any' && at !== 0) return no('ERR_INVALID_ARGS');
    if (how !== 'any' && !vmar.can.includes('s')) return no('ERR_ACCESS_DENIED');
    const end = how === 'limit' ? at : vmar.count;
    if (end > vmar.count || (how !== 'limit' && at >= vmar.count)) return no('ERR_INVALID_ARGS');
    const start = how === 'limit' ? 0 : at;
    if (start + count > end) return no('ERR_INVALID_ARGS');
    const free = (first: number): boolean =>
      this.range(first, count).every((page) => !this.taken(vmar, page));
    const aligned = (first: number): boolean => (base + first) % alignment === 0;
    if (how === 'specific' || how === 'overwrite') {
      const page = vmar.first + at;
      if (!aligned(page)) return no('ERR_INVALID_ARGS');
      return how === 'overwrite' || free(page) ? { status: 'OK', page } : no('ERR_ALREADY_EXISTS');
    }
    for (let page = vmar.first; page + count <= vmar.first + end; page++) {
      if (aligned(page) && free(page)) return { status: 'OK', page };
    }
    return no('ERR_NO_RESOURCES');
  }

  allocate(vmar: ModelVmar, wish: Wish, can: string, base: number): Answer {
    const answer = this.place(vmar, wish, can.replace('s', ''), base);
    if (answer.page === undefined) return answer;
    this.vmars.push({ first: answer.page, count: wish.count, can, parent: vmar, alive: true });
    return answer;
  }

  map(
    vmar: ModelVmar,
    wish: Wish,
    base: number,
    what: Omit<Cell, 'vmar'>,
    vmo: { readonly pages: number; readonly faults: boolean },
  ): Answer {
    const { now, limit } = what;
    if (now !== '' && !now.includes('r')) return no('ERR_INVALID_ARGS');
    if (!subset(now, limit)) return no('ERR_ACCESS_DENIED');
    if (!vmo.faults && what.vmoPage + wish.count > vmo.pages) return no('ERR_BUFFER_TOO_SMALL');
    const answer = this.place(vmar, wish, limit, base);
    if (answer.page === undefined) return answer;
    const pages = this.range(answer.page, wish.count);
    if (pages.some((page) => this.childAt(vmar, page) !== undefined)) return no('ERR_INVALID_ARGS');
    pages.forEach((page, i) => {
      this.cells[page] = { ...what, vmar, vmoPage: what.vmoPage + i };
    });
    return answer;
  }

  unmap(vmar: ModelVmar, first: number, count: number, children: boolean): StatusName {
    if (count === 0) return 'ERR_INVALID_ARGS';
    if (!vmar.alive) return 'ERR_BAD_STATE';
    if (!this.inside(vmar, first, count)) return 'ERR_INVALID_ARGS';
    const pages = this.range(first, count);
    for (const page of pages) {
      const child = this.childAt(vmar, page);
      if (child === undefined) continue;
      const whole = child.first >= first && child.first + child.count <= first + count;
      if (!children || !whole) return 'ERR_INVALID_ARGS';
    }
    if (!pages.some((page) => this.taken(vmar, page))) return 'ERR_NOT_FOUND';
    for (const page of pages) {
      const child = this.childAt(vmar, page);
      if (child !== undefined) this.destroy(child);
      this.cells[page] = null;
    }
    return 'OK';
  }

  protect(
    vmar: ModelVmar,
    first: number,
    count: number,
    now: string,
    rights: string,
    children: boolean,
  ): StatusName {
    if (!subset(now, rights)) return 'ERR_ACCESS_DENIED';
    if (now !== '' && !now.includes('r')) return 'ERR_INVALID_ARGS';
    if (count === 0) return 'ERR_INVALID_ARGS';
    if (!vmar.alive) return 'ERR_BAD_STATE';
    if (!this.inside(vmar, first, count)) return 'ERR_INVALID_ARGS';
    for (const page of this.range(first, count)) {
      const cell = this.cells[page];
      if (cell === null) return 'ERR_NOT_FOUND';
      if (!subset(now, cell.limit)) return 'ERR_ACCESS_DENIED';
      if (cell.vmar === vmar) continue;
      if (!children) return 'ERR_INVALID_ARGS';
      if (!subset(now, cell.now)) return 'ERR_ACCESS_DENIED';
    }
    for (const page of this.range(first, count)) this.cells[page] = { ...(this.cells[page] as Cell), now };
    return 'OK';
  }

  destroy(vmar: ModelVmar): StatusName {
    if (!vmar.alive) return 'ERR_BAD_STATE';
    for (const other of this.vmars) {
      let up: ModelVmar | null = other;
      while (up !== null && up !== vmar) up = up.parent;
      if (up === vmar && other.alive) {
        other.alive = false;
        this.cells.forEach((cell, page) => {
          if (cell?.vmar === other) this.cells[page] = null;
        });
      }
    }
    return 'OK';
  }
}
