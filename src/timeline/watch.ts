import type { KernelEvent } from '../kernel/objects/events.js';
import type { Kernel, KernelState } from '../kernel/objects/kernel.js';
import { pageForRead } from '../kernel/objects/vmo-pages.js';
import { PAGE_SIZE, ZERO_PAGE } from '../memory/page.js';
import { mappingAt, type Piece, piecesOf, placeBehind, readPiece } from './address-space.js';

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

/** What tells whether a page of a VMO was written: another page, or, where it has none, another VMO. */
function identityOf({ objects, nextKoid }: KernelState, vmo: number, page: number): number {
  const object = objects.get(vmo);
  if (object?.kind !== 'vmo') return vmo >= nextKoid ? UNBORN : GONE;
  const found = object.pages.get(page) ?? ZERO_PAGE;
  // One that is not there, or was only committed, may have been another meanwhile, which changes the VMO itself.
  return identity(found === ZERO_PAGE ? object : found);
}

/** The page of a lender that shows where a VMO has none of its own; null when none does. */
function lentPage(
  objects: KernelState['objects'],
  { vmo, offset }: Piece,
): { readonly vmo: number; readonly offset: number } | null {
  const object = objects.get(vmo);
  if (object?.kind !== 'vmo' || offset >= object.lenderBytes) return null;
  if (object.pages.has(Math.floor(offset / PAGE_SIZE))) return null;
  return { vmo: object.lender, offset: object.lenderOffset + offset };
}

/**
 * Bytes of VMOs to be watched: those that stood behind an address range of a process at some time. So a write is
 * seen whatever way it takes: another mapping, another process, the kernel.
 */
export class Watch {
  /** What is watched of a process's pages, by address; forgotten when a mapping may have changed. */
  private readonly pages = new Map<number, Pick<Piece, 'vmo' | 'offset'> | null>();
  private process = 0;
  private generation = -1;

  /** @param pieces with addresses from `address` on */
  constructor(
    readonly address: number,
    readonly sizeBytes: number,
    private readonly pieces: readonly Piece[],
  ) {}

  /** Two states of one run in which this is equal have the same bytes, and nobody wrote them in between. */
  sample(state: KernelState): readonly number[] {
    return this.pieces.flatMap((piece) => {
      const own = identityOf(state, piece.vmo, Math.floor(piece.offset / PAGE_SIZE));
      const lent = lentPage(state.objects, piece);
      return lent === null
        ? [own, 0]
        : [own, identityOf(state, lent.vmo, Math.floor(lent.offset / PAGE_SIZE))];
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
      const at = address + done;
      const size = Math.min(PAGE_SIZE - (at % PAGE_SIZE), sizeBytes - done);
      const page = this.placeOfPage(k, process, at - (at % PAGE_SIZE));
      if (page !== null) this.addTouched(out, k, page.vmo, page.offset + (at % PAGE_SIZE), size, done);
      done += size;
    }
    return out;
  }

  /** What an event touches: the kernel's own writes. */
  byEvent(k: Kernel, event: KernelEvent): Touched[] {
    switch (event.type) {
      case 'vmo-written':
      case 'user-memory-written':
        return this.inVmo(k, event.vmo, event.offset, event.bytes.length);
      case 'vmo-pages-dropped':
        return this.inVmo(k, event.vmo, event.page * PAGE_SIZE, event.count * PAGE_SIZE);
      case 'vmo-pages-moved': {
        const sizeBytes = event.count * PAGE_SIZE;
        return [
          ...this.inVmo(k, event.from, event.fromPage * PAGE_SIZE, sizeBytes),
          ...this.inVmo(k, event.to, event.toPage * PAGE_SIZE, sizeBytes),
        ];
      }
      case 'vmo-resized':
        return this.inVmo(k, event.koid, event.sizeBytes, Number.MAX_SAFE_INTEGER - event.sizeBytes);
      case 'vmo-child-created':
        return this.pieces
          .filter(({ vmo, offset }) => vmo === event.koid && isThere(k, vmo, offset))
          .map(({ address, sizeBytes }) => ({ offset: address - this.address, sizeBytes, skipped: 0 }));
      default:
        return [];
    }
  }

  private inVmo(k: Kernel, vmo: number, offset: number, sizeBytes: number): Touched[] {
    const out: Touched[] = [];
    this.addTouched(out, k, vmo, offset, sizeBytes, 0);
    return out;
  }

  /** Pieces in a range of a VMO, `done` bytes into a write, and those that show it because they have no page yet. */
  private addTouched(
    out: Touched[],
    k: Kernel,
    vmo: number,
    offset: number,
    sizeBytes: number,
    done: number,
  ): void {
    for (const piece of this.pieces) {
      if (piece.vmo === vmo) add(out, this.overlap(piece, offset, sizeBytes, done));
      else {
        const lent = lentPage(k.state.objects, piece);
        if (lent?.vmo === vmo) add(out, this.overlap({ ...piece, ...lent }, offset, sizeBytes, done));
      }
    }
  }

  /** Where a page of a process is; null when it is not mapped, or holds nothing watched. */
  private placeOfPage(k: Kernel, process: number, address: number): Pick<Piece, 'vmo' | 'offset'> | null {
    let found = this.pages.get(address);
    if (found === undefined) {
      const mapping = mappingAt(k, process, address);
      const place = mapping === undefined ? null : placeBehind(k, mapping, address);
      found = place === null || !this.mayTouch(k, place) ? null : place;
      this.pages.set(address, found);
    }
    return found;
  }

  private mayTouch(k: Kernel, { vmo, offset }: Pick<Piece, 'vmo' | 'offset'>): boolean {
    return this.pieces.some((piece) => {
      const { objects } = k.state;
      const held = piece.vmo === vmo ? piece : lentPage(objects, piece);
      return held?.vmo === vmo && held.offset >= offset && held.offset < offset + PAGE_SIZE;
    });
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

function isThere(k: Kernel, vmo: number, offset: number): boolean {
  const object = k.find(vmo);
  return object?.kind === 'vmo' && pageForRead(k.state, object, Math.floor(offset / PAGE_SIZE)) !== ZERO_PAGE;
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
