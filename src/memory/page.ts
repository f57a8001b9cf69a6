import { type Digest, Hasher } from '../base/digest.js';
import type { Owner } from '../base/int-map.js';

/** Bytes of a page. The ABI lets a kernel choose; Jacinth uses the size every Zircon riscv64 and x64 kernel has. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

/**
 * 4 KiB of memory. Whoever holds the owner token may write; for everybody else (every snapshot) the page never
 * changes again. A writer that is not the owner makes a copy first: that is the whole of copy on write.
 */
export class Page {
  /** Both may be others after instructions ran: do not keep them. */
  view: DataView;
  /** How often `code` of any page changed between null and something. */
  static codeChanges = 0;
  private engineCode: object | null = null;
  /** Nothing but one VMO, and snapshots of it, has this page. */
  exclusive = false;
  /** Where the page is in the pool; -1 while it is not (see `pool.ts`). */
  slot = -1;
  private memo: Digest | null = null;

  constructor(
    public bytes: Uint8Array,
    readonly owner: Owner | null,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE);
  }

  /** What engines made of this page as code, private to them. Whoever writes the page sets it to null. */
  get code(): object | null {
    return this.engineCode;
  }

  set code(code: object | null) {
    if ((code === null) !== (this.engineCode === null)) Page.codeChanges++;
    this.engineCode = code;
  }

  static zeroed(owner: Owner | null): Page {
    return new Page(new Uint8Array(PAGE_SIZE), owner);
  }

  copy(owner: Owner): Page {
    return new Page(this.bytes.slice(), owner);
  }

  /** Memoised, so call it only on pages that nobody may write any more. */
  digest(): Digest {
    this.memo ??= new Hasher().bytes(this.bytes).value();
    return this.memo;
  }
}

/** What reads of memory that was never written see. Nobody owns it. */
export const ZERO_PAGE: Page = Page.zeroed(null);
