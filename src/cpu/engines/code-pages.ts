import { PAGE_SIZE, type Page } from '../../memory/page.js';
import type { MemoryView } from '../arch.js';
import { PageCode } from './code-store.js';
import type { Decoded } from './evaluator.js';
import {
  bytes,
  DECODED_PLACES,
  decodedPlace,
  END_SLOT,
  emptyFetch,
  FETCH_ENTRIES,
  FETCH_ENTRY_BYTES,
  FETCHES,
  REGION_INDEXES,
  SLOT,
  SLOT_BYTES,
  view,
  words,
} from './host-memory.js';
import { registerAddress } from './lowering.js';
import { EXTRA, type SlotCodes } from './slot-codes.js';

const HALVES = PAGE_SIZE / 2;
const PLACE_BYTES = REGION_INDEXES + HALVES * 4;

/** A page that a region reads code from, besides the one it starts in. */
export interface Dependency {
  readonly pageNumber: number;
  readonly page: Page;
  readonly code: object;
}

export interface RegionStart {
  /** Offset into the page, bytes. */
  readonly offset: number;
  readonly dependencies: readonly Dependency[];
}

/** A page's instructions as generated code reads them, for one address that the page is seen at. */
export class DecodedPage {
  /** Where it is in the memory of generated code. */
  readonly place: number;
  readonly pageNumber: number;
  regions: RegionStart[] = [];
  /** Numbers of the pages that its regions read code from. */
  private reads = new Set<number>();

  constructor(
    readonly page: Page,
    readonly code: PageCode,
    readonly address: bigint,
    readonly index: number,
  ) {
    this.place = decodedPlace(index);
    this.pageNumber = Number(BigInt.asUintN(64, address)) / PAGE_SIZE;
    bytes.fill(0, this.place, this.place + PLACE_BYTES);
    view.setUint16(this.place + END_SLOT + SLOT.code, EXTRA.end, true);
  }

  slotAt(offset: number): number {
    return this.place + (offset >> 1) * SLOT_BYTES;
  }

  /** The code of the instruction at an offset, whether a region starts there or not. */
  codeAt(offset: number): number {
    const slot = this.slotAt(offset);
    const code = view.getUint16(slot + SLOT.code, true);
    return code === EXTRA.region ? view.getUint16(slot + SLOT.heat, true) : code;
  }

  startsRegion(offset: number): boolean {
    return view.getUint16(this.slotAt(offset) + SLOT.code, true) === EXTRA.region;
  }

  /** Whether it was jumped to so often, or a region starts there. */
  isJumpedTo(offset: number, count: number): boolean {
    // By words, which costs less than by fields: see SLOT.
    const word = this.slotAt(offset) >> 2;
    return words[word + 3]! >>> 16 >= count || (words[word]! & 0xffff) === EXTRA.region;
  }

  write(offset: number, d: Decoded, codes: SlotCodes): void {
    const slot = this.slotAt(offset);
    const code = codes.codeOf(d, offset);
    const { rd, rs1, rs2, rs3, disp } = d;
    // An instruction has an immediate, a displacement or a third source.
    let third: number;
    if (disp !== 0) third = codes.at(code)!.form === 'general' ? disp : (disp >> 1) * SLOT_BYTES;
    else third = rs3 !== 0 ? registerAddress(rs3) : Number(d.imm);
    // By words, which costs less than by fields: see SLOT.
    const word = slot >> 2;
    words[word] = code | (registerAddress(rd) << 16);
    words[word + 1] = registerAddress(rs1) | (registerAddress(rs2) << 16);
    words[word + 2] = third;
    words[word + 3] = d.rm | ((d.halves * SLOT_BYTES) << 8);
  }

  /** An instruction that reaches into the next page, which may be another page any time. */
  writeCrossing(offset: number): void {
    view.setUint16(this.slotAt(offset) + SLOT.code, EXTRA.slow, true);
  }

  addRegion(start: RegionStart, tableIndex: number): void {
    const slot = this.slotAt(start.offset);
    if (!this.startsRegion(start.offset)) {
      view.setUint16(slot + SLOT.heat, view.getUint16(slot + SLOT.code, true), true);
      view.setUint16(slot + SLOT.code, EXTRA.region, true);
    }
    view.setInt32(this.place + REGION_INDEXES + start.offset * 2, tableIndex, true);
    this.regions.push(start);
    this.noteReads(start);
  }

