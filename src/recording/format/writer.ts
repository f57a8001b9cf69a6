import { assert } from '../../base/assert.js';
import type { Digest } from '../../base/digest.js';
import { type Blob, BlobBuffer, blobDigest } from './blobs.js';
import { compress, type Deflate } from './codec.js';
import { ColumnBuffer, type Columns, type Row, type Schema } from './columns.js';
import { crc32c } from './crc32c.js';
import { Directory } from './directory.js';
import { parseEnd, parseHeader, type RecordingEnd, type RecordingHeader } from './header.js';
import { encodeIndex } from './index-chunk.js';
import {
  type BlobKind,
  type BytesKind,
  type ColumnKind,
  type ItemOf,
  KIND_NAMES,
  KINDS,
  type KindName,
  type RecordKind,
  type SchemaOf,
} from './kinds.js';
import { CODEC_RAW, digestOf, encodeHead, encodePrelude } from './layout.js';
import { MAX_CHUNKS, MAX_ROWS } from './limits.js';
import { PayloadError, RecordingError } from './recording-error.js';
import { RecordBuffer } from './records.js';

/** Where a recording goes. */
export interface RecordingSink {
  /** Appends; the bytes are not changed afterwards. Throws RecordingError (`io`). */
  write(bytes: Uint8Array): void;
  /** Asked often while something is buffered: is it time to write it? The writer has no clock. */
  flushDue?(): boolean;
  /** Told when everything appended so far has been written. */
  flushed?(): void;
  /** The host's own, where it has one that is quicker: other bytes may come of it, which inflate to the same. */
  readonly deflate?: Deflate;
}

/** Buffered bytes (before deflate) at which everything buffered is written. */
const FLUSH_BYTES = 256 << 10;
/** Items between looks at the clock. */
const POLL_ITEMS = 256;
/** Chunks left when the writer stops taking items, for a last flush, the end and the index. */
const RESERVED_CHUNKS = 32;

type Buffer = RecordBuffer | ColumnBuffer<Schema> | BlobBuffer;

/**
 * Writes a recording. Items are buffered by kind and written together, all kinds at once, in the order of the
 * kinds' numbers: after every flush the file tells everything that was appended before it. `seq`, the number of the
 * kernel event at which an item stands, goes up within a kind; readers find items by it.
 *
 * A chunk's place depends on `flushDue` and its bytes on `deflate`, so recordings of the same run agree in what they
 * hold, not in their bytes, unless the sink has neither.
 */
export class RecordingWriter {
  private readonly buffers = new Map<
    KindName,
    { buffer: Buffer; firstSeq: number | null; lastSeq: number }
  >();
  private readonly known = new Map<BlobKind, Set<Digest>>();
  private readonly directory = new Directory();
  private previous: Digest;
  private offset: number;
  /** Bytes buffered, about. */
  private pendingBytes = 0;
  /** Appended since the clock was looked at. */
  private items = 0;
  private ended = false;

  /** Writes the header at once, so that even a run that dies in its first step leaves a recording. */
  constructor(
    private readonly sink: RecordingSink,
    header: RecordingHeader,
  ) {
    const prelude = encodePrelude();
    sink.write(prelude);
    this.offset = prelude.length;
    this.previous = digestOf(prelude, new Uint8Array());
    this.single('header', 0, parseHeader(header));
    sink.flushed?.();
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.offset;
  }

  /** Chunks written so far. */
  get chunkCount(): number {
    return this.directory.length;
  }

  /**
   * An item of a kind; it may change afterwards.
   * @throws RecordingError (`limit`) for records that no reader would accept
   */
  append<K extends RecordKind | ColumnKind>(kind: K, seq: number, item: ItemOf<K>): void {
    const { buffer } = this.open(kind, seq);
    const before = buffer.sizeBytes;
    if (buffer instanceof ColumnBuffer) buffer.add(item as Row<Schema>);
    else addRecord(buffer as RecordBuffer, kind, item);
    this.appended(buffer as RecordBuffer | ColumnBuffer<Schema>, before, 1);
  }

  /**
   * The first rows of columns, in less time than one by one; they may change afterwards.
   * @param seq where the first row stands
   * @param rowCount at most what a chunk may hold
   */
  appendRows<K extends ColumnKind>(
    kind: K,
    seq: number,
    columns: Columns<SchemaOf<K>>,
    rowCount: number,
  ): void {
    const known = this.buffers.get(kind)?.buffer as ColumnBuffer<Schema> | undefined;
    if (known !== undefined && known.rowCount + rowCount > MAX_ROWS) this.flush();
    const buffer = this.open(kind, seq).buffer as ColumnBuffer<Schema>;
    const before = buffer.sizeBytes;
    buffer.addRows(columns, rowCount);
    this.appended(buffer, before, rowCount);
  }

  private appended(buffer: RecordBuffer | ColumnBuffer<Schema>, bytesBefore: number, items: number): void {
    this.pendingBytes += buffer.sizeBytes - bytesBefore;
    if (buffer.rowCount >= MAX_ROWS) this.flush();
    this.items += items;
    if (this.items >= POLL_ITEMS) {
      this.items = 0;
      this.poll();
    } else if (this.pendingBytes >= FLUSH_BYTES) this.flush();
  }

