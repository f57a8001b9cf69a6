import { rootVmarAt } from '../kernel/objects/address-space.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import { findMapping, type Mapping } from '../kernel/objects/vmar.js';
import { pageForRead, placeInside } from '../kernel/objects/vmo-pages.js';
import { PAGE_SIZE } from '../memory/page.js';

/** A part of an address range that lies in one page of a VMO. */
export interface Piece {
  readonly address: number;
  /** The one that holds the page: never a slice or a reference. */
  readonly vmo: number;
  /** In the VMO, bytes. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** The mapping behind an address, whatever its permissions; undefined also for processes that are no more. */
export function mappingAt(k: Kernel, process: number, address: number): Mapping | undefined {
  const owner = k.find(process);
  if (owner?.kind !== 'process') return undefined;
  const root = rootVmarAt(k, owner, address, 'any');
  return k.find(root)?.kind === 'vmar' ? findMapping(k, root, address) : undefined;
}

/** The mapped parts of an address range, page by page. The caller bounds the size. */
export function piecesOf(k: Kernel, process: number, address: number, sizeBytes: number): Piece[] {
  const out: Piece[] = [];
  const end = address + sizeBytes;
  for (let at = address; at < end; ) {
    const size = Math.min(PAGE_SIZE - (at % PAGE_SIZE), end - at);
    const mapping = mappingAt(k, process, at);
    const place = mapping === undefined ? null : placeBehind(k, mapping, at);
    if (place !== null) out.push({ address: at, ...place, sizeBytes: size });
    at += size;
  }
  return out;
}

/** The VMO that holds what an address in a mapping shows, and where in it; null past its end. */
export function placeBehind(
  k: Kernel,
  mapping: Mapping,
  address: number,
): Pick<Piece, 'vmo' | 'offset'> | null {
  const place = placeInside(k.state, k.get(mapping.vmo, 'vmo'), mapping.vmoOffset + (address - mapping.base));
  return place === null ? null : { vmo: place.vmo.koid, offset: place.offset };
}

/** Copies what a piece holds. */
export function readPiece(k: Kernel, { vmo, offset, sizeBytes }: Piece): Uint8Array {
  const object = k.find(vmo);
  if (object?.kind !== 'vmo') return new Uint8Array(sizeBytes);
  const start = offset % PAGE_SIZE;
  return pageForRead(k.state, object, Math.floor(offset / PAGE_SIZE)).bytes.slice(start, start + sizeBytes);
}

/** Bytes that follow each other in an address space. */
export interface Chunk {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** The mapped parts of an address range, permissions aside, each as long as it can be. The caller bounds the size. */
export function readChunks(k: Kernel, process: number, address: number, sizeBytes: number): Chunk[] {
  const chunks: { address: number; end: number; parts: Uint8Array[] }[] = [];
  for (const piece of piecesOf(k, process, address, sizeBytes)) {
    const last = chunks[chunks.length - 1];
    const end = piece.address + piece.sizeBytes;
    if (last === undefined || last.end !== piece.address) {
      chunks.push({ address: piece.address, end, parts: [readPiece(k, piece)] });
    } else {
      last.parts.push(readPiece(k, piece));
      last.end = end;
    }
  }
  return chunks.map(({ address: start, end, parts }) => {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { address: start, bytes };
  });
}

/** Bytes of an address range; null unless all of it is mapped. */
export function readMemory(
  k: Kernel,
  process: number,
  address: number,
  sizeBytes: number,
): Uint8Array | null {
  const [chunk] = readChunks(k, process, address, sizeBytes);
  return chunk?.bytes.length === sizeBytes ? chunk.bytes : null;
}
