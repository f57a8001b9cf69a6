import { bitCount } from '../../base/bits.js';
import { IntMapNode, type Owner } from '../../base/int-map.js';
import { LatePages } from '../../memory/late-pages.js';
import { PAGE_SIZE, Page, type PageOrigin, type PageSource, ZERO_PAGE } from '../../memory/page.js';
import type { Recording } from '../format/reader.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';
import type { RecordingWriter } from '../format/writer.js';
import { deltaOf, digestOf, type MemoryLog, type PageTable, type PageVersion } from './memory-log.js';
import { BLOCK_BYTES, CACHED_TABLES, CHUNK_BYTES, ReadingRoom, TOGETHER } from './reading-room.js';

/**
 * The memory of checkpoints in a file. What is written once has a place: its chunk's number times CHUNK_BYTES, and the
 * offset in that chunk, which is of tables or of pages.
 *
 *     page  = the place of the page by which it is told u32, 0 for zeros; what differs (page-delta.ts)
 *     table = bitmap u32; for each page that it has its place u32, and the page's digest as four words; all are 0 for a
 *             page of zeros that nobody owns
 *
 * No page reaches over a multiple of BLOCK_BYTES in its chunk, so that blocks can be read alone: pages need no checksum,
 * since all have digests; the state's hash stands for these. Chunks of tables are checked, and no longer than a block.
 */
/** Places are less. */
const PLACES = 2 ** 32;
const ADVICE = 'do without them';
const PAGE_HEAD_BYTES = 4;
const DIGEST_BYTES = 16;
/** From so many on, pages that are written soon are brought together. */
const FEW_READS = 16;
/** Of each page in a table. */
const ENTRY_BYTES = 4 + DIGEST_BYTES;
const ENTRY_WORDS = ENTRY_BYTES / 4;
/** Puts memory into a file of checkpoints. */
export class MemoryWriter {
  private readonly chunk = new DataView(new ArrayBuffer(CHUNK_BYTES));
  private used = 0;
  private nextVersion = 0;
  private nextTable = 0;

  constructor(
    private readonly writer: RecordingWriter,
    private readonly log: MemoryLog,
  ) {}

  /** Writes what states had up to the one with that number, counted from 1, and was not written yet. */
  writeUpTo(state: number, seq: number): void {
    const { versions, tables } = this.log;
    for (; versions[this.nextVersion]?.since <= state; this.nextVersion++)
      this.page(versions[this.nextVersion], seq);
    this.flush(seq);
    for (; tables[this.nextTable]?.since <= state; this.nextTable++) this.table(tables[this.nextTable], seq);
    this.flush(seq);
  }

  private page(version: PageVersion, seq: number): void {
    const delta = deltaOf(version);
    version.place = this.placeFor(PAGE_HEAD_BYTES + delta.length, CHUNK_BYTES, seq);
    this.chunk.setUint32(this.used, version.base?.place ?? 0, true);
    this.put(delta, PAGE_HEAD_BYTES);
  }

  private table(table: PageTable, seq: number): void {
    const bytes = new Uint8Array(4 + table.pages.length * ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, table.bitmap, true);
    table.pages.forEach((page, i) => {
      if (page === null) return;
      view.setUint32(4 + i * ENTRY_BYTES, page.place, true);
      bytes.set(digestOf(page), 8 + i * ENTRY_BYTES);
    });
    table.place = this.placeFor(bytes.length, BLOCK_BYTES, seq);
    this.put(bytes, 0);
  }

  /** Where the next part will be, in a chunk of at most so many bytes. */
  private placeFor(sizeBytes: number, chunkBytes: number, seq: number): number {
    const left = BLOCK_BYTES - (this.used % BLOCK_BYTES);
    // What was there before is no part of the file.
    if (sizeBytes > left) new Uint8Array(this.chunk.buffer, this.used, left).fill(0);
    if (sizeBytes > left) this.used += left;
    if (this.used + sizeBytes > chunkBytes) this.flush(seq);
    const place = this.writer.chunkCount * CHUNK_BYTES + this.used;
    if (place < PLACES) return place;
    throw new RecordingError('limit', 'there are more checkpoints than a file has places for', null, ADVICE);
  }

