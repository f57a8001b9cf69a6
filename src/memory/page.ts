import { type Digest, Hasher } from '../base/digest.js';
import type { Owner } from '../base/int-map.js';

/** Bytes of a page. The ABI lets a kernel choose; Jacinth uses the size every Zircon riscv64 and x64 kernel has. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

/** Pages that are made together take their bytes from one piece: the host is slow to make many small ones. */
const SLAB_PAGES = 32;
let slab = new ArrayBuffer(0);
let used = 0;

/** A page of zeros. */
export function newBytes(): Uint8Array {
  if (used === slab.byteLength) {
    slab = new ArrayBuffer(SLAB_PAGES * PAGE_SIZE);
    used = 0;
  }
  used += PAGE_SIZE;
  return new Uint8Array(slab, used - PAGE_SIZE, PAGE_SIZE);
}

/**
 * 4 KiB of memory. Whoever holds the owner token may write; for everybody else (every snapshot) the page never
 * changes again. A writer that is not the owner makes a copy first: that is the whole of copy on write.
 */
export class Page {
  /** How often `code` of any page changed between null and something. */
  static codeChanges = 0;
  private engineCode: object | null = null;
  /** Nothing but one VMO, and snapshots of it, has this page. */
  exclusive = false;
  /** Where the page is in the pool; -1 while it is not (see `pool.ts`). */
  slot = -1;
  private memo: Digest | null = null;
  private madeView: DataView | null = null;

  /** @param bytes they may be others after instructions ran: do not keep them */
  constructor(
    public bytes: Uint8Array,
    readonly owner: Owner | null,
  ) {}

  get view(): DataView {
    this.madeView ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, PAGE_SIZE);
    return this.madeView;
  }

  /** The same contents in another place. */
  moveTo(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.madeView = null;
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
    return new Page(newBytes(), owner);
  }

  copy(owner: Owner): Page {
    const bytes = newBytes();
    bytes.set(this.bytes);
    return new Page(bytes, owner);
  }

  /** Memoised, so call it only on pages that nobody may write any more. */
  digest(): Digest {
    this.memo ??= new Hasher().bytes(this.bytes).value();
    return this.memo;
  }
}

/** What reads of memory that was never written see. Nobody owns it. */
export const ZERO_PAGE: Page = Page.zeroed(null);
