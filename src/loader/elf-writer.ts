import { Hasher } from '../base/digest.js';
import {
  CLASS_64,
  DATA_LITTLE,
  DT,
  DYNAMIC_SIZE,
  ET,
  HEADER_SIZE,
  MAGIC,
  NT_GNU_BUILD_ID,
  PF,
  PROGRAM_HEADER_SIZE,
  PT,
  SECTION_HEADER_SIZE,
  SHF,
  SHT,
  STB,
  STT,
  SYMBOL_SIZE,
  VERSION,
} from './elf-constants.js';
import { gnuHashOrder, gnuHashTable } from './gnu-hash.js';

/** A name under which a function of the object is exported. */
export interface ExportedFunction {
  readonly name: string;
  readonly weak: boolean;
  /** From the start of the code. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface SharedObjectSpec {
  readonly soname: string;
  /** e_machine and e_flags. */
  readonly machine: number;
  readonly machineFlags: number;
  readonly code: Uint8Array;
  /** To be read only. They end where the code begins (from a multiple of CONSTANTS_ALIGN on), so that it finds them. */
  readonly constants?: Uint8Array;
  readonly functions: readonly ExportedFunction[];
  readonly pageSizeBytes: number;
}

export interface SharedObject {
  readonly image: Uint8Array;
  readonly codeOffset: number;
  /** In pages. */
  readonly codeSizeBytes: number;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Name of the section that sh_link means. */
  readonly link?: string;
  /** sh_info: the first symbol that is not local. */
  readonly info?: number;
  readonly align: number;
  readonly entrySize?: number;
  readonly bytes: Uint8Array;
}