  private put(bytes: Uint8Array, offset: number): void {
    new Uint8Array(this.chunk.buffer).set(bytes, this.used + offset);
    this.used += offset + bytes.length;
  }

  private flush(seq: number): void {
    if (this.used === 0) return;
    this.writer.bytes('memory', seq, new Uint8Array(this.chunk.buffer.slice(0, this.used)));
    this.used = 0;
  }
}

/** A table of a state: its bitmap, and of each page its place and digest. */
export type TableWords = Int32Array;

/** How many pages a table has. */
function pageCount(words: TableWords): number {
  return (words.length - 1) / ENTRY_WORDS;
}

/** @param page the one of which `words` has what is told from `entry` on */
export function leafOf(words: TableWords, page: (entry: number) => Page): IntMapNode {
  const pages: Page[] = [];
  for (let entry = 1; entry < words.length; entry += ENTRY_WORDS)
    pages.push(words[entry] === 0 ? ZERO_PAGE : page(entry));
  return new IntMapNode(0, words[0], pages, null);
}

/** Places in tables in order, as signed words; 0 is one of a page of zeros. */
export function sortedPlaces(tables: readonly TableWords[]): Int32Array {
  const places = new Int32Array(tables.reduce((sum, words) => sum + pageCount(words), 0));
  let at = 0;
  for (const words of tables)
    for (let entry = 1; entry < words.length; entry += ENTRY_WORDS) places[at++] = words[entry];
  return places.sort();
}

function isAmong(sorted: Int32Array, place: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < place) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === place;
}

/** Memory in a file of checkpoints, which a stranger may have made up. */
export class StoredMemory {
  constructor(private readonly file: Recording) {}

  /**
   * The tables at places.
   * @param most pages that they can have together
   * @throws RecordingError, PayloadError
   */
  tablesAt(places: readonly number[], most: number): TableWords[] {
    let left = most;
    return places.map((place) => {
      const { words, at, count } = this.tableAt(place);
      if (count === 0) throw new PayloadError('a table has no pages');
      left -= count;
      if (left < 0) throw new PayloadError('a state has more pages than its machine');
      return words.subarray(at, at + 1 + count * ENTRY_WORDS);
    });
  }

  /**
   * Puts pages together, one behind the other.
   * @param places of TOGETHER at most
   * @returns where they are, and their digests, until others are read
   * @throws RecordingError, PayloadError
   */
  read(places: readonly number[]): ReadingRoom {
    const room = ReadingRoom.of(this.file);
    room.read(places);
    return room;
  }

  /** Where a table is, in words, and how many pages it has. */
  private tableAt(place: number): {
    readonly words: Int32Array;
    readonly at: number;
    readonly count: number;
  } {
    const words = this.chunkOfTables(Math.floor(place / CHUNK_BYTES));
    const at = (place % BLOCK_BYTES) / 4;
    const count = bitCount(words[at]);
    if (!Number.isInteger(at) || at + 1 + count * ENTRY_WORDS > words.length)
      throw new PayloadError('a table ends too early');
    return { words, at, count };
  }

  private chunkOfTables(chunk: number): Int32Array {
    const { tables } = ReadingRoom.of(this.file);
    const known = tables.get(chunk);
    if (known !== undefined) return known;
    const bytes = this.file.bytesIn('memory', chunk);
    if (bytes.length > BLOCK_BYTES) throw new PayloadError('there are more tables together than can be');
    // A copy, since it may start anywhere.
    const words = new Int32Array(bytes.slice(0, bytes.length & ~3).buffer);
    if (tables.size === CACHED_TABLES) tables.delete(tables.keys().next().value!);
    tables.set(chunk, words);
    return words;
  }
}

