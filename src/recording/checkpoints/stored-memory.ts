import { type DigestWords, digestsOfPages } from '../../base/digest.js';
import { IntMapNode } from '../../base/int-map.js';
import { PAGE_SIZE, Page, type PageOrigin, type PageSource, ZERO_PAGE } from '../../memory/page.js';
import type { Recording } from '../format/reader.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';
import type { RecordingWriter } from '../format/writer.js';
import { makeDeltaCode } from './delta-code.js';
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
const BLOCK_BYTES = 1 << 16;
/** Places are less. */
const PLACES = 2 ** 32;
const ADVICE = 'do without them';
const PAGE_HEAD_BYTES = 4;
const DIGEST_BYTES = 16;
/** From so many on, pages that are written soon are brought together. */
const FEW_READS = 64;
/** Of each page in a table. */
const ENTRY_BYTES = 4 + DIGEST_BYTES;
const ENTRY_WORDS = ENTRY_BYTES / 4;
/** Pages that are put together at a time. */
const TOGETHER = 16;
/** Blocks that are kept when they were read: 2 MiB. Pages follow them, and then what the last block may end with. */
const CACHED_BLOCKS = 32;
const ROOMS_START = CACHED_BLOCKS * BLOCK_BYTES;
const CACHED_BYTES = ROOMS_START + 2 * BLOCK_BYTES;
/** Chunks of tables that are kept: 2 MiB. */
const CACHED_TABLES = 32;

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

/** Memory in a file of checkpoints, which a stranger may have made up. */
export class StoredMemory {
  private readonly tables = new Map<number, Int32Array>();
  /** Addresses of the blocks that were read last. */
  private readonly blocks = new Map<number, number>();
  private readonly free = Array.from({ length: CACHED_BLOCKS }, (_, i) => i * BLOCK_BYTES).toReversed();
  private readonly code = makeDeltaCode(CACHED_BYTES);
  /**
   * Where pages are put together, in the host's caches: where they go hosts are slow to write, and they are gone
   * through several times.
   */
  readonly rooms = this.code.bytes.subarray(ROOMS_START, ROOMS_START + TOGETHER * PAGE_SIZE);
  readonly pages = Array.from({ length: TOGETHER }, (_, i) =>
    this.rooms.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE),
  );
  private readonly view = new DataView(this.code.bytes.buffer);

  constructor(private readonly file: Recording) {}

  /**
   * The table at a place, with those pages.
   * @throws RecordingError, PayloadError
   */
  table(place: number, page: (place: number, digest: DigestWords) => Page): IntMapNode {
    const { words, at, count } = this.tableAt(place);
    const bitmap = words[at];
    if (bitmap === 0) throw new PayloadError('a table has no pages');
    const pages: Page[] = [];
    for (let i = 0, entry = at + 1; i < count; i++, entry += ENTRY_WORDS) {
      const pageAt = words[entry] >>> 0;
      const digest: DigestWords = [words[entry + 1], words[entry + 2], words[entry + 3], words[entry + 4]];
      pages.push(pageAt === 0 ? ZERO_PAGE : page(pageAt, digest));
    }
    return new IntMapNode(0, bitmap, pages, null);
  }

  /**
   * Puts a page's bytes together in one of `pages`.
   * @throws RecordingError, PayloadError
   */
  read(place: number, room: number): void {
    const page = ROOMS_START + room * PAGE_SIZE;
    this.pages[room].fill(0);
    let at = place;
    for (let i = 0; i < MAX_DELTAS; i++) {
      const start = this.addressOf(at);
      this.code.apply(start + PAGE_HEAD_BYTES, page);
      at = this.view.getUint32(start, true);
      if (at === 0) return;
    }
    throw new PayloadError('it is told by what is no page');
  }

  /**
   * Where the pages of a table are.
   * @param most that there can be in all tables
   * @throws RecordingError, PayloadError
   */
  addPlaces(place: number, to: Set<number>, most: number): void {
    const { words, at, count } = this.tableAt(place);
    for (let i = 0; i < count; i++) {
      const pageAt = words[at + 1 + i * ENTRY_WORDS] >>> 0;
      if (pageAt !== 0) to.add(pageAt);
    }
    if (to.size > most) throw new PayloadError('there are more pages than can be');
  }

  /** Where a table is, in words, and how many pages it has. */
  private tableAt(place: number): {
    readonly words: Int32Array;
    readonly at: number;
    readonly count: number;
  } {
    const words = this.tablesAt(Math.floor(place / CHUNK_BYTES));
    const at = (place % BLOCK_BYTES) / 4;
    let count = 0;
    for (let bits = words[at]; bits !== 0; bits &= bits - 1) count++;
    if (!Number.isInteger(at) || at + 1 + count * ENTRY_WORDS > words.length)
      throw new PayloadError('a table ends too early');
    return { words, at, count };
  }

  private tablesAt(chunk: number): Int32Array {
    const known = this.tables.get(chunk);
    if (known !== undefined) return known;
    const bytes = this.file.bytesIn('memory', chunk);
    if (bytes.length > BLOCK_BYTES) throw new PayloadError('there are more tables together than can be');
    // A copy, since it may start anywhere.
    const words = new Int32Array(bytes.slice(0, bytes.length & ~3).buffer);
    if (this.tables.size === CACHED_TABLES) this.tables.delete(this.tables.keys().next().value!);
    this.tables.set(chunk, words);
    return words;
  }

  /** Where what has a place is, with the rest of its block. */
  private addressOf(place: number): number {
    const number = Math.floor(place / BLOCK_BYTES);
    let address = this.blocks.get(number);
    if (address === undefined) {
      address = this.freeRoom();
      const { bytes } = this.code;
      const room = bytes.subarray(address, address + BLOCK_BYTES);
      const start = (number * BLOCK_BYTES) % CHUNK_BYTES;
      const chunk = Math.floor(place / CHUNK_BYTES);
      const read = this.file.uncheckedBytesIn('memory', chunk, start, room);
      if (read.buffer !== bytes.buffer) room.set(read);
      this.blocks.set(number, address);
      this.free.pop();
    }
    return address + (place % BLOCK_BYTES);
  }

  /** The last one of `free`: that of the block that was read first, if there is no other. */
  private freeRoom(): number {
    const { blocks, free } = this;
    if (free.length === 0) {
      const [number, address] = blocks.entries().next().value!;
      blocks.delete(number);
      free.push(address);
    }
    return free[free.length - 1];
  }
}