interface Layout {
  readonly sections: readonly Section[];
  /** File offset, and so address, of each section. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly sectionTable: number;
  readonly codeOffset: number;
  readonly codeSizeBytes: number;
}

const PROGRAM_HEADERS = 5;
/** The space of constants is a multiple of it. */
export const CONSTANTS_ALIGN = 16;

/**
 * Writes an ELF64 little-endian shared object of two page-aligned parts: everything that is read (headers, symbols,
 * section headers too) and code. No writable segment, no relocations, GNU hash only, and a build id made from the
 * contents. The same input gives the same bytes.
 */
export function writeSharedObject(spec: SharedObjectSpec): SharedObject {
  const functions = gnuHashOrder(spec.functions);
  const strings = new StringTable();
  const soname = strings.add(spec.soname);
  for (const { name } of functions) strings.add(name);
  const layout = placeSections(spec, functions, strings.bytes());
  const { sections, offsets, codeOffset, codeSizeBytes } = layout;
  const at = (name: string) => offsets.get(name)!;
  const bytesOf = (name: string) => sections.find((s) => s.name === name)!.bytes;

  const text = sections.findIndex((s) => s.name === '.text') + 1;
  functions.forEach(({ name, weak, offset, sizeBytes }, i) => {
    const info = ((weak ? STB.WEAK : STB.GLOBAL) << 4) | STT.FUNC;
    const fields = [strings.add(name), info, 0, text, codeOffset + offset, sizeBytes];
    pack(bytesOf('.dynsym'), (i + 1) * SYMBOL_SIZE, 'wbbhqq', fields);
  });
  const tags = [
    [DT.SONAME, soname],
    [DT.GNU_HASH, at('.gnu.hash')],
    [DT.STRTAB, at('.dynstr')],
    [DT.STRSZ, bytesOf('.dynstr').length],
    [DT.SYMTAB, at('.dynsym')],
    [DT.SYMENT, SYMBOL_SIZE],
    [DT.NULL, 0],
  ];
  tags.forEach((tag, i) => {
    pack(bytesOf('.dynamic'), i * DYNAMIC_SIZE, 'qq', tag);
  });

  const image = new Uint8Array(codeOffset + codeSizeBytes);
  for (const { name, bytes } of sections) image.set(bytes, at(name));
  writeHeaders(image, spec, layout);
  image.set(buildId(image), at('.note.gnu.build-id') + NOTE_HEADER_SIZE);
  return { image, codeOffset, codeSizeBytes };
}

const DYNAMIC_TAGS = 7;

/** Sections in file order, those that hold addresses still empty. All but the code lie before the first code page. */
function placeSections(
  spec: SharedObjectSpec,
  functions: readonly ExportedFunction[],
  dynstr: Uint8Array,
): Layout {
  const { pageSizeBytes, code, constants } = spec;
  const symbols = new Uint8Array((functions.length + 1) * SYMBOL_SIZE);
  const tags = new Uint8Array(DYNAMIC_TAGS * DYNAMIC_SIZE);
  const hash = gnuHashTable(functions.map((f) => f.name));
  const note = new Uint8Array(NOTE_HEADER_SIZE + BUILD_ID_SIZE);
  pack(note, 0, 'wwww', [4, BUILD_ID_SIZE, NT_GNU_BUILD_ID, 0x00554e47 /* "GNU" */]);
  const flags = SHF.ALLOC;
  const read: Section[] = [
    { name: '.note.gnu.build-id', type: SHT.NOTE, flags, align: 4, bytes: note },
    { name: '.gnu.hash', type: SHT.GNU_HASH, flags, align: 8, link: '.dynsym', bytes: hash },
    {
      name: '.dynsym',
      type: SHT.DYNSYM,
      flags,
      align: 8,
      link: '.dynstr',
      info: 1,
      entrySize: SYMBOL_SIZE,
      bytes: symbols,
    },
    { name: '.dynstr', type: SHT.STRTAB, flags, align: 1, bytes: dynstr },
    {
      name: '.dynamic',
      type: SHT.DYNAMIC,
      flags,
      align: 8,
      link: '.dynstr',
      entrySize: DYNAMIC_SIZE,
      bytes: tags,
    },
  ];
  const tail: Section[] = constants === undefined ? [] : [constantSection(constants)];
  const names = new StringTable();
  for (const { name } of [...read, ...tail]) names.add(name);
  for (const name of ['.shstrtab', '.text']) names.add(name);
  read.push({ name: '.shstrtab', type: SHT.STRTAB, flags: 0, align: 1, bytes: names.bytes() });

  const offsets = new Map<string, number>();
  let end = HEADER_SIZE + PROGRAM_HEADERS * PROGRAM_HEADER_SIZE;
  for (const { name, align, bytes } of read) {
    offsets.set(name, roundUp(end, align));
    end = roundUp(end, align) + bytes.length;
  }
  const sectionTable = roundUp(end, 8);
  const sectionCount = 1 + read.length + tail.length + 1;
  const constantBytes = roundUp(constants?.length ?? 0, CONSTANTS_ALIGN);
  const codeOffset = roundUp(
    sectionTable + sectionCount * SECTION_HEADER_SIZE + constantBytes,
    pageSizeBytes,
  );
  for (const { name } of tail) offsets.set(name, codeOffset - constantBytes);
  offsets.set('.text', codeOffset);
  const text = {
    name: '.text',
    type: SHT.PROGBITS,
    flags: SHF.ALLOC | SHF.EXECINSTR,
    align: 16,
    bytes: code,
  };
  const codeSizeBytes = roundUp(code.length, pageSizeBytes);
  return { sections: [...read, ...tail, text], offsets, sectionTable, codeOffset, codeSizeBytes };
}

function constantSection(bytes: Uint8Array): Section {
  return { name: '.rodata', type: SHT.PROGBITS, flags: SHF.ALLOC, align: CONSTANTS_ALIGN, bytes };
}

function writeHeaders(image: Uint8Array, spec: SharedObjectSpec, layout: Layout): void {
  const { sections, offsets, sectionTable, codeOffset, codeSizeBytes } = layout;
  const { machine, machineFlags, pageSizeBytes } = spec;
  const index = (name: string) => sections.findIndex((s) => s.name === name) + 1;
  pack(image, 0, 'wbbbb', [MAGIC, CLASS_64, DATA_LITTLE, VERSION, 0]);
  pack(image, 16, 'hhwqqq', [ET.DYN, machine, VERSION, 0, HEADER_SIZE, sectionTable]);
  const sizes = [HEADER_SIZE, PROGRAM_HEADER_SIZE, PROGRAM_HEADERS, SECTION_HEADER_SIZE, sections.length + 1];
  pack(image, 48, 'whhhhhh', [machineFlags, ...sizes, index('.shstrtab')]);

  const part = (name: string, type: number) => {
    const { bytes, align } = sections[index(name) - 1];
    return [type, PF.R, offsets.get(name)!, bytes.length, align];
  };
  const segments = [
    [PT.LOAD, PF.R, 0, codeOffset, pageSizeBytes],
    [PT.LOAD, PF.R | PF.X, codeOffset, codeSizeBytes, pageSizeBytes],
    part('.dynamic', PT.DYNAMIC),
    part('.note.gnu.build-id', PT.NOTE),
    [PT.GNU_STACK, PF.R | PF.W, 0, 0, 16],
  ];
  segments.forEach(([type, flags, offset, size, align], i) => {
    const fields = [type, flags, offset, offset, offset, size, size, align];
    pack(image, HEADER_SIZE + i * PROGRAM_HEADER_SIZE, 'wwqqqqqq', fields);
  });

  const names = new StringTable();
  sections.forEach(({ name, type, flags, link, info, align, entrySize, bytes }, i) => {
    const offset = offsets.get(name)!;
    const address = (flags & SHF.ALLOC) === 0 ? 0 : offset;
    const linked = link === undefined ? 0 : index(link);
    const fields = [names.add(name), type, flags, address, offset, bytes.length, linked, info ?? 0, align];
    const at = sectionTable + (i + 1) * SECTION_HEADER_SIZE;
    pack(image, at, 'wwqqqqwwqq', [...fields, entrySize ?? 0]);
  });
}

const BUILD_ID_SIZE = 16;
/** Three words and the name "GNU". */
const NOTE_HEADER_SIZE = 16;

function buildId(image: Uint8Array): number[] {
  const digest = new Hasher().string('build id').bytes(image).value();
  return Array.from({ length: BUILD_ID_SIZE }, (_, i) => Number.parseInt(digest.slice(2 * i, 2 * i + 2), 16));
}

/** Strings back to back, each ended by NUL, the empty one first. A string is kept once. */
class StringTable {
  private readonly offsets = new Map<string, number>([['', 0]]);
  private readonly parts: Uint8Array[] = [new Uint8Array(1)];
  private end = 1;

  add(text: string): number {
    const known = this.offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.end;
    const part = new TextEncoder().encode(`${text}\0`);
    this.offsets.set(text, offset);
    this.parts.push(part);
    this.end += part.length;
    return offset;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.end);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/** Writes numbers as little-endian fields of 1 (b), 2 (h), 4 (w) or 8 (q) bytes, back to back. */
function pack(bytes: Uint8Array, offset: number, format: string, values: readonly number[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = offset;
  values.forEach((value, i) => {
    const size = { b: 1, h: 2, w: 4, q: 8 }[format[i]]!;
    if (size === 1) view.setUint8(at, value);
    else if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  });
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