/** The pages of one state, of which most are never asked for. */
export class StoredPages implements PageSource {
  private readonly leaves: StoredTable[] = [];
  /** Places that more than one entry has, and the pages that are made of them so far. */
  private readonly repeated: Int32Array;
  private readonly repeatedPages = new Map<number, Page>();
  private reads = 0;
  private isChecked = false;
  /** `sortedPlaces` of the next state; null where nobody knows, undefined while nobody asked. */
  private next: Int32Array | null | undefined;

  /**
   * @param most that a state can have
   * @param nextPlaces `sortedPlaces` of the next state, if there is one: what is not among them is written before it
   * @param unusable what is thrown to whoever asks for a page that has not the bytes it should have
   * @throws PayloadError
   */
  constructor(
    readonly memory: StoredMemory,
    private readonly tables: readonly TableWords[],
    most: number,
    readonly unusable: (why: string) => Error,
    private readonly nextPlaces: () => Int32Array | null = () => null,
  ) {
    const places = sortedPlaces(tables);
    this.repeated = places.filter((place, i) => place !== 0 && place === places[i - 1]);
    if (places.length - this.repeated.length > most)
      throw new PayloadError('there are more pages than can be');
  }

  /** Whether pages may be awaited: once many were read. */
  private get placesOfNext(): Int32Array | null {
    if (this.reads < FEW_READS) return null;
    if (this.next === undefined) this.next = this.nextPlaces();
    return this.next;
  }

  /** Whether many are read, and this one will be written before the next state. */
  isAwaited(place: number): boolean {
    const next = this.placesOfNext;
    return next !== null && !isAmong(next, place);
  }

  /** The same for all pages of a table. */
  areAwaited(words: TableWords): boolean {
    const next = this.placesOfNext;
    if (next === null) return false;
    for (let entry = 1; entry < words.length; entry += ENTRY_WORDS)
      if (words[entry] === 0 || isAmong(next, words[entry])) return false;
    return true;
  }

  /**
   * The leaf of one of the tables, by its number.
   * @throws PayloadError
   */
  leaf(number: number): IntMapNode {
    const words = this.tables[number];
    const leaf = new StoredTable(this, words);
    this.leaves.push(leaf);
    if (!this.hasRepeated(words)) return leaf;
    return leafOf(words, (entry) => {
      if (isAmong(this.repeated, words[entry])) return this.repeatedPage(leaf, entry);
      return leaf.page(entry, true);
    });
  }

  private hasRepeated(words: TableWords): boolean {
    const { repeated } = this;
    if (repeated.length === 0) return false;
    for (let entry = 1; entry < words.length; entry += ENTRY_WORDS)
      if (isAmong(repeated, words[entry])) return true;
    return false;
  }

  private repeatedPage(leaf: StoredTable, entry: number): Page {
    const { words } = leaf;
    const known = this.repeatedPages.get(words[entry]);
    if (known === undefined) {
      const page = leaf.page(entry, false);
      this.repeatedPages.set(words[entry], page);
      return page;
    }
    Page.putDigests([known], DIGEST, 0, DIGEST.length);
    if (!isSame(DIGEST, 0, words, entry + 1)) throw new PayloadError('a page has two digests');
    return known;
  }

  /** Reads all pages that nobody read yet, for it to throw what it throws then. */
  check(): void {
    if (this.isChecked) return;
    for (const leaf of this.leaves) {
      const entries = leaf.unread();
      for (let from = 0; from < entries.length; from += TOGETHER)
        this.readSome(Array(TOGETHER).fill(leaf), entries.slice(from, from + TOGETHER), null);
    }
    this.isChecked = true;
  }

