import { lowestBit } from '../../base/bits.js';
import { PAGE_SIZE, Page } from '../../memory/page.js';
import type { MemoryView, PageGroup } from '../arch.js';
import { fillRooms, someCopied, takeCopied } from './copy-rooms.js';
import {
  ADDRESS_MASK,
  CONTROL,
  COPY_FIRST,
  emptyTranslation,
  emptyWord,
  entries,
  GROUP_PAGES,
  GROUPS,
  LOADS,
  MEMORY_BYTES,
  pool,
  STORES,
  TRANSLATIONS,
  words,
} from './host-memory.js';
import { ZeroGroups } from './zero-groups.js';

/** Pages of 64 bits of addresses. */
const HIGH_PAGES = 2 ** 20;
/** Entries that may be listed before all are dropped: more than this are there twice. */
const LIST_LIMIT = 2 * TRANSLATIONS;

/** So many pages of a stored state are brought at once: twice as many each time, for they are read in the order of the file. */
const AWAITED_REACH = { first: 1 << 5, last: 1 << 13 };

/** The entries of one table that are not empty, and what they hold while another engine uses the table. */
class Entries {
  /** The first `count` are theirs. Not an array: to empty one takes longer. */
  private list = new Int32Array(64);
  private count = 0;
  private saved: Int32Array | null = null;
  /** Places of groups of pages of which any entry may be theirs, too, and what they hold. */
  private groups: number[] = [];
  private readonly isNoted = new Uint8Array(GROUPS);
  private savedGroups: BigInt64Array[] = [];
  /** Indexes of those whose pages generated code may not copy. */
  private readonly shared = new Set<number>();
  /** Whether some pages are to be copied before they are stored to. */
  copiesFirst = false;

  constructor(private readonly start: number) {}

  set(pageNumber: number, address: number): void {
    const index = pageNumber % TRANSLATIONS;
    const at = (this.start >> 2) + index * 2;
    if (this.isEmpty(index)) {
      if (this.count === this.list.length) this.makeRoom();
      this.list[this.count++] = index;
    }
    words[at] = address ^ (pageNumber * PAGE_SIZE);
    words[at + 1] = Math.floor(pageNumber / HIGH_PAGES);
  }

  /** As `set`, of a page that may be stored to, by generated code again after a snapshot if nobody else has it. */
  setForStores(pageNumber: number, address: number, isAlone: boolean): void {
    this.set(pageNumber, address);
    const index = pageNumber % TRANSLATIONS;
    if (!isAlone) this.shared.add(index);
    else this.shared.delete(index);
  }

  private isEmpty(index: number): boolean {
    const at = (this.start >> 2) + index * 2;
    return words[at]! === emptyWord(index) && words[at + 1]! === 0;
  }

  /** A snapshot has the pages: they are copied before they are stored to. */
  copyFirst(): void {
    this.keep((index) => this.copyOneFirst(index));
    this.shared.clear();
    this.copiesFirst = this.count > 0 || this.groups.length > 0;
  }

  /** @param isKept asked of each entry, which it may change or empty; of some twice. Says whether there is one still. */
  private keep(isKept: (index: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const index = this.list[i]!;
      if (!this.isEmpty(index) && isKept(index)) this.list[kept++] = index;
    }
    this.count = kept;
    for (const place of this.groups)
      for (let index = place * GROUP_PAGES; index < (place + 1) * GROUP_PAGES; index++)
        if (!this.isEmpty(index)) isKept(index);
  }

  private copyOneFirst(index: number): boolean {
    if (this.shared.has(index)) {
      emptyTranslation(this.start, index);
      return false;
    }
    const at = (this.start >> 2) + index * 2;
    if ((words[at]! & 1) === 0) words[at]! ^= COPY_FIRST;
    return true;
  }

  /** Some entries of a group of pages are not empty any more. */
  noteGroup(group: number): void {
    const place = group % GROUPS;
    if (this.isNoted[place] === 1) return;
    this.isNoted[place] = 1;
    this.groups.push(place);
  }

  private makeRoom(): void {
    if (this.count >= LIST_LIMIT) {
      this.clear();
      return;
    }
    const list = new Int32Array(2 * this.count);
    list.set(this.list);
    this.list = list;
  }

  /** Forgets pages that code was made of. */
  forgetCode(): void {
    this.keep((index) => this.forgetIfCode(index));
  }

  private forgetIfCode(index: number): boolean {
    if (pool.pageAt(this.addressAt(index)).code === null) return true;
    emptyTranslation(this.start, index);
    return false;
  }

  /** Where the page of an entry is, which is not empty. */
  addressAt(index: number): number {
    // Above the index's bits an address in this memory has none.
    return (words[(this.start >> 2) + index * 2]! ^ (index * PAGE_SIZE)) & ADDRESS_MASK;
  }

