/** An ELF file that cannot be used. The message is one line: what is wrong, and where in the file. */
export class ElfError extends Error {
  override name = 'ElfError';
}

/** For messages: a field that did not fit (see `u64`) is named so. */
export function hex(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return '(more than 2^53)';
  return `0x${value.toString(16)}`;
}

const utf8 = new TextDecoder();

/** The bytes of a file, read little-endian. `check` a range before reading in it; reads themselves do not explain. */
export class ElfBytes {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  check(offset: number, sizeBytes: number, what: string): void {
    if (offset + sizeBytes <= this.sizeBytes) return;
    throw new ElfError(
      `${what} at ${hex(offset)} takes ${hex(sizeBytes)} bytes, past the end of the file (${hex(this.sizeBytes)} bytes)`,
    );
  }

  u8(offset: number): number {
    return this.view.getUint8(offset);
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** A 64-bit field, or infinity when it is past 2^53, so that every later bound check refuses it. */
  u64(offset: number): number {
    const value = this.u32(offset) + this.u32(offset + 4) * 0x100000000;
    return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  }

  /** The NUL-terminated string at `offset` inside `[offset, end)`, cut after `maxBytes`. */
  string(offset: number, end: number, maxBytes: number): string {
    const limit = Math.min(end, offset + maxBytes);
    let stop = offset;
    while (stop < limit && this.bytes[stop] !== 0) stop++;
    return utf8.decode(this.bytes.subarray(offset, stop));
  }
}
