import { assert } from '../../base/assert.js';

/** Value types, and the empty block type (core specification, "Binary Format: Types"). */
export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
export type ValueType = keyof typeof TYPE;
export const EMPTY_BLOCK = 0x40;

/** Instructions without immediates (core specification, "Binary Format: Instructions"). */
export const SIMPLE = {
  unreachable: 0x00,
  else: 0x05,
  end: 0x0b,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  'i32.eqz': 0x45,
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.lt_s': 0x48,
  'i32.lt_u': 0x49,
  'i32.gt_s': 0x4a,
  'i32.gt_u': 0x4b,
  'i32.le_s': 0x4c,
  'i32.le_u': 0x4d,
  'i32.ge_s': 0x4e,
  'i32.ge_u': 0x4f,
  'i64.eqz': 0x50,
  'i64.eq': 0x51,
  'i64.ne': 0x52,
  'i64.lt_s': 0x53,
  'i64.lt_u': 0x54,
  'i64.gt_s': 0x55,
  'i64.gt_u': 0x56,
  'i64.le_s': 0x57,
  'i64.le_u': 0x58,
  'i64.ge_s': 0x59,
  'i64.ge_u': 0x5a,
  'f32.eq': 0x5b,
  'f32.ne': 0x5c,
  'f32.lt': 0x5d,
  'f32.gt': 0x5e,
  'f32.le': 0x5f,
  'f32.ge': 0x60,
  'f64.eq': 0x61,
  'f64.ne': 0x62,
  'f64.lt': 0x63,
  'f64.gt': 0x64,
  'f64.le': 0x65,
  'f64.ge': 0x66,
  'i32.clz': 0x67,
  'i32.ctz': 0x68,
  'i32.popcnt': 0x69,
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i32.mul': 0x6c,
  'i32.div_s': 0x6d,
  'i32.div_u': 0x6e,
  'i32.rem_s': 0x6f,
  'i32.rem_u': 0x70,
  'i32.and': 0x71,
  'i32.or': 0x72,
  'i32.xor': 0x73,
  'i32.shl': 0x74,
  'i32.shr_s': 0x75,
  'i32.shr_u': 0x76,
  'i64.clz': 0x79,
  'i64.ctz': 0x7a,
  'i64.add': 0x7c,
  'i64.sub': 0x7d,
  'i64.mul': 0x7e,
  'i64.div_s': 0x7f,
  'i64.div_u': 0x80,
  'i64.rem_s': 0x81,
  'i64.rem_u': 0x82,
  'i64.and': 0x83,
  'i64.or': 0x84,
  'i64.xor': 0x85,
  'i64.shl': 0x86,
  'i64.shr_s': 0x87,
  'i64.shr_u': 0x88,
  'f32.abs': 0x8b,
  'f32.neg': 0x8c,
  'f32.sqrt': 0x91,
  'f32.add': 0x92,
  'f32.sub': 0x93,
  'f32.mul': 0x94,
  'f32.div': 0x95,
  'f32.min': 0x96,
  'f32.max': 0x97,
  'f64.abs': 0x99,
  'f64.neg': 0x9a,
  'f64.ceil': 0x9b,
  'f64.floor': 0x9c,
  'f64.trunc': 0x9d,
  'f64.nearest': 0x9e,
  'f64.sqrt': 0x9f,
  'f64.add': 0xa0,
  'f64.sub': 0xa1,
  'f64.mul': 0xa2,
  'f64.div': 0xa3,
  'f64.min': 0xa4,
  'f64.max': 0xa5,
  'i32.wrap_i64': 0xa7,
  'i32.trunc_f64_s': 0xaa,
  'i64.extend_i32_s': 0xac,
  'i64.extend_i32_u': 0xad,
  'i64.trunc_f64_s': 0xb0,
  'i64.trunc_f64_u': 0xb1,
  'f32.convert_i32_s': 0xb2,
  'f32.convert_i32_u': 0xb3,
  'f32.convert_i64_s': 0xb4,
  'f32.convert_i64_u': 0xb5,
  'f32.demote_f64': 0xb6,
  'f64.convert_i32_s': 0xb7,
  'f64.convert_i32_u': 0xb8,
  'f64.convert_i64_s': 0xb9,
  'f64.convert_i64_u': 0xba,
  'f64.promote_f32': 0xbb,
  'i32.reinterpret_f32': 0xbc,
  'i64.reinterpret_f64': 0xbd,
  'f32.reinterpret_i32': 0xbe,
  'f64.reinterpret_i64': 0xbf,
  'i64.extend8_s': 0xc2,
  'i64.extend16_s': 0xc3,
  'i64.extend32_s': 0xc4,
} as const;
export type SimpleName = keyof typeof SIMPLE;

