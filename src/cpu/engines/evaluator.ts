import { PAGE_SIZE, type Page } from '../../memory/page.js';
import type { Algebra, Domain, Operands, Semantics } from './algebra.js';
import { FloatUnit } from './float-unit.js';
import { STOPPED } from './memory-port.js';
import type { Effects } from './transcript.js';

/** The algebra on plain values: bigints in [-2^63, 2^63) and register-file slots. */
export interface Plain extends Domain {
  value: bigint;
  condition: boolean;
  register: number;
  immediate: bigint;
  displacement: number;
  rounding: number;
}

/** A decoded instruction, ready to run. One class with all operands, so that every use of it sees one shape. */
export class Decoded implements Operands<Plain> {
  constructor(
    readonly semantics: Semantics,
    readonly effects: Effects,
    /** Which entry of the table it is. */
    readonly entry: number,
    readonly bits: number,
    readonly lengthBytes: 2 | 4,
    readonly rd: number,
    readonly rs1: number,
    readonly rs2: number,
    readonly rs3: number,
    readonly imm: bigint,
    readonly disp: number,
    readonly rm: number,
  ) {}

  /** What regions know of it, private to them; undefined until they ask. */
  facts: object | null | undefined = undefined;

  get halves(): number {
    return this.lengthBytes >> 1;
  }
}

/** Value of `Evaluator.next` when the next instruction is elsewhere: at `target`. */
export const LEFT = 1 << 20;
/** Instructions are found by half-words of a page. */
export const PAGE_HALVES = PAGE_SIZE / 2;

const OFFSET_MASK = PAGE_SIZE - 1;
const PAGE_ADDRESS_MASK = -BigInt(PAGE_SIZE);
const LOW_WORD = 0xffff_ffffn;
const BOOLS = BigInt64Array.of(0n, 1n);
/** 2^0 to 2^63: shifting left is multiplying. */
const POWERS = BigInt64Array.from({ length: 64 }, (_, i) => BigInt.asIntN(64, 1n << BigInt(i)));

/**
 * Executes descriptions on plain values. All methods are small so that V8 inlines them into each description, and
 * straight-line in bigints (see `MemoryPort.address` for why): values from two branches meet in `cell`.
 */
export class Evaluator extends FloatUnit implements Algebra<Plain> {
  /** The register file. The architecture says what the slots are. */
  readonly slots: BigInt64Array;
  /** Where the current instruction is: address of the page, half-word in it. */
  readonly pageAddress = new BigInt64Array(1);
  index = 0;
  /** Half-word of the next instruction, 2048 or more when it lies behind this page, LEFT when at `target`. */
  next = 0;
  readonly target = new BigInt64Array(1);
  private readonly targetWords = new Int32Array(this.target.buffer);
  /** Virtual time when this run (of at most 2^30 instructions) started, and instructions retired since. */
  startNs = 0n;
  steps = 0;

  private readonly cell = new BigInt64Array(2);
  private readonly words = new Int32Array(this.cell.buffer);
  readonly reserved = new BigInt64Array(1);
  /** 0 when nothing is reserved. */
  reservedBytes = 0;

  constructor(slotCount: number) {
    super();
    this.slots = new BigInt64Array(slotCount);
  }

  /** Makes the page that `target` is in the current one, or faults on it. */
  enterPage(): Page {
    this.pageAddress[0] = this.target[0]! & PAGE_ADDRESS_MASK;
    this.index = (this.targetWords[0]! & OFFSET_MASK) >> 1;
    this.next = LEFT;
    return this.pageForFetch(this.target[0]!);
  }
  /** The page behind the current one, for an instruction that reaches into it; LEFT if the current one changed. */
  pageBehind(): Page {
    this.next = this.index;
    return this.pageForFetch(BigInt.asIntN(64, this.pageAddress[0]! + BigInt(PAGE_SIZE)));
  }
  /** Moves where execution got to back to `target`. */
  quitPage(): void {
    if (this.next !== LEFT) this.target[0] = this.pc();
  }
  protected override leavePage(): void {
    if (this.next !== LEFT) this.jumpTo(this.link());
  }
  /** The low and high halves of x, as an int32 and as a value. */
  private lowWord(x: bigint): number {
    this.cell[1] = x;
    return this.words[2]!;
  }
  private highWord(x: bigint): bigint {
    this.cell[1] = x;
    return BigInt.asIntN(64, BigInt(this.words[3]! >>> 0));
  }
  /** All ones if x is negative, else 0. */
  private signs(x: bigint): bigint {
    this.cell[1] = x;
    return BigInt.asIntN(64, BigInt(this.words[3]! >> 31));
  }

