import type { MemoryView, Renewal } from '../../../src/cpu/arch.js';
import { PAGE_SIZE, Page } from '../../../src/memory/page.js';

export interface Access {
  readonly load?: boolean;
  readonly store?: boolean;
  readonly fetch?: boolean;
}

/** A piece of memory to start with. Page numbers wrap at the end of the address space. */
export interface Region {
  readonly firstPage: number;
  readonly pages: number;
  readonly access: Access;
  /** From the region's start on; zeros behind. Ignored with `sameAs`. */
  readonly bytes?: Uint8Array;
  /** Shows the pages of the region with this index instead of its own. */
  readonly sameAs?: number;
  /** Where two address spaces are made from the same regions, both show the same pages. */
  readonly shared?: boolean;
}

/** What holds a page, as a VMO does: the page can be exchanged, and several mappings may show it. */
interface Holder {
  page: Page;
  mappings: number;
}

/** What all address spaces of one machine have in common. */
export class Machine {
  generation = 0;
  epoch = 0;
  owner: object = {};
  readonly holders: Holder[] = [];

  writable(holder: Holder): Page {
    if (holder.page.owner !== this.owner) this.exchange(holder);
    return holder.page;
  }

  /** Puts a copy of the page in its place. */
  exchange(holder: Holder): void {
    holder.page = holder.page.copy(this.owner);
    holder.page.exclusive = true;
    this.generation++;
  }

  snapshot(): Snapshot {
    this.owner = {};
    this.epoch++;
    return { pages: this.holders.map(({ page }) => ({ page, bytes: page.bytes.slice() })) };
  }

  /** Goes on from a snapshot's memory. */
  restore({ pages }: Snapshot): void {
    this.owner = {};
    this.epoch++;
    this.generation++;
    this.holders.forEach((holder, i) => {
      holder.page = pages[i].page;
    });
  }
}

interface Mapping {
  readonly holder: Holder;
  readonly allowed: Required<Access>;
  now: Required<Access>;
}

/** A page that a snapshot holds, and what must stay in it. */
interface Frozen {
  readonly page: Page;
  readonly bytes: Uint8Array;
}

export interface Snapshot {
  readonly pages: readonly Frozen[];
}

export const PAGE_COUNT = 2 ** 52;

/**
 * One address space with what the kernel does to it behind an engine's back: snapshots with copy on write,
 * permissions that come and go, exchanged pages, writes.
 */
export class World implements MemoryView {
  replacedAlone = false;
  original: Page | null = null;
  isRenewable = false;
  readonly pageNumbers: readonly number[];
  private readonly mappings = new Map<number, Mapping>();
  /** By region. */
  private readonly held: Holder[][] = [];

  /** @param other an address space made from the same regions, some of which this one shares */
  constructor(
    private readonly machine: Machine,
    private readonly regions: readonly Region[],
    other: World | null = null,
  ) {
    const { held } = this;
    for (const { firstPage, pages, access, bytes, sameAs, shared } of regions) {
      const { load = false, store = false, fetch = false } = access;
      const from =
        sameAs === undefined ? (shared === true ? other?.held[held.length] : undefined) : held[sameAs];
      const own = from ?? Array.from({ length: pages }, (_, i) => this.hold(bytes, i));
      held.push(own);
      own.forEach((holder, i) => {
        holder.mappings++;
        const allowed = { load, store, fetch };
        this.mappings.set((firstPage + i) % PAGE_COUNT, { holder, allowed, now: allowed });
      });
    }
    this.pageNumbers = [...this.mappings.keys()];
  }

  private hold(bytes: Uint8Array | undefined, index: number): Holder {
    const page = Page.zeroed(this.machine.owner);
    if (bytes !== undefined) page.bytes.set(bytes.subarray(index * PAGE_SIZE, (index + 1) * PAGE_SIZE));
    page.exclusive = true;
    const holder = { page, mappings: 0 };
    this.machine.holders.push(holder);
    return holder;
  }