/** Loads and stores; the alignment hint is always 1 byte. */
export const ACCESS = {
  'i32.load': 0x28,
  'i64.load': 0x29,
  'f32.load': 0x2a,
  'f64.load': 0x2b,
  'i32.load8_s': 0x2c,
  'i32.load8_u': 0x2d,
  'i32.load16_s': 0x2e,
  'i32.load16_u': 0x2f,
  'i64.load8_s': 0x30,
  'i64.load8_u': 0x31,
  'i64.load16_s': 0x32,
  'i64.load16_u': 0x33,
  'i64.load32_s': 0x34,
  'i64.load32_u': 0x35,
  'i32.store': 0x36,
  'i64.store': 0x37,
  'f32.store': 0x38,
  'f64.store': 0x39,
  'i32.store8': 0x3a,
  'i32.store16': 0x3b,
  'i64.store8': 0x3c,
  'i64.store16': 0x3d,
  'i64.store32': 0x3e,
} as const;
export type AccessName = keyof typeof ACCESS;

/** Instructions with an immediate of another kind each: a block type, labels, an index, a constant. */
export const OTHER = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  call: 0x10,
  call_indirect: 0x11,
  return_call_indirect: 0x13,
  'local.get': 0x20,
  'local.set': 0x21,
  'local.tee': 0x22,
  'i32.const': 0x41,
  'i64.const': 0x42,
  'f32.const': 0x43,
  'f64.const': 0x44,
} as const;

const INITIAL_BYTES = 1024;
/** Longest instruction but br_table: an opcode and two 64-bit numbers. */
const LONGEST = 24;

/** WebAssembly code, or any part of a module, as it is written. */
export class Code {
  private bytes = new Uint8Array(INITIAL_BYTES);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  get size(): number {
    return this.length;
  }

  result(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  byte(value: number): this {
    this.reserve(LONGEST);
    this.bytes[this.length++] = value;
    return this;
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

  private s64(value: bigint): void {
    let rest = value;
    while (rest < -64n || rest > 63n) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest & 0x7fn);
  }

  /** A name or other text, with its length before it. */
  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).append(bytes);
  }

  op(name: SimpleName): this {
    return this.byte(SIMPLE[name]);
  }

  i32(value: number): this {
    this.byte(OTHER['i32.const']);
    this.s32(value | 0);
    return this;
  }

  i64(value: bigint | number): this {
    this.byte(OTHER['i64.const']);
    if (typeof value === 'number' && (value | 0) === value) this.s32(value);
    else this.s64(BigInt.asIntN(64, BigInt(value)));
    return this;
  }

  f32(value: number): this {
    this.byte(OTHER['f32.const']);
    this.view.setFloat32(this.length, value, true);
    this.length += 4;
    return this;
  }

  f64(value: number): this {
    this.byte(OTHER['f64.const']);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
    return this;
  }

  get(local: number): this {
    return this.byte(OTHER['local.get']).u32(local);
  }

  set(local: number): this {
    return this.byte(OTHER['local.set']).u32(local);
  }

  tee(local: number): this {
    return this.byte(OTHER['local.tee']).u32(local);
  }

  /** A load or store at the address on the stack and `offset`. */
  access(name: AccessName, offset: number): this {
    this.byte(ACCESS[name]);
    return this.byte(0).u32(offset);
  }

  block(result?: ValueType): this {
    return this.byte(OTHER.block).byte(result === undefined ? EMPTY_BLOCK : TYPE[result]);
  }

  loop(): this {
    return this.byte(OTHER.loop).byte(EMPTY_BLOCK);
  }

  if(result?: ValueType): this {
    return this.byte(OTHER.if).byte(result === undefined ? EMPTY_BLOCK : TYPE[result]);
  }

  br(depth: number): this {
    return this.byte(OTHER.br).u32(depth);
  }

  brIf(depth: number): this {
    return this.byte(OTHER.br_if).u32(depth);
  }

  brTable(depths: readonly number[], otherwise: number): this {
    this.byte(OTHER.br_table).u32(depths.length);
    for (const depth of depths) this.u32(depth);
    return this.u32(otherwise);
  }

  call(fn: number): this {
    return this.byte(OTHER.call).u32(fn);
  }

  callIndirect(type: number): this {
    return this.byte(OTHER.call_indirect).u32(type).byte(0);
  }

  returnCallIndirect(type: number): this {
    return this.byte(OTHER.return_call_indirect).u32(type).byte(0);
  }
}