/** The pages of one state, of which most are never asked for. */
export class StoredPages implements PageSource {
  private readonly pages = new Map<number, Page>();
  private reads = 0;
  private isChecked = false;
  private next: ReadonlySet<number> | null | undefined;

  /**
   * @param most that a state can have
   * @param nextPlaces where pages of the next state are, if there is one: what is not among them is written before it
   * @param unusable what is thrown to whoever asks for a page that has not the bytes it should have
   */
  constructor(
    readonly memory: StoredMemory,
    private readonly most: number,
    readonly unusable: (why: string) => Error,
    private readonly nextPlaces: () => ReadonlySet<number> | null = () => null,
  ) {}

  /** Whether many are read, and this one will be written before the next state. */
  isAwaited(place: number): boolean {
    if (this.reads < FEW_READS) return false;
    if (this.next === undefined) this.next = this.nextPlaces();
    return this.next !== null && !this.next.has(place);
  }

  /**
   * The page at a place.
   * @throws PayloadError
   */
  at(place: number, digest: DigestWords): Page {
    const known = this.pages.get(place);
    if (known !== undefined) {
      if (!isSame(known.digestWords(), digest)) throw new PayloadError('a page has two digests');
      known.exclusive = false;
      return known;
    }
    if (this.pages.size === this.most) throw new PayloadError('there are more pages than can be');
    const page = Page.elsewhere(new StoredPage(this, place, digest));
    page.exclusive = true;
    this.pages.set(place, page);
    return page;
  }

  /** Reads all pages that nobody read yet, for it to throw what it throws then. */
  check(): void {
    if (this.isChecked) return;
    const left: StoredPage[] = [];
    for (const [place, page] of this.pages)
      if (page.source !== undefined) left.push(new StoredPage(this, place, page.digestWords()));
    this.readAll(left, null);
    this.isChecked = true;
  }

  /** @param to where they go, one behind the other, if somewhere */
  readAll(origins: readonly StoredPage[], to: Uint8Array | null): void {
    const { memory } = this;
    if (to !== null) this.reads += origins.length;
    for (let from = 0; from < origins.length; from += TOGETHER) {
      const some = origins.slice(from, from + TOGETHER);
      try {
        for (let i = 0; i < some.length; i++) memory.read(some[i].place, i);
      } catch (reason) {
        throw this.unusable((reason as Error).message);
      }
      const digests = digestsOfPages(memory.pages.slice(0, some.length));
      for (let i = 0; i < some.length; i++)
        if (!isSame(digests[i], some[i].knownDigest)) throw this.unusable('it does not have its digest');
      to?.set(memory.rooms.subarray(0, some.length * PAGE_SIZE), from * PAGE_SIZE);
    }
  }
}

function isSame(a: DigestWords, b: DigestWords): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

class StoredPage implements PageOrigin {
  constructor(
    readonly source: StoredPages,
    readonly place: number,
    readonly knownDigest: DigestWords,
  ) {}

  get isAwaited(): boolean {
    return this.source.isAwaited(this.place);
  }

  read(to: Uint8Array): void {
    this.source.readAll([this], to);
  }
}
