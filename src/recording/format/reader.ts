import { assert } from '../../base/assert.js';
import type { Digest } from '../../base/digest.js';
import type { ProgramSet } from '../../machine/program-host.js';
import { type Blob, BlobDecoder } from './blobs.js';
import type { ByteSource } from './byte-source.js';
import { decompress } from './codec.js';
import { decodeColumns, type Row, rowsOf, type Table } from './columns.js';
import { crc32c } from './crc32c.js';
import type { Directory, DirectoryEntry } from './directory.js';
import { parseEnd, parseHeader, type RecordingEnd, type RecordingHeader } from './header.js';
import { readIndex } from './index-chunk.js';
import {
  type BlobKind,
  type BytesKind,
  type ColumnKind,
  KINDS,
  type KindName,
  kindLabel,
  type RecordKind,
  type SchemaOf,
} from './kinds.js';
import { checkPrelude, decodeHead, HEAD_BYTES, PRELUDE_BYTES } from './layout.js';
import { RecordingError } from './recording-error.js';
import { RecordDecoder } from './records.js';
import { scan } from './scan.js';

const SAVED_ADVICE = 'what stands before it can still be read';

/**
 * A recording, open for reading. Only the directory of its chunks is held; payloads are read and decoded when
 * asked for, one chunk at a time, so files larger than memory can be read.
 *
 * Everything that reads throws RecordingError and nothing else, at once or while iterating.
 */
export class Recording {
  readonly header: RecordingHeader;
  /** Null when the run was not recorded to its end. */
  readonly end: RecordingEnd | null;
  /** What is wrong with the file: why `chunks` stop where they stop. Null when nothing is. */
  readonly problem: RecordingError | null;

  private constructor(
    private readonly source: ByteSource,
    private readonly directory: Directory,
    problem: RecordingError | null,
    /** The programs in TypeScript that were brought along: a recording names the ones it needs, and holds none. */
    readonly programs: ProgramSet | null,
    /** Of the last whole chunk, the index aside. Chunks are chained, so that it stands for all that can be read. */
    readonly lastDigest: Digest,
  ) {
    this.header = this.single(0, parseHeader);
    const last = this.lastOf(KINDS.end.number);
    let end: RecordingEnd | null = null;
    try {
      if (last !== null) end = this.single(last, parseEnd);
    } catch (error) {
      problem ??= error as RecordingError;
    }
    this.end = end;
    this.problem = problem;
  }

  /**
   * Opens a recording and checks every byte of it: all whole chunks are there, and `problem` says what follows them.
   * Throws when there is nothing to read: another kind of file, another format, no whole header.
   */
  static open(source: ByteSource, programs: ProgramSet | null = null): Recording {
    checkPrelude(source.read(0, PRELUDE_BYTES));
    const { directory, problem, lastDigest } = scan(source);
    return Recording.over(source, directory, problem, programs, lastDigest);
  }

  /**
   * Opens a recording by its index, without reading it through, as for a look at a large file; each chunk is checked
   * when it is read. Without a usable index this is `open`.
   */
  static openIndexed(source: ByteSource): Recording {
    checkPrelude(source.read(0, PRELUDE_BYTES));
    const found = readIndex(source);
    if (found === null) return Recording.open(source);
    return Recording.over(source, found.directory, null, null, found.lastDigest);
  }

  private static over(
    source: ByteSource,
    directory: Directory,
    problem: RecordingError | null,
    programs: ProgramSet | null,
    lastDigest: Digest,
  ): Recording {
    if (directory.length > 0) return new Recording(source, directory, problem, programs, lastDigest);
    throw (
      problem ??
      new RecordingError('cut', 'the recording is cut before its header', PRELUDE_BYTES, 'record again')
    );
  }

  /** The run was recorded to its end and the file is whole. */
  get complete(): boolean {
    return this.end !== null && this.problem === null;
  }

  get sizeBytes(): number {
    return this.source.sizeBytes;
  }

  get chunkCount(): number {
    return this.directory.length;
  }

  /** The i-th chunk, kinds of later versions among them. */
  chunk(i: number): DirectoryEntry {
    assert(i >= 0 && i < this.directory.length, `chunk ${i} of ${this.directory.length}`);
    return this.directory.get(i);
  }

  /**
   * Items of a kind in the order they were written, from the chunk that holds kernel event `fromSeq` on: that chunk
   * may begin with items before it. What the values are is not checked: a stranger may have written them.
   */
  *records(kind: RecordKind, fromSeq = 0): IterableIterator<unknown> {
    const decoder = new RecordDecoder();
    for (const i of this.chunksOf(KINDS[kind].number, fromSeq)) {
      yield* this.guarded(i, () => decoder.decode(this.payload(i)));
    }
  }

  /** The tables of a kind, one a chunk, from the chunk that holds `fromSeq` on. */
  *tables<K extends ColumnKind>(kind: K, fromSeq = 0): IterableIterator<Table<SchemaOf<K>>> {
    const schema: SchemaOf<K> = KINDS[kind].schema;
    for (const i of this.chunksOf(KINDS[kind].number, fromSeq)) {
      yield* this.guarded(i, () => [decodeColumns(schema, this.payload(i))]);
    }
  }

  /** The numbers of the chunks that hold a kind, in order. */
  chunksOfKind(kind: ColumnKind): number[] {
    return [...this.chunksOf(KINDS[kind].number, 0)];
  }