  private noteReads({ dependencies }: RegionStart): void {
    for (const { pageNumber } of dependencies) this.reads.add(pageNumber);
  }

  /** Whether it or one of its regions was made of the page at this number. */
  dependsOn(pageNumber: number): boolean {
    return this.pageNumber === pageNumber || this.reads.has(pageNumber);
  }

  /** Where the function of the region that starts at an offset is in the table, and behind it the one for other states. */
  tableIndexAt(offset: number): number {
    return view.getInt32(this.place + REGION_INDEXES + offset * 2, true);
  }

  private removeRegion({ offset }: RegionStart): void {
    // Its two functions may have been made of different pages.
    if (!this.startsRegion(offset)) return;
    const slot = this.slotAt(offset);
    view.setUint16(slot + SLOT.code, view.getUint16(slot + SLOT.heat, true), true);
    view.setUint16(slot + SLOT.heat, 0, true);
  }

  /** Forgets regions for which other pages are not what they were made from. */
  checkRegions(memory: MemoryView): void {
    const stale = this.regions.filter(({ dependencies }) =>
      dependencies.some(
        ({ pageNumber, page, code }) => page.code !== code || memory.pageForFetch(pageNumber) !== page,
      ),
    );
    if (stale.length === 0) return;
    for (const region of stale) this.removeRegion(region);
    this.regions = this.regions.filter((region) => !stale.includes(region));
    this.reads = new Set();
    for (const region of this.regions) this.noteReads(region);
  }
}

/** All decoded pages of a process, in a bounded number of places. */
class DecodedPages {
  /** Goes up when a place got another page: what was bound to it is not there any more. */
  drops = 0;
  private readonly list: (DecodedPage | null)[] = new Array(DECODED_PLACES).fill(null);
  private next = 0;

  /** The page as decoded for this address, if it was. */
  known({ code }: Page, address: bigint): DecodedPage | undefined {
    return code instanceof PageCode
      ? (code.places as DecodedPage[]).find((d) => d.address === address)
      : undefined;
  }

  /** The page as decoded for this address: what there was, or a new one. */
  of(page: Page, address: bigint): DecodedPage {
    const known = this.known(page, address);
    if (known !== undefined) return known;
    const code = PageCode.of(page);
    const index = this.next;
    this.next = (this.next + 1) % DECODED_PLACES;
    this.drop(index);
    const decoded = new DecodedPage(page, code, address, index);
    this.list[index] = decoded;
    code.places.push(decoded);
    return decoded;
  }

  private drop(index: number): void {
    const old = this.list[index];
    if (old === null) return;
    this.drops++;
    old.code.places.splice(old.code.places.indexOf(old), 1);
    if (old.code.places.length === 0 && old.page.code === old.code) old.page.code = null;
  }
}

export const decodedPages = new DecodedPages();

/** Which decoded pages generated code finds by address, while an engine runs. */
export class Fetches {
  private readonly bound = new Map<number, DecodedPage>();
  /** All that are bound. */
  private all: DecodedPage[] = [];

  clear(): void {
    for (const index of this.bound.keys()) emptyFetch(index);
    this.bound.clear();
    this.all = [];
  }

  /** Out of the table, to come back with `takeOut`; when places were dropped meanwhile, to be cleared then. */
  putAway(): void {
    for (const index of this.bound.keys()) emptyFetch(index);
  }

  takeOut(): void {
    for (const [index, decoded] of this.bound) this.write(index, decoded);
  }

  bind(pageNumber: number, decoded: DecodedPage): void {
    const index = pageNumber % FETCH_ENTRIES;
    this.bound.set(index, decoded);
    this.all = [...this.bound.values()];
    this.write(index, decoded);
  }

  private write(index: number, { address, place }: DecodedPage): void {
    const at = FETCHES + index * FETCH_ENTRY_BYTES;
    view.setBigUint64(at, address, true);
    view.setInt32(at + 8, place, true);
  }

  /** Whether anything that generated code may run now was made of the page at this number. */
  dependsOn(pageNumber: number): boolean {
    return this.all.some((decoded) => decoded.dependsOn(pageNumber));
  }

  /** The decoded page at a page's address, when generated code knows it. */
  atPage(pageNumber: number): DecodedPage | null {
    const decoded = this.bound.get(pageNumber % FETCH_ENTRIES);
    return decoded?.pageNumber === pageNumber ? decoded : null;
  }
}
