import { PayloadError } from './recording-error.js';

/**
 * Bytes without their zero words, for memory, of which much is zero: for each 32 words of 32 bits a word that has a
 * bit for each that is not zero (the first one's is the lowest), then those. Deflate makes less of most pages, and
 * takes thirty times as long to write and to read: a checkpoint has thousands of them.
 */
const WORD_BYTES = 4;
const GROUP_BYTES = 32 * WORD_BYTES;

/** Null where that is no shorter, or the length is no multiple of 4. */
export function encodeSparse(payload: Uint8Array): Uint8Array | null {
  const sizeBytes = payload.length;
  if (sizeBytes % WORD_BYTES !== 0) return null;
  const from = new DataView(payload.buffer, payload.byteOffset, sizeBytes);
  const out = new Uint8Array(sizeBytes);
  const to = new DataView(out.buffer);
  let at = 0;
  for (let group = 0; group < sizeBytes; group += GROUP_BYTES) {
    const end = Math.min(sizeBytes, group + GROUP_BYTES);
    const mapAt = at;
    let map = 0;
    at += WORD_BYTES;
    for (let i = group; i < end; i += WORD_BYTES) {
      const word = from.getInt32(i, true);
      if (word === 0) continue;
      if (at + WORD_BYTES >= sizeBytes) return null;
      map |= 1 << ((i - group) / WORD_BYTES);
      to.setInt32(at, word, true);
      at += WORD_BYTES;
    }
    if (mapAt + WORD_BYTES >= sizeBytes) return null;
    to.setInt32(mapAt, map, true);
  }
  return at < sizeBytes ? out.subarray(0, at) : null;
}

/**
 * @param rawLength bounded by the caller
 * @throws PayloadError
 */
export function decodeSparse(stored: Uint8Array, rawLength: number): Uint8Array {
  // A group's map is the least there is of it.
  const least = Math.ceil(rawLength / GROUP_BYTES) * WORD_BYTES;
  if (rawLength % WORD_BYTES !== 0 || stored.length % WORD_BYTES !== 0 || stored.length < least)
    throw new PayloadError('it inflates to less than it claims');
  const from = new DataView(stored.buffer, stored.byteOffset, stored.length);
  const out = new Uint8Array(rawLength);
  const to = new DataView(out.buffer);
  let at = 0;
  for (let group = 0; group < rawLength; group += GROUP_BYTES) {
    if (at >= stored.length) throw new PayloadError('it inflates to less than it claims');
    let map = from.getInt32(at, true);
    at += WORD_BYTES;
    for (let i = group; map !== 0; map >>>= 1, i += WORD_BYTES) {
      if ((map & 1) === 0) continue;
      if (i >= rawLength || at >= stored.length)
        throw new PayloadError('it inflates to something else than it claims');
      to.setInt32(i, from.getInt32(at, true), true);
      at += WORD_BYTES;
    }
  }
  if (at !== stored.length) throw new PayloadError('it inflates to more than it claims');
  return out;
}
