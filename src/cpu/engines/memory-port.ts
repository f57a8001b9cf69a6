import { assert } from '../../base/assert.js';
import { PAGE_SIZE, type Page } from '../../memory/page.js';
import type { Access, MemoryView, Stop } from '../arch.js';

/** Thrown to leave an instruction that stops; what happened is in `MemoryPort.stop`. One object: no stack traces. */
export const STOPPED: object = Object.freeze({ name: 'STOPPED' });

const ENTRIES = 1024;
const PAGE_MASK = ~(PAGE_SIZE - 1);
/** Pages of 64 bits of addresses, which wrap. */
const PAGE_COUNT = 2 ** 52;
/** The low word of no page address. */
const EMPTY = 1;

assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'engines need a little-endian host');

/** A direct-mapped cache of pages by address. */
class Tlb {
  readonly low = new Int32Array(ENTRIES).fill(EMPTY);
  readonly high = new Int32Array(ENTRIES);
  readonly pages: (Page | null)[] = new Array(ENTRIES).fill(null);

  clear(): void {
    this.low.fill(EMPTY);
    this.pages.fill(null);
  }

  forget(entry: number): void {
    this.low[entry] = EMPTY;
    this.pages[entry] = null;
  }
}

function ask(memory: MemoryView, access: Access, pageNumber: number): Page | null {
  switch (access) {
    case 'load':
      return memory.pageForLoad(pageNumber);
    case 'store':
      return memory.pageForStore(pageNumber);
    case 'fetch':
      return memory.pageForFetch(pageNumber);
  }
}

/** One load or store, kept for a trace or until the instruction's effects are due. */
export interface Traffic {
  readonly store: boolean;
  readonly address: bigint;
  readonly sizeBytes: number;
  readonly value: bigint;
}

/**
 * A core's way to memory: translation caches, accesses that cross pages, and the news of stores to decoded pages.
 *
 * Callers get a view and find the place in `offset`. Accesses within one cached page get the page's own view. All
 * others (page crossing, traced) work on a scratch view that is filled before a load and, for stores, emptied into
 * memory by `finishStore`, which a caller must call when `unfinished` is set.
 */
export abstract class MemoryPort {
  /** Why the instruction stopped, when STOPPED was thrown. */
  stop: Stop = { kind: 'budget' };
  protected offset = 0;
  protected unfinished = false;
  /**
   * An address on its way from a bigint to two words. 64-bit values go through cells like this one wherever they
   * are taken apart, or come together from two branches. For V8 11.3 (Node 20) keeps a bigint in a machine register
   * only within straight-line code; and it aborts the process when it optimises a function in which a bigint known
   * to have 64 bits is merged from two branches, shifted right by a constant, and cut to 64 bits again.
   */
  protected readonly address = new BigInt64Array(1);
  private readonly addressWords = new Int32Array(this.address.buffer);
  private readonly loads = new Tlb();
  private readonly stores = new Tlb();
  private readonly fetches = new Tlb();
  private readonly scratch = new DataView(new ArrayBuffer(16));
  private memory: MemoryView | null = null;
  private generation = -1;
  private epoch = -1;
  /** The pages behind an unfinished store, and its size. */
  private first: Page | null = null;
  private second: Page | null = null;
  private split = 0;
  private sizeBytes = 0;
  /** Collects accesses in program order instead of caching pages, when not null. */
  private traffic: Traffic[] | null = null;

  /** Stops running from the current page after this instruction: its code may be another now. */
  protected abstract leavePage(): void;

  /** Starts using a memory. Cached pages survive if nothing has changed since. */
  attach(memory: MemoryView, traffic: Traffic[] | null): void {
    if (memory !== this.memory || traffic !== this.traffic) this.generation = -1;
    this.memory = memory;
    this.traffic = traffic;
    this.checkGeneration();
    this.unfinished = false;
  }

  /** The page to run code from, for an instruction of which some part starts at `address`. */
  protected pageForFetch(address: bigint): Page {
    this.address[0] = address;
    const low = this.addressWords[0]!;
    const entry = (low >>> 12) & (ENTRIES - 1);
    const tlb = this.fetches;
    if (tlb.low[entry] === (low & PAGE_MASK) && tlb.high[entry] === this.addressWords[1]) {
      return tlb.pages[entry]!;
    }
    return this.lookUp(tlb, 'fetch', this.pageNumber());
  }

  protected fault(access: Access, address: bigint): never {
    this.stop = { kind: 'page-fault', access, address: BigInt.asUintN(64, address) };
    throw STOPPED;
  }

  protected misaligned(access: Access, address: bigint): never {
    this.stop = { kind: 'misaligned', access, address: BigInt.asUintN(64, address) };
    throw STOPPED;
  }

  protected viewForLoad(address: bigint, sizeBytes: number): DataView {
    this.address[0] = address;
    const low = this.addressWords[0]!;
    const entry = (low >>> 12) & (ENTRIES - 1);
    const offset = low & ~PAGE_MASK;
    const tlb = this.loads;
    if (
      tlb.low[entry] === (low & PAGE_MASK) &&
      tlb.high[entry] === this.addressWords[1] &&
      offset <= PAGE_SIZE - sizeBytes
    ) {
      this.offset = offset;
      return tlb.pages[entry]!.view;
    }
    return this.missedLoad(sizeBytes);
  }