  has(pageNumber: number): boolean {
    const at = (this.start >> 2) + (pageNumber % TRANSLATIONS) * 2;
    const high = words[at + 1]! ^ Math.floor(pageNumber / HIGH_PAGES);
    const low = (words[at]! ^ (pageNumber * PAGE_SIZE)) & ~(MEMORY_BYTES - 1);
    return high === 0 && low === 0;
  }

  forget(pageNumber: number): void {
    if (this.has(pageNumber)) emptyTranslation(this.start, pageNumber % TRANSLATIONS);
  }

  private empty(): void {
    for (let i = 0; i < this.count; i++) emptyTranslation(this.start, this.list[i]!);
    for (const place of this.groups) {
      const first = place * GROUP_PAGES;
      this.entriesOf(place).fill(BigInt(emptyWord(first)));
    }
  }

  /** All of a group. */
  private entriesOf(place: number): BigInt64Array {
    return entries.subarray(this.start / 8 + place * GROUP_PAGES, this.start / 8 + (place + 1) * GROUP_PAGES);
  }

  clear(): void {
    this.empty();
    this.drop();
  }

  putAway(): void {
    const saved = new Int32Array(this.count * 2);
    for (let i = 0; i < this.count; i++) {
      const at = (this.start >> 2) + this.list[i]! * 2;
      saved[i * 2] = words[at]!;
      saved[i * 2 + 1] = words[at + 1]!;
    }
    this.savedGroups = this.groups.map((place) => this.entriesOf(place).slice());
    this.empty();
    this.saved = saved;
  }

  takeOut(): void {
    const { saved } = this;
    if (saved === null) return;
    this.groups.forEach((place, i) => {
      this.entriesOf(place).set(this.savedGroups[i]!);
    });
    for (let i = 0; i < this.count; i++) {
      const at = (this.start >> 2) + this.list[i]! * 2;
      words[at] = saved[i * 2]!;
      words[at + 1] = saved[i * 2 + 1]!;
    }
    this.saved = null;
    this.savedGroups = [];
  }

  /** As `clear`, while another engine uses the table. */
  drop(): void {
    this.count = 0;
    this.saved = null;
    for (const place of this.groups) this.isNoted[place] = 0;
    this.groups = [];
    this.savedGroups = [];
    this.shared.clear();
    this.copiesFirst = false;
  }
}

/** Where an address space's pages are: what is in the translation tables while its engine runs. */
export class Translations {
  private readonly loads = new Entries(LOADS);
  private readonly stores = new Entries(STORES);
  private readonly zeros = new ZeroGroups();
  private memory: MemoryView | null = null;
  private generation = -1;
  private epoch = -1;
  private moves = -1;
  private codeChanges = -1;
  private codeMadeInPool = -1;
  private awaitedReach = AWAITED_REACH.first;
  /** Goes up when code may be another now: pages were remapped, or written over. */
  codeVersion = 0;

  /** @param isCode whether code is known to come from the page at this number */
  constructor(private readonly isCode: (pageNumber: number) => boolean) {}

  /** Starts a run on a memory. What is still good of what was there stays. */
  attach(memory: MemoryView): void {
    if (memory !== this.memory) {
      this.memory = memory;
      this.generation = -1;
    }
    this.check();
  }

  /** A copy of a page that nothing but snapshots has from now on is in its place. */
  private moved(original: Page, page: Page): void {
    pool.replace(original, page);
    this.moves = pool.moves;
  }

  /** Where a page is, after bringing it there, for which others may have to leave. */
  private addressOf(page: Page): number {
    const address = pool.addressOf(page);
    this.check();
    return address;
  }

  putAway(): void {
    this.loads.putAway();
    this.stores.putAway();
    this.zeros.clear();
  }

  /** Back into the tables, as far as it is still good. */
  takeOut(memory: MemoryView): void {
    const moved = pool.moves !== this.moves;
    const stale = memory !== this.memory || moved || memory.generation !== this.generation;
    if (stale) this.loads.drop();
    else this.loads.takeOut();
    if (stale || Page.codeChanges !== this.codeChanges) this.stores.drop();
    else this.stores.takeOut();
    this.moves = pool.moves;
  }

  /** Drops what is no longer good. */
  check(): void {
    const { generation, epoch } = this.memory!;
    if (generation !== this.generation || pool.moves !== this.moves) {
      this.loads.clear();
      this.stores.clear();
      this.zeros.clear();
      this.codeVersion++;
      this.generation = generation;
      this.moves = pool.moves;
    }
    if (epoch !== this.epoch) {
      this.stores.copyFirst();
      this.epoch = epoch;
    }
    if (Page.codeChanges !== this.codeChanges) {
      this.codeMade();
      this.codeVersion++;
    }
  }

