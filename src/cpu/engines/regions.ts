import { PAGE_SHIFT, PAGE_SIZE, type Page } from '../../memory/page.js';
import type { MemoryView } from '../arch.js';
import { FunctionCode } from '../wasm/code.js';
import { type Instance, instantiate } from '../wasm/web-assembly.js';
import { type DecodedPage, type Dependency, decodedPages } from './code-pages.js';
import { DISPATCH_SIGNATURE, dispatch } from './dispatch.js';
import type { Decoded } from './evaluator.js';
import {
  CONTROL,
  memory as hostMemory,
  newModule,
  OFFSET_MASK,
  offsetOf,
  PAGE_BITS,
  PAGE_MASK,
  pageNumberOf,
  STATUS,
  STOPPED_BIT,
  table,
} from './host-memory.js';
import { HOT_COUNT, REGION_SIGNATURE } from './interpreter-code.js';
import { registerAddress } from './lowering.js';
import { type CodeSource, type Region, RegionFinder, type RegionSet } from './region.js';
import { RegionCode } from './region-code.js';
import { emitIsOtherRounding } from './region-index.js';
import { Templates } from './template.js';

/** Regions made at a time: hot ones, and those they call that are warm. */
const BATCH = 16;
const WARM_COUNT = HOT_COUNT / 8;
/** What indirect jumps of a region go to is looked for so far from its start, bytes, where so many jumps went. */
const TARGET_REACH = 1024;
const JUMPED_TO_COUNT = HOT_COUNT / 32;
/** Regions of fewer instructions than this are not worth the way in and out. */
const LEAST_SIZE = 3;

export interface RegionMakerSet extends RegionSet {
  instructionLength(firstHalf: number): 2 | 4;
  decode(bits: number, lengthBytes: 2 | 4): Decoded | null;
}

/** Pages of 64 bits of addresses. */
const ALL_PAGES = 2 ** 52;

/** Regions of a process, at most: code that changes without end must not fill the host's memory. It is interpreted then. */
const REGION_LIMIT = 1 << 15;

/** Places of the table in use; 0 is no function. */
let places = 1;
const LEAST_PLACES = 64;

/** So many places of the table. */
function takePlaces(count: number): number {
  const first = places;
  places += count;
  if (places > table.length) table.grow(Math.max(places, table.length * 2, LEAST_PLACES) - table.length);
  return first;
}

/** Templates of each table of instructions, whoever runs them: for threads with NX set, and for others. */
const templates = new Map<RegionSet['entries'], { readonly noted: Templates; readonly notes: Templates }>();

function templatesOf(isa: RegionSet, fuses: boolean) {
  let known = templates.get(isa.entries);
  if (known === undefined) {
    known = { noted: new Templates(isa, fuses, false), notes: new Templates(isa, fuses, true) };
    templates.set(isa.entries, known);
  }
  return known;
}

/** What all modules of regions have: they go on in others by one import. */
const WITHOUT_REGIONS = newModule();
const DISPATCH = WITHOUT_REGIONS.import('dispatch', DISPATCH_SIGNATURE);
const FIRST_REGION = DISPATCH + 1;
const REGION_TYPE = WITHOUT_REGIONS.type(REGION_SIGNATURE);

/** The module that is being made. */
const code = new FunctionCode(REGION_SIGNATURE);

/** What regions cost so far. */
export const statistics = { batches: 0, regions: 0, instructions: 0, codeBytes: 0 };

/** A page with code, and what is decoded of it. */
interface CodePage {
  readonly number: number;
  readonly page: Page | null;
  readonly view: DataView | null;
  readonly decoded: DecodedPage | null;
}

/** The pages that a batch is looked for in: each is asked for once. */
class CodePages {
  private readonly known = new Map<number, CodePage>();

  constructor(private readonly memory: MemoryView) {}

  at(number: number): CodePage {
    let known = this.known.get(number);
    if (known === undefined) {
      const page = this.memory.pageForFetch(number);
      const decoded = page === null ? null : (decodedPages.known(page, BigInt(number) << PAGE_BITS) ?? null);
      known = { number, page, view: page === null ? null : page.view, decoded };
      this.known.set(number, known);
    }
    return known;
  }

  startsRegion(address: bigint): boolean {
    return this.at(pageNumberOf(address)).decoded?.startsRegion(offsetOf(address)) ?? false;
  }

  isWarm(address: bigint): boolean {
    return this.at(pageNumberOf(address)).decoded?.isJumpedTo(offsetOf(address), WARM_COUNT) ?? false;
  }
}

/** Reads instructions from what an address space has as code. */
class FetchedCode implements CodeSource {
  readonly pages = new Map<number, Page>();
  private readonly firstPage: number;
  private readonly firstOffset: number;
  /** The page that was read from last, and its distance from the first. */
  private last: CodePage;
  private lastDistance = 0;

