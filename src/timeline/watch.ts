import type { KernelEvent } from '../kernel/objects/events.js';
import type { Kernel, KernelState } from '../kernel/objects/kernel.js';
import { PAGE_SIZE } from '../memory/page.js';
import { mappingAt, type Piece, piecesOf, readPiece } from './address-space.js';

/** Watched bytes that a write changes. */
export interface Touched {
  /** The first of them, counted from the first byte that is watched. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Bytes of the write before them. */
  readonly skipped: number;
}

const UNBORN = -1;
const GONE = -2;
const identities = new WeakMap<object, number>();
let nextIdentity = 1;

/** A number of an object's own, so that a sample keeps nothing alive. */
function identity(object: object): number {
  let number = identities.get(object);
  if (number === undefined) {
    number = nextIdentity++;
    identities.set(object, number);
  }
  return number;
}

/**
 * Bytes of VMOs to be watched: those that stood behind an address range of a process at some time. So a write is
 * seen whatever way it takes: another mapping, another process, the kernel.
 */
export class Watch {
  /** What is watched of a process's pages, by address; forgotten when a mapping may have changed. */
  private readonly pages = new Map<number, readonly Piece[]>();
  private process = 0;
  private generation = -1;

  /** @param pieces with addresses from `address` on */
  constructor(
    readonly address: number,
    readonly sizeBytes: number,
    private readonly pieces: readonly Piece[],
  ) {}

  /** Two states of one run in which this is equal have the same bytes, and nobody wrote them in between. */
  sample({ objects, nextKoid }: KernelState): readonly number[] {
    return this.pieces.map(({ vmo, offset }) => {
      const object = objects.get(vmo);
      if (object?.kind !== 'vmo') return vmo >= nextKoid ? UNBORN : GONE;
      // A page that is not there may have come and gone, which changes the VMO itself.
      return identity(object.pages.get(Math.floor(offset / PAGE_SIZE)) ?? object);
    });
  }

  /** The bytes now, zeros where their VMO is not there. */
  read(k: Kernel): Uint8Array {
    const out = new Uint8Array(this.sizeBytes);
    for (const piece of this.pieces) out.set(readPiece(k, piece), piece.address - this.address);
    return out;
  }

  /** What a store of an instruction touches; the memory is as before it. */
  byStore(k: Kernel, process: number, address: number, sizeBytes: number): Touched[] {
    if (k.memoryGeneration !== this.generation || process !== this.process) {
      this.pages.clear();
      this.process = process;
      this.generation = k.memoryGeneration;
    }
    const out: Touched[] = [];
    for (let done = 0; done < sizeBytes; ) {
      const inPage = (address + done) % PAGE_SIZE;
      const size = Math.min(PAGE_SIZE - inPage, sizeBytes - done);
      for (const piece of this.ofPage(k, process, address + done - inPage)) {
        const pageOffset = piece.offset - (piece.offset % PAGE_SIZE);
        add(out, this.overlap(piece, pageOffset + inPage, size, done));
      }
      done += size;
    }
    return out;
  }

  /** What an event touches: the kernel's own writes. */
  byEvent(k: Kernel, event: KernelEvent): Touched[] {
    switch (event.type) {
      case 'vmo-written':
      case 'user-memory-written':
        return this.inVmo(event.vmo, event.offset, event.bytes.length);
      case 'vmo-pages-dropped':
        return this.inVmo(event.vmo, event.page * PAGE_SIZE, event.count * PAGE_SIZE);
      case 'vmo-resized':
        return this.inVmo(event.koid, event.sizeBytes, Number.MAX_SAFE_INTEGER - event.sizeBytes);
      case 'vmo-child-created': {
        const child = k.find(event.koid);
        if (child?.kind !== 'vmo') return [];
        return this.pieces
          .filter((p) => p.vmo === event.koid && child.pages.has(Math.floor(p.offset / PAGE_SIZE)))
          .map((p) => ({ offset: p.address - this.address, sizeBytes: p.sizeBytes, skipped: 0 }));
      }
      default:
        return [];
    }
  }

  private inVmo(vmo: number, offset: number, sizeBytes: number): Touched[] {
    const out: Touched[] = [];
    for (const piece of this.pieces) {
      if (piece.vmo === vmo) add(out, this.overlap(piece, offset, sizeBytes, 0));
    }
    return out;
  }

  private ofPage(k: Kernel, process: number, address: number): readonly Piece[] {
    let found = this.pages.get(address);
    if (found === undefined) {
      const mapping = mappingAt(k, process, address);
      const page = mapping === undefined ? -1 : mapping.vmoOffset + (address - mapping.base);
      found = this.pieces.filter(
        (p) => p.vmo === mapping?.vmo && p.offset >= page && p.offset < page + PAGE_SIZE,
      );
      this.pages.set(address, found);
    }
    return found;
  }

  /** The part of a piece that lies in a range of its VMO, `done` bytes into a write. */
  private overlap(piece: Piece, offset: number, sizeBytes: number, done: number): Touched | null {
    const start = Math.max(piece.offset, offset);
    const end = Math.min(piece.offset + piece.sizeBytes, offset + sizeBytes);
    if (start >= end) return null;
    const first = piece.address - this.address + (start - piece.offset);
    return { offset: first, sizeBytes: end - start, skipped: done + start - offset };
  }
}

/** Joins what follows on the last one: a write across pages is one. */
function add(list: Touched[], touched: Touched | null): void {
  if (touched === null) return;
  const last = list[list.length - 1];
  if (last !== undefined && last.offset + last.sizeBytes === touched.offset) {
    list[list.length - 1] = { ...last, sizeBytes: last.sizeBytes + touched.sizeBytes };
  } else list.push(touched);
}

/** Watches what is behind an address range in a process now; null when nothing is. */
export function watchAt(k: Kernel, process: number, address: number, sizeBytes: number): Watch | null {
  const pieces = piecesOf(k, process, address, sizeBytes);
  return pieces.length === 0 ? null : new Watch(address, sizeBytes, pieces);
}
