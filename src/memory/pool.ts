import { assert } from '../base/assert.js';
import type { PlacedDigests } from '../base/digest.js';
import { PAGE_SIZE, Page } from './page.js';

/** Of the slots, how many are freed at a time when all are taken. */
const EVICTED_SHARE = 8;
/** Of the memory, how much may be rooms, and how much of it they keep when pages need slots. */
const ROOMS_SHARE = 2;
const KEPT_ROOMS_SHARE = 32;

/**
 * Pages side by side in one memory, where generated code reaches them by number. A page is in at most one place: its
 * bytes are those of its slot, or its own. Pages leave when room is needed, first in, first out; being in the pool
 * changes nothing that anybody can see.
 *
 * From the end of the memory down are rooms: there pages of snapshots stay that were copied so that others can be written
 * in their slots. Before pages that are in use leave, rooms become slots: their pages are seldom read.
 */
export class PagePool {
  /** Goes up whenever a page has left its slot: what knew pages by slot may be wrong. */
  moves = 0;
  private readonly pages: (Page | null)[] = [];
  private readonly free: number[] = [];
  private oldest = 0;
  private readonly bytes: Uint8Array;
  /** Who is in each room; null: nobody, and it is set aside or a slot. */
  private readonly lodgers: (Page | null)[] = [];
  private nextLodger = 0;
  private readonly mostRooms: number;
  private readonly keptRooms: number;
  /** Rooms that became slots. */
  private taken = 0;
  private readonly end: number;
  /** Rooms that were left since. */
  private readonly left: number[] = [];

  /**
   * @param start offset of the first slot, a multiple of PAGE_SIZE
   * @param slots how many there are before there are rooms
   * @param digests of what is in that memory
   */
  constructor(
    memory: ArrayBuffer,
    private readonly start: number,
    private slots: number,
    digests: PlacedDigests | null = null,
  ) {
    assert(start % PAGE_SIZE === 0 && start + slots * PAGE_SIZE <= memory.byteLength, 'the pool has no room');
    this.bytes = new Uint8Array(memory);
    this.mostRooms = Math.floor(slots / ROOMS_SHARE);
    this.keptRooms = Math.floor(slots / KEPT_ROOMS_SHARE);
    this.end = start + slots * PAGE_SIZE;
    Page.poolIn(this.bytes, digests, this.left);
  }

  /** Where a page's bytes are in the memory; brings the page in. */
  addressOf(page: Page): number {
    if (page.slot < 0) this.bring(page);
    return this.start + page.slot * PAGE_SIZE;
  }

  /** Brings pages in, together those whose bytes come from one source. */
  bringAll(pages: readonly Page[]): void {
    for (let from = 0; from < pages.length; ) {
      const { source } = pages[from];
      let end = from + 1;
      while (source !== undefined && end < pages.length && pages[end].source === source) end++;
      const together = pages.slice(from, end);
      if (together.length > 1 && together.length <= this.unused) this.bringTogether(together);
      else for (const page of together) this.addressOf(page);
      from = end;
    }
  }

  private bringTogether(pages: readonly Page[]): void {
    const first = this.pages.length;
    const start = this.unusedAddress;
    for (let i = 0; i < pages.length; i++) this.pages.push(null);
    try {
      pages[0].source!.readAll(pages, this.bytes.subarray(start, start + pages.length * PAGE_SIZE));
    } catch (reason) {
      for (let i = 0; i < pages.length; i++) this.free.push(first + i);
      throw reason;
    }
    pages.forEach((page, i) => {
      this.arrived(page, first + i);
    });
  }

  /** Places that were never used hold zeros: where the first is, and how many follow each other from there on. */
  get unusedAddress(): number {
    return this.start + this.pages.length * PAGE_SIZE;
  }

  /** Where so many pages would come next, as far as places were never used. */
  unusedBytes(pages: number): Uint8Array {
    const start = this.unusedAddress;
    return this.bytes.subarray(start, start + Math.min(pages, this.unused) * PAGE_SIZE);
  }

  get unused(): number {
    // Rooms that became slots are behind all others.
    return Math.max(0, this.slots - this.pages.length);
  }

