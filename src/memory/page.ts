import { assert } from '../base/assert.js';
import { type Digest, type DigestWords, digestOfPage, digestOfWords, PlacedDigests } from '../base/digest.js';
import type { Owner } from '../base/int-map.js';

/** Bytes of a page. The ABI lets a kernel choose; Jacinth uses the size every Zircon riscv64 and x64 kernel has. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

/** Pages that are made together take their bytes from one piece: the host is slow to make many small ones. */
const SLAB_PAGES = 64;

let slab: Uint8Array = new Uint8Array(0);
let used = 0;
/**
 * Room that pages left when they moved elsewhere, and whose bytes nobody may have kept: slabs, and offsets into them.
 * No more than that many are held ready.
 */
const left = { slabs: [] as Uint8Array[], starts: [] as number[] };
const MAX_LEFT = 4096;
/** A page without room of its own. */
const NO_SLAB: Uint8Array = new Uint8Array(0);
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Digests of fewer are not made together. */
const FEW = 3;
/** The pool's memory, and the places in it that pages left which were there, but not in a slot. */
const inMemory = {
  slab: NO_BYTES,
  digests: null as PlacedDigests | null,
  /** Of pages of which digests are made. */
  starts: new Int32Array(PlacedDigests.MOST),
  left: [] as number[],
};

/** Where the bytes of pages are that nobody needed yet. There are thousands, so that many have one, and a key each. */
export interface PageOrigin {
  /** Puts them there; whatever it throws, the asker gets. */
  read(to: Uint8Array, key: number): void;
  /** Whether somebody who saw the run before says that the page will be written soon. */
  isAwaited?(key: number): boolean;
  /** Who reads many in less time than one by one. */
  readonly source?: PageSource;
}

export interface PageSource {
  /**
   * As `read` of each, one behind the other.
   * @param pages of which `origin` has this source
   */
  readAll(pages: readonly Page[], to: Uint8Array): void;
}

/** Of pages that nobody asked for since they were made: most go to a place where zeros are already. */
const ZEROS: PageOrigin = { read: (to) => to.fill(0) };

/** Of pages that were released. */
const NOWHERE: PageOrigin = { read: () => assert(false, 'a page of a released snapshot is read') };

/**
 * 4 KiB of memory. Whoever holds the owner token may write; for everybody else (every snapshot) the page never
 * changes again. A writer that is not the owner makes a copy first: that is the whole of copy on write.
 */
export class Page {
  /** How often `code` of any page changed between null and something. */
  static codeChanges = 0;
  /** How often a page in the pool got `code`: nobody stores to others. */
  static codeMadeInPool = 0;
  private engineCode: object | null = null;
  /** Nothing but one VMO, and snapshots of it, has this page. */
  exclusive = false;
  /** Where the page is in the pool; -1 while it is not (see `pool.ts`). */
  slot = -1;
  /** The words of the digest are there, from `memoStart` on; null as long as nobody knows it. */
  private memo: Int32Array | null = null;
  private memoStart = 0;
  private madeView: DataView | null = null;
  /** Who has the bytes, and by which key, as long as they are elsewhere. */
  origin: PageOrigin | null = null;
  key = 0;
  /** What whoever logs the contents of pages knows of this one, private to them. */
  logged: object | null = null;

  /** The piece that has room for this page from `start` on, its own or the pool's; NO_SLAB while its bytes are elsewhere. */
  private slab = NO_SLAB;
  private start = 0;

  /** @param place the bytes, as long as they have no room in a slab, or once somebody asked for them; null: elsewhere */
  constructor(
    private place: Uint8Array | null,
    readonly owner: Owner | null,
  ) {}

  /** They may be others after instructions ran: do not keep them. */
  get bytes(): Uint8Array {
    // Most pages of snapshots are never read.
    if (this.place === null) {
      if (this.slab === NO_SLAB) this.bring();
      this.place = this.slab.subarray(this.start, this.start + PAGE_SIZE);
    }
    return this.place;
  }

  private get isElsewhere(): boolean {
    return this.place === null && this.slab === NO_SLAB;
  }

  /** Puts its bytes into room of its own. */
  private bring(): void {
    const isClean = this.takeRoom();
    try {
      if (!isClean || this.origin !== ZEROS)
        this.origin!.read(this.slab.subarray(this.start, this.start + PAGE_SIZE), this.key);
    } catch (reason) {
      this.leaveRoom();
      throw reason;
    }
    this.brought();
  }

