import { assert } from '../base/assert.js';
import type { PlacedDigests } from '../base/digest.js';
import { PAGE_SIZE, Page } from './page.js';

/** Of the slots, how many are freed at a time when all are taken. */
const EVICTED_SHARE = 8;
/** Of the whole memory, how much may be rooms, and how much of it they keep when pages need slots. */
const ROOMS_SHARE = 2;
const KEPT_ROOMS_SHARE = 32;

/** So many places are used before somebody is told that more will be. */
const FEW_PLACES = 256;

/**
 * Pages side by side in one memory, where generated code reaches them by number. A page is in at most one place: its
 * bytes are those of its slot, or its own. Pages leave when room is needed, first in, first out; being in the pool
 * changes nothing that anybody can see.
 *
 * From the end of the memory down are rooms: there pages of snapshots stay that were copied so that others can be written
 * in their slots. Before pages that are in use leave, rooms become slots: their pages are seldom read.
 *
 * The memory may begin smaller, with rooms at its end, too. It grows once, before the first page would have to leave. Its
 * rooms stay where they are.
 */
export class PagePool {
  /** Goes up whenever a page has left its slot: what knew pages by slot may be wrong. */
  moves = 0;
  private readonly pages: (Page | null)[] = [];
  private readonly free: number[] = [];
  private oldest = 0;
  private bytes: Uint8Array;
  /** How many there are before there are rooms. */
  private slots: number;
  /** Who is in each room; null: nobody, and it is set aside or a slot. */
  private readonly lodgers: (Page | null)[] = [];
  private nextLodger = 0;
  private mostRooms: number;
  private readonly keptRooms: number;
  /** Rooms that are set aside: nobody is there yet. */
  private setAside = 0;
  /** Rooms that the smaller memory had, and where it ended. */
  private earlyRooms: number;
  private readonly earlyEnd: number;
  /** Of the places, how many may be used before `tellMany`. */
  private firstPlaces = FEW_PLACES;
  /** Rooms that became slots. */
  private taken = 0;
  private readonly end: number;
  /** Rooms that were left since. */
  private readonly left: number[] = [];

  /**
   * @param start offset of the first slot, a multiple of PAGE_SIZE
   * @param allSlots how many there are once the memory is whole, before there are rooms
   * @param digests of what is in that memory
   * @param grow makes a smaller memory whole and gives its buffer, or null when the host has no memory for that; the
   *   buffer before is of no use then
   * @param tellMany is called once, before pages are in more than a few places; rooms may be in use
   */
  constructor(
    memory: ArrayBuffer,
    private readonly start: number,
    private readonly allSlots: number,
    digests: PlacedDigests | null = null,
    private grow: (() => ArrayBuffer | null) | null = null,
    private readonly tellMany: () => void = () => {},
  ) {
    this.bytes = new Uint8Array(memory);
    this.keptRooms = Math.floor(allSlots / KEPT_ROOMS_SHARE);
    this.end = start + allSlots * PAGE_SIZE;
    this.slots = Math.min(allSlots, Math.floor((memory.byteLength - start) / PAGE_SIZE));
    this.mostRooms = Math.floor(this.slots / ROOMS_SHARE);
    this.earlyRooms = grow === null ? 0 : Number.POSITIVE_INFINITY;
    this.earlyEnd = grow === null ? start : start + this.slots * PAGE_SIZE;
    if (grow === null) this.mustBeWhole();
    Page.poolIn(this.bytes, digests, this.left);
  }

  private mustBeWhole(): void {
    assert(this.start % PAGE_SIZE === 0 && this.end <= this.bytes.length, 'the pool has no room');
  }

  /** Has the whole memory, if the host has it: that is asked once. */
  private growOnce(): void {
    const { grow } = this;
    if (grow === null) return;
    this.grow = null;
    const memory = grow();
    if (memory === null) return;
    const before = this.bytes;
    this.bytes = new Uint8Array(memory);
    this.mustBeWhole();
    Page.poolGrew(before, this.bytes);
    for (const page of this.pages) page?.grew(before, this.bytes);
    for (const page of this.lodgers) page?.grew(before, this.bytes);
    this.earlyRooms = this.lodgers.length;
    this.slots = this.allSlots;
    this.mostRooms = Math.floor(this.allSlots / ROOMS_SHARE);
    if (this.earlyRooms > 0) this.skipEarlyRooms();
  }