  readAll(pages: readonly Page[], to: Uint8Array): void {
    this.reads += pages.length;
    const tables: StoredTable[] = [];
    const entries: number[] = [];
    for (let i = 0, from = 0; i < pages.length; i++) {
      tables.push(pages[i].origin as StoredTable);
      entries.push(pages[i].key);
      if (entries.length < TOGETHER && i < pages.length - 1) continue;
      this.readSome(tables, entries, to.subarray(from * PAGE_SIZE));
      from = i + 1;
      tables.length = 0;
      entries.length = 0;
    }
  }

  /**
   * Reads TOGETHER pages at most, each by its table and where that tells of it.
   * @param to where they go, one behind the other, if somewhere
   */
  private readSome(tables: readonly StoredTable[], entries: readonly number[], to: Uint8Array | null): void {
    const places: number[] = [];
    for (let i = 0; i < entries.length; i++) places.push(tables[i].words[entries[i]]);
    let room: ReadingRoom;
    try {
      room = this.memory.read(places);
    } catch (reason) {
      throw this.unusable((reason as Error).message);
    }
    const { words, digestsAt } = room;
    for (let i = 0; i < entries.length; i++)
      if (!isSame(words, digestsAt + 4 * i, tables[i].words, entries[i] + 1))
        throw this.unusable('it does not have its digest');
    to?.set(room.pagesRead(entries.length));
  }

  readOne(table: StoredTable, entry: number, to: Uint8Array): void {
    this.reads++;
    this.readSome([table], [entry], to);
  }
}

const DIGEST = new Int32Array(4);

/** Whether there are two digests that are one. */
function isSame(a: Int32Array, i: number, b: Int32Array, j: number): boolean {
  return a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2] && a[i + 3] === b[j + 3];
}

/** The pages of a table, by where it tells of them. */
class StoredTable extends LatePages implements PageOrigin {
  /** Those that were made, in order of their entries. */
  private readonly pages: Page[] = [];

  constructor(
    readonly source: StoredPages,
    readonly words: TableWords,
  ) {
    super(words[0], pageCount(words));
  }

  protected make(): Page[] {
    const { words } = this;
    const slots: Page[] = [];
    for (let entry = 1; entry < words.length; entry += ENTRY_WORDS)
      slots.push(words[entry] === 0 ? ZERO_PAGE : this.page(entry, true));
    return slots;
  }

  page(entry: number, isExclusive: boolean): Page {
    const page = Page.elsewhere(this, entry, this.words, entry + 1);
    page.exclusive = isExclusive;
    this.pages.push(page);
    return page;
  }

  /** Where it tells of pages that nobody read. */
  unread(): number[] {
    const { words, pages } = this;
    if (pages.length > 0) return pages.filter(({ source }) => source !== undefined).map(({ key }) => key);
    const entries: number[] = [];
    if (!this.isMade)
      for (let entry = 1; entry < words.length; entry += ENTRY_WORDS)
        if (words[entry] !== 0) entries.push(entry);
    return entries;
  }

  putDigests(to: Int32Array, start: number, tag: number): void {
    const { words } = this;
    for (let entry = 1, at = start; entry < words.length; entry += ENTRY_WORDS, at += ENTRY_WORDS) {
      to[at] = tag;
      if (words[entry] === 0) Page.putDigests([ZERO_PAGE], to, at + 1, 4);
      else for (let i = 1; i < ENTRY_WORDS; i++) to[at + i] = words[entry + i];
    }
  }

  renewed(owner: Owner): Page[] | null {
    if (this.isMade || !this.source.areAwaited(this.words)) return null;
    const { words } = this;
    const pages: Page[] = [];
    for (let entry = 1; entry < words.length; entry += ENTRY_WORDS) {
      const page = Page.elsewhere(this, entry, null, 0, owner);
      page.exclusive = true;
      pages.push(page);
    }
    return pages;
  }

  isAwaited(entry: number): boolean {
    return this.source.isAwaited(this.words[entry]);
  }

  read(to: Uint8Array, entry: number): void {
    this.source.readOne(this, entry, to);
  }
}
