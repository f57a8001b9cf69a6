import { bitCount } from '../../base/bits.js';
import { IntMap, type IntMapNode } from '../../base/int-map.js';
import type { KernelState } from '../../kernel/objects/kernel.js';
import { PAGE_SIZE, Page, ZERO_PAGE } from '../../memory/page.js';
import { DeltaWriter, DIGEST_BYTES } from './delta-writer.js';
import { applyDelta, MAX_DELTA_BYTES, wordsOf, writeDelta } from './page-delta.js';

/** Differences that a page is put together from, at most: the last of them is from zeros. */
export const MAX_DELTAS = 8;
const SLAB_BYTES = 1 << 20;
const ZEROS = new Int32Array(PAGE_SIZE / 4);

/** What a page was from some state on until it was written again. */
export interface PageVersion {
  /** Whose it is: pages may be logged more than once. */
  readonly log: MemoryLog;
  /** The page that it is told by; null for zeros. */
  base: PageVersion | null;
  /** Where its digest and what differs are: many small arrays would take more than what is in them. */
  slab: Uint8Array;
  start: number;
  end: number;
  /** Differences before this one. */
  depth: number;
  /** States that were logged before. */
  readonly since: number;
  kept: boolean;
  /** In the file; 0 before it is there. */
  place: number;
}

/** Pages side by side, as the lowest nodes of persistent maps have them; null is a page of zeros that nobody owns. */
export interface PageTable {
  readonly bitmap: number;
  readonly pages: readonly (PageVersion | null)[];
  readonly since: number;
  kept: boolean;
  place: number;
}

/**
 * The memory of states of one run, each later than the one before: of each page that a state does not share with the
 * one before, what changed in it. Nothing else is held, so that many states take what was written between them.
 */
export class MemoryLog {
  versions: PageVersion[] = [];
  tables: PageTable[] = [];
  /** What all differences take. */
  sizeBytes = 0;
  private readonly tableOf = new WeakMap<IntMapNode, PageTable>();
  private last: KernelState | null = null;
  private states = 0;
  private slab = new Uint8Array(0);
  private used = 0;
  private writer: DeltaWriter | null = null;
  private readonly scratch = new Uint8Array(DIGEST_BYTES + MAX_DELTA_BYTES);
  private readonly scratchDelta = wordsOf(this.scratch.subarray(DIGEST_BYTES));

  /** To be called with each state before it is asked for its tables. */
  add(state: KernelState): void {
    this.states++;
    for (const [koid, object] of state.objects.list()) {
      if (object.kind !== 'vmo') continue;
      const last = this.last?.objects.get(koid);
      const before = last?.kind === 'vmo' ? last.pages : IntMap.empty<Page>();
      if (object.pages === before) continue;
      for (const [key, leaf] of object.pages.leaves()) {
        if (this.knownTable(leaf) === null) this.log(key, leaf, before);
      }
    }
    this.last = state;
  }

  /** The table that stands for a node of a state. */
  table(leaf: IntMapNode): PageTable {
    return this.knownTable(leaf) ?? this.log(0, leaf, IntMap.empty());
  }

  private knownTable(leaf: IntMapNode): PageTable | null {
    const table = this.tableOf.get(leaf);
    return table?.kept === true ? table : null;
  }

  private known(page: Page | undefined): PageVersion | null {
    const version = (page?.logged ?? null) as PageVersion | null;
    return version?.log === this && version.kept ? version : null;
  }

  /** Forgets what none of these tables needs. */
  keepOnly(tables: Iterable<PageTable>): void {
    for (const part of [...this.versions, ...this.tables]) part.kept = false;
    for (const table of tables) {
      table.kept = true;
      for (const page of table.pages) if (page !== null) page.kept = true;
    }
    this.tables = this.tables.filter(({ kept }) => kept);
    const versions = this.versions.filter(({ kept }) => kept);
    // Room is for all that is left, so that nothing holds room for what is gone.
    this.slab = new Uint8Array(0);
    this.used = 0;
    this.sizeBytes = 0;
    for (const version of versions) {
      const { base } = version;
      if (base !== null && !base.kept) this.rebase(version, base);
      else this.store(version, version.slab.subarray(version.start, version.end));
      version.depth = version.base === null ? 0 : version.base.depth + 1;
    }
    this.versions = versions;
  }