  /** Only what nobody may write is still what it was. */
  private brought(): void {
    if (this.owner !== null || this.origin === ZEROS) this.origin = null;
  }

  /** Whether its first store is known to come: to make room for that now costs less than to be asked then. */
  get awaitsStore(): boolean {
    return this.owner === null && this.origin?.isAwaited?.(this.key) === true;
  }

  /** Leaves it where it is. */
  private read(to: Uint8Array): void {
    if (this.isElsewhere) this.origin!.read(to, this.key);
    else to.set(this.bytes);
  }

  get view(): DataView {
    if (this.madeView === null) {
      const { buffer, byteOffset } = this.bytes;
      this.madeView = new DataView(buffer, byteOffset, PAGE_SIZE);
    }
    return this.madeView;
  }

  /**
   * Puts the contents into room of the caller's.
   * @param slab all of a buffer
   * @param isClean whether zeros are there: hosts give the memory when it is first touched, which takes time
   */
  moveTo(slab: Uint8Array, start: number, isClean: boolean): void {
    if (!isClean || this.origin !== ZEROS) this.read(slab.subarray(start, start + PAGE_SIZE));
    this.leaveRoom();
    this.arrived(slab, start);
  }

  /** Its contents are there. */
  arrived(slab: Uint8Array, start: number): void {
    this.brought();
    this.slab = slab;
    this.start = start;
    this.place = null;
    this.madeView = null;
  }

  /** A piece of memory grew, and is another now; its contents are where they were. */
  grew(from: Uint8Array, to: Uint8Array): void {
    if (this.slab !== from) return;
    this.slab = to;
    this.place = null;
    this.madeView = null;
  }

  /** Of a page whose bytes are elsewhere, who reads them with others. */
  get source(): PageSource | undefined {
    return this.isElsewhere ? this.origin!.source : undefined;
  }

  /** Puts the contents into room of its own. */
  moveOut(): void {
    const { bytes } = this;
    this.takeRoom();
    this.slab.set(bytes, this.start);
    this.place = null;
    this.madeView = null;
  }

  /** A copy of this page and the page change places. */
  changePlaces(copy: Page): void {
    const { slab, start, place } = this;
    this.slab = copy.slab;
    this.start = copy.start;
    this.place = copy.place;
    this.madeView = null;
    copy.slab = slab;
    copy.start = start;
    copy.place = place;
    copy.madeView = null;
    copy.origin = null;
  }

  /**
   * Its bytes were copied to another place of the same piece, where it has them from now on.
   * @returns the copy, which has the place where it was
   */
  leaveFor(start: number, owner: Owner): Page {
    const copy = new Page(null, owner);
    copy.slab = this.slab;
    copy.start = this.start;
    this.start = start;
    this.place = null;
    this.madeView = null;
    return copy;
  }

  /** Nobody will read it any more: whoever does fails. In the pool it keeps its place until others need that. */
  release(): void {
    if (this.slot >= 0) return;
    this.leaveRoom();
    this.place = null;
    this.madeView = null;
    this.memo = null;
    this.origin = NOWHERE;
  }

  get isReleased(): boolean {
    return this.origin === NOWHERE;
  }

  private leaveRoom(): void {
    const { slab, start } = this;
    if (slab === inMemory.slab) inMemory.left.push(start);
    else if (slab !== NO_SLAB && left.starts.length < MAX_LEFT) {
      left.slabs.push(slab);
      left.starts.push(start);
    }
    this.slab = NO_SLAB;
  }

  /** False when others' bytes may be there. */
  private takeRoom(): boolean {
    const known = left.slabs.pop();
    if (known !== undefined) {
      this.slab = known;
      this.start = left.starts.pop()!;
      return false;
    }
    if (used === slab.length) {
      slab = new Uint8Array(SLAB_PAGES * PAGE_SIZE);
      used = 0;
    }
    this.slab = slab;
    this.start = used;
    used += PAGE_SIZE;
    return true;
  }

  hasBytesOf(other: Page): boolean {
    const mine = this.words();
    const its = other.words();
    for (let i = 0; i < mine.length; i++) if (mine[i] !== its[i]) return false;
    return true;
  }

  /** The contents as words of the host. The same holds as for `bytes`. */
  words(): Int32Array {
    if (this.place === null && this.slab !== NO_SLAB)
      return new Int32Array(this.slab.buffer, this.start, PAGE_SIZE / 4);
    const { buffer, byteOffset } = this.bytes;
    return new Int32Array(buffer, byteOffset, PAGE_SIZE / 4);
  }

