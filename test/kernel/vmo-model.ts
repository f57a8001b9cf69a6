import type { StatusName } from '../../src/abi/status.js';

const PAGE = 4096;

/** A plain array of bytes, and the set of pages that are held of it. */
export interface ModelMemory {
  bytes: Uint8Array;
  readonly held: Set<number>;
}

/** A VMO: some memory, all of it or, when it is a slice, a part. */
export interface ModelVmo {
  readonly memory: ModelMemory;
  readonly kind: 'root' | 'snapshot' | 'slice' | 'reference';
  /** Where a slice begins and how long it is, bytes. */
  readonly start: number;
  readonly sliceSize: number;
  /** One object for a VMO and its references. */
  readonly stream: { size: number };
  readonly resizable: boolean;
  parent: ModelVmo | null;
  /** Whether there is a handle to it. */
  open: boolean;
}

function pagesOf(offset: number, length: number): number[] {
  const pages: number[] = [];
  for (let page = Math.floor(offset / PAGE); page * PAGE < offset + length; page++) pages.push(page);
  return length === 0 ? [] : pages;
}

function pageCeil(size: number): number {
  return Math.ceil(size / PAGE) * PAGE;
}

export function sizeOf(vmo: ModelVmo): number {
  return vmo.kind === 'slice' ? vmo.sliceSize : vmo.memory.bytes.length;
}

export function bytesOf(vmo: ModelVmo): Uint8Array {
  return vmo.memory.bytes.subarray(vmo.start, vmo.start + sizeOf(vmo));
}

/** Families of VMOs that copy everything at once, or share it: what copy on write must not differ from. */
export class ByteModel {
  readonly vmos: ModelVmo[] = [];

  /** @param limit pages that all of them may hold */
  constructor(private readonly limit: number) {}

  /** Memory lasts as long as anybody has some of it. */
  get heldPages(): number {
    const memories = new Set(this.vmos.filter(({ open }) => open).map(({ memory }) => memory));
    return [...memories].reduce((sum, { held }) => sum + held.size, 0);
  }

  childrenOf(vmo: ModelVmo): ModelVmo[] {
    return this.vmos.filter((child) => child.open && child.parent === vmo);
  }

  private add(vmo: Omit<ModelVmo, 'start' | 'sliceSize' | 'open'> & Partial<ModelVmo>): StatusName {
    this.vmos.push({ start: 0, sliceSize: 0, open: true, ...vmo });
    return 'OK';
  }

  create(streamSize: number, resizable: boolean): StatusName {
    const memory = { bytes: new Uint8Array(pageCeil(streamSize)), held: new Set<number>() };
    return this.add({ memory, kind: 'root', stream: { size: streamSize }, resizable, parent: null });
  }

  snapshot(parent: ModelVmo, offset: number, streamSize: number, resizable: boolean): StatusName {
    if (offset % PAGE !== 0) return 'ERR_INVALID_ARGS';
    if (parent.kind === 'slice') return 'ERR_NOT_SUPPORTED';
    const size = pageCeil(streamSize);
    const held = new Set([...parent.memory.held].map((page) => page - offset / PAGE));
    for (const page of held) if (page < 0 || page * PAGE >= size) held.delete(page);
    if (this.heldPages + held.size > this.limit) return 'ERR_NO_MEMORY';
    const bytes = new Uint8Array(size);
    bytes.set(parent.memory.bytes.subarray(offset, offset + size));
    return this.add({
      memory: { bytes, held },
      kind: 'snapshot',
      stream: { size: streamSize },
      resizable,
      parent,
    });
  }

  slice(parent: ModelVmo, offset: number, streamSize: number): StatusName {
    const sliceSize = pageCeil(streamSize);
    if (offset % PAGE !== 0 || offset + sliceSize > sizeOf(parent)) return 'ERR_INVALID_ARGS';
    if (parent.resizable) return 'ERR_NOT_SUPPORTED';
    const { memory } = parent;
    const start = parent.start + offset;
    const stream = { size: streamSize };
    return this.add({ memory, kind: 'slice', start, sliceSize, stream, resizable: false, parent });
  }

  reference(parent: ModelVmo, offset: number, size: number): StatusName {
    if (offset !== 0 || size !== 0) return 'ERR_INVALID_ARGS';
    if (parent.kind === 'slice') return 'ERR_NOT_SUPPORTED';
    const { memory, stream, resizable } = parent;
    return this.add({ memory, kind: 'reference', stream, resizable, parent });
  }

  /** The last handle goes: children are the parent's. */
  close(vmo: ModelVmo): void {
    vmo.open = false;
    for (const child of this.vmos) if (child.parent === vmo) child.parent = vmo.parent;
  }

