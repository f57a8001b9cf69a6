import { type DigestWords, digestsOfPages } from '../../base/digest.js';
import { IntMapNode } from '../../base/int-map.js';
import { PAGE_SIZE, Page, type PageOrigin, type PageSource, ZERO_PAGE } from '../../memory/page.js';
import type { Recording } from '../format/reader.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';
import type { RecordingWriter } from '../format/writer.js';
import {
  deltaOf,
  digestOf,
  MAX_DELTAS,
  type MemoryLog,
  type PageTable,
  type PageVersion,
} from './memory-log.js';
import { applyDelta, type Words, wordsOf } from './page-delta.js';

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
/** Blocks that are kept when they were read: 4 MiB. */
const CACHED_BLOCKS = 64;

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
  private readonly blocks = new Map<number, { readonly content: Words; readonly room: Uint8Array }>();
  /**
   * Where pages are put together, in the host's caches: where they go hosts are slow to write, and they are gone
   * through several times.
   */
  readonly rooms = new Uint8Array(TOGETHER * PAGE_SIZE);
  readonly pages = Array.from({ length: TOGETHER }, (_, i) =>
    this.rooms.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE),
  );
  private readonly words = this.pages.map(
    ({ buffer, byteOffset }) => new Int32Array(buffer, byteOffset, PAGE_SIZE / 4),
  );

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
   * @throws RecordingError; RangeError, PayloadError
   */
  read(place: number, room: number): void {
    const page = this.words[room];
    page.fill(0);
    let at = place;
    for (let i = 0; i < MAX_DELTAS; i++) {
      const block = this.blockOf(at, false);
      const start = (at % BLOCK_BYTES) / 4;
      if (!Number.isInteger(start) || start >= block.words.length) break;
      applyDelta(block, start + 1, page);
      at = block.words[start] >>> 0;
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
    const { words } = this.blockOf(place, true);
    const at = (place % BLOCK_BYTES) / 4;
    let count = 0;
    for (let bits = words[at]; bits !== 0; bits &= bits - 1) count++;
    if (!Number.isInteger(at) || at + 1 + count * ENTRY_WORDS > words.length)
      throw new PayloadError('a table ends too early');
    return { words, at, count };
  }

  /** @param isTable whether all of its chunk is meant, and checked */
  private blockOf(place: number, isTable: boolean): Words {
    const number = Math.floor(place / BLOCK_BYTES);
    const known = this.blocks.get(number);
    if (known !== undefined) return known.content;
    const { file } = this;
    const room = this.roomForOne();
    const chunk = Math.floor(place / CHUNK_BYTES);
    const start = (number * BLOCK_BYTES) % CHUNK_BYTES;
    const bytes = isTable
      ? file.bytesIn('memory', chunk)
      : file.uncheckedBytesIn('memory', chunk, start, room);
    // As words, whatever a stranger's chunks end with.
    const isWhole = bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0;
    const padded = isWhole ? bytes : new Uint8Array((bytes.length + 3) & ~3);
    if (!isWhole) padded.set(bytes);
    const content = wordsOf(padded);
    this.blocks.set(number, { content, room });
    return content;
  }

  /** That of the one that was read first, if there are enough. */
  private roomForOne(): Uint8Array {
    const { blocks } = this;
    if (blocks.size < CACHED_BLOCKS) return new Uint8Array(BLOCK_BYTES);
    const [number, { room }] = blocks.entries().next().value!;
    blocks.delete(number);
    return room;
  }
}

/** The pages of one state, of which most are never asked for. */
export class StoredPages implements PageSource {
  private readonly pages = new Map<number, Page>();
  private reads = 0;
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

  readAll(origins: readonly StoredPage[], to: Uint8Array): void {
    const { memory } = this;
    this.reads += origins.length;
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
      to.set(memory.rooms.subarray(0, some.length * PAGE_SIZE), from * PAGE_SIZE);
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
