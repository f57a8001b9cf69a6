import { PlacedDigests } from '../../base/digest.js';
import { IntMapNode } from '../../base/int-map.js';
import {
  PAGE_SHIFT,
  PAGE_SIZE,
  Page,
  type PageOrigin,
  type PageSource,
  ZERO_PAGE,
} from '../../memory/page.js';
import type { Recording } from '../format/reader.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';
import type { RecordingWriter } from '../format/writer.js';
import { makeDeltaCode, type PageLayout } from './delta-code.js';
import {
  deltaOf,
  digestOf,
  MAX_DELTAS,
  type MemoryLog,
  type PageTable,
  type PageVersion,
} from './memory-log.js';

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
const CHUNK_BYTES = 1 << 18;
const BLOCK_BITS = 16;
const BLOCK_BYTES = 1 << BLOCK_BITS;
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
/** Pages that are put together at a time. */
const TOGETHER = 16;
/** Blocks that are kept when they were read: 2 MiB. */
const CACHED_BLOCKS = 32;
/** Chunks of tables that are kept: 2 MiB. */
const CACHED_TABLES = 32;

/** Where it is, in a memory of its own. Behind the blocks is room for what the last one may end with. */
const LIST = 0;
const MISSING = LIST + 4 * TOGETHER;
const DIGESTS = MISSING + 16;
const PAGES = PAGE_SIZE;
const BLOCKS = PAGES + TOGETHER * PAGE_SIZE;
const BLOCKS_END = BLOCKS + (CACHED_BLOCKS + 1) * BLOCK_BYTES;
const MEMORY_BYTES = 3 << 20;
const LAYOUT: PageLayout = {
  ...{ list: LIST, missing: MISSING, pages: PAGES, pageBits: PAGE_SHIFT, mostDeltas: MAX_DELTAS },
  ...{ blocks: BLOCKS_END, blockBits: BLOCK_BITS },
};

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

/** @param page the one of which `words` has what is told from `entry` on */
export function leafOf(words: TableWords, page: (entry: number) => Page): IntMapNode {
  const pages: Page[] = [];
  for (let entry = 1; entry < words.length; entry += ENTRY_WORDS)
    pages.push(words[entry] === 0 ? ZERO_PAGE : page(entry));
  return new IntMapNode(0, words[0], pages, null);
}

