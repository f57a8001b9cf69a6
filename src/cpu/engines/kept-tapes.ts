import { kept } from '../../base/prepared.js';
import { storeItems, type Tape, tapeItems } from '../wasm/tape.js';

/** Words (u16) before the items of all tapes: how many tapes there are; and of each its key, most bytes and items. */
const HEAD_WORDS = 1;
const WORDS = 4;

/** Tapes by key as the bytes that a build keeps. */
function bytesOfTapes(tapes: ReadonlyMap<number, Tape>): Uint8Array {
  const words = [tapes.size];
  for (const [key, { start, end, size }] of tapes) words.push(key & 0xffff, key >>> 16, size, end - start);
  for (const tape of tapes.values()) for (const item of tapeItems(tape)) words.push(item);
  return new Uint8Array(Uint16Array.from(words).buffer);
}

/** What `bytesOfTapes` wrote. */
export function tapesOfBytes(bytes: Uint8Array): Map<number, Tape> {
  const words = new Uint16Array(bytes.slice().buffer);
  const tapes = new Map<number, Tape>();
  let at = HEAD_WORDS;
  const items = at + words[0]! * WORDS;
  let start = storeItems(words.subarray(items));
  for (; at < items; at += WORDS) {
    const end = start + words[at + 3]!;
    tapes.set((words[at + 1]! << 16) | words[at]!, { start, end, size: words[at + 2]! });
    start = end;
  }
  return tapes;
}

/** The tapes that a build of the same code made under a name; it keeps what `collect` gives. */
export function keptTapes(name: string, collect: () => ReadonlyMap<number, Tape>): ReadonlyMap<number, Tape> {
  const bytes = kept(name, () => bytesOfTapes(collect()));
  return bytes === undefined ? new Map() : tapesOfBytes(bytes);
}
