import { type Digest, Hasher } from '../../base/digest.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { MAX_BLOB_BYTES, MAX_BLOB_PART_BYTES } from './limits.js';
import { PayloadError, RecordingError } from './recording-error.js';

/** Bytes that are found by their digest: a page, an image. */
export interface Blob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export function blobDigest(bytes: Uint8Array): Digest {
  return new Hasher().bytes(bytes).value();
}

/** Encodes blobs to payloads of parts: digest, total length u32, offset u32, length u32, bytes. */
export class BlobBuffer {
  private readonly out = new ByteWriter();

  get sizeBytes(): number {
    return this.out.length;
  }

  /** The parts of a blob, each to be added as a whole. */
  static parts(blob: Blob): { blob: Blob; offset: number }[] {
    const total = blob.bytes.length;
    if (total > MAX_BLOB_BYTES) {
      const what = `${total} bytes are too large for a recording (at most ${MAX_BLOB_BYTES})`;
      throw new RecordingError('limit', what, null, 'strip the program');
    }
    const count = Math.max(1, Math.ceil(total / MAX_BLOB_PART_BYTES));
    return Array.from({ length: count }, (_, i) => ({ blob, offset: i * MAX_BLOB_PART_BYTES }));
  }

  add({ blob, offset }: { blob: Blob; offset: number }): void {
    const part = blob.bytes.subarray(offset, offset + MAX_BLOB_PART_BYTES);
    this.out.digest(blob.digest);
    this.out.u32(blob.bytes.length);
    this.out.u32(offset);
    this.out.u32(part.length);
    this.out.bytes(part);
  }

  /** The payload, until more is added. */
  take(): Uint8Array {
    const bytes = this.out.written;
    this.out.clear();
    return bytes;
  }
}

/** Puts blobs together again from payloads in the order of the file. Throws PayloadError. */
export class BlobDecoder {
  private parts: Uint8Array[] = [];
  private length = 0;

  /** The blobs that end in this payload, their digests checked. */
  *decode(payload: Uint8Array): IterableIterator<Blob> {
    const from = new ByteReader(payload);
    while (from.left > 0) {
      const digest = from.digest();
      const total = from.u32();
      const offset = from.u32();
      const part = from.bytes(from.u32());
      const empty = part.length === 0 && total > 0;
      if (total > MAX_BLOB_BYTES || offset !== this.length || offset + part.length > total || empty) {
        throw new PayloadError('parts of a blob do not fit together');
      }
      this.parts.push(part.slice());
      this.length += part.length;
      if (this.length === total) yield this.whole(digest);
    }
  }

  private whole(digest: Digest): Blob {
    const bytes = this.parts.length === 1 ? this.parts[0] : new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      if (part !== bytes) bytes.set(part, at);
      at += part.length;
    }
    this.parts = [];
    this.length = 0;
    if (blobDigest(bytes) !== digest) throw new PayloadError('a blob does not have its digest');
    return { digest, bytes };
  }
}
