import { ZERO_PAGE } from '../../memory/page.js';
import type { MemoryView, PageGroup } from '../arch.js';
import {
  CONTROL,
  GROUP,
  GROUP_BYTES,
  GROUP_FLAGS,
  GROUP_PAGES,
  GROUPS,
  pool,
  TOUCHED,
  words,
  ZEROS,
} from './host-memory.js';

/** So many groups are looked at at once, at most: 32 MiB. It is twice as many each time, until all are forgotten. */
const MOST_AT_ONCE = 256;
/** Of groups that were looked at, before all are forgotten: more than this are there twice. */
const MOST_PLACES = 2 * GROUPS;
const WORD_VALUES = 2 ** 32;

/** Which pages were never written, as far as generated code knows: what it touches of them it need not ask for. */
export class ZeroGroups {
  private places: number[] = [];
  private next = 1;

  /** Pages that nobody knows anything of are looked at, with their neighbours. */
  look(memory: MemoryView, pageNumber: number): void {
    const group = Math.floor(pageNumber / GROUP_PAGES);
    if (memory.zerosNear === undefined || this.knows(group)) return;
    // No page may have to leave for the one that is loaded.
    if (ZERO_PAGE.slot < 0 && pool.unused === 0) return;
    // At first: `words` may be others then.
    const zeroPlace = pool.addressOf(ZERO_PAGE);
    words[CONTROL.zeros >> 2] = zeroPlace;
    if (this.places.length >= MOST_PLACES) this.clear();
    const zeros = memory.zerosNear(pageNumber, this.next);
    if (zeros === null) {
      this.set(group, 0, false);
      return;
    }
    this.next = Math.min(2 * this.next, MOST_AT_ONCE);
    zeros.groups.forEach((pages, i) => {
      this.set(zeros.firstGroup + i, pages, zeros.isStorable);
    });
  }

  get some(): boolean {
    return this.places.length > 0;
  }

  private knows(group: number): boolean {
    const word = wordOf(group);
    return (
      words[word]! === (group | 0) &&
      words[word + 1]! === Math.floor(group / WORD_VALUES) &&
      words[word + (GROUP.flags >> 2)] !== 0
    );
  }

  private set(group: number, pages: number, isStorable: boolean): void {
    const word = wordOf(group);
    words[word] = group;
    words[word + 1] = Math.floor(group / WORD_VALUES);
    words[word + (GROUP.pages >> 2)] = pages;
    words[word + (GROUP.flags >> 2)] = GROUP_FLAGS.known | (isStorable ? GROUP_FLAGS.storable : 0);
    this.places.push(word);
  }

  /** A page is there now. */
  forget(pageNumber: number): void {
    const group = Math.floor(pageNumber / GROUP_PAGES);
    if (this.knows(group)) words[wordOf(group) + (GROUP.pages >> 2)]! &= ~(1 << (pageNumber % GROUP_PAGES));
  }

  /**
   * What generated code touched since it was asked last: groups with those pages that it stored to, in ascending order.
   * They are so from now on.
   */
  takeTouched(): PageGroup[] {
    const touched: PageGroup[] = [];
    const end = words[CONTROL.touched >> 2]!;
    for (let at = 0; at < end; at += 4) {
      const word = (ZEROS + words[(TOUCHED + at) >> 2]!) >> 2;
      const group = (words[word]! >>> 0) + words[word + 1]! * WORD_VALUES;
      touched.push({ group, pages: words[word + (GROUP.stored >> 2)]! });
      words[word + (GROUP.stored >> 2)] = 0;
      words[word + (GROUP.flags >> 2)]! &= ~GROUP_FLAGS.touched;
    }
    words[CONTROL.touched >> 2] = 0;
    return touched.sort((a, b) => a.group - b.group);
  }

  clear(): void {
    for (const word of this.places) {
      words[word + (GROUP.pages >> 2)] = 0;
      words[word + (GROUP.flags >> 2)] = 0;
    }
    this.places = [];
    this.next = 1;
  }
}

/** Where a group is among the words of the host memory. */
function wordOf(group: number): number {
  return (ZEROS + (group % GROUPS) * GROUP_BYTES) >> 2;
}