  // Registers and constants

  get(register: number): bigint {
    return this.slots[register]!;
  }
  set(register: number, value: bigint): void {
    this.slots[register] = value;
  }
  imm(immediate: bigint): bigint {
    return immediate;
  }
  constant(value: bigint): bigint {
    return value;
  }

  // Integers

  add(x: bigint, y: bigint): bigint {
    return BigInt.asIntN(64, x + y);
  }
  sub(x: bigint, y: bigint): bigint {
    return BigInt.asIntN(64, x - y);
  }
  mul(x: bigint, y: bigint): bigint {
    return BigInt.asIntN(64, x * y);
  }
  mulHighU(x: bigint, y: bigint): bigint {
    const xl = x & LOW_WORD;
    const yl = y & LOW_WORD;
    const xh = this.highWord(x);
    const yh = this.highWord(y);
    const middle = BigInt.asIntN(64, BigInt.asIntN(64, xh * yl) + this.highWord(BigInt.asIntN(64, xl * yl)));
    const other = BigInt.asIntN(64, BigInt.asIntN(64, xl * yh) + (middle & LOW_WORD));
    return BigInt.asIntN(
      64,
      BigInt.asIntN(64, BigInt.asIntN(64, xh * yh) + this.highWord(middle)) + this.highWord(other),
    );
  }
  mulHighSU(x: bigint, y: bigint): bigint {
    return BigInt.asIntN(64, this.mulHighU(x, y) - (y & this.signs(x)));
  }
  mulHighS(x: bigint, y: bigint): bigint {
    return BigInt.asIntN(64, this.mulHighSU(x, y) - (x & this.signs(y)));
  }
  divS(x: bigint, y: bigint): bigint {
    this.cell[0] = -1n;
    if (y !== 0n) this.cell[0] = BigInt.asIntN(64, x / y);
    return this.cell[0]!;
  }
  divU(x: bigint, y: bigint): bigint {
    this.cell[0] = -1n;
    if (y !== 0n) this.cell[0] = BigInt.asIntN(64, BigInt.asUintN(64, x) / BigInt.asUintN(64, y));
    return this.cell[0]!;
  }
  remS(x: bigint, y: bigint): bigint {
    this.cell[0] = x;
    if (y !== 0n) this.cell[0] = BigInt.asIntN(64, x % y);
    return this.cell[0]!;
  }
  remU(x: bigint, y: bigint): bigint {
    this.cell[0] = x;
    if (y !== 0n) this.cell[0] = BigInt.asIntN(64, BigInt.asUintN(64, x) % BigInt.asUintN(64, y));
    return this.cell[0]!;
  }
  and(x: bigint, y: bigint): bigint {
    return x & y;
  }
  or(x: bigint, y: bigint): bigint {
    return x | y;
  }
  xor(x: bigint, y: bigint): bigint {
    return x ^ y;
  }
  shl(x: bigint, y: bigint): bigint {
    return BigInt.asIntN(64, x * POWERS[this.lowWord(y) & 63]!);
  }
  shrU(x: bigint, y: bigint): bigint {
    const n = this.lowWord(y) & 63;
    this.cell[0] = x;
    const low = this.words[0]!;
    const high = this.words[1]!;
    if (n >= 32) {
      this.words[0] = high >>> (n - 32);
      this.words[1] = 0;
    } else {
      this.words[0] = n === 0 ? low : (low >>> n) | (high << (32 - n));
      this.words[1] = high >>> n;
    }
    return this.cell[0]!;
  }
  shrS(x: bigint, y: bigint): bigint {
    const n = this.lowWord(y) & 63;
    this.cell[0] = x;
    const low = this.words[0]!;
    const high = this.words[1]!;
    if (n >= 32) {
      this.words[0] = high >> (n - 32);
      this.words[1] = high >> 31;
    } else {
      this.words[0] = n === 0 ? low : (low >>> n) | (high << (32 - n));
      this.words[1] = high >> n;
    }
    return this.cell[0]!;
  }
  sext32(x: bigint): bigint {
    return BigInt.asIntN(32, x);
  }
  zext32(x: bigint): bigint {
    return x & LOW_WORD;
  }
  eq(x: bigint, y: bigint): boolean {
    return x === y;
  }
  ne(x: bigint, y: bigint): boolean {
    return x !== y;
  }
  ltS(x: bigint, y: bigint): boolean {
    return x < y;
  }
  ltU(x: bigint, y: bigint): boolean {
    return BigInt.asUintN(64, x) < BigInt.asUintN(64, y);
  }
  geS(x: bigint, y: bigint): boolean {
    return x >= y;
  }
  geU(x: bigint, y: bigint): boolean {
    return BigInt.asUintN(64, x) >= BigInt.asUintN(64, y);
  }
  bool(c: boolean): bigint {
    return BOOLS[c ? 1 : 0]!;
  }
  select(c: boolean, yes: bigint, no: bigint): bigint {
    this.cell[0] = no;
    this.cell[1] = yes;
    return this.cell[c ? 1 : 0]!;
  }