  /** Places that were never used follow each other: behind the rooms. */
  private skipEarlyRooms(): void {
    const afterRooms = (this.earlyEnd - this.start) / PAGE_SIZE;
    while (this.pages.length < afterRooms - this.earlyRooms) this.free.push(this.pages.push(null) - 1);
    this.unusedFrom(afterRooms);
  }

  /** How many places were never used, after growing if it can have so many. */
  private unusedFor(pages: number): number {
    if (pages > this.unused && this.firstPlaces < this.slots) {
      this.firstPlaces = Number.POSITIVE_INFINITY;
      this.tellMany();
    }
    if (pages > this.unused) this.growOnce();
    return this.unused;
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
      if (together.length > 1 && together.length <= this.unusedFor(together.length))
        this.bringTogether(together);
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

  /** The slots before that one are not unused any more. */
  private unusedFrom(slot: number): void {
    while (this.pages.length < slot) this.pages.push(null);
  }

  /** Places that were never used hold zeros: where the first is, and how many follow each other from there on. */
  get unusedAddress(): number {
    return this.start + this.pages.length * PAGE_SIZE;
  }

  /** How many places that were never used may be written now, one behind the other. */
  get unused(): number {
    // Rooms that became slots are behind all others.
    return Math.max(0, Math.min(this.slots, this.firstPlaces) - this.pages.length);
  }

  /** Brings a page of zeros of which nobody asked for the bytes to an unused place, where its bytes are already. */
  adopt(page: Page, address: number): void {
    const slot = (address - this.start) / PAGE_SIZE;
    this.unusedFrom(slot + 1);
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
      this.setAside++;
      return address;
    }
    if (this.hasAllRooms && this.setAside === 0) this.growOnce();
    if (this.hasAllRooms) return this.grow === null ? this.emptyRoom() : null;
    this.slots--;
    this.setAside++;
    return this.addressOfRoom(this.lodgers.push(null) - 1);
  }

  private get hasAllRooms(): boolean {
    return this.pages.length >= this.slots || this.lodgers.length === this.mostRooms;
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
      this.setAside++;
      return this.addressOfRoom(room);
    }
    return null;
  }

  private addressOfRoom(room: number): number {
    const { earlyRooms, earlyEnd, end } = this;
    return room < earlyRooms ? earlyEnd - (room + 1) * PAGE_SIZE : end - (room - earlyRooms + 1) * PAGE_SIZE;
  }

  private roomAt(address: number): number {
    const { earlyRooms, earlyEnd, end } = this;
    const early = (earlyEnd - address) / PAGE_SIZE - 1;
    // Later rooms may reach below where the smaller memory ended.
    return early >= 0 && early < earlyRooms ? early : (end - address) / PAGE_SIZE - 1 + earlyRooms;
  }

  /** Pages left their slots for rooms that were set aside: each of the copies has the slot of its original. */
  split(originals: readonly Page[], copies: readonly Page[], rooms: readonly number[]): void {
    for (let i = 0; i < originals.length; i++) {
      const original = originals[i]!;
      this.takeSlotOf(original, copies[i]!);
      this.lodgers[this.roomAt(rooms[i]!)] = original;
    }
    this.setAside -= rooms.length;
    this.moves++;
  }

  private takeSlotOf(original: Page, copy: Page): void {
    copy.slot = original.slot;
    this.pages[copy.slot] = copy;
    original.slot = -1;
  }

  private bring(page: Page): void {
    if (this.unusedFor(1) === 0) this.place(page, this.takeSlot(), false);
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
    this.unusedFrom(slot + 1);
    this.free.push(slot);
    this.setAside--;
    this.taken++;
  }

  /** All slots are taken; other places are rooms, or used no more. */
  private evict(count: number): void {
    for (let left = count, round = this.pages.length; left > 0 && round > 0; round--) {
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