  /** Code was made of a page: stores to it must be noticed from now on. */
  codeMade(): void {
    if (Page.codeMadeInPool !== this.codeMadeInPool && pool.moves === this.moves) this.stores.forgetCode();
    this.codeMadeInPool = Page.codeMadeInPool;
    this.codeChanges = Page.codeChanges;
  }

  hasLoad(pageNumber: number): boolean {
    return this.loads.has(pageNumber);
  }

  hasStore(pageNumber: number): boolean {
    return this.stores.has(pageNumber);
  }

  /** False when nothing can be loaded from there. */
  addLoad(pageNumber: number): boolean {
    const memory = this.memory!;
    let page = memory.pageForLoad(pageNumber);
    this.check();
    if (page === null) return false;
    if (page.awaitsStore) {
      if (this.bringAwaited(pageNumber)) return true;
      page = memory.pageForLoad(pageNumber)!;
    }
    this.loads.set(pageNumber, this.addressOf(page));
    this.zeros.look(memory, pageNumber);
    return true;
  }

  /** Many pages of a stored state are touched: those that will be written come together with their neighbours. */
  private bringAwaited(pageNumber: number): boolean {
    const memory = this.memory!;
    const renewed = memory.renewAwaited?.(pageNumber, this.awaitedReach) ?? [];
    this.awaitedReach = Math.min(2 * this.awaitedReach, AWAITED_REACH.last);
    this.generation = memory.generation;
    for (const { original, page } of renewed)
      if (original !== null && original.slot >= 0) this.moved(original, page);
    pool.bringAll(renewed.map(({ page }) => page));
    for (const { pageNumber: near, page } of renewed) {
      const address = this.addressOf(page);
      this.stores.setForStores(near, address, true);
      this.loads.set(near, address);
    }
    return this.loads.has(pageNumber);
  }

  /** False when nothing can be stored there, or code was made of the page: stores to it must be noticed. */
  addStore(pageNumber: number): boolean {
    const memory = this.memory!;
    const page = memory.pageForStore(pageNumber);
    if (memory.replacedAlone && memory.generation === this.generation + 1)
      this.replaced(pageNumber, memory.original, page);
    this.check();
    if (page === null || page.code !== null) return false;
    const address = this.addressOf(page);
    this.stores.setForStores(pageNumber, address, memory.isRenewable === true);
    if (memory.isLoadable === true) this.loads.set(pageNumber, address);
    if (memory.original?.awaitsStore === true) this.bringAwaited(pageNumber);
    this.zeros.look(memory, pageNumber);
    return true;
  }

  /** A first write replaced the page at this number, and nothing else: what is known of others is good. */
  private replaced(pageNumber: number, original: Page | null, page: Page | null): void {
    this.generation++;
    if (original !== null && page !== null && original.code === null) {
      this.moved(original, page);
      return;
    }
    this.loads.forget(pageNumber);
    this.zeros.forget(pageNumber);
    if (this.isCode(pageNumber)) this.codeVersion++;
  }

  /** Before generated code runs: sets aside what it may need for pages that it stores to first. */
  makeRoom(): void {
    const left = this.zeros.some ? (this.memory!.pagesLeft ?? 0) : 0;
    if (this.stores.copiesFirst) fillRooms();
    words[CONTROL.unusedCount >> 2] = Math.min(left, pool.unused);
    words[CONTROL.unused >> 2] = pool.unusedAddress;
  }

  /** After it ran: what it did with pages is so in the machine, too. */
  settle(): void {
    if (words[CONTROL.touched >> 2] !== 0) this.settleTouched();
    if (this.stores.copiesFirst && someCopied()) this.settleCopied();
  }

  private settleTouched(): void {
    const touched = this.zeros.takeTouched();
    const stored: PageGroup[] = [];
    for (const one of touched) {
      this.loads.noteGroup(one.group);
      if (one.pages === 0) continue;
      this.stores.noteGroup(one.group);
      stored.push(one);
    }
    if (stored.length === 0) return;
    const memory = this.memory!;
    const made = memory.commitZeros!(stored);
    let next = 0;
    for (const { group, pages } of stored) {
      const first = (group % GROUPS) * GROUP_PAGES;
      for (let bits = pages; bits !== 0; bits &= bits - 1) {
        const index = first + lowestBit(bits);
        pool.adopt(made[next++]!, this.stores.addressAt(index));
      }
    }
    this.generation = memory.generation;
  }

  private settleCopied(): void {
    const { pageNumbers, rooms } = takeCopied();
    const memory = this.memory!;
    const { originals, copies } = memory.renew!(pageNumbers, rooms);
    pool.split(originals, copies, rooms);
    this.generation = memory.generation;
    this.moves = pool.moves;
  }
}
