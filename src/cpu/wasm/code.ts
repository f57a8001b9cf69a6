import { assert } from '../../base/assert.js';
import { Code } from './instructions.js';
import { TYPE, type ValueType } from './opcodes.js';
import { WASM_PAGE_BYTES } from './web-assembly.js';

export type { AccessName, SimpleName, ValueType } from './opcodes.js';

export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Writes a function's code. Locals are numbered from its parameters on. */
export class FunctionCode extends Code {
  /** Locals, those of one type that stand together as one. */
  private readonly runs: { readonly type: ValueType; count: number }[] = [];
  private nextLocal: number;

  constructor(readonly signature: Signature) {
    super();
    this.nextLocal = signature.params.length;
  }

  local(type: ValueType): number {
    const { runs } = this;
    const last = runs[runs.length - 1];
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
    return this.nextLocal++;
  }

  /** The function as a module holds it: its size, locals in runs, code, end. */
  body(): Uint8Array {
    const out = new Code();
    this.writeBody(out);
    const result = out.result();
    out.release();
    return result;
  }

  writeBody(out: Code): void {
    const start = out.startSized();
    out.appendCode(this);
    this.endBody(out, start);
  }

  /** One more function, behind what was written: `endFunction` is told what this gives. */
  startFunction(): number {
    this.runs.length = 0;
    this.nextLocal = this.signature.params.length;
    return this.startSized();
  }

  endFunction(start: number): void {
    this.endBody(this, start);
  }

  /** Puts locals before code that was written. */
  private endBody(out: Code, start: number): void {
    const { runs } = this;
    const end = out.size;
    out.u32(runs.length);
    for (const { type, count } of runs) out.u32(count).byte(TYPE[type]);
    out.moveBack(end, start);
    out.op('end').endSized(start);
  }
}

const HEADER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const EXTERNAL = { func: 0, table: 1, memory: 2 } as const;
const ANY_FUNCTION = 0x70;

/** A module whose memory (`env.memory`) and, if it has one, table of functions (`env.table`) come from outside. */
export class ModuleBuilder {
  private readonly types: Signature[] = [];
  private readonly imports: { readonly name: string; readonly type: number }[] = [];
  private readonly functions: (FunctionCode | null)[] = [];
  private readonly signatures: number[] = [];
  private readonly exports: { readonly name: string; readonly fn: number }[] = [];

  private hasTable = false;
  /** What comes before the functions in modules of functions of one type, by how many they are. */
  private readonly heads: Uint8Array[] = [];

  /** @param mostBytes what the memory may grow to */
  constructor(
    private readonly memoryBytes: number,
    private readonly mostBytes = memoryBytes,
  ) {}

  /** For modules that call functions of the table. */
  importTable(): void {
    this.hasTable = true;
  }

  type(signature: Signature): number {
    for (let i = 0; i < this.types.length; i++) if (isSame(this.types[i]!, signature)) return i;
    return this.types.push(signature) - 1;
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

  private writeHead(): Uint8Array {
    const { types, imports, hasTable } = this;
    const out = new Code().append(HEADER);
    let start = startSection(out, SECTION.type, types.length);
    for (const { params, results } of types) {
      out.byte(0x60).u32(params.length);
      for (const type of params) out.byte(TYPE[type]);
      out.u32(results.length);
      for (const type of results) out.byte(TYPE[type]);
    }
    out.endSized(start);
    start = startSection(out, SECTION.import, imports.length + (hasTable ? 2 : 1));
    for (const { name, type } of imports) out.text('env').text(name).byte(EXTERNAL.func).u32(type);
    out.text('env').text('memory').byte(EXTERNAL.memory).byte(1);
    out.u32(this.memoryBytes / WASM_PAGE_BYTES).u32(this.mostBytes / WASM_PAGE_BYTES);
    if (hasTable) out.text('env').text('table').byte(EXTERNAL.table).byte(ANY_FUNCTION).byte(0).u32(1);
    const result = out.endSized(start).result();
    out.release();
    return result;
  }

  /**
   * Begins a module of functions of one type, which are exported by number. They are written behind it, each by
   * `startFunction` and `endFunction`. Types and imports are all known. Gives what `endSized` has to be told at its end.
   */
  begin(out: Code, type: number, count: number): number {
    this.heads[count] ??= this.writeHeadOf(type, count);
    out.append(this.heads[count]!);
    return startSection(out, SECTION.code, count);
  }

  private writeHeadOf(type: number, count: number): Uint8Array {
    const out = new Code().append(this.writeHead());
    let start = startSection(out, SECTION.function, count);
    for (let i = 0; i < count; i++) out.u32(type);
    out.endSized(start);
    start = startSection(out, SECTION.export, count);
    for (let i = 0; i < count; i++)
      out
        .text(`${i}`)
        .byte(EXTERNAL.func)
        .u32(this.imports.length + i);
    const result = out.endSized(start).result();
    out.release();
    return result;
  }

  result(): Uint8Array {
    const { signatures, exports, functions } = this;
    const out = new Code().append(this.writeHead());
    let start = startSection(out, SECTION.function, signatures.length);
    for (const type of signatures) out.u32(type);
    out.endSized(start);
    start = startSection(out, SECTION.export, exports.length);
    for (const { name, fn } of exports) out.text(name).byte(EXTERNAL.func).u32(fn);
    out.endSized(start);
    start = startSection(out, SECTION.code, functions.length);
    for (const fn of functions) {
      assert(fn !== null, 'a function was declared and never defined');
      fn!.writeBody(out);
      fn!.release();
    }
    const result = out.endSized(start).result();
    out.release();
    return result;
  }
}

function isSame(a: Signature, b: Signature): boolean {
  return a === b || (areSame(a.params, b.params) && areSame(a.results, b.results));
}

function areSame(a: readonly ValueType[], b: readonly ValueType[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}

/** Gives what `endSized` has to be told. */
function startSection(out: Code, id: number, count: number): number {
  const start = out.byte(id).startSized();
  out.u32(count);
  return start;
}
