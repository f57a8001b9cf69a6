/**
 * The frame of a `.jacinth` file. All numbers are little-endian.
 *
 *     file    = prelude chunk*
 *     prelude = magic (8 bytes), major u16, minor u16, CRC32C of those 12 bytes u32
 *     chunk   = head (40 bytes), payload (`storedLength` bytes)
 *     head    = storedLength u32, kind u8, codec u8, seq u48 (its high 16 bits first), rawLength u32,
 *               digest of the chunk before it (16 bytes; of the prelude for the first chunk),
 *               CRC32C of the payload u32, CRC32C of the 36 bytes before u32
 *
 * The head has its own checksum so that its lengths can be believed before anything is read for them. The digest
 * chains the chunks: chunks of two recordings, or of one in another order, do not fit together. The first chunk is
 * the header; `end` says that the run finished; an index may follow it and nothing follows the index.
 * A reader refuses other majors. A higher minor only adds kinds and fields, which older readers skip.
 */
import { type Digest, Hasher } from '../../base/digest.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { crc32c } from './crc32c.js';
import { MAX_RAW_BYTES, MAX_STORED_BYTES } from './limits.js';
import { RecordingError } from './recording-error.js';

const FORMAT_MAJOR = 1;
const FORMAT_MINOR = 0;

/** Not text (0x89), and changed by a transfer that rewrites line ends, as PNG's signature (ISO/IEC 15948, 5.2) is. */
export const MAGIC = Uint8Array.of(0x89, 0x4a, 0x43, 0x4e, 0x0d, 0x0a, 0x1a, 0x0a);
export const PRELUDE_BYTES = 16;
export const HEAD_BYTES = 40;

export const CODEC_RAW = 0;
export const CODEC_DEFLATE = 1;
// 2 stood for memory without its zero words, in files of checkpoints only.

/** One chunk, as its head tells. */
export interface ChunkHead {
  readonly storedLength: number;
  readonly kind: number;
  readonly codec: number;
  /** Number of the kernel event at which the chunk's first item stands. */
  readonly seq: number;
  /** Payload bytes when inflated. */
  readonly rawLength: number;
  /** Digest of the chunk before. */
  readonly previous: Digest;
  readonly payloadCrc: number;
}

export function encodePrelude(): Uint8Array {
  const out = new ByteWriter();
  out.bytes(MAGIC);
  out.u32(FORMAT_MAJOR | (FORMAT_MINOR << 16));
  out.u32(crc32c(out.take()));
  return out.take();
}

/** Checks the file's first bytes, of which there may be too few; throws `foreign`, `version`, `cut` or `damaged`. */
export function checkPrelude(bytes: Uint8Array): void {
  const known = Math.min(bytes.length, MAGIC.length);
  if (known === 0 || MAGIC.some((byte, i) => i < known && bytes[i] !== byte)) {
    const what = known === 0 ? 'the file is empty: not a Jacinth recording' : 'not a Jacinth recording';
    throw new RecordingError('foreign', what, 0, 'give a file that `jacinth record` wrote');
  }
  if (bytes.length < PRELUDE_BYTES) {
    throw new RecordingError('cut', 'the recording is cut before its header', bytes.length, 'record again');
  }
  const reader = new ByteReader(bytes.subarray(MAGIC.length, PRELUDE_BYTES));
  const version = reader.u32();
  if (reader.u32() !== crc32c(bytes.subarray(0, PRELUDE_BYTES - 4))) {
    throw new RecordingError('damaged', "the recording's first bytes are damaged", 8, 'copy it again');
  }
  const major = version & 0xffff;
  if (major !== FORMAT_MAJOR) {
    const what = `the recording is made by format ${major}, this Jacinth reads ${FORMAT_MAJOR}`;
    const advice = major > FORMAT_MAJOR ? 'use a newer Jacinth' : 'use an older Jacinth';
    throw new RecordingError('version', what, 8, advice);
  }
}

export function encodeHead(head: ChunkHead): Uint8Array {
  const out = new ByteWriter();
  out.u32(head.storedLength);
  out.u32((head.kind | (head.codec << 8) | (Math.floor(head.seq / 0x100000000) << 16)) >>> 0);
  out.u32(head.seq % 0x100000000);
  out.u32(head.rawLength);
  out.digest(head.previous);
  out.u32(head.payloadCrc);
  out.u32(crc32c(out.take()));
  return out.take();
}

/** The head, or what is wrong with it. `bytes` are HEAD_BYTES long. */
export function decodeHead(bytes: Uint8Array): ChunkHead | string {
  const reader = new ByteReader(bytes);
  const storedLength = reader.u32();
  const mixed = reader.u32();
  const seq = (mixed >>> 16) * 0x100000000 + reader.u32();
  const rawLength = reader.u32();
  const previous = reader.digest();
  const payloadCrc = reader.u32();
  if (reader.u32() !== crc32c(bytes.subarray(0, HEAD_BYTES - 4))) return 'its head does not fit its checksum';
  if (storedLength > MAX_STORED_BYTES) return `it claims ${storedLength} bytes`;
  if (rawLength > MAX_RAW_BYTES) return `it claims ${rawLength} bytes when inflated`;
  const head = { storedLength, kind: mixed & 0xff, codec: (mixed >>> 8) & 0xff, seq, rawLength };
  if (head.codec === CODEC_RAW && rawLength !== storedLength) return 'its two lengths disagree';
  return { ...head, previous, payloadCrc };
}

/** What the next chunk carries of this one (or of the prelude, which has no payload). */
export function digestOf(head: Uint8Array, payload: Uint8Array): Digest {
  return new Hasher().bytes(head).bytes(payload).value();
}