  /** What engines made of this page as code, private to them. Whoever writes the page sets it to null. */
  get code(): object | null {
    return this.engineCode;
  }

  set code(code: object | null) {
    if ((code === null) !== (this.engineCode === null)) {
      Page.codeChanges++;
      if (code !== null && this.slot >= 0) Page.codeMadeInPool++;
    }
    this.engineCode = code;
  }

  static zeroed(owner: Owner | null): Page {
    const page = new Page(null, owner);
    page.origin = ZEROS;
    return page;
  }

  /**
   * A page of which is known where its bytes are once somebody asks.
   * @param digest its words are there, from `start` on, if it is known without the bytes
   * @param owner who may write it
   */
  static elsewhere(
    origin: PageOrigin,
    key = 0,
    digest: Int32Array | null = null,
    start = 0,
    owner: Owner | null = null,
  ): Page {
    const page = new Page(null, owner);
    page.origin = origin;
    page.key = key;
    page.memo = digest;
    page.memoStart = start;
    return page;
  }

  copy(owner: Owner): Page {
    if (this.origin === ZEROS) return Page.zeroed(owner);
    const page = new Page(null, owner);
    // One in the pool leaves its place to the copy (`changePlaces`).
    if (this.origin !== null && this.owner === null && (this.isElsewhere || this.slot >= 0)) {
      page.origin = this.origin;
      page.key = this.key;
      return page;
    }
    page.takeRoom();
    page.slab.set(this.bytes, page.start);
    return page;
  }

  /** Memoised, so call it only on pages that nobody may write any more. */
  digestWords(): DigestWords {
    const [memo, at] = [this.knowDigest(), this.memoStart];
    return [memo[at], memo[at + 1], memo[at + 2], memo[at + 3]];
  }

  private knowDigest(): Int32Array {
    this.memo ??= Int32Array.from(digestOfPage(this.bytes));
    return this.memo;
  }

  /**
   * Puts the words of all their digests there, each so many words behind the one before: together they take less time.
   * The same holds as for one.
   */
  static putDigests(pages: readonly Page[], to: Int32Array, start: number, stride: number): void {
    Page.digestTogether(pages);
    for (let i = 0, at = start; i < pages.length; i++, at += stride) {
      const page = pages[i];
      const memo = page.memo ?? page.knowDigest();
      const { memoStart } = page;
      to[at] = memo[memoStart];
      to[at + 1] = memo[memoStart + 1];
      to[at + 2] = memo[memoStart + 2];
      to[at + 3] = memo[memoStart + 3];
    }
  }

  /** Has digests ready of those of them that are in the pool. The same holds as for one. */
  static digestTogether(pages: readonly Page[]): void {
    const { slab, digests, starts } = inMemory;
    if (digests === null) return;
    for (let from = 0; from < pages.length; from += starts.length) {
      const end = Math.min(from + starts.length, pages.length);
      let count = 0;
      for (let i = from; i < end; i++) {
        const page = pages[i];
        if (page.memo === null && page.slab === slab) starts[count++] = page.start;
      }
      if (count < FEW) continue;
      const at = digests.put(starts, count) / 4;
      const words = digests.words.slice(at, at + 4 * count);
      for (let i = from, next = 0; i < end; i++) {
        const page = pages[i];
        // One may be there twice.
        if (page.slab !== slab || (page.memo !== null && page.memo !== words)) continue;
        page.memo = words;
        page.memoStart = next;
        next += 4;
      }
    }
  }

  /**
   * There is a pool, the last one that is known: digests of pages in its memory are made where they are.
   * @param slab all of that memory
   * @param left gets the places that pages leave there
   */
  static poolIn(slab: Uint8Array, digests: PlacedDigests | null, left: number[]): void {
    inMemory.slab = slab;
    inMemory.digests = digests;
    inMemory.left = left;
  }

  /** That memory grew, and is another piece now. */
  static poolGrew(from: Uint8Array, to: Uint8Array): void {
    if (inMemory.slab === from) inMemory.slab = to;
  }

  digest(): Digest {
    return digestOfWords(this.digestWords());
  }
}

/** What reads of memory that was never written see. Nobody owns it. */
export const ZERO_PAGE: Page = Page.zeroed(null);