  constructor(
    readonly address: bigint,
    private readonly isa: RegionMakerSet,
    private readonly batch: CodePages,
  ) {
    this.firstPage = pageNumberOf(address);
    this.firstOffset = offsetOf(address);
    this.last = this.pageAt(0);
  }

  private half(offset: number): number | null {
    const distance = offset >> PAGE_SHIFT;
    if (distance !== this.lastDistance) {
      this.last = this.pageAt(distance);
      this.lastDistance = distance;
    }
    const { view } = this.last;
    return view === null ? null : view.getUint16(offset & OFFSET_MASK, true);
  }

  private pageAt(distance: number): CodePage {
    const found = this.batch.at((this.firstPage + distance + ALL_PAGES) % ALL_PAGES);
    if (found.page !== null) this.pages.set(found.number, found.page);
    return found;
  }

  decodeAt(at: number): Decoded | null {
    const offset = this.firstOffset + at;
    const first = this.half(offset);
    if (first === null) return null;
    if (this.isa.instructionLength(first) === 2) return this.isa.decode(first, 2);
    const second = this.half(offset + 2);
    return second === null ? null : this.isa.decode(((second << 16) | first) >>> 0, 4);
  }

  startsRegionAt(at: number): boolean {
    return this.decodedPage(at)?.startsRegion((this.firstOffset + at) & OFFSET_MASK) ?? false;
  }

  jumpTargets(): number[] {
    const targets: number[] = [];
    for (let at = -TARGET_REACH; at <= TARGET_REACH; ) {
      const decoded = this.decodedPage(at);
      let offset = (this.firstOffset + at) & OFFSET_MASK;
      for (; offset < PAGE_SIZE && at <= TARGET_REACH; at += 2, offset += 2)
        if (decoded?.isJumpedTo(offset, JUMPED_TO_COUNT)) targets.push(at);
    }
    return targets;
  }

  /** The page that a place is in, as far as it is decoded. */
  private decodedPage(at: number): DecodedPage | null {
    const distance = (this.firstOffset + at) >> PAGE_SHIFT;
    return this.batch.at((this.firstPage + distance + ALL_PAGES) % ALL_PAGES).decoded;
  }
}

/** Whether one of some regions has a block that starts at an address. */
function isInside(regions: readonly Region[], place: bigint): boolean {
  for (let i = 0; i < regions.length; i++) {
    const { address, blocks } = regions[i]!;
    const distance = Number(BigInt.asIntN(64, place - address));
    for (let j = 0; j < blocks.length; j++) if (blocks[j]!.at === distance) return true;
  }
  return false;
}

/**
 * For the states of the floating-point status that a region is not made for: the interpreter goes on. Where only NX is
 * missing, the host is told by and by.
 */
function emitShort(code: FunctionCode, pcAddress: number, statusAddress: number): void {
  emitIsOtherRounding(code, statusAddress);
  code.op('i32.eqz').if().i32(0);
  code.i32(0).access('i64.load', pcAddress).i64(1).op('i64.or').access('i64.store', CONTROL.unnoted);
  code.op('end');
  code.i32(0).i32(STATUS.short).access('i32.store', CONTROL.status);
  code.get(0).i32(STOPPED_BIT).op('i32.or');
}

/** Makes regions where code is hot. */
export class RegionMaker {
  private readonly templates: ReturnType<typeof templatesOf>;
  /** Code that was hot once waits for company: to the host a module costs as much as several regions in it. */
  private readonly waiting: bigint[] = [];
  /** Regions that were not run once because NX was not set: most threads will have it set soon. */
  private readonly waitingToNote: bigint[] = [];
  private waitingIn: MemoryView | null = null;

  constructor(
    private readonly isa: RegionMakerSet,
    fuses: boolean,
  ) {
    this.templates = templatesOf(isa, fuses);
  }

  /**
   * Tells that code is hot. Where it was so before, regions are made that start there, where other code waits, and where
   * they call. Code is known of more pages then, in which stores must be noticed.
   */
  hot(address: bigint, memory: MemoryView): void {
    const starts = this.together(this.waiting, address, memory);
    if (starts.length === 0) return;
    const regions = this.batch(starts, memory);
    if (regions.length > 0) this.make(regions);
  }

  /**
   * Tells that a region was not run because NX is not set. Where it was so before, functions are made for that, of it
   * and of others that wait.
   */
  unnoted(address: bigint, memory: MemoryView): void {
    const starts = this.together(this.waitingToNote, address, memory);
    const pages = new CodePages(memory);
    const regions = starts
      .filter((start) => pages.startsRegion(start))
      .flatMap((start) => this.regionAt(start, pages) ?? []);
    if (regions.length === 0) return;
    const exports = this.instantiate(regions, this.templates.notes, false);
    const places = regions.map(({ address, pages }) => {
      const page = pages.get(pageNumberOf(address))!;
      return decodedPages.of(page, address & PAGE_MASK).tableIndexAt(offsetOf(address));
    });
    for (const [i, place] of places.entries()) table.set(place + 1, exports[i]);
    this.enter(regions, places);
  }