  /** Bytes found by their digest; bytes that this recording has are not written again. Returns the digest. */
  blob(kind: BlobKind, bytes: Uint8Array): Digest {
    const digest = blobDigest(bytes);
    const known = this.known.get(kind) ?? new Set();
    this.known.set(kind, known);
    if (known.has(digest)) return digest;
    for (const part of BlobBuffer.parts({ digest, bytes } satisfies Blob)) {
      const buffer = this.open(kind, 0).buffer as BlobBuffer;
      const before = buffer.sizeBytes;
      buffer.add(part);
      this.pendingBytes += buffer.sizeBytes - before;
      this.poll();
    }
    known.add(digest);
    return digest;
  }

  /** Bytes as a chunk of their own, stored as they are. */
  bytes(kind: BytesKind, seq: number, payload: Uint8Array): void {
    this.requireRoom();
    this.flush();
    this.chunk(kind, seq, payload);
  }

  /** Whether what is buffered should be written, as far as time says. */
  get isDue(): boolean {
    return this.sink.flushDue?.() === true;
  }

  /** Flushes if so much is buffered or so much time has passed. To be called now and then while nothing happens. */
  poll(): void {
    if (this.pendingBytes === 0) return;
    if (this.pendingBytes >= FLUSH_BYTES || this.isDue) this.flush();
  }

  /** Writes everything that is buffered. */
  flush(): void {
    for (const kind of KIND_NAMES) {
      const entry = this.buffers.get(kind);
      if (entry === undefined || entry.firstSeq === null) continue;
      const seq = entry.firstSeq;
      entry.firstSeq = null;
      this.chunk(kind, seq, entry.buffer.take());
    }
    this.pendingBytes = 0;
    this.sink.flushed?.();
  }

  /** Writes what is buffered, the end and the index. The writer takes nothing afterwards. */
  end(end: RecordingEnd): void {
    assert(!this.ended, 'the recording has ended');
    this.flush();
    this.single('end', end.events, parseEnd(end));
    const index = encodeIndex(this.directory, this.offset, this.sink.deflate);
    if (index !== null) this.chunk('index', end.events, index);
    this.ended = true;
    this.sink.flushed?.();
  }

  private open(kind: KindName, seq: number): { buffer: Buffer } {
    this.requireRoom();
    let entry = this.buffers.get(kind);
    if (entry === undefined) {
      entry = { buffer: bufferFor(kind), firstSeq: null, lastSeq: 0 };
      this.buffers.set(kind, entry);
    }
    if (!Number.isSafeInteger(seq) || seq < entry.lastSeq)
      assert(false, `${kind} at ${seq} after ${entry.lastSeq}`);
    entry.firstSeq ??= seq;
    entry.lastSeq = seq;
    return entry;
  }

  private requireRoom(): void {
    assert(!this.ended, 'the recording has ended');
    if (this.directory.length <= MAX_CHUNKS - RESERVED_CHUNKS) return;
    const what = 'the recording has too many chunks';
    throw new RecordingError('limit', what, this.offset, 'record less of the run');
  }

  private single(kind: 'header' | 'end', seq: number, value: object): void {
    const buffer = new RecordBuffer();
    addRecord(buffer, kind, value);
    this.chunk(kind, seq, buffer.take());
  }

  private chunk(kind: KindName, seq: number, payload: Uint8Array): void {
    const { codec, stored } = compressAs(kind, payload, this.sink.deflate);
    const head = encodeHead({
      storedLength: stored.length,
      kind: KINDS[kind].number,
      codec,
      seq,
      rawLength: payload.length,
      previous: this.previous,
      payloadCrc: crc32c(stored),
    });
    const bytes = new Uint8Array(head.length + stored.length);
    bytes.set(head);
    bytes.set(stored, head.length);
    this.sink.write(bytes);
    this.directory.add({
      offset: this.offset,
      seq,
      storedLength: stored.length,
      rawLength: payload.length,
      kind: KINDS[kind].number,
    });
    this.offset += bytes.length;
    this.previous = digestOf(head, stored);
  }
}

function compressAs(
  kind: KindName,
  payload: Uint8Array,
  deflate?: Deflate,
): { codec: number; stored: Uint8Array } {
  // The index is read from its end, so it is stored as it is.
  if (kind === 'index' || KINDS[kind].encoding === 'bytes') return { codec: CODEC_RAW, stored: payload };
  return compress(payload, deflate);
}

function bufferFor(kind: KindName): Buffer {
  const definition = KINDS[kind];
  if (definition.encoding === 'columns') return new ColumnBuffer<Schema>(definition.schema);
  return definition.encoding === 'blobs' ? new BlobBuffer() : new RecordBuffer();
}

function addRecord(buffer: RecordBuffer, kind: KindName, value: object): void {
  try {
    buffer.add(value);
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new RecordingError(
      'limit',
      `this cannot be recorded in ${kind}: ${error.message}`,
      null,
      'record less of it',
    );
  }
}