  private log(key: number, leaf: IntMapNode, before: IntMap<Page>): PageTable {
    const slots = leaf.slots as Page[];
    Page.digestTogether(slots);
    const pages: (PageVersion | null)[] = [];
    const fresh: Page[] = [];
    const others: (Page | null)[] = [];
    const last = before.leaf(key);
    let { bitmap } = leaf;
    for (let i = 0; i < slots.length; i++) {
      const page = slots[i];
      const bit = bitmap & -bitmap;
      bitmap ^= bit;
      let version = page === ZERO_PAGE ? null : this.known(page);
      if (version === null && page !== ZERO_PAGE) {
        const other = last !== null && (last.bitmap & bit) !== 0 ? pageAt(last, bit) : undefined;
        version = this.newVersion(this.known(other));
        page.logged = version;
        fresh.push(page);
        others.push(version.base === null ? null : other!);
      }
      pages.push(version);
    }
    if (fresh.length > 0) this.tell(fresh, others);
    const table = { bitmap: leaf.bitmap, pages, since: this.states, kept: true, place: 0 };
    this.tables.push(table);
    this.tableOf.set(leaf, table);
    return table;
  }

  /** @param before what was there before, if it is in the log */
  private newVersion(before: PageVersion | null): PageVersion {
    const base = before !== null && before.depth + 1 < MAX_DELTAS ? before : null;
    const version: PageVersion = {
      log: this,
      base,
      slab: this.slab,
      start: 0,
      end: 0,
      depth: base === null ? 0 : base.depth + 1,
      since: this.states,
      kept: true,
      place: 0,
    };
    this.versions.push(version);
    return version;
  }

  /** Stores what new versions of pages are. */
  private tell(pages: readonly Page[], others: readonly (Page | null)[]): void {
    this.writer ??= new DeltaWriter();
    const { ends, based } = this.writer;
    const bytes = this.writer.tell(pages, others);
    const start = this.put(bytes);
    for (let i = 0; i < pages.length; i++) {
      const version = pages[i].logged as PageVersion;
      version.slab = this.slab;
      version.start = i === 0 ? start : start + ends[i - 1];
      version.end = start + ends[i];
      if (based[i] !== 0) continue;
      version.base = null;
      version.depth = 0;
    }
  }

  /** Tells a page by one that is kept, or by zeros. */
  private rebase(version: PageVersion, from: PageVersion): void {
    const page = new Int32Array(PAGE_SIZE / 4);
    applyDelta(wordsOf(deltaOf(version)), 0, page);
    let base: PageVersion | null = from;
    for (; base !== null && !base.kept; base = base.base) applyDelta(wordsOf(deltaOf(base)), 0, page);
    version.base = base;
    this.scratch.set(digestOf(version));
    const length = writeDelta(page, ZEROS, this.scratchDelta);
    this.store(version, this.scratch.subarray(0, DIGEST_BYTES + length));
  }

  private store(version: PageVersion, bytes: Uint8Array): void {
    version.start = this.put(bytes);
    version.end = this.used;
    version.slab = this.slab;
  }

  /** Puts bytes into the slab, or a new one; gives where. */
  private put(bytes: Uint8Array): number {
    if (this.used + bytes.length > this.slab.length) {
      this.slab = new Uint8Array(SLAB_BYTES);
      this.used = 0;
    }
    const start = this.used;
    this.slab.set(bytes, start);
    this.used += bytes.length;
    this.sizeBytes += bytes.length;
    return start;
  }
}

function pageAt({ bitmap, slots }: IntMapNode, bit: number): Page {
  return slots[bitCount(bitmap & (bit - 1))] as Page;
}

/** Its page's digest, as files have digests. */
export function digestOf({ slab, start }: PageVersion): Uint8Array {
  return slab.subarray(start, start + DIGEST_BYTES);
}

/** What it differs in from its base. */
export function deltaOf({ slab, start, end }: PageVersion): Uint8Array {
  return slab.subarray(start + DIGEST_BYTES, end);
}