  /** An address that waits already, or finds no room, with all others that wait; none while it has to wait, or always. */
  private together(waiting: bigint[], address: bigint, memory: MemoryView): bigint[] {
    if (memory !== this.waitingIn) {
      this.waiting.length = 0;
      this.waitingToNote.length = 0;
    }
    this.waitingIn = memory;
    if (!waiting.includes(address) && waiting.length < BATCH) {
      waiting.push(address);
      return [];
    }
    const addresses = [address];
    for (let i = 0; i < waiting.length; i++) if (waiting[i] !== address) addresses.push(waiting[i]!);
    waiting.length = 0;
    return statistics.regions >= REGION_LIMIT ? [] : addresses;
  }

  private make(regions: readonly Region[]): void {
    const count = regions.length;
    let hasFloat = false;
    for (const region of regions) if (region.hasFloat) hasFloat = true;
    const exports = this.instantiate(regions, this.templates.noted, hasFloat);
    const first = takePlaces(count * 2);
    const places: number[] = [];
    for (let i = 0; i < count; i++) {
      const place = first + i * 2;
      places.push(place);
      table.set(place, exports[i]);
      table.set(place + 1, exports[regions[i]!.hasFloat ? count : i]);
    }
    this.enter(regions, places);
  }

  /**
   * The functions of regions, in order, in a module of their own.
   * @param hasShort whether there is one more for states that the others are not made for
   */
  private instantiate(
    regions: readonly Region[],
    templates: Templates,
    hasShort: boolean,
  ): Instance['exports'] {
    const { isa } = this;
    code.clear();
    const section = WITHOUT_REGIONS.begin(code, REGION_TYPE, regions.length + (hasShort ? 1 : 0));
    const context = {
      dispatch: DISPATCH,
      functionOf: (target: bigint, isFloat: boolean): number | null => {
        const i = regions.findIndex(({ address, hasFloat }) => address === target && (isFloat || !hasFloat));
        return i < 0 ? null : FIRST_REGION + i;
      },
    };
    for (const region of regions) {
      const start = code.startFunction();
      new RegionCode(isa, region, context, templates, code).write();
      code.endFunction(start);
      statistics.instructions += region.size;
    }
    if (hasShort) {
      const start = code.startFunction();
      emitShort(code, registerAddress(isa.pcSlot), registerAddress(isa.floatStatusSlot));
      code.endFunction(start);
    }
    code.endSized(section);
    statistics.batches++;
    statistics.regions += regions.length;
    statistics.codeBytes += code.size;
    return instantiate(code.written, { env: { memory: hostMemory, dispatch: dispatch() } }).exports;
  }

  private regionAt(start: bigint, pages: CodePages): Region | null {
    return new RegionFinder(this.isa, new FetchedCode(start, this.isa, pages)).find();
  }

  /** The regions at the first of some addresses, at others that no region has yet, and, behind them, warm ones they call. */
  private batch(starts: readonly bigint[], memory: MemoryView): Region[] {
    const regions: Region[] = [];
    const pages = new CodePages(memory);
    const work = [...starts];
    for (let i = 0; i < work.length && regions.length < BATCH; i++) {
      const next = work[i]!;
      if (pages.startsRegion(next) || isInside(regions, next)) continue;
      const region = this.regionAt(next, pages);
      if (region === null || (region.size < LEAST_SIZE && i < starts.length)) continue;
      regions.push(region);
      const { blocks } = region;
      for (let j = 0; j < blocks.length; j++) {
        const { end } = blocks[j]!;
        if (end.kind !== 'call') continue;
        const target = BigInt.asUintN(64, region.address + BigInt(end.targetAt));
        // Where a region starts already, it is called through the table.
        if (!work.includes(target) && !pages.startsRegion(target) && pages.isWarm(target)) work.push(target);
      }
    }
    return regions;
  }

  /** A batch is one piece: each of its regions is good only while the code of all of them is. */
  private enter(batch: readonly Region[], places: readonly number[]): void {
    const dependencies: Dependency[] = [];
    for (let i = 0; i < batch.length; i++) {
      for (const [pageNumber, page] of batch[i]!.pages) {
        if (dependencies.some((known) => known.pageNumber === pageNumber)) continue;
        const { code } = decodedPages.of(page, BigInt(pageNumber) << PAGE_BITS);
        dependencies.push({ pageNumber, page, code });
      }
    }
    for (let i = 0; i < batch.length; i++) {
      const { address, pages } = batch[i]!;
      // Asked for again: each that is new may drop another.
      const decoded = decodedPages.of(pages.get(pageNumberOf(address))!, address & PAGE_MASK);
      decoded.addRegion({ offset: offsetOf(address), dependencies }, places[i]!);
    }
  }
}
