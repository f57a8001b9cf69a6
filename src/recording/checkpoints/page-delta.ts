import { lowestBit } from '../../base/bits.js';
import { PAGE_SIZE } from '../../memory/page.js';

/**
 * A page as what differs from another one, or from zeros: a word with a bit for each 128 bytes in which something does
 * (the first one's is the lowest), and for each of those a word with a bit for each of its words that does, then these
 * words, each exclusive-or the other page's. What applies it to zeros, and then to what comes of that the differences
 * of the other page, has the page: the order does not matter.
 */
const PAGE_WORDS = PAGE_SIZE / 4;
const GROUP_WORDS = 32;
/** Of a page that has nothing in common with the other one. */
export const MAX_DELTA_BYTES = 4 * (1 + PAGE_WORDS + PAGE_WORDS / GROUP_WORDS);

/** Bytes as words of the host, and as numbers that are the same on all hosts. */
export interface Words {
  readonly words: Int32Array;
  readonly view: DataView;
}

/** @param bytes at a multiple of 4, and as many */
export function wordsOf({ buffer, byteOffset, length }: Uint8Array): Words {
  return {
    words: new Int32Array(buffer, byteOffset, length / 4),
    view: new DataView(buffer, byteOffset, length),
  };
}

/**
 * Writes what makes `page` of `other`, from the start.
 * @param to has room for MAX_DELTA_BYTES
 * @returns its length, bytes
 */
export function writeDelta(page: Int32Array, other: Int32Array, { words, view }: Words): number {
  let at = 1;
  let groups = 0;
  for (let group = 0; group < PAGE_WORDS; group += GROUP_WORDS) {
    const mapAt = at++;
    let map = 0;
    for (let i = 0; i < GROUP_WORDS; i++) {
      const word = page[group + i] ^ other[group + i];
      if (word === 0) continue;
      map |= 1 << i;
      words[at++] = word;
    }
    if (map === 0) at = mapAt;
    else {
      groups |= 1 << (group / GROUP_WORDS);
      view.setInt32(4 * mapAt, map, true);
    }
  }
  view.setInt32(0, groups, true);
  return 4 * at;
}

/**
 * Changes a page by what was written, or by any bytes.
 * @param start in words
 * @throws RangeError where they end too early
 */
export function applyDelta({ words, view }: Words, start: number, page: Int32Array): void {
  let at = start + 1;
  for (let groups = view.getInt32(4 * start, true); groups !== 0; groups &= groups - 1) {
    const group = GROUP_WORDS * lowestBit(groups);
    for (let map = view.getInt32(4 * at++, true); map !== 0; map &= map - 1)
      page[group + lowestBit(map)] ^= words[at++];
  }
}
