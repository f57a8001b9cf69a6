import { ElfBytes, ElfError, hex } from './elf-bytes.js';
import {
  CLASS_64,
  DATA_LITTLE,
  DT,
  DYNAMIC_SIZE,
  ET,
  HEADER_SIZE,
  MACHINE_NAMES,
  MAGIC,
  NT_GNU_BUILD_ID,
  PF,
  PROGRAM_HEADER_SIZE,
  PT,
  SECTION_HEADER_SIZE,
  SHT,
  VERSION,
} from './elf-constants.js';
import { ElfSymbolTable } from './elf-symbols.js';

export { ElfError } from './elf-bytes.js';

/** A PT_LOAD program header with something in it. Addresses are the file's own, before any load bias. */
export interface LoadSegment {
  readonly vaddr: number;
  readonly memSizeBytes: number;
  readonly fileOffset: number;
  readonly fileSizeBytes: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: bigint;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A linked ELF64 little-endian file: what it says of itself, all of it checked against the file's bounds. */
export interface Elf {
  readonly bytes: Uint8Array;
  /** e_machine. */
  readonly machine: number;
  /** ET_DYN: may be loaded anywhere (a static-PIE or a shared object). */
  readonly isPie: boolean;
  readonly entry: number;
  /** Ascending, no two on the same page, at least one. */
  readonly loadSegments: readonly LoadSegment[];
  /** What the load address must be a multiple of: the greatest p_align, at least a page. */
  readonly alignmentBytes: number;
  /** PT_INTERP: the program that wants to load this one. */
  readonly interpreter: string | null;
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[];
  readonly soname: string | null;
  /** The main thread's stack as PT_GNU_STACK asks for it (Zircon's use of its p_memsz); 0: does not say. */
  readonly stackSizeBytes: number;
  /** NT_GNU_BUILD_ID in lower-case hex. */
  readonly buildId: string | null;
  /** Empty when the file has no section headers. */
  readonly sections: readonly ElfSection[];
  /** .symtab, or .dynsym when that is all there is. */
  readonly symbols: ElfSymbolTable;
  readonly dynamicSymbols: ElfSymbolTable;
}

const MAX_FILE_BYTES = 256 << 20;
const MAX_PROGRAM_HEADERS = 1024;
const MAX_MAPPED_BYTES = 1 << 30;
const MAX_ADDRESS = 2 ** 47;
const MAX_DYNAMIC_ENTRIES = 65536;
const MAX_BUILD_ID_BYTES = 32;
const MAX_NAME_BYTES = 256;
/** Zircon maps ELF segments in pages of this size on every architecture read here. */
const PAGE = 4096;

/**
 * Reads and checks a linked ELF file. Whether it is a program that can be run is asked of `readProgram`.
 * Layouts and rules: System V ABI (gABI 4.1) chapters 4 and 5; page rules as Zircon's loader has them.
 * @throws ElfError for everything wrong with the file
 */
export function readElf(bytes: Uint8Array): Elf {
  const file = new ElfBytes(bytes);
  const type = checkIdentity(file);
  const headers = programHeaders(file);
  const loadSegments = readLoadSegments(headers, file.sizeBytes);
  const interpreter = headers.find((h) => h.type === PT.INTERP);
  const sectionHeaders = readSectionHeaders(file);
  const dynamicSymbols = readSymbols(file, sectionHeaders, SHT.DYNSYM);
  const symbols = readSymbols(file, sectionHeaders, SHT.SYMTAB);
  const stack = headers.find((h) => h.type === PT.GNU_STACK);
  if (stack !== undefined && stack.memSize > MAX_MAPPED_BYTES)
    throw new ElfError(`${stack.where}: asks for a stack of ${hex(stack.memSize)} bytes (limit 1 GiB)`);
  const alignments = headers.filter((h) => h.type === PT.LOAD).map((h) => h.align);
  return {
    bytes,
    machine: file.u16(18),
    isPie: type === ET.DYN,
    entry: file.u64(24),
    loadSegments,
    alignmentBytes: Math.max(PAGE, ...alignments),
    interpreter:
      interpreter === undefined
        ? null
        : file.string(interpreter.offset, interpreter.offset + interpreter.fileSize, MAX_NAME_BYTES),
    ...readDynamic(file, headers, loadSegments),
    stackSizeBytes: stack?.memSize ?? 0,
    buildId: readBuildId(file, headers, sectionHeaders),
    sections: sectionHeaders,
    symbols: symbols.count > 0 ? symbols : dynamicSymbols,
    dynamicSymbols,
  };
}

/** What a program must fit to be run. */
export interface ProgramRules {
  readonly machine: number;
  readonly machineName: string;
  /** The addresses user code may have: `[base, top)`. */
  readonly addresses: { readonly base: number; readonly top: number };
  /** SONAME of the vDSO: the one library a program may name, for the kernel maps it into every process. */
  readonly vdsoName: string;
}

/**
 * Reads an ELF file that is to be run: static or static-PIE, for the machine at hand, starting in its own code.
 * @throws ElfError for a bad file and for a good one that is no such program
 */
export function readProgram(bytes: Uint8Array, rules: ProgramRules): Elf {
  const elf = readElf(bytes);
  if (elf.machine !== rules.machine) {
    const made = MACHINE_NAMES.get(elf.machine) ?? 'an unknown machine';
    throw new ElfError(
      `program is for ${made} (e_machine ${elf.machine}), not for ${rules.machineName} (${rules.machine})`,
    );
  }
  if (elf.interpreter !== null)
    throw new ElfError(
      `program is dynamically linked: it wants the interpreter ${JSON.stringify(elf.interpreter)}; link it statically`,
    );
  const library = elf.needed.find((name) => name !== rules.vdsoName);
  if (library !== undefined)
    throw new ElfError(
      `program is dynamically linked: it needs the library ${JSON.stringify(library)}; link it statically`,
    );
  const starts = elf.loadSegments.some(
    (s) => s.executable && elf.entry >= s.vaddr && elf.entry < s.vaddr + s.memSizeBytes,
  );
  if (!starts) {
    const what = elf.isPie && elf.soname !== null ? 'a shared library, not a program: its ' : '';
    throw new ElfError(`${what}entry point ${hex(elf.entry)} is in no executable segment`);
  }
  const { base, top } = rules.addresses;
  for (const { vaddr, memSizeBytes } of elf.isPie ? [] : elf.loadSegments) {
    if (vaddr >= base && vaddr + memSizeBytes <= top) continue;
    throw new ElfError(
      `segment at ${hex(vaddr)} is outside the user addresses (${hex(base)} to ${hex(top)}); link it there, or as static-pie`,
    );
  }
  return elf;
}

function checkIdentity(file: ElfBytes): number {
  const { sizeBytes } = file;
  if (sizeBytes > MAX_FILE_BYTES)
    throw new ElfError(`file of ${sizeBytes} bytes is larger than any program that is read (256 MiB)`);
  if (sizeBytes < 4 || file.u32(0) !== MAGIC) throw new ElfError('not an ELF file: it does not start as one');
  file.check(0, HEADER_SIZE, 'ELF header');
  if (file.u8(4) !== CLASS_64)
    throw new ElfError(`not a 64-bit ELF file: class ${file.u8(4)} (1 is 32-bit), at 0x4`);
  if (file.u8(5) !== DATA_LITTLE)
    throw new ElfError(`not a little-endian ELF file: data encoding ${file.u8(5)} (2 is big-endian), at 0x5`);
  if (file.u8(6) !== VERSION || file.u32(20) !== VERSION)
    throw new ElfError(`ELF version ${file.u8(6)}/${file.u32(20)} at 0x6/0x14: only version 1 exists`);
  const type = file.u16(16);
  if (type === ET.EXEC || type === ET.DYN) return type;
  const what = type === ET.REL ? 'an object file' : type === ET.CORE ? 'a core dump' : `of type ${type}`;
  throw new ElfError(`ELF file is ${what}, not a linked program, at 0x10`);
}

interface ProgramHeader {
  readonly where: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: number;
  readonly fileSize: number;
  readonly memSize: number;
  readonly align: number;
}

function programHeaders(file: ElfBytes): ProgramHeader[] {
  const table = file.u64(32);
  const count = file.u16(56);
  if (count === 0) throw new ElfError('no program headers: nothing to load, at 0x38');
  if (count > MAX_PROGRAM_HEADERS)
    throw new ElfError(`${count} program headers at 0x38 (limit ${MAX_PROGRAM_HEADERS})`);
  if (file.u16(54) !== PROGRAM_HEADER_SIZE)
    throw new ElfError(`program headers of ${file.u16(54)} bytes at 0x36, not ${PROGRAM_HEADER_SIZE}`);
  file.check(table, count * PROGRAM_HEADER_SIZE, 'program header table');
  const headers: ProgramHeader[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * PROGRAM_HEADER_SIZE;
    const header: ProgramHeader = {
      where: `program header ${i} at ${hex(at)}`,
      type: file.u32(at),
      flags: file.u32(at + 4),
      offset: file.u64(at + 8),
      vaddr: file.u64(at + 16),
      fileSize: file.u64(at + 32),
      memSize: file.u64(at + 40),
      align: file.u64(at + 48),
    };
    const fileBacked = header.type !== PT.GNU_STACK && header.fileSize > 0;
    if (fileBacked) file.check(header.offset, header.fileSize, `contents of ${header.where}:`);
    headers.push(header);
  }
  return headers;
}

function readLoadSegments(headers: readonly ProgramHeader[], fileSizeBytes: number): LoadSegment[] {
  const segments: LoadSegment[] = [];
  let pageEnd = 0;
  let fileBytes = 0;
  for (const header of headers) {
    if (header.type !== PT.LOAD || header.memSize === 0) continue;
    checkLoadSegment(header);
    const { where, vaddr, memSize, fileSize, flags } = header;
    if (segments.length > 0 && vaddr - (vaddr % PAGE) < pageEnd)
      throw new ElfError(`${where}: segment at ${hex(vaddr)} is not on pages after the segment before it`);
    pageEnd = Math.ceil((vaddr + memSize) / PAGE) * PAGE;
    if (pageEnd - (segments[0]?.vaddr ?? vaddr) > MAX_MAPPED_BYTES)
      throw new ElfError(`${where}: segments span more than 1 GiB of addresses, up to ${hex(pageEnd)}`);
    fileBytes += fileSize;
    segments.push({
      vaddr,
      memSizeBytes: memSize,
      fileOffset: header.offset,
      fileSizeBytes: fileSize,
      readable: (flags & PF.R) !== 0,
      writable: (flags & PF.W) !== 0,
      executable: (flags & PF.X) !== 0,
    });
    // Parts of a file that are loaded twice would let a small file fill much memory.
    if (fileBytes > fileSizeBytes)
      throw new ElfError(`${where}: the segments up to here load more bytes than the file has`);
  }
  if (segments.length === 0) throw new ElfError('no PT_LOAD segment with a size: nothing to load');
  return segments;
}

function checkLoadSegment({ where, vaddr, memSize, fileSize, offset, align, flags }: ProgramHeader): void {
  const fail = (what: string): never => {
    throw new ElfError(`${where}: ${what}`);
  };
  if (fileSize > memSize)
    fail(`segment has more bytes in the file (${hex(fileSize)}) than in memory (${hex(memSize)})`);
  if (vaddr + memSize > MAX_ADDRESS) fail(`segment at ${hex(vaddr)} of ${hex(memSize)} bytes ends past 2^47`);
  if (memSize > MAX_MAPPED_BYTES) fail(`segment of ${hex(memSize)} bytes (limit 1 GiB)`);
  if (align > MAX_MAPPED_BYTES || (align & (align - 1)) !== 0)
    fail(`alignment ${hex(align)} is not a power of two up to 1 GiB`);
  const unit = Math.max(align, PAGE);
  if (fileSize > 0 && (vaddr - offset) % unit !== 0)
    fail(`address ${hex(vaddr)} and file offset ${hex(offset)} do not agree modulo ${hex(unit)}`);
  if ((flags & (PF.R | PF.W | PF.X)) === 0) fail('segment has no access flags');
  if ((flags & PF.W) !== 0 && (flags & PF.R) === 0) fail('segment is writable but not readable');
}

interface SectionHeader extends ElfSection {
  readonly where: string;
  readonly link: number;
  readonly entrySize: number;
  readonly align: number;
}

function readSectionHeaders(file: ElfBytes): SectionHeader[] {
  const table = file.u64(40);
  const count = file.u16(60);
  if (count === 0) {
    if (table === 0) return [];
    throw new ElfError('a section header table without entries, at 0x3c');
  }
  if (file.u16(58) !== SECTION_HEADER_SIZE)
    throw new ElfError(`section headers of ${file.u16(58)} bytes at 0x3a, not ${SECTION_HEADER_SIZE}`);
  file.check(table, count * SECTION_HEADER_SIZE, 'section header table');
  const headerAt = (index: number) => table + index * SECTION_HEADER_SIZE;
  const nameIndex = file.u16(62);
  const names = nameIndex > 0 && nameIndex < count ? stringTable(file, headerAt(nameIndex), nameIndex) : null;
  const headers: SectionHeader[] = [];
  for (let i = 0; i < count; i++) {
    const at = headerAt(i);
    const where = `section header ${i} at ${hex(at)}`;
    const type = file.u32(at + 4);
    const offset = file.u64(at + 24);
    const sizeBytes = file.u64(at + 32);
    if (type !== SHT.NULL && type !== SHT.NOBITS) file.check(offset, sizeBytes, `contents of ${where}:`);
    const nameOffset = file.u32(at);
    if (names !== null && nameOffset >= names.end - names.start)
      throw new ElfError(`${where}: name ${hex(nameOffset)} is outside the section name table`);
    const name = names === null ? '' : file.string(names.start + nameOffset, names.end, MAX_NAME_BYTES);
    const flags = BigInt(file.u32(at + 8)) | (BigInt(file.u32(at + 12)) << 32n);
    headers.push({
      where,
      name,
      type,
      flags,
      address: file.u64(at + 16),
      offset,
      sizeBytes,
      link: file.u32(at + 40),
      align: file.u64(at + 48),
      entrySize: file.u64(at + 56),
    });
  }
  return headers;
}

/** The bounds of a string table, checked: it ends in NUL, so that every offset in it starts a string that ends. */
function stringTable(file: ElfBytes, headerAt: number, index: number): { start: number; end: number } {
  const [start, sizeBytes] = [file.u64(headerAt + 24), file.u64(headerAt + 32)];
  file.check(start, sizeBytes, `string table (section ${index})`);
  const end = start + sizeBytes;
  if (file.u32(headerAt + 4) !== SHT.STRTAB || sizeBytes === 0 || file.u8(end - 1) !== 0)
    throw new ElfError(`section header ${index} at ${hex(headerAt)}: not a string table that ends in NUL`);
  return { start, end };
}

function readSymbols(file: ElfBytes, sections: readonly SectionHeader[], type: number): ElfSymbolTable {
  const header = sections.find((s) => s.type === type);
  if (header === undefined) return ElfSymbolTable.empty;
  const { where, offset, sizeBytes, entrySize, link } = header;
  if (link >= sections.length)
    throw new ElfError(`${where}: symbol names in section ${link}, which does not exist`);
  const names = stringTable(file, file.u64(40) + link * SECTION_HEADER_SIZE, link);
  return ElfSymbolTable.read(file, { where, offset, sizeBytes, entrySize, names, sections: sections.length });
}

type Dynamic = Pick<Elf, 'needed' | 'soname'>;

function readDynamic(
  file: ElfBytes,
  headers: readonly ProgramHeader[],
  segments: readonly LoadSegment[],
): Dynamic {
  const header = headers.find((h) => h.type === PT.DYNAMIC);
  if (header === undefined) return { needed: [], soname: null };
  const count = Math.min(Math.floor(header.fileSize / DYNAMIC_SIZE), MAX_DYNAMIC_ENTRIES);
  const neededOffsets: number[] = [];
  let sonameOffset: number | null = null;
  let strings = 0;
  let stringsSize = 0;
  for (let i = 0; i < count; i++) {
    const at = header.offset + i * DYNAMIC_SIZE;
    const [tag, value] = [file.u64(at), file.u64(at + 8)];
    if (tag === DT.NULL) break;
    if (tag === DT.NEEDED) neededOffsets.push(value);
    else if (tag === DT.SONAME) sonameOffset = value;
    else if (tag === DT.STRTAB) strings = value;
    else if (tag === DT.STRSZ) stringsSize = value;
  }
  if (neededOffsets.length === 0 && sonameOffset === null) return { needed: [], soname: null };
  const segment = segments.find(
    (s) => strings >= s.vaddr && strings + stringsSize <= s.vaddr + s.fileSizeBytes,
  );
  if (segment === undefined)
    throw new ElfError(
      `${header.where}: DT_STRTAB ${hex(strings)} (${hex(stringsSize)} bytes) is not loaded`,
    );
  const start = segment.fileOffset + (strings - segment.vaddr);
  const text = (offset: number): string => {
    if (offset >= stringsSize)
      throw new ElfError(`${header.where}: a name at ${hex(offset)} is outside the dynamic strings`);
    return file.string(start + offset, start + stringsSize, MAX_NAME_BYTES);
  };
  return { needed: neededOffsets.map(text), soname: sonameOffset === null ? null : text(sonameOffset) };
}

/** Notes: gABI chapter 5, "Note Section"; fields are padded to 4 bytes, to 8 only where p_align says 8. */
function readBuildId(
  file: ElfBytes,
  headers: readonly ProgramHeader[],
  sections: readonly SectionHeader[],
): string | null {
  const areas = [
    ...headers.filter((h) => h.type === PT.NOTE),
    ...sections.filter((s) => s.type === SHT.NOTE).map((s) => ({ ...s, fileSize: s.sizeBytes })),
  ];
  for (const { offset, fileSize, align, where } of areas) {
    const unit = align === 8 ? 8 : 4;
    const padded = (size: number) => Math.ceil(size / unit) * unit;
    const end = offset + fileSize;
    for (let at = offset; at + 12 <= end; ) {
      const [nameSize, sizeBytes, type] = [file.u32(at), file.u32(at + 4), file.u32(at + 8)];
      const value = at + padded(12 + nameSize);
      if (value + sizeBytes > end) throw new ElfError(`note at ${hex(at)} ends outside ${where}`);
      if (type === NT_GNU_BUILD_ID && nameSize === 4 && file.string(at + 12, at + 16, 4) === 'GNU') {
        if (sizeBytes === 0 || sizeBytes > MAX_BUILD_ID_BYTES)
          throw new ElfError(`build id of ${sizeBytes} bytes at ${hex(at)} (1 to ${MAX_BUILD_ID_BYTES})`);
        const id = file.bytes.subarray(value, value + sizeBytes);
        return Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('');
      }
      at = padded(value - offset + sizeBytes) + offset;
    }
  }
  return null;
}
