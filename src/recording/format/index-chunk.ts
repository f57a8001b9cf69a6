import type { Digest } from '../../base/digest.js';
import type { ByteSource } from './byte-source.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { compress, type Deflate, decompress } from './codec.js';
import { ColumnBuffer, decodeColumns } from './columns.js';
import { crc32c } from './crc32c.js';
import { Directory } from './directory.js';
import { KINDS } from './kinds.js';
import { decodeHead, HEAD_BYTES, PRELUDE_BYTES } from './layout.js';
import { MAX_CHUNKS, MAX_RAW_BYTES, MAX_STORED_BYTES } from './limits.js';

/**
 * The index: a table of every chunk before it, deflated, then a trailer by which it is found from the file's end:
 * the index chunk's offset u48, codec of the table u16, length of the inflated table u32, "JCIX", CRC32C of those
 * 16 bytes u32. It holds no offsets: chunks stand without gaps, so their lengths tell, and an index that does not
 * cover the file exactly is no index. Every chunk read through it is checked against it again.
 */
const SCHEMA = { kind: 'u8', storedLength: 'varint', rawLength: 'varint', seq: 'delta' } as const;
const TRAILER_BYTES = 20;
const TRAILER_MAGIC = 0x5849434a;

/** The payload of the index chunk that will stand at `offset`; null if there are too many chunks for one. */
export function encodeIndex(directory: Directory, offset: number, deflate?: Deflate): Uint8Array | null {
  const entries = new ColumnBuffer(SCHEMA);
  for (let i = 0; i < directory.length; i++) entries.add(directory.get(i));
  const table = entries.take();
  const { codec, stored } = compress(table, deflate);
  const out = new ByteWriter();
  out.u32(offset % 0x100000000);
  out.u32((Math.floor(offset / 0x100000000) | (codec << 16)) >>> 0);
  out.u32(table.length);
  out.u32(TRAILER_MAGIC);
  out.u32(crc32c(out.take()));
  const trailer = out.take();
  out.clear();
  out.bytes(stored);
  out.bytes(trailer);
  return table.length <= MAX_RAW_BYTES && out.length <= MAX_STORED_BYTES ? out.take() : null;
}

/** The directory by the index at the end of the file, and the last chunk's digest; null when no index fits the file. */
export function readIndex(source: ByteSource): { directory: Directory; lastDigest: Digest } | null {
  const trailer = source.read(Math.max(0, source.sizeBytes - TRAILER_BYTES), TRAILER_BYTES);
  if (trailer.length < TRAILER_BYTES) return null;
  const from = new ByteReader(trailer);
  const low = from.u32();
  const mixed = from.u32();
  const tableLength = from.u32();
  const offset = (mixed & 0xffff) * 0x100000000 + low;
  const marked =
    from.u32() === TRAILER_MAGIC && from.u32() === crc32c(trailer.subarray(0, TRAILER_BYTES - 4));
  if (!marked || tableLength > MAX_RAW_BYTES || offset + HEAD_BYTES > source.sizeBytes) return null;
  const head = decodeHead(source.read(offset, HEAD_BYTES));
  if (typeof head === 'string' || head.kind !== KINDS.index.number) return null;
  const start = offset + HEAD_BYTES;
  if (start + head.storedLength !== source.sizeBytes || head.storedLength < TRAILER_BYTES) return null;
  const payload = source.read(start, head.storedLength);
  if (crc32c(payload) !== head.payloadCrc) return null;
  try {
    const stored = payload.subarray(0, payload.length - TRAILER_BYTES);
    const table = decodeColumns(
      SCHEMA,
      decompress(mixed >>> 16, stored, tableLength, source.inflate),
      MAX_CHUNKS,
    );
    const directory = directoryOf(table.columns, table.rowCount, offset);
    return directory === null ? null : { directory, lastDigest: head.previous };
  } catch {
    return null;
  }
}

function directoryOf(
  columns: { readonly [name in keyof typeof SCHEMA]: ArrayLike<number> },
  rowCount: number,
  indexOffset: number,
): Directory | null {
  const directory = new Directory();
  let offset = PRELUDE_BYTES;
  for (let i = 0; i < rowCount; i++) {
    const [storedLength, rawLength] = [columns.storedLength[i], columns.rawLength[i]];
    if (storedLength > MAX_STORED_BYTES || rawLength > MAX_RAW_BYTES) return null;
    directory.add({ offset, seq: columns.seq[i], storedLength, rawLength, kind: columns.kind[i] });
    offset += HEAD_BYTES + storedLength;
  }
  const first = rowCount > 0 && directory.kindAt(0) === KINDS.header.number;
  const last = rowCount > 1 && directory.kindAt(rowCount - 1) === KINDS.end.number;
  return offset === indexOffset && first && last ? directory : null;
}
