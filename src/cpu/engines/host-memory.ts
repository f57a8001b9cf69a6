import { PlacedDigests } from '../../base/digest.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../../memory/page.js';
import { PagePool } from '../../memory/pool.js';
import { ModuleBuilder } from '../wasm/code.js';
import { createMemory, createTable, growMemory, type Memory, type Table } from '../wasm/web-assembly.js';

/**
 * What generated code works on: one memory with a fixed layout, one table of functions. All fast engines of a process
 * use the same; the one that runs has its registers and its translations there.
 */

/** An address's page, the number of that, and the places in a page of a byte and of a half-word. */
export const PAGE_MASK = -BigInt(PAGE_SIZE);
export const PAGE_BITS = 12n;
export const OFFSET_MASK = PAGE_SIZE - 1;
export const HALF_MASK = PAGE_SIZE - 2;

export function pageNumberOf(address: bigint): number {
  return Number(address >> PAGE_BITS);
}

/** Where in its page an address is. */
export function offsetOf(address: bigint): number {
  return Number(address & BigInt(OFFSET_MASK));
}

/** Addresses that generated code uses are below 2^SPACE_BITS. */
const SPACE_BITS = 28;
export const MEMORY_BYTES = 2 ** SPACE_BITS;
/**
 * The memory is smaller at first: V8 collects garbage for each buffer that is made while young ones have 32 MiB together.
 * What a command reads at its start is among these.
 */
const FIRST_BYTES = 28 * 2 ** 20;

/** The registers of the thread that runs, as in its register state. */
export const REGISTERS = 0;

/** Words of the control block, behind the registers. */
export const CONTROL = {
  /** i64: virtual time at which the budget is used up. */
  endTime: 1024,
  /** i32: why code came back, STATUS. */
  status: 1032,
  /** i32: which instruction of the region at pc left (`exit-stubs.ts`), or that it was the interpreter. */
  exit: 1036,
  /** i64: the address of the load or store that could not be done. */
  address: 1040,
  /** i64, i32: the reservation of LR/SC; no bytes when there is none. */
  reserved: 1048,
  reservedBytes: 1056,
  /** i32, i64: the place and the address of the decoded page that the interpreter is in. */
  page: 1060,
  pageAddress: 1064,
  /** Operands and result of floating-point operations that are done by the host: 4 × 8 bytes. */
  scratch: 1088,
  /** i64: a region that was not run because NX is not set, its address and 1; 0 when there is none. */
  unnoted: 1120,
  /** i32: where pages go that were never written and are stored to, one behind the other, and how many may. */
  unused: 1128,
  unusedCount: 1132,
  /** i32: where the page is that is loaded where nobody stored yet. */
  zeros: 1136,
  /** i32: bytes of what stands in TOUCHED. */
  touched: 1140,
  /** i32: bytes of what stands in ROOMS. */
  rooms: 1144,
} as const;

/** Where digests of pages come, behind the control block. */
const DIGESTS = 0x800;

/** Why generated code came back before the budget was used up. */
export const STATUS = {
  /** Nothing special: go on at pc. */
  next: 0,
  /** No code is known for the page at pc. */
  fetch: 1,
  /** The instruction at pc is not decoded yet. */
  decode: 2,
  /** The instruction at pc cannot be done by generated code now: a page is missing, or a rare case. */
  slow: 3,
  syscall: 4,
  breakpoint: 5,
  /** The instructions at pc ran often. */
  hot: 6,
  /** A region needs more budget than there is. */
  short: 7,
} as const;

/** Set in the budget that comes back when there is a STATUS to look at. */
export const STOPPED_BIT = 0x8000_0000 | 0;

/**
 * Which page is where, by the low bits of its number: entries of 8 bytes, one table for loads and one for stores. An
 * entry is `address in this memory ^ virtual address` of a page. So `x = entry ^ va` is where the byte is if no bit of
 * x above SPACE_BITS is set. The index reaches one bit further, and an empty entry has that bit wrong.
 */
const INDEX_BITS = SPACE_BITS + 1 - 12;
export const TRANSLATIONS = 2 ** INDEX_BITS;
export const LOADS = 0x10_0000;
export const STORES = LOADS + TRANSLATIONS * 8;
/** Applied to `va >> 9`: the offset of the entry. */
export const ENTRY_MASK = (TRANSLATIONS - 1) * 8;
/** The bits of a page's address in this memory. */
export const ADDRESS_MASK = MEMORY_BYTES - PAGE_SIZE;
/** The bits of `entry ^ va` that must be clear. */
export const MISS_MASK = -(2n ** BigInt(SPACE_BITS));
/**
 * What an entry for stores has the other way round as long as a snapshot has the page: once that was copied to a room,
 * it is stored to where it is. No address hits such an entry, and one that is empty has the lowest bit clear.
 */
export const COPY_FIRST = (2 ** SPACE_BITS) | 1;

/**
 * Pages that were never written, by groups: the low bits of a group's number are its place, where the whole number is
 * (i64), a bit each of the pages that nobody stored to yet, of those that generated code stored to since the host
 * looked, and what is known of all of them.
 */
