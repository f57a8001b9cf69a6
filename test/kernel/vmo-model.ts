import type { StatusName } from '../../src/abi/status.js';

const PAGE = 4096;

/** A VMO as a plain array of bytes, and the set of pages it holds. */
export interface ModelVmo {
  bytes: Uint8Array;
  streamSize: number;
  readonly resizable: boolean;
  readonly held: Set<number>;
  parent: ModelVmo | null;
  /** Whether there is a handle to it. */
  open: boolean;
}

function pagesOf(offset: number, length: number): number[] {
  const pages: number[] = [];
  for (let page = Math.floor(offset / PAGE); page * PAGE < offset + length; page++) pages.push(page);
  return length === 0 ? [] : pages;
}

/** Families of VMOs that copy everything at once: what copy on write must not differ from. */
export class ByteModel {
  readonly vmos: ModelVmo[] = [];

  /** @param limit pages that all of them may hold */
  constructor(private readonly limit: number) {}

  get heldPages(): number {
    return this.vmos.reduce((sum, vmo) => sum + vmo.held.size, 0);
  }

  childrenOf(vmo: ModelVmo): ModelVmo[] {
    return this.vmos.filter((child) => child.open && child.parent === vmo);
  }

  create(streamSize: number, resizable: boolean): StatusName {
    const size = Math.ceil(streamSize / PAGE) * PAGE;
    const held = new Set<number>();
    this.vmos.push({ bytes: new Uint8Array(size), streamSize, resizable, held, parent: null, open: true });
    return 'OK';
  }

  child(parent: ModelVmo, offset: number, streamSize: number, resizable: boolean): StatusName {
    if (offset % PAGE !== 0) return 'ERR_INVALID_ARGS';
    const size = Math.ceil(streamSize / PAGE) * PAGE;
    const held = new Set([...parent.held].map((page) => page - offset / PAGE));
    for (const page of held) if (page < 0 || page * PAGE >= size) held.delete(page);
    if (this.heldPages + held.size > this.limit) return 'ERR_NO_MEMORY';
    const bytes = new Uint8Array(size);
    bytes.set(parent.bytes.subarray(offset, offset + size));
    this.vmos.push({ bytes, streamSize, resizable, held, parent, open: true });
    return 'OK';
  }

  /** The last handle goes: children are the parent's. */
  close(vmo: ModelVmo): void {
    vmo.open = false;
    vmo.held.clear();
    for (const child of this.vmos) if (child.parent === vmo) child.parent = vmo.parent;
  }

  private hold(vmo: ModelVmo, pages: number[]): boolean {
    const missing = pages.filter((page) => !vmo.held.has(page));
    if (this.heldPages + missing.length > this.limit) return false;
    for (const page of missing) vmo.held.add(page);
    return true;
  }

  write(vmo: ModelVmo, offset: number, bytes: Uint8Array): StatusName {
    if (offset + bytes.length > vmo.bytes.length) return 'ERR_OUT_OF_RANGE';
    if (!this.hold(vmo, pagesOf(offset, bytes.length))) return 'ERR_NO_MEMORY';
    vmo.bytes.set(bytes, offset);
    return 'OK';
  }

  commit(vmo: ModelVmo, offset: number, length: number): StatusName {
    if (offset + length > vmo.bytes.length) return 'ERR_OUT_OF_RANGE';
    return this.hold(vmo, pagesOf(offset, length)) ? 'OK' : 'ERR_NO_MEMORY';
  }

  decommit(vmo: ModelVmo, offset: number, length: number): StatusName {
    if (offset + length > vmo.bytes.length) return 'ERR_OUT_OF_RANGE';
    if (length === 0) return 'OK';
    if (vmo.parent !== null || this.childrenOf(vmo).length > 0) return 'ERR_NOT_SUPPORTED';
    if (offset % PAGE !== 0 || length % PAGE !== 0) return 'ERR_INVALID_ARGS';
    this.clear(vmo, offset, offset + length);
    return 'OK';
  }

  zero(vmo: ModelVmo, offset: number, length: number): StatusName {
    if (length === 0) return 'OK';
    if (offset + length > vmo.bytes.length) return 'ERR_OUT_OF_RANGE';
    this.clear(vmo, offset, offset + length);
    return 'OK';
  }

  /** Whole pages are not held any longer. */
  private clear(vmo: ModelVmo, start: number, end: number): void {
    vmo.bytes.fill(0, start, end);
    for (const page of vmo.held) if (page * PAGE >= start && (page + 1) * PAGE <= end) vmo.held.delete(page);
  }

  setSize(vmo: ModelVmo, streamSize: number): StatusName {
    if (!vmo.resizable) return 'ERR_UNAVAILABLE';
    const size = Math.ceil(streamSize / PAGE) * PAGE;
    const bytes = new Uint8Array(size);
    bytes.set(vmo.bytes.subarray(0, Math.min(streamSize, size)));
    vmo.bytes = bytes;
    vmo.streamSize = streamSize;
    for (const page of vmo.held) if (page * PAGE >= size) vmo.held.delete(page);
    return 'OK';
  }

  setStreamSize(vmo: ModelVmo, streamSize: number): StatusName {
    if (streamSize > vmo.bytes.length) return 'ERR_OUT_OF_RANGE';
    if (streamSize === vmo.streamSize) return 'OK';
    this.clear(vmo, Math.min(streamSize, vmo.streamSize), vmo.bytes.length);
    vmo.streamSize = streamSize;
    return 'OK';
  }
}
