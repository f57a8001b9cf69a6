import { FIELDS, type FieldName, fieldRange } from '../../../src/cpu/riscv64/fields.js';
import { instructionLength } from '../../../src/cpu/riscv64/table.js';
import { assemble } from '../assemble.js';

/** A place in code. Its offset is known when the code is laid out. */
export class Label {
  offset = 0;
}

/** One way to write something that refers to a label, by the distance from its own start to the label. */
export interface Form {
  readonly lengthBytes: number;
  fits(displacement: number): boolean;
  codes(displacement: number): readonly number[];
}

/** An absolute address: of a place in code, seen so many bytes further. */
export interface Pointer {
  readonly label: Label;
  readonly plus: bigint;
}

type Item =
  | { readonly kind: 'codes'; readonly codes: readonly number[]; readonly lengthBytes: number }
  | { readonly kind: 'reference'; readonly target: Label; readonly forms: readonly Form[]; form: number }
  | { readonly kind: 'label'; readonly label: Label }
  | { readonly kind: 'padding'; readonly fill: (offset: number) => Uint8Array }
  | { readonly kind: 'value'; readonly value: bigint | Pointer };

export function lengthOf(codes: readonly number[]): number {
  return codes.reduce((sum, code) => sum + instructionLength(code & 0xffff), 0);
}

function fieldFits(name: FieldName): (displacement: number) => boolean {
  const { first, last } = fieldRange(FIELDS[name]);
  return (displacement) => displacement >= first && displacement <= last;
}

const fitsBranch = fieldFits('b');
const fitsJump = fieldFits('j');
const anywhere = (): boolean => true;

const OPPOSITE: Record<string, string> = {
  ...{ beq: 'bne', bne: 'beq', blt: 'bge', bge: 'blt', bltu: 'bgeu', bgeu: 'bltu' },
};

/** A conditional branch; far targets by the opposite branch over a jump. */
export function branchForms(name: string, x1: number, x2: number): Form[] {
  return [
    { lengthBytes: 4, fits: fitsBranch, codes: (d) => [assemble(name, { x1, x2, b: d })] },
    {
      lengthBytes: 8,
      fits: anywhere,
      codes: (d) => [assemble(OPPOSITE[name], { x1, x2, b: 8 }), assemble('jal', { j: d - 4 })],
    },
  ];
}

/** c.beqz or c.bnez where it reaches. `register` is one of x8 to x15. */
export function shortBranchForms(name: 'beq' | 'bne', register: number): Form[] {
  const match = name === 'beq' ? 0xc001 : 0xe001;
  const half = (d: number): number =>
    match |
    ((register - 8) << 7) |
    (((d >> 8) & 1) << 12) |
    (((d >> 3) & 3) << 10) |
    (((d >> 6) & 3) << 5) |
    (((d >> 1) & 3) << 3) |
    (((d >> 5) & 1) << 2);
  return [
    { lengthBytes: 2, fits: (d) => d >= -256 && d < 256, codes: (d) => [half(d)] },
    ...branchForms(name, register, 0),
  ];
}

export function jumpForms(link: number): Form[] {
  return [{ lengthBytes: 4, fits: fitsJump, codes: (d) => [assemble('jal', { xd: link, j: d })] }];
}

/** c.j where it reaches. */
export function shortJumpForms(): Form[] {
  const half = (d: number): number =>
    0xa001 |
    (((d >> 11) & 1) << 12) |
    (((d >> 4) & 1) << 11) |
    (((d >> 8) & 3) << 9) |
    (((d >> 10) & 1) << 8) |
    (((d >> 6) & 1) << 7) |
    (((d >> 7) & 1) << 6) |
    (((d >> 1) & 7) << 3) |
    (((d >> 5) & 1) << 2);
  return [{ lengthBytes: 2, fits: (d) => d >= -2048 && d < 2048, codes: (d) => [half(d)] }, ...jumpForms(0)];
}

/** auipc into `register`, then what `last` makes of the low 12 bits. */
export function farForms(register: number, last: (low: number) => number): Form[] {
  return [
    {
      lengthBytes: 8,
      fits: anywhere,
      codes: (d) => {
        const low = (d << 20) >> 20;
        return [assemble('auipc', { xd: register, u: (d - low) | 0 }), last(low)];
      },
    },
  ];
}

/** Code with labels, written front to back. References start in their shortest form and grow until they reach. */
export class Assembly {
  /** Instructions and references so far. */
  count = 0;
  private readonly items: Item[] = [];

  code(...codes: readonly number[]): void {
    this.count += codes.length;
    this.items.push({ kind: 'codes', codes, lengthBytes: lengthOf(codes) });
  }

  reference(target: Label, forms: readonly Form[]): void {
    this.count++;
    this.items.push({ kind: 'reference', target, forms, form: 0 });
  }

  label(label = new Label()): Label {
    this.items.push({ kind: 'label', label });
    return label;
  }

  bytes(bytes: Uint8Array): void {
    this.padding(() => bytes);
  }

  /** Bytes that depend on where they come to stand. */
  padding(fill: (offset: number) => Uint8Array): void {
    this.items.push({ kind: 'padding', fill });
  }

  value(value: bigint | Pointer): void {
    this.items.push({ kind: 'value', value });
  }

  /** @param address of the first byte, on a page */
  finish(address: bigint): Uint8Array {
    while (this.layOut());
    const bytes: number[] = [];
    for (const item of this.items)
      for (const byte of this.bytesOf(item, bytes.length, address)) bytes.push(byte);
    return Uint8Array.from(bytes);
  }

  /** Gives all labels their offsets; whether a reference had to grow, so that it must be done again. */
  private layOut(): boolean {
    const places: number[] = [];
    let offset = 0;
    for (const item of this.items) {
      places.push(offset);
      if (item.kind === 'label') item.label.offset = offset;
      offset += this.lengthOf(item, offset);
    }
    let grown = false;
    this.items.forEach((item, i) => {
      if (item.kind !== 'reference') return;
      if (item.forms[item.form].fits(item.target.offset - places[i])) return;
      item.form++;
      grown = true;
    });
    return grown;
  }

  private lengthOf(item: Item, offset: number): number {
    switch (item.kind) {
      case 'codes':
        return item.lengthBytes;
      case 'reference':
        return item.forms[item.form].lengthBytes;
      case 'label':
        return 0;
      case 'padding':
        return item.fill(offset).length;
      case 'value':
        return 8;
    }
  }

  private bytesOf(item: Item, offset: number, address: bigint): Uint8Array {
    switch (item.kind) {
      case 'codes':
        return bytesOfCodes(item.codes);
      case 'reference':
        return bytesOfCodes(item.forms[item.form].codes(item.target.offset - offset));
      case 'label':
        return new Uint8Array(0);
      case 'padding':
        return item.fill(offset);
      case 'value':
        return bytesOfValue(typeof item.value === 'bigint' ? item.value : resolve(item.value, address));
    }
  }
}

export function resolve({ label, plus }: Pointer, address: bigint): bigint {
  return address + BigInt(label.offset) + plus;
}

export function bytesOfValue(value: bigint): Uint8Array {
  return new Uint8Array(BigInt64Array.of(BigInt.asIntN(64, value)).buffer);
}

function bytesOfCodes(codes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(codes));
  let at = 0;
  for (const code of codes) {
    for (let n = lengthOf([code]), i = 0; i < n; i++) bytes[at++] = (code >>> (8 * i)) & 0xff;
  }
  return bytes;
}