/** Places in tables in order, as signed words; 0 is one of a page of zeros. */
export function sortedPlaces(tables: readonly TableWords[]): Int32Array {
  const places = new Int32Array(tables.reduce((sum, { length }) => sum + (length - 1) / ENTRY_WORDS, 0));
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

/**
 * Where pages of a file are put together, from blocks of it. A process has a few, and whoever reads takes over the one
 * that was used longest ago: pages in the pool keep their file for long after the last look at it, a memory with each.
 */
class ReadingRoom {
  private readonly code = makeDeltaCode(MEMORY_BYTES, LAYOUT);
  private readonly digests = new PlacedDigests(this.code.memory, DIGESTS, PAGE_SIZE);
  private readonly bytes = new Uint8Array(this.code.memory.buffer);
  private readonly words = new Int32Array(this.code.memory.buffer);
  /** In the host's caches: where pages go hosts are slow to write, and they are gone through several times. */
  readonly pages = this.bytes.subarray(PAGES, PAGES + TOGETHER * PAGE_SIZE);
  /** Numbers of the blocks that are there, the one that was read first at first. */
  private readonly blocks: number[] = [];
  /** Rooms of no block. */
  private readonly free = Array.from(
    { length: CACHED_BLOCKS },
    (_, i) => BLOCKS + i * BLOCK_BYTES,
  ).toReversed();
  /** Chunks of tables that were read last. */
  readonly tables = new Map<number, Int32Array>();
  private file: Recording | null = null;

  /** The one that a file has, or now gets. */
  static of(file: Recording): ReadingRoom {
    let i = 0;
    while (i < rooms.length && rooms[i].file !== file) i++;
    if (i === rooms.length && i < MOST_ROOMS) rooms.push(new ReadingRoom());
    const [room] = rooms.splice(Math.min(i, rooms.length - 1), 1);
    rooms.unshift(room);
    if (room.file !== file) {
      while (room.blocks.length > 0) room.forgetBlock();
      room.tables.clear();
      room.file = file;
    }
    return room;
  }

  /** As `StoredMemory.read`. */
  read(places: readonly number[]): Int32Array {
    const { words, code } = this;
    const { length } = places;
    for (let i = 0; i < length; i++) words[LIST / 4 + i] = places[i];
    this.pages.fill(0, 0, length * PAGE_SIZE);
    for (let i = code.putTogether(0, length); i < length; i = code.putTogether(i, length)) {
      const missing = words[MISSING / 4] >>> 0;
      if (missing === 0) throw new PayloadError('it is told by what is no page');
      this.readBlock(missing);
    }
    return this.digests.of(PAGE_STARTS.slice(0, length));
  }

  private forgetBlock(): void {
    const { blocks, free, words } = this;
    const at = BLOCKS_END / 4 + blocks.shift()!;
    free.push(words[at]);
    words[at] = 0;
  }

  /** Reads the block that has a place, where the one was that was read first if there is no other room. */
  private readBlock(place: number): void {
    const { blocks, free, words, bytes } = this;
    const number = Math.floor(place / BLOCK_BYTES);
    const start = (number * BLOCK_BYTES) % CHUNK_BYTES;
    const chunk = Math.floor(place / CHUNK_BYTES);
    if (free.length === 0) this.forgetBlock();
    const address = free[free.length - 1];
    const room = bytes.subarray(address, address + BLOCK_BYTES);
    const read = this.file!.uncheckedBytesIn('memory', chunk, start, room);
    if (read.buffer !== bytes.buffer) room.set(read);
    free.pop();
    blocks.push(number);
    words[BLOCKS_END / 4 + number] = address;
  }
}

/** The one that was used last first. */
const rooms: ReadingRoom[] = [];
/** A diff looks into two files by turns. */
const MOST_ROOMS = 2;

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
      return words.slice(at, at + 1 + count * ENTRY_WORDS);
    });
  }

  /**
   * Puts pages together, one behind the other.
   * @param places of TOGETHER at most
   * @returns their digests, four words each, and their bytes until others are read
   * @throws RecordingError, PayloadError
   */
  read(places: readonly number[]): { readonly digests: Int32Array; readonly pages: Uint8Array } {
    const room = ReadingRoom.of(this.file);
    const digests = room.read(places);
    return { digests, pages: room.pages.subarray(0, places.length * PAGE_SIZE) };
  }

  /** Where a table is, in words, and how many pages it has. */
  private tableAt(place: number): {
    readonly words: Int32Array;
    readonly at: number;
    readonly count: number;
  } {
    const words = this.chunkOfTables(Math.floor(place / CHUNK_BYTES));
    const at = (place % BLOCK_BYTES) / 4;
    let count = 0;
    for (let bits = words[at]; bits !== 0; bits &= bits - 1) count++;
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

const PAGE_STARTS: readonly number[] = Array.from({ length: TOGETHER }, (_, i) => PAGES + i * PAGE_SIZE);

/** The pages of one state, of which most are never asked for. */
export class StoredPages implements PageSource {
  private readonly pages: Page[] = [];
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

  /** Whether many are read, and this one will be written before the next state. */
  isAwaited(place: number): boolean {
    if (this.reads < FEW_READS) return false;
    if (this.next === undefined) this.next = this.nextPlaces();
    return this.next !== null && !isAmong(this.next, place);
  }

  /**
   * The leaf of one of the tables, by its number.
   * @throws PayloadError
   */
  leaf(number: number): IntMapNode {
    const words = this.tables[number];
    const origin = new StoredTable(this, words);
    const hasRepeated = this.repeated.length > 0;
    return leafOf(words, (entry) => {
      if (hasRepeated && isAmong(this.repeated, words[entry])) return this.repeatedPage(origin, entry);
      return this.newPage(origin, entry, true);
    });
  }

  private newPage(origin: StoredTable, entry: number, isExclusive: boolean): Page {
    const page = Page.elsewhere(origin, entry, origin.words, entry + 1);
    page.exclusive = isExclusive;
    this.pages.push(page);
    return page;
  }

  private repeatedPage(origin: StoredTable, entry: number): Page {
    const { words } = origin;
    const known = this.repeatedPages.get(words[entry]);
    if (known === undefined) {
      const page = this.newPage(origin, entry, false);
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
    const left = this.pages.filter(({ source }) => source !== undefined);
    this.read(left, null);
    this.isChecked = true;
  }

  readAll(pages: readonly Page[], to: Uint8Array): void {
    this.reads += pages.length;
    this.read(pages, to);
  }

  /** @param to where they go, one behind the other, if somewhere */
  private read(pages: readonly Page[], to: Uint8Array | null): void {
    for (let from = 0; from < pages.length; from += TOGETHER) {
      const some = pages.slice(from, from + TOGETHER);
      this.readSome(some.map(originOf), some.map(keyOf), to?.subarray(from * PAGE_SIZE) ?? null);
    }
  }

  /** As `read`, of TOGETHER at most. */
  private readSome(origins: readonly StoredTable[], entries: readonly number[], to: Uint8Array | null): void {
    let read: ReturnType<StoredMemory['read']>;
    try {
      read = this.memory.read(origins.map(({ words }, i) => words[entries[i]]));
    } catch (reason) {
      throw this.unusable((reason as Error).message);
    }
    for (const [i, { words }] of origins.entries())
      if (!isSame(read.digests, 4 * i, words, entries[i] + 1))
        throw this.unusable('it does not have its digest');
    to?.set(read.pages);
  }

  readOne(origin: StoredTable, entry: number, to: Uint8Array): void {
    this.reads++;
    this.readSome([origin], [entry], to);
  }
}

const DIGEST = new Int32Array(4);

function originOf({ origin }: Page): StoredTable {
  return origin as StoredTable;
}

function keyOf({ key }: Page): number {
  return key;
}

/** Whether there are two digests that are one. */
function isSame(a: Int32Array, i: number, b: Int32Array, j: number): boolean {
  return a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2] && a[i + 3] === b[j + 3];
}

/** The pages of a table, by where it tells of them. */
class StoredTable implements PageOrigin {
  constructor(
    readonly source: StoredPages,
    readonly words: TableWords,
  ) {}

  isAwaited(entry: number): boolean {
    return this.source.isAwaited(this.words[entry]);
  }

  read(to: Uint8Array, entry: number): void {
    this.source.readOne(this, entry, to);
  }
}