export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Writes a function's code. Locals are numbered from its parameters on. */
export class FunctionCode extends Code {
  private readonly locals: ValueType[] = [];

  constructor(readonly signature: Signature) {
    super();
  }

  local(type: ValueType): number {
    this.locals.push(type);
    return this.signature.params.length + this.locals.length - 1;
  }

  /** The function as a module holds it: its size, locals in runs, code, end. */
  body(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.locals) {
      const last = runs[runs.length - 1];
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const head = new Code().u32(runs.length);
    for (const { type, count } of runs) head.u32(count).byte(TYPE[type]);
    return new Code()
      .u32(head.size + this.size + 1)
      .append(head.result())
      .append(this.result())
      .op('end')
      .result();
  }
}

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const EXTERNAL = { func: 0, table: 1, memory: 2 } as const;
const ANY_FUNCTION = 0x70;

/** A module whose memory (`env.memory`) and table of functions (`env.table`) come from outside. */
export class ModuleBuilder {
  private readonly types: Signature[] = [];
  private readonly imports: { readonly name: string; readonly type: number }[] = [];
  private readonly functions: (FunctionCode | null)[] = [];
  private readonly signatures: number[] = [];
  private readonly exports: { readonly name: string; readonly fn: number }[] = [];

  constructor(private readonly memoryBytes: number) {}

  type(signature: Signature): number {
    const key = JSON.stringify(signature);
    const known = this.types.findIndex((t) => JSON.stringify(t) === key);
    return known >= 0 ? known : this.types.push(signature) - 1;
  }

  /** Imports come before functions. */
  import(name: string, signature: Signature): number {
    assert(this.functions.length === 0, 'imports are numbered first');
    return this.imports.push({ name, type: this.type(signature) }) - 1;
  }

  /** A function whose code comes later, so that others can call it. */
  declare(signature: Signature): number {
    this.signatures.push(this.type(signature));
    return this.imports.length + this.functions.push(null) - 1;
  }

  define(fn: number, code: FunctionCode): void {
    this.functions[fn - this.imports.length] = code;
  }

  add(code: FunctionCode): number {
    const fn = this.declare(code.signature);
    this.define(fn, code);
    return fn;
  }

  export(name: string, fn: number): void {
    this.exports.push({ name, fn });
  }

  result(): Uint8Array {
    const out = new Code().append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    section(out, SECTION.type, this.types.length, (code) => {
      for (const { params, results } of this.types) {
        code.byte(0x60).u32(params.length);
        for (const type of params) code.byte(TYPE[type]);
        code.u32(results.length);
        for (const type of results) code.byte(TYPE[type]);
      }
    });
    section(out, SECTION.import, this.imports.length + 2, (code) => {
      for (const { name, type } of this.imports) {
        code.text('env').text(name).byte(EXTERNAL.func).u32(type);
      }
      const pages = this.memoryBytes / 65536;
      code.text('env').text('memory').byte(EXTERNAL.memory).byte(1).u32(pages).u32(pages);
      code.text('env').text('table').byte(EXTERNAL.table).byte(ANY_FUNCTION).byte(0).u32(1);
    });
    section(out, SECTION.function, this.signatures.length, (code) => {
      for (const type of this.signatures) code.u32(type);
    });
    section(out, SECTION.export, this.exports.length, (code) => {
      for (const { name, fn } of this.exports) code.text(name).byte(EXTERNAL.func).u32(fn);
    });
    section(out, SECTION.code, this.functions.length, (code) => {
      for (const fn of this.functions) {
        assert(fn !== null, 'a function was declared and never defined');
        code.append(fn!.body());
      }
    });
    return out.result();
  }
}

function section(out: Code, id: number, count: number, write: (code: Code) => void): void {
  const code = new Code().u32(count);
  write(code);
  out.byte(id).u32(code.size).append(code.result());
}
