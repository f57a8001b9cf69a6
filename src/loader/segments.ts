import { PAGE_SIZE } from '../memory/page.js';
import type { Elf, LoadSegment } from './elf.js';

/** One segment as it is to stand in memory. Addresses and sizes are multiples of a page. */
export interface SegmentImage {
  /** The file's own address; the load bias is still to be added. */
  readonly address: number;
  /** What is mapped, with its zero-filled end. */
  readonly sizeBytes: number;
  /** The pages that come from the file, whole; from their end to `sizeBytes` memory is zero. */
  readonly bytes: Uint8Array;
  readonly segment: LoadSegment;
}

export function pageFloor(address: number): number {
  return address - (address % PAGE_SIZE);
}

export function pageCeil(address: number): number {
  return pageFloor(address + PAGE_SIZE - 1);
}

/** The segment that an address of the file's own is in. */
export function segmentAt({ loadSegments }: Elf, address: number): LoadSegment | null {
  let low = 0;
  let high = loadSegments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (loadSegments[middle].vaddr <= address) low = middle + 1;
    else high = middle;
  }
  const segment = low === 0 ? null : loadSegments[low - 1];
  return segment !== null && address < segment.vaddr + segment.memSizeBytes ? segment : null;
}

/** The addresses that the whole program takes, page-rounded: what to reserve for it. Not yet biased. */
export function imageSpan(elf: Elf): { address: number; sizeBytes: number } {
  const address = pageFloor(elf.loadSegments[0].vaddr);
  const last = elf.loadSegments[elf.loadSegments.length - 1];
  return { address, sizeBytes: pageCeil(last.vaddr + last.memSizeBytes) - address };
}

/**
 * Segments the way Zircon's loader maps them: whole pages of the file, so that what stands in the file around a
 * segment shows in its first and last page; but behind the file part of a segment that goes on in memory (.bss)
 * everything is zero.
 */
export function* segmentImages(elf: Elf): IterableIterator<SegmentImage> {
  for (const segment of elf.loadSegments) {
    const { vaddr, memSizeBytes, fileOffset, fileSizeBytes } = segment;
    const address = pageFloor(vaddr);
    const sizeBytes = pageCeil(vaddr + memSizeBytes) - address;
    if (fileSizeBytes === 0) {
      yield { address, sizeBytes, bytes: new Uint8Array(0), segment };
      continue;
    }
    const fileStart = pageFloor(fileOffset);
    const fileEnd = fileOffset + fileSizeBytes;
    const bytes = new Uint8Array(pageCeil(fileEnd) - fileStart);
    const shown = memSizeBytes > fileSizeBytes ? fileEnd : Math.min(pageCeil(fileEnd), elf.bytes.length);
    bytes.set(elf.bytes.subarray(fileStart, shown));
    yield { address, sizeBytes, bytes, segment };
  }
}