  protected viewForStore(address: bigint, sizeBytes: number): DataView {
    this.address[0] = address;
    const low = this.addressWords[0]!;
    const entry = (low >>> 12) & (ENTRIES - 1);
    const offset = low & ~PAGE_MASK;
    const tlb = this.stores;
    if (
      tlb.low[entry] === (low & PAGE_MASK) &&
      tlb.high[entry] === this.addressWords[1] &&
      offset <= PAGE_SIZE - sizeBytes
    ) {
      this.offset = offset;
      const page = tlb.pages[entry]!;
      if (page.code !== null) this.forgetCode(page);
      return page.view;
    }
    return this.missedStore(sizeBytes);
  }

  /** Faults unless the bytes may be stored to. They must not cross a page. */
  protected checkStore(address: bigint): void {
    this.address[0] = address;
    this.lookUp(this.stores, 'store', this.pageNumber());
  }

  protected finishStore(): void {
    this.unfinished = false;
    if (this.traffic === null) {
      this.commit();
      return;
    }
    const value = this.scratchValue();
    this.traffic.push({ store: true, address: this.exactAddress(), sizeBytes: this.sizeBytes, value });
  }

  /** Puts the bytes of the store that waits in the scratch view into memory. */
  commit(): void {
    const first = this.first!;
    const second = this.second;
    const end = this.split;
    const offset = this.offsetOfAddress();
    this.forgetCode(first);
    for (let i = 0; i < end; i++) first.bytes[offset + i] = this.scratch.getUint8(i);
    if (second === null) return;
    this.forgetCode(second);
    for (let i = end; i < this.sizeBytes; i++) second.bytes[i - end] = this.scratch.getUint8(i);
  }

  private forgetCode(page: Page): void {
    if (page.code === null) return;
    page.code = null;
    this.leavePage();
  }

  private missedLoad(sizeBytes: number): DataView {
    const offset = this.offsetOfAddress();
    const number = this.pageNumber();
    const first = this.lookUp(this.loads, 'load', number);
    if (offset <= PAGE_SIZE - sizeBytes && this.traffic === null) {
      this.offset = offset;
      return first.view;
    }
    const split = Math.min(sizeBytes, PAGE_SIZE - offset);
    const second = split < sizeBytes ? this.lookUp(this.loads, 'load', (number + 1) % PAGE_COUNT) : null;
    for (let i = 0; i < split; i++) this.scratch.setUint8(i, first.bytes[offset + i]!);
    for (let i = split; i < sizeBytes; i++) this.scratch.setUint8(i, second!.bytes[i - split]!);
    this.offset = 0;
    this.sizeBytes = sizeBytes;
    const value = this.scratchValue();
    this.traffic?.push({ store: false, address: this.exactAddress(), sizeBytes, value });
    return this.scratch;
  }

  private missedStore(sizeBytes: number): DataView {
    const offset = this.offsetOfAddress();
    const number = this.pageNumber();
    let first = this.lookUp(this.stores, 'store', number);
    if (offset <= PAGE_SIZE - sizeBytes && this.traffic === null) {
      this.offset = offset;
      this.forgetCode(first);
      return first.view;
    }
    const split = Math.min(sizeBytes, PAGE_SIZE - offset);
    let second: Page | null = null;
    if (split < sizeBytes) {
      second = this.lookUp(this.stores, 'store', (number + 1) % PAGE_COUNT);
      // Making the second page writable may have replaced the first.
      first = this.lookUp(this.stores, 'store', number);
    }
    this.first = first;
    this.second = second;
    this.split = split;
    this.offset = 0;
    this.sizeBytes = sizeBytes;
    this.unfinished = true;
    return this.scratch;
  }

  /** Asks the memory for a page and caches it. The fault address is the first byte that is missing. */
  private lookUp(tlb: Tlb, access: Access, number: number): Page {
    const memory = this.memory!;
    const page = ask(memory, access, number);
    if (access === 'store' && memory.replacedAlone && memory.generation === this.generation + 1) {
      this.forgetPage(number);
    }
    this.checkGeneration();
    if (page === null) {
      const address = this.exactAddress();
      const start = BigInt(number) * BigInt(PAGE_SIZE);
      this.fault(access, number === this.pageNumber() ? address : start);
    }
    if (this.traffic === null) {
      const entry = number % ENTRIES;
      tlb.low[entry] = (number * PAGE_SIZE) | 0;
      tlb.high[entry] = Math.floor(number / 0x100000) | 0;
      tlb.pages[entry] = page;
    }
    return page;
  }

  /** A first write replaced the page at this number, and nothing else: what is cached of others is good. */
  private forgetPage(number: number): void {
    this.generation++;
    for (const tlb of [this.loads, this.stores, this.fetches]) tlb.forget(number % ENTRIES);
    this.leavePage();
  }

  private checkGeneration(): void {
    const { generation, epoch } = this.memory!;
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.stores.clear();
    }
    if (generation === this.generation) return;
    this.generation = generation;
    this.loads.clear();
    this.stores.clear();
    this.fetches.clear();
    this.leavePage();
  }

  private offsetOfAddress(): number {
    return this.addressWords[0]! & ~PAGE_MASK;
  }

  private pageNumber(): number {
    return (this.addressWords[1]! >>> 0) * 0x100000 + (this.addressWords[0]! >>> 12);
  }

  private exactAddress(): bigint {
    return BigInt.asUintN(64, this.address[0]!);
  }

  private scratchValue(): bigint {
    return BigInt.asUintN(this.sizeBytes * 8, this.scratch.getBigUint64(0, true));
  }
}
