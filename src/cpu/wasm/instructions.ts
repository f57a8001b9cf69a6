import {
  ACCESS,
  type AccessName,
  EMPTY_BLOCK,
  MEMORY_COPY,
  OTHER,
  SIMPLE,
  type SimpleName,
  TYPE,
  type ValueType,
} from './opcodes.js';
import {
  HOLE_ITEMS,
  LOCAL_ID_BITS,
  LOCAL_ITEMS,
  LONGEST,
  store,
  type Tape,
  type TapeFiller,
} from './tape.js';

const INITIAL_BYTES = 1024;
/** Bytes of a u32 at its longest. */
const SIZE_BYTES = 5;

/** Buffers that are not used at the moment: the host is slow to make them. */
const spare: Uint8Array[] = [];
const SPARE_BUFFERS = 16;
const SPARE_BYTES = 1 << 16;
const NO_BYTES = new Uint8Array(0);

const number = new Float64Array(1);
const numberBytes = new Uint8Array(number.buffer);
const single = new Float32Array(1);
const singleBytes = new Uint8Array(single.buffer);

/** WebAssembly code, or any part of a module, as it is written. */
export class Code {
  private bytes = spare.pop() ?? new Uint8Array(INITIAL_BYTES);
  private length = 0;

  get size(): number {
    return this.length;
  }

  result(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** What was written, until more is. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Starts again. */
  clear(): void {
    this.length = 0;
  }

  /** It is not written or read any more. */
  release(): void {
    if (spare.length < SPARE_BUFFERS && this.bytes.length <= SPARE_BYTES) spare.push(this.bytes);
    this.bytes = NO_BYTES;
    this.length = 0;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): this {
    this.reserve(LONGEST);
    this.bytes[this.length++] = value;
    return this;
  }

  tape({ start, end, size }: Tape, filler: TapeFiller): this {
    this.reserve(size);
    const { items } = store;
    let { bytes, length } = this;
    for (let i = start; i < end; i++) {
      const item = items[i]!;
      if (item < LOCAL_ITEMS) bytes[length++] = item;
      else if (item < HOLE_ITEMS) {
        const local = filler.localOf((item - LOCAL_ITEMS) & ((1 << LOCAL_ID_BITS) - 1));
        bytes[length++] = OTHER['local.get'] + ((item - LOCAL_ITEMS) >> LOCAL_ID_BITS);
        if (local < 0x80) bytes[length++] = local;
        else {
          bytes[length++] = (local & 0x7f) | 0x80;
          bytes[length++] = local >> 7;
        }
      } else {
        this.length = length;
        filler.fill(item - HOLE_ITEMS);
        bytes = this.bytes;
        length = this.length;
      }
    }
    this.length = length;
    return this;
  }

  /** Leaves room for the size of what follows; gives where that starts, for `endSized`. */
  startSized(): number {
    this.reserve(LONGEST);
    this.length += SIZE_BYTES;
    return this.length;
  }

  /** Writes the size (u32, as long as it can be) of what was written since `startSized`. */
  endSized(start: number): this {
    let size = this.length - start;
    for (let at = start - SIZE_BYTES; at < start - 1; at++) {
      this.bytes[at] = (size & 0x7f) | 0x80;
      size >>>= 7;
    }
    this.bytes[start - 1] = size;
    return this;
  }

  /** Moves what was written since the code was of one size to where it was of a smaller one. */
  moveBack(from: number, to: number): void {
    const count = this.length - from;
    this.reserve(count);
    const { bytes, length } = this;
    bytes.copyWithin(length, from, length);
    bytes.copyWithin(to + count, to, from);
    bytes.copyWithin(to, from + count, length + count);
  }

  appendCode(part: Code): this {
    return this.append(part.bytes.subarray(0, part.length));
  }

  append(part: Uint8Array): this {
    this.reserve(part.length + LONGEST);
    this.bytes.set(part, this.length);
    this.length += part.length;
    return this;
  }

  /** LEB128 of a number in [0, 2^32). */
  u32(value: number): this {
    this.reserve(LONGEST);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
    return this;
  }

  private s32(value: number): void {
    let rest = value;
    while (rest < -64 || rest > 63) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>= 7;
    }
    this.bytes[this.length++] = rest & 0x7f;
  }

  /** Any signed integer that a number holds exactly. */
  private safe(value: number): void {
    let rest = value;
    while (rest < -64 || rest > 63) {
      const next = Math.floor(rest / 128);
      this.bytes[this.length++] = (rest - next * 128) | 0x80;
      rest = next;
    }
    this.bytes[this.length++] = rest & 0x7f;
  }