  private hold({ held }: ModelMemory, pages: number[]): boolean {
    const missing = pages.filter((page) => !held.has(page));
    if (this.heldPages + missing.length > this.limit) return false;
    for (const page of missing) held.add(page);
    return true;
  }

  write(vmo: ModelVmo, offset: number, bytes: Uint8Array): StatusName {
    if (offset + bytes.length > sizeOf(vmo)) return 'ERR_OUT_OF_RANGE';
    if (!this.hold(vmo.memory, pagesOf(vmo.start + offset, bytes.length))) return 'ERR_NO_MEMORY';
    vmo.memory.bytes.set(bytes, vmo.start + offset);
    return 'OK';
  }

  commit(vmo: ModelVmo, offset: number, length: number): StatusName {
    if (offset + length > sizeOf(vmo)) return 'ERR_OUT_OF_RANGE';
    return this.hold(vmo.memory, pagesOf(vmo.start + offset, length)) ? 'OK' : 'ERR_NO_MEMORY';
  }

  /** Of memory that has nothing in common with another snapshot, of the VMO that it was made for. */
  decommit(vmo: ModelVmo, offset: number, length: number): StatusName {
    if (offset + length > sizeOf(vmo)) return 'ERR_OUT_OF_RANGE';
    if (length === 0) return 'OK';
    const owner = this.vmos.find(
      ({ memory, kind }) => memory === vmo.memory && (kind === 'root' || kind === 'snapshot'),
    );
    const isChild = owner?.open && owner.kind === 'snapshot' && owner.parent !== null;
    const isParent = owner !== undefined && this.childrenOf(owner).some(({ kind }) => kind === 'snapshot');
    if (isChild || isParent) return 'ERR_NOT_SUPPORTED';
    if (offset % PAGE !== 0 || length % PAGE !== 0) return 'ERR_INVALID_ARGS';
    this.clear(vmo, offset, offset + length);
    return 'OK';
  }

  zero(vmo: ModelVmo, offset: number, length: number): StatusName {
    if (length === 0) return 'OK';
    if (offset + length > sizeOf(vmo)) return 'ERR_OUT_OF_RANGE';
    this.clear(vmo, offset, offset + length);
    return 'OK';
  }

  /** Whole pages are not held any longer. */
  private clear({ memory, start }: ModelVmo, from: number, to: number): void {
    memory.bytes.fill(0, start + from, start + to);
    for (const page of memory.held) {
      if (page * PAGE >= start + from && (page + 1) * PAGE <= start + to) memory.held.delete(page);
    }
  }

  /** As memmove, but that pages move: what is not held at the source is not held at the target afterwards. */
  transfer(to: ModelVmo, offset: number, length: number, from: ModelVmo, fromOffset: number): StatusName {
    if ([offset, length, fromOffset].some((bytes) => bytes % PAGE !== 0)) return 'ERR_INVALID_ARGS';
    if (to === from && offset === fromOffset) return 'OK';
    if (fromOffset + length > sizeOf(from) || offset + length > sizeOf(to)) return 'ERR_OUT_OF_RANGE';
    const bytes = bytesOf(from).slice(fromOffset, fromOffset + length);
    const pages = pagesOf(0, length).filter((page) =>
      from.memory.held.has(page + (from.start + fromOffset) / PAGE),
    );
    this.clear(from, fromOffset, fromOffset + length);
    this.clear(to, offset, offset + length);
    to.memory.bytes.set(bytes, to.start + offset);
    for (const page of pages) to.memory.held.add(page + (to.start + offset) / PAGE);
    return 'OK';
  }

  setSize({ memory, stream, resizable }: ModelVmo, streamSize: number): StatusName {
    if (!resizable) return 'ERR_UNAVAILABLE';
    const size = pageCeil(streamSize);
    const bytes = new Uint8Array(size);
    bytes.set(memory.bytes.subarray(0, Math.min(streamSize, size)));
    memory.bytes = bytes;
    stream.size = streamSize;
    for (const page of memory.held) if (page * PAGE >= size) memory.held.delete(page);
    return 'OK';
  }

  setStreamSize(vmo: ModelVmo, streamSize: number): StatusName {
    const { stream } = vmo;
    if (streamSize > sizeOf(vmo)) return 'ERR_OUT_OF_RANGE';
    if (streamSize === stream.size) return 'OK';
    this.clear(vmo, Math.min(streamSize, stream.size), sizeOf(vmo));
    stream.size = streamSize;
    return 'OK';
  }
}