  get generation(): number {
    return this.machine.generation;
  }

  get epoch(): number {
    return this.machine.epoch;
  }

  pageForLoad(pageNumber: number): Page | null {
    const mapping = this.mappings.get(pageNumber);
    return mapping?.now.load === true ? mapping.holder.page : null;
  }

  pageForFetch(pageNumber: number): Page | null {
    const mapping = this.mappings.get(pageNumber);
    return mapping?.now.fetch === true ? mapping.holder.page : null;
  }

  pageForStore(pageNumber: number): Page | null {
    this.original = null;
    const mapping = this.mappings.get(pageNumber);
    if (mapping?.now.store !== true) return null;
    const { holder } = mapping;
    const before = holder.page;
    this.replacedAlone = holder.mappings === 1;
    const now = this.machine.writable(holder);
    if (this.replacedAlone && before !== now && before.exclusive) this.original = before;
    this.isRenewable = this.replacedAlone && now.exclusive;
    return now;
  }

  renew(pageNumbers: readonly number[], rooms: readonly number[]): Renewal {
    const holders = pageNumbers.map((pageNumber) => this.mappings.get(pageNumber)!.holder);
    const originals = holders.map(({ page }) => page);
    holders.forEach((holder, i) => {
      holder.page = originals[i].leaveFor(rooms[i], this.machine.owner);
      holder.page.exclusive = true;
    });
    this.machine.generation += holders.length;
    return { originals, copies: holders.map(({ page }) => page) };
  }

  /** Whether the kernel took away what this page may be used for; then it gives it back. */
  giveBack(pageNumber: number, access: keyof Access): boolean {
    const mapping = this.mappings.get(pageNumber);
    if (mapping === undefined || mapping.now[access] || !mapping.allowed[access]) return false;
    mapping.now = mapping.allowed;
    return true;
  }

  /** Giving is seen without news; taking is not. */
  takeAway(pageNumber: number, kept: Access): void {
    const mapping = this.mappings.get(pageNumber);
    if (mapping === undefined) return;
    const { load, store, fetch } = mapping.allowed;
    mapping.now = {
      load: load && kept.load === true,
      store: store && kept.store === true,
      fetch: fetch && kept.fetch === true,
    };
    this.machine.generation++;
  }

  /** Puts a copy of the page in its place. */
  exchange(pageNumber: number): void {
    const mapping = this.mappings.get(pageNumber);
    if (mapping !== undefined) this.machine.exchange(mapping.holder);
  }

  /** Writes as the kernel does: around the permissions, telling of the page's code. */
  write(pageNumber: number, offset: number, bytes: Uint8Array): void {
    const mapping = this.mappings.get(pageNumber);
    if (mapping === undefined) return;
    const page = this.machine.writable(mapping.holder);
    page.code = null;
    page.bytes.set(bytes.subarray(0, PAGE_SIZE - offset), offset);
  }

  /** The 16 bits at an address that can be loaded or fetched, else null. */
  halfAt(address: bigint): number | null {
    const mapping = this.mappings.get(Number(address >> 12n));
    return mapping === undefined ? null : mapping.holder.page.view.getUint16(Number(address & 0xffen), true);
  }

  bytesOf(pageNumber: number): Uint8Array {
    return this.mappings.get(pageNumber)!.holder.page.bytes;
  }

  /** The first page that differs from the other world's, made from the same regions. */
  differsFrom(other: World): number | null {
    for (const [region, holders] of this.held.entries()) {
      if (this.regions[region].sameAs !== undefined) continue;
      for (const [i, holder] of holders.entries()) {
        if (equal(holder.page.bytes, other.held[region][i].page.bytes)) continue;
        return (this.regions[region].firstPage + i) % PAGE_COUNT;
      }
    }
    return null;
  }
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Pages of a snapshot that were written nevertheless. */
export function spoilt({ pages }: Snapshot): number {
  return pages.filter(({ page, bytes }) => !equal(page.bytes, bytes)).length;
}