  /** Brings a page of zeros of which nobody asked for the bytes to an unused place, where its bytes are already. */
  adopt(page: Page, address: number): void {
    const slot = (address - this.start) / PAGE_SIZE;
    while (this.pages.length <= slot) this.pages.push(null);
    this.arrived(page, slot);
  }

  pageAt(address: number): Page {
    return this.pages[(address - this.start) / PAGE_SIZE]!;
  }

  /**
   * A copy of a page, which nothing but snapshots has from now on, takes over its slot: who reads there reads the copy.
   * The original leaves.
   */
  replace(original: Page, copy: Page): void {
    if (original.slot < 0 || copy.slot >= 0) return;
    original.changePlaces(copy);
    this.takeSlotOf(original, copy);
    this.moves++;
  }

  /** Sets a room aside, for which a page may have to move out; null when there is none. */
  takeRoom(): number | null {
    const address = this.left.pop();
    if (address !== undefined) {
      this.lodgers[this.roomAt(address)] = null;
      return address;
    }
    if (this.unused === 0 || this.lodgers.length === this.mostRooms) return this.emptyRoom();
    this.slots--;
    return this.addressOfRoom(this.lodgers.push(null) - 1);
  }

  /** The one whose page is there for longest, about. */
  private emptyRoom(): number | null {
    for (let i = 0; i < this.lodgers.length; i++) {
      const room = this.nextLodger;
      this.nextLodger = (room + 1) % this.lodgers.length;
      const page = this.lodgers[room];
      if (page === null) continue;
      page.moveOut();
      this.lodgers[room] = null;
      return this.addressOfRoom(room);
    }
    return null;
  }

  private addressOfRoom(room: number): number {
    return this.end - (room + 1) * PAGE_SIZE;
  }

  private roomAt(address: number): number {
    return (this.end - address) / PAGE_SIZE - 1;
  }

  /** Pages left their slots for rooms that were set aside: each of the copies has the slot of its original. */
  split(originals: readonly Page[], copies: readonly Page[], rooms: readonly number[]): void {
    for (let i = 0; i < originals.length; i++) {
      const original = originals[i]!;
      this.takeSlotOf(original, copies[i]!);
      this.lodgers[this.roomAt(rooms[i]!)] = original;
    }
    this.moves++;
  }

  private takeSlotOf(original: Page, copy: Page): void {
    copy.slot = original.slot;
    this.pages[copy.slot] = copy;
    original.slot = -1;
  }

  private bring(page: Page): void {
    if (this.unused === 0) this.place(page, this.takeSlot(), false);
    else this.place(page, this.pages.push(null) - 1, true);
  }

  private place(page: Page, slot: number, isClean: boolean): void {
    try {
      page.moveTo(this.bytes, this.start + slot * PAGE_SIZE, isClean);
    } catch (reason) {
      this.free.push(slot);
      throw reason;
    }
    page.slot = slot;
    this.pages[slot] = page;
  }

  /** A page's contents are in its slot. */
  private arrived(page: Page, slot: number): void {
    page.arrived(this.bytes, this.start + slot * PAGE_SIZE);
    page.slot = slot;
    this.pages[slot] = page;
  }

  private takeSlot(): number {
    if (this.free.length === 0) {
      const room = this.lodgers.length - this.taken > this.keptRooms ? this.takeRoom() : null;
      if (room === null) this.evict(Math.ceil(this.slots / EVICTED_SHARE));
      else this.becomeSlot(room);
    }
    return this.free.pop()!;
  }

  private becomeSlot(room: number): void {
    const slot = (room - this.start) / PAGE_SIZE;
    while (this.pages.length <= slot) this.pages.push(null);
    this.free.push(slot);
    this.taken++;
  }

  /** All slots are taken; other places are rooms. */
  private evict(count: number): void {
    for (let left = count; left > 0; ) {
      const slot = this.oldest;
      this.oldest = (slot + 1) % this.pages.length;
      const page = this.pages[slot];
      if (page === null) continue;
      page.moveOut();
      page.slot = -1;
      this.pages[slot] = null;
      this.free.push(slot);
      left--;
    }
    this.moves++;
  }
}