  /** The table in one of those chunks. */
  table<K extends ColumnKind>(kind: K, chunk: number): Table<SchemaOf<K>> {
    const schema: SchemaOf<K> = KINDS[kind].schema;
    for (const table of this.guarded(chunk, () => [decodeColumns(schema, this.payload(chunk))])) return table;
    throw this.damage(chunk, 'it is empty');
  }

  /** The one record in a chunk of a kind, wherever its number comes from. */
  record(kind: RecordKind, chunk: number): unknown {
    this.requireKind(kind, chunk);
    for (const value of this.guarded(chunk, () => new RecordDecoder().decode(this.payload(chunk))))
      return value;
    throw this.damage(chunk, 'it is empty');
  }

  /** The bytes of a chunk of a kind. */
  bytesIn(kind: BytesKind, chunk: number): Uint8Array {
    this.requireKind(kind, chunk);
    return this.payload(chunk);
  }

  /**
   * Some of the same as they are stored, without a look at their checksum, for whoever knows the digests of what is
   * there.
   * @param start of those that are read: as many as there are, and have room
   */
  uncheckedBytesIn(kind: BytesKind, chunk: number, start: number, room: Uint8Array): Uint8Array {
    this.requireKind(kind, chunk);
    const { offset, storedLength } = this.directory.get(chunk);
    const length = Math.max(0, Math.min(storedLength - start, room.length));
    const stored = this.source.read(offset + HEAD_BYTES + start, length, room);
    if (stored.length < length) throw this.damage(chunk, 'the file has become shorter');
    return stored;
  }

  private requireKind(kind: KindName, chunk: number): void {
    if (chunk < this.directory.length && this.directory.kindAt(chunk) === KINDS[kind].number) return;
    const what = `the recording names chunk ${chunk} among its ${kind}, which it is not`;
    throw new RecordingError('damaged', what, null, SAVED_ADVICE);
  }

  /** The rows of those tables. */
  *rows<K extends ColumnKind>(kind: K, fromSeq = 0): IterableIterator<Row<SchemaOf<K>>> {
    for (const table of this.tables(kind, fromSeq)) yield* rowsOf(KINDS[kind].schema as SchemaOf<K>, table);
  }

  /** All blobs of a kind; their digests are checked. */
  *blobs(kind: BlobKind): IterableIterator<Blob> {
    const decoder = new BlobDecoder();
    for (const i of this.chunksOf(KINDS[kind].number, 0)) {
      yield* this.guarded(i, () => decoder.decode(this.payload(i)));
    }
  }

  /** The bytes with this digest, found by reading through the kind; null if they are not there. */
  blob(kind: BlobKind, digest: Digest): Uint8Array | null {
    for (const blob of this.blobs(kind)) if (blob.digest === digest) return blob.bytes;
    return null;
  }

  /** A chunk's payload, checked and inflated. */
  payload(i: number): Uint8Array {
    const entry = this.directory.get(i);
    const bytes = this.source.read(entry.offset, HEAD_BYTES + entry.storedLength);
    const head =
      bytes.length < HEAD_BYTES ? 'the file has become shorter' : decodeHead(bytes.subarray(0, HEAD_BYTES));
    if (typeof head === 'string') throw this.damage(i, head);
    const stored = bytes.subarray(HEAD_BYTES);
    const same =
      head.kind === entry.kind &&
      head.seq === entry.seq &&
      head.storedLength === entry.storedLength &&
      head.rawLength === entry.rawLength;
    if (!same) throw this.damage(i, 'its head is not what it was');
    if (crc32c(stored) !== head.payloadCrc) throw this.damage(i, 'its bytes do not fit their checksum');
    for (const payload of this.guarded(i, () => [
      decompress(head.codec, stored, head.rawLength, this.source.inflate),
    ]))
      return payload;
    throw this.damage(i, 'it is empty');
  }

  private single<T>(i: number, parse: (value: unknown) => T): T {
    for (const value of this.guarded(i, () => [...new RecordDecoder().decode(this.payload(i))].map(parse)))
      return value;
    throw this.damage(i, 'it is empty');
  }

  private lastOf(kind: number): number | null {
    for (let i = this.directory.length - 1; i >= 0; i--) if (this.directory.kindAt(i) === kind) return i;
    return null;
  }

  /** The chunks of a kind, from the last one that begins before `fromSeq`: a chunk may begin amid one event's items. */
  private *chunksOf(kind: number, fromSeq: number): IterableIterator<number> {
    let start = 0;
    for (let i = 0; i < this.directory.length; i++) {
      if (this.directory.kindAt(i) !== kind) continue;
      if (this.directory.seqAt(i) >= fromSeq) break;
      start = i;
    }
    for (let i = start; i < this.directory.length; i++) if (this.directory.kindAt(i) === kind) yield i;
  }

  /** Passes on what a decoder gives and turns whatever it throws into a RecordingError that says where. */
  private *guarded<T>(i: number, decode: () => Iterable<T>): IterableIterator<T> {
    try {
      yield* decode();
    } catch (error) {
      if (error instanceof RecordingError) throw error;
      throw this.damage(i, error instanceof Error ? error.message : 'it cannot be decoded');
    }
  }

  private damage(i: number, what: string): RecordingError {
    const { offset, kind } = this.directory.get(i);
    const line = `the recording is damaged in chunk ${i} (${kindLabel(kind)}): ${what}`;
    return new RecordingError('damaged', line, offset, SAVED_ADVICE);
  }
}