  // Memory

  load8S(address: bigint): bigint {
    return BigInt.asIntN(64, BigInt(this.viewForLoad(address, 1).getInt8(this.offset)));
  }
  load8U(address: bigint): bigint {
    return BigInt.asIntN(64, BigInt(this.viewForLoad(address, 1).getUint8(this.offset)));
  }
  load16S(address: bigint): bigint {
    return BigInt.asIntN(64, BigInt(this.viewForLoad(address, 2).getInt16(this.offset, true)));
  }
  load16U(address: bigint): bigint {
    return BigInt.asIntN(64, BigInt(this.viewForLoad(address, 2).getUint16(this.offset, true)));
  }
  load32S(address: bigint): bigint {
    return BigInt.asIntN(64, BigInt(this.viewForLoad(address, 4).getInt32(this.offset, true)));
  }
  load32U(address: bigint): bigint {
    return BigInt.asIntN(64, BigInt(this.viewForLoad(address, 4).getUint32(this.offset, true)));
  }
  load64(address: bigint): bigint {
    return this.viewForLoad(address, 8).getBigInt64(this.offset, true);
  }
  store8(address: bigint, value: bigint): void {
    this.viewForStore(address, 1).setInt8(this.offset, this.lowWord(value));
    if (this.unfinished) this.finishStore();
  }
  store16(address: bigint, value: bigint): void {
    this.viewForStore(address, 2).setInt16(this.offset, this.lowWord(value), true);
    if (this.unfinished) this.finishStore();
  }
  store32(address: bigint, value: bigint): void {
    this.viewForStore(address, 4).setInt32(this.offset, this.lowWord(value), true);
    if (this.unfinished) this.finishStore();
  }
  store64(address: bigint, value: bigint): void {
    this.viewForStore(address, 8).setBigInt64(this.offset, value, true);
    if (this.unfinished) this.finishStore();
  }
  checkAtomic(address: bigint, sizeBytes: 4 | 8): void {
    if ((this.lowWord(address) & (sizeBytes - 1)) !== 0) this.misaligned('store', address);
    this.checkStore(address);
  }
  loadReserved(address: bigint, sizeBytes: 4 | 8): bigint {
    if ((this.lowWord(address) & (sizeBytes - 1)) !== 0) this.misaligned('load', address);
    if (sizeBytes === 4) this.cell[0] = this.load32S(address);
    else this.cell[0] = this.load64(address);
    this.reserved[0] = address;
    this.reservedBytes = sizeBytes;
    return this.cell[0]!;
  }
  storeConditional(address: bigint, sizeBytes: 4 | 8, value: bigint): boolean {
    if ((this.lowWord(address) & (sizeBytes - 1)) !== 0) this.misaligned('store', address);
    const holds = this.reservedBytes === sizeBytes && this.reserved[0] === address;
    if (holds) {
      if (sizeBytes === 4) this.store32(address, value);
      else this.store64(address, value);
    }
    this.reservedBytes = 0;
    return holds;
  }
  dropReservation(): void {
    this.reservedBytes = 0;
  }

  get holdsReservation(): boolean {
    return this.reservedBytes !== 0;
  }

  // Control

  pc(): bigint {
    return BigInt.asIntN(64, this.pageAddress[0]! + BigInt(this.index << 1));
  }
  link(): bigint {
    return BigInt.asIntN(64, this.pageAddress[0]! + BigInt(this.next << 1));
  }
  branch(c: boolean, displacement: number): void {
    if (c) this.jump(displacement);
  }
  jump(displacement: number): void {
    const next = this.index + (displacement >> 1);
    if (next >= 0 && next < PAGE_HALVES) this.next = next;
    else this.jumpTo(BigInt.asIntN(64, this.pageAddress[0]! + BigInt(next << 1)));
  }
  jumpTo(target: bigint): void {
    this.target[0] = target;
    this.next = LEFT;
  }
  syscall(): void {
    this.stop = { kind: 'syscall' };
    throw STOPPED;
  }
  breakpoint(): void {
    this.stop = { kind: 'breakpoint' };
    throw STOPPED;
  }
  time(): bigint {
    return BigInt.asIntN(64, this.startNs + BigInt(this.steps));
  }
}
