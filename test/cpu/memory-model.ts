import { PAGE } from '../kernel/vm-support.js';

/** What one instruction of a loop's body does, at a distance from the loop's address. */
export type Touch = readonly ['load' | 'store', number];

export interface ModelLoop {
  readonly body: readonly Touch[];
  readonly address: number;
  readonly strideBytes: number;
  readonly count: number;
  readonly value: number;
}

/** Where the memory is seen: numbers of pages, and which of them may be stored to. */
export interface Window {
  readonly firstPage: number;
  readonly writable: readonly boolean[];
}

interface State {
  /** What is committed, by page number. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly sizePages: number;
  readonly windows: readonly Window[];
}

interface Fault {
  readonly access: 'load' | 'store';
  readonly address: number;
}

/**
 * A VMO's memory as bytes, and what loops of loads and stores do to it: what engines must agree with, without their
 * pages, caches and epochs. Windows show it from `startPage` on.
 */
export class MemoryModel {
  pages = new Map<number, Uint8Array>();
  windows: Window[] = [];
  /** Pages that others have committed. */
  others = 0;
  loaded = 0n;
  private readonly kept: State[] = [];

  constructor(
    private readonly startPage: number,
    public sizePages: number,
    private readonly physicalPages: number,
  ) {}

  keep(): void {
    const pages = new Map([...this.pages].map(([n, bytes]) => [n, bytes.slice()] as const));
    this.kept.push({ pages, sizePages: this.sizePages, windows: [...this.windows] });
  }

  restore(which: number): void {
    const { pages, sizePages, windows } = this.kept[which]!;
    this.pages = new Map([...pages].map(([n, bytes]) => [n, bytes.slice()] as const));
    this.sizePages = sizePages;
    this.windows = [...windows];
  }

  drop(first: number, end: number): void {
    for (let page = first; page < end; page++) this.pages.delete(page);
  }

  commit(first: number, end: number): void {
    for (let page = first; page < end; page++)
      if (!this.pages.has(page)) this.pages.set(page, new Uint8Array(PAGE));
  }

  /** Bytes inside of one page. */
  write(page: number, offset: number, bytes: readonly number[]): void {
    this.commit(page, page + 1);
    this.pages.get(page)!.set(bytes, offset);
  }

  /** The pages that are not zeros, as text. */
  get contents(): string {
    return contentsOf(this.pages);
  }

  /** What a loop comes to, as text. */
  loop({ body, address, strideBytes, count, value }: ModelLoop): string {
    let steps = 0;
    let sum = BigInt.asUintN(64, BigInt(value));
    const done = (fault: Fault | null): string =>
      `${steps} ${fault === null ? 'syscall' : `${fault.access} ${fault.address}`} ${sum} ${this.loaded}`;
    for (let i = 0; i < count; i++) {
      for (const [access, distance] of body) {
        const at = address + i * strideBytes + distance;
        const places = this.placesOf(access, at);
        if (!Array.isArray(places)) return done(places);
        if (access === 'store')
          places.forEach(([page, offset], n) => {
            this.pages.get(page)![offset] = Number((sum >> BigInt(8 * n)) & 0xffn);
          });
        else
          this.loaded = places.reduceRight(
            (all, [page, offset]) => (all << 8n) | BigInt(this.pages.get(page)?.[offset] ?? 0),
            0n,
          );
        steps++;
      }
      sum = BigInt.asUintN(64, sum + this.loaded);
      steps += 4;
    }
    return done(null);
  }

  /** Page and offset of each byte of an access, or where it faults. Each page of a store is committed once it is met. */
  private placesOf(access: 'load' | 'store', address: number): (readonly [number, number])[] | Fault {
    const places: (readonly [number, number])[] = [];
    for (let at = address; at < address + 8; at++) {
      const page = this.pageSeen(Math.floor(at / PAGE), access);
      if (page === null) return { access, address: at };
      if (access === 'store' && !this.pages.has(page)) {
        if (this.pages.size + this.others >= this.physicalPages) return { access, address: at };
        this.commit(page, page + 1);
      }
      places.push([page, at % PAGE]);
    }
    return places;
  }

  private pageSeen(number: number, access: 'load' | 'store'): number | null {
    for (const { firstPage, writable } of this.windows) {
      const index = number - firstPage;
      if (index < 0 || index >= writable.length) continue;
      const page = this.startPage + index;
      return page < this.sizePages && (access === 'load' || writable[index]) ? page : null;
    }
    return null;
  }
}

/** Pages that are not zeros, in order, as text. */
export function contentsOf(pages: ReadonlyMap<number, Uint8Array>): string {
  const shown = [...pages].filter(([, bytes]) => bytes.some((byte) => byte !== 0));
  shown.sort(([a], [b]) => a - b);
  return shown.map(([page, bytes]) => `${page}:${Buffer.from(bytes).toString('base64')}`).join(' ');
}
