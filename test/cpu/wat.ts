import type { FunctionCode } from '../../src/cpu/wasm/code.js';
import { ACCESS, EMPTY_BLOCK, OTHER, SIMPLE, TYPE } from '../../src/cpu/wasm/opcodes.js';

type OtherName = keyof typeof OTHER;

function named<Name extends string>(table: Readonly<Record<Name, number>>): Map<number, Name> {
  return new Map(Object.entries<number>(table).map(([name, code]) => [code, name as Name]));
}

const SIMPLE_NAMES = named(SIMPLE);
const ACCESS_NAMES = named(ACCESS);
const OTHER_NAMES = named(OTHER);
const TYPE_NAMES = named(TYPE);

/** Instructions behind which a line ends: they leave nothing on the stack, or begin or end a block. */
const LAST_OF_LINE = /^(?:.*\.store\d*|local\.set|drop|unreachable|return.*|br.*|block|loop|if|else|end)$/;

/** Reads the bytes of one function as the text format: a statement a line, indented by nesting. */
class Printer {
  private readonly view: DataView;
  private at = 0;
  private depth = 1;
  private line: string[] = [];
  private readonly lines: string[] = [];

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  print({ params, results }: FunctionCode['signature']): string {
    if (this.number() !== this.bytes.length - this.at) throw new Error('the size of the body is wrong');
    const locals: string[] = [];
    for (let runs = this.number(); runs > 0; runs--) {
      const count = this.number();
      const type = TYPE_NAMES.get(this.byte())!;
      locals.push(...Array.from({ length: count }, () => type));
    }
    this.lines.push(`(func (param ${params.join(' ')}) (result ${results.join(' ')})`);
    this.lines.push(`  (local ${locals.join(' ')})`);
    while (this.depth > 0) this.instruction();
    if (this.at !== this.bytes.length) throw new Error('there is code behind the end');
    return `${this.lines.join('\n')}\n`;
  }

  private byte(): number {
    return this.view.getUint8(this.at++);
  }

  /** LEB128. */
  private leb(): { value: bigint; bits: number } {
    for (let value = 0n, bits = 0; ; ) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(bits);
      bits += 7;
      if (byte < 0x80) return { value, bits };
    }
  }

  private number(): number {
    return Number(this.leb().value);
  }

  private signed(): bigint {
    const { value, bits } = this.leb();
    return BigInt.asIntN(bits, value);
  }

  private instruction(): void {
    const code = this.byte();
    const other = OTHER_NAMES.get(code);
    const access = ACCESS_NAMES.get(code);
    const name = other ?? access ?? SIMPLE_NAMES.get(code);
    if (name === undefined) throw new Error(`no instruction ${code.toString(16)} at ${this.at - 1}`);
    if (name === 'end' || name === 'else') {
      this.endLine();
      this.depth--;
    }
    if (this.depth === 0) {
      this.lines.push(')');
      return;
    }
    if (other !== undefined) this.line.push(name, ...this.immediate(other));
    else if (access !== undefined) this.line.push(name, ...this.place());
    else this.line.push(name);
    if (LAST_OF_LINE.test(name)) this.endLine();
    if (['block', 'loop', 'if', 'else'].includes(name)) this.depth++;
  }

  private endLine(): void {
    if (this.line.length > 0) this.lines.push(`${'  '.repeat(this.depth)}${this.line.join(' ')}`);
    this.line = [];
  }

  private place(): string[] {
    if (this.number() !== 0) throw new Error('accesses are aligned to bytes');
    const offset = this.number();
    return [...(offset === 0 ? [] : [`offset=${offset}`]), 'align=1'];
  }

  private immediate(name: OtherName): string[] {
    switch (name) {
      case 'block':
      case 'loop':
      case 'if': {
        const type = this.byte();
        return type === EMPTY_BLOCK ? [] : [`(result ${TYPE_NAMES.get(type)})`];
      }
      case 'br_table':
        return Array.from({ length: this.number() + 1 }, () => `${this.number()}`);
      case 'call_indirect':
      case 'return_call_indirect': {
        const type = this.number();
        if (this.byte() !== 0) throw new Error('there is one table');
        return [`(type ${type})`];
      }
      case 'i32.const':
      case 'i64.const':
        return [`${this.signed()}`];
      case 'f32.const':
        this.at += 4;
        return [`${this.view.getFloat32(this.at - 4, true)}`];
      case 'f64.const':
        this.at += 8;
        return [`${this.view.getFloat64(this.at - 8, true)}`];
      default:
        return [`${this.number()}`];
    }
  }
}

/** The text of a function. */
export function watOf(code: FunctionCode): string {
  return new Printer(code.body()).print(code.signature);
}