  private s64(value: bigint): void {
    let rest = value;
    while (rest < -64n || rest > 63n) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest & 0x7fn);
  }

  /** A name or other text (ASCII), with its length before it. */
  text(text: string): this {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
    return this;
  }

  /** What closes a block. */
  end(): this {
    return this.byte(SIMPLE.end);
  }

  op(name: SimpleName): this {
    return this.byte(SIMPLE[name]);
  }

  /** On the stack: where to, where from, bytes. */
  copyMemory(): this {
    for (const byte of MEMORY_COPY) this.byte(byte);
    return this;
  }

  // Sequences that are written often: with room for all of it, which is asked for once

  /** An index that is written with the instruction before it. */
  private index(value: number): void {
    if (value < 0x80) this.bytes[this.length++] = value;
    else {
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      this.bytes[this.length++] = rest;
    }
  }

  /** An instruction with an index, or a block with its type. */
  private onIndex(opcode: number, value: number): this {
    this.reserve(LONGEST);
    this.bytes[this.length++] = opcode;
    this.index(value);
    return this;
  }

  /** Takes a constant from a local (i32). */
  subtract(local: number, constant: number): this {
    return this.pushBoth(local, constant, SIMPLE['i32.sub']).set(local);
  }

  /** Pushes whether a local (i32) is less than a constant. */
  isLess(local: number, constant: number): this {
    return this.pushBoth(local, constant, SIMPLE['i32.lt_s']);
  }

  private pushBoth(local: number, constant: number, opcode: number): this {
    this.onIndex(OTHER['local.get'], local);
    this.bytes[this.length++] = OTHER['i32.const'];
    this.s32(constant);
    this.bytes[this.length++] = opcode;
    return this;
  }

  /** Stores a local at a constant address. */
  storeLocal(store: number, address: number, local: number): this {
    this.reserve(LONGEST);
    this.bytes[this.length++] = OTHER['i32.const'];
    this.bytes[this.length++] = 0;
    this.bytes[this.length++] = OTHER['local.get'];
    this.index(local);
    this.bytes[this.length++] = store;
    this.bytes[this.length++] = 0;
    this.index(address);
    return this;
  }

  /** Loads a local from a constant address. */
  loadLocal(load: number, address: number, local: number): this {
    this.reserve(LONGEST);
    this.bytes[this.length++] = OTHER['i32.const'];
    this.bytes[this.length++] = 0;
    this.bytes[this.length++] = load;
    this.bytes[this.length++] = 0;
    this.index(address);
    this.bytes[this.length++] = OTHER['local.set'];
    this.index(local);
    return this;
  }

  i32(value: number): this {
    this.byte(OTHER['i32.const']);
    this.s32(value | 0);
    return this;
  }

  i64(value: bigint | number): this {
    this.byte(OTHER['i64.const']);
    if (typeof value === 'bigint') this.s64(BigInt.asIntN(64, value));
    else if ((value | 0) === value) this.s32(value);
    else this.safe(value);
    return this;
  }

  f32(value: number): this {
    this.byte(OTHER['f32.const']);
    single[0] = value;
    return this.append(singleBytes);
  }

  f64(value: number): this {
    this.byte(OTHER['f64.const']);
    number[0] = value;
    return this.append(numberBytes);
  }

  get(local: number): this {
    return this.onIndex(OTHER['local.get'], local);
  }

  set(local: number): this {
    return this.onIndex(OTHER['local.set'], local);
  }

  tee(local: number): this {
    return this.onIndex(OTHER['local.tee'], local);
  }

  /** A load or store at the address on the stack and `offset`. */
  access(name: AccessName, offset: number): this {
    this.onIndex(ACCESS[name], 0);
    this.index(offset);
    return this;
  }

  block(result?: ValueType): this {
    return this.onIndex(OTHER.block, result === undefined ? EMPTY_BLOCK : TYPE[result]);
  }

  /** Blocks around what was written since: so many start where the code was of a size. */
  insertBlocks(size: number, count: number): void {
    this.reserve(2 * count);
    const { bytes, length } = this;
    bytes.copyWithin(size + 2 * count, size, length);
    for (let at = size; at < size + 2 * count; at += 2) {
      bytes[at] = OTHER.block;
      bytes[at + 1] = EMPTY_BLOCK;
    }
    this.length += 2 * count;
  }

  loop(): this {
    return this.onIndex(OTHER.loop, EMPTY_BLOCK);
  }

  if(result?: ValueType): this {
    return this.onIndex(OTHER.if, result === undefined ? EMPTY_BLOCK : TYPE[result]);
  }

  br(depth: number): this {
    return this.onIndex(OTHER.br, depth);
  }

  brIf(depth: number): this {
    return this.onIndex(OTHER.br_if, depth);
  }

  brTable(depths: readonly number[], otherwise: number): this {
    this.byte(OTHER.br_table).u32(depths.length);
    for (const depth of depths) this.u32(depth);
    return this.u32(otherwise);
  }

  call(fn: number): this {
    return this.onIndex(OTHER.call, fn);
  }

  callIndirect(type: number): this {
    return this.byte(OTHER.call_indirect).u32(type).byte(0);
  }

  returnCall(fn: number): this {
    return this.onIndex(OTHER.return_call, fn);
  }

  returnCallIndirect(type: number): this {
    return this.byte(OTHER.return_call_indirect).u32(type).byte(0);
  }
}
