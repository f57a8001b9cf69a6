import { PlacedDigests } from '../../base/digest.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../../memory/page.js';
import type { Recording } from '../format/reader.js';
import { PayloadError } from '../format/recording-error.js';
import { makeDeltaCode, type PageLayout } from './delta-code.js';
import { MAX_DELTAS } from './memory-log.js';

/** Of a file of checkpoints: a place is a chunk's number times this, and where in that chunk it is. */
export const CHUNK_BYTES = 1 << 18;
const BLOCK_BITS = 16;
/** Chunks are read by parts of so many bytes. */
export const BLOCK_BYTES = 1 << BLOCK_BITS;
/** Pages that are put together at a time. */
export const TOGETHER = 16;
/** Blocks that are kept when they were read: 2 MiB. */
const CACHED_BLOCKS = 32;
/** Chunks of tables that are kept: 2 MiB. */
export const CACHED_TABLES = 32;

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

const PAGE_STARTS = Int32Array.from({ length: TOGETHER }, (_, i) => PAGES + i * PAGE_SIZE);

/**
 * Where pages of a file are put together, from blocks of it. A process has a few, and whoever reads takes over the one
 * that was used longest ago: pages in the pool keep their file for long after the last look at it, a memory with each.
 */
export class ReadingRoom {
  private readonly code = makeDeltaCode(MEMORY_BYTES, LAYOUT);
  private readonly digests = new PlacedDigests(this.code.memory, DIGESTS, PAGE_SIZE);
  private readonly bytes = new Uint8Array(this.code.memory.buffer);
  readonly words = new Int32Array(this.code.memory.buffer);
  /** Where in `words` the digests of what was read last are, four words each. */
  digestsAt = 0;
  /** In the host's caches: where pages go hosts are slow to write, and they are gone through several times. */
  private readonly pages = this.bytes.subarray(PAGES, PAGES + TOGETHER * PAGE_SIZE);
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
  read(places: readonly number[]): void {
    const { words, code } = this;
    const { length } = places;
    for (let i = 0; i < length; i++) words[LIST / 4 + i] = places[i];
    this.pages.fill(0, 0, length * PAGE_SIZE);
    for (let i = code.putTogether(0, length); i < length; i = code.putTogether(i, length)) {
      const missing = words[MISSING / 4] >>> 0;
      if (missing === 0) throw new PayloadError('it is told by what is no page');
      this.readBlock(missing);
    }
    this.digestsAt = this.digests.put(PAGE_STARTS, length) / 4;
  }

  /** The pages that were read last, until others are. */
  pagesRead(count: number): Uint8Array {
    return this.pages.subarray(0, count * PAGE_SIZE);
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