export const GROUP_PAGES = 32;
export const GROUP_BITS = 17n;
export const GROUPS = TRANSLATIONS / GROUP_PAGES;
export const GROUP_BYTES = 32;
export const ZEROS = STORES + TRANSLATIONS * 8;
export const GROUP = { number: 0, pages: 8, stored: 12, flags: 16 } as const;
export const GROUP_FLAGS = {
  /** It was looked at: other pages are there, or none. */
  known: 1,
  /** Its pages may be stored to. */
  storable: 2,
  /** Generated code made entries for its pages, and the host does not know yet. */
  touched: 4,
} as const;

/** The groups that are touched: offsets of their places (i32). */
export const TOUCHED = ZEROS + GROUPS * GROUP_BYTES;

/** Rooms that the host set aside (i32), of which the last one is taken first; and what was copied there: pages' addresses (i64). */
export const MOST_ROOMS = 1024;
export const ROOMS = TOUCHED + GROUPS * 4;
export const COPIED = ROOMS + MOST_ROOMS * 4;

/** Decoded pages of code by the low bits of their number: virtual address (i64), place (i32). */
export const FETCHES = 0x1000;
export const FETCH_ENTRIES = 256;
export const FETCH_ENTRY_BYTES = 16;
/** No page has this address. */
const NO_PAGE = 1n;

/**
 * A decoded page: a slot for each of its half-words, one that marks its end, and by half-word the place in the table
 * of the region that starts there.
 */
export const SLOT_BYTES = 16;
export const SLOT = {
  /** u16: what is there (`slot-codes.ts`). */
  code: 0,
  /** u16: offsets of registers. */
  rd: 2,
  rs1: 4,
  rs2: 6,
  /** i32: immediate or displacement; of jumps inside the page, bytes to the slot. Instructions with a third source have none. */
  imm: 8,
  rs3: 8,
  /** u8: rounding mode. */
  rm: 12,
  /** u8: bytes to the slot of the next instruction. */
  length: 13,
  /** u16: how often it was jumped to; where a region starts, the code that it has otherwise. */
  heat: 14,
} as const;
const HALVES = PAGE_SIZE / 2;
export const END_SLOT = HALVES * SLOT_BYTES;
export const REGION_INDEXES = END_SLOT + SLOT_BYTES;
const DECODED_PAGE_BYTES = 0xa400;
const DECODED_PAGES = 0x40_0000;
const POOL = 0x180_0000;

export const memory: Memory = createMemory(FIRST_BYTES, MEMORY_BYTES);
export const table: Table = createTable(1);

// Others once the memory grew: what brings pages to the pool may do that.
export let bytes = new Uint8Array(memory.buffer);
export let view = new DataView(memory.buffer);
export let words = new Int32Array(memory.buffer);
export let entries = new BigInt64Array(memory.buffer);

let tellMany: (start: ArrayBuffer, mostBytes: number) => void = () => {};

/** Has somebody told where the memory is, and how large it may become there, before many pages are in it. */
export function whenManyPages(listener: (start: ArrayBuffer, mostBytes: number) => void): void {
  tellMany = listener;
}

function grow(): ArrayBuffer | null {
  if (!growMemory(memory, MEMORY_BYTES)) return null;
  const { buffer } = memory;
  bytes = new Uint8Array(buffer);
  view = new DataView(buffer);
  words = new Int32Array(buffer);
  entries = new BigInt64Array(buffer);
  return buffer;
}

export const pool = new PagePool(
  memory.buffer,
  POOL,
  (MEMORY_BYTES - POOL) / PAGE_SIZE,
  new PlacedDigests(memory, DIGESTS, PAGE_SIZE),
  grow,
  () => tellMany(memory.buffer, MEMORY_BYTES),
);

/** For code that works on this memory. */
export function newModule(): ModuleBuilder {
  return new ModuleBuilder(FIRST_BYTES, MEMORY_BYTES);
}

const PAGES_BELOW_4_GIB = 2 ** 20;

/** The number of the page of an address that stands in this memory. */
export function pageNumberIn(place: number): number {
  return (words[(place >> 2) + 1]! >>> 0) * PAGES_BELOW_4_GIB + (words[place >> 2]! >>> PAGE_SHIFT);
}

/** Places for decoded pages; they are reused when all are taken. */
export const DECODED_PLACES = Math.floor((POOL - DECODED_PAGES) / DECODED_PAGE_BYTES);
export function decodedPlace(index: number): number {
  return DECODED_PAGES + index * DECODED_PAGE_BYTES;
}

for (const start of [LOADS, STORES]) {
  new BigInt64Array(memory.buffer, start, TRANSLATIONS / 2).fill(BigInt(MEMORY_BYTES));
}
for (let i = 0; i < FETCH_ENTRIES; i++) emptyFetch(i);

/** The low word of an entry that no page has; the other is 0. */
export function emptyWord(index: number): number {
  return index < TRANSLATIONS / 2 ? MEMORY_BYTES : 0;
}

export function emptyTranslation(base: number, index: number): void {
  const at = (base + index * 8) >> 2;
  words[at] = emptyWord(index);
  words[at + 1] = 0;
}

export function emptyFetch(index: number): void {
  view.setBigInt64(FETCHES + index * FETCH_ENTRY_BYTES, NO_PAGE, true);
}
