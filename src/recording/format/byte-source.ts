/** Bytes that can be read anywhere: a file, a buffer. */
export interface ByteSource {
  readonly sizeBytes: number;
  /**
   * Up to `length` bytes from `offset`; fewer only where the source ends. Throws RecordingError (`io`).
   * @param room of at least that length, that they may be put into: hosts take time to give memory
   */
  read(offset: number, length: number, room?: Uint8Array): Uint8Array;
  /** The host's own, where it has one that is quicker. */
  readonly inflate?: Inflate;
}

/**
 * Inflates a raw deflate stream (RFC 1951).
 * @returns at most `most` bytes, or throws
 */
export type Inflate = (stored: Uint8Array, most: number) => Uint8Array;

export function bytesSource(bytes: Uint8Array): ByteSource {
  // A host's subclass (Node's Buffer) slices differently: what goes on is a plain array.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    sizeBytes: plain.length,
    read: (offset, length) => plain.subarray(offset, offset + length),
  };
}
