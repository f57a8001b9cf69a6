/**
 * Numbers of the ELF format, from the System V ABI (gABI 4.1, chapters 4 and 5) and its GNU extensions, as far
 * as the reader, the writer and the symboliser use them. Sizes are those of ELF64.
 */
export const HEADER_SIZE = 64;
export const PROGRAM_HEADER_SIZE = 56;
export const SECTION_HEADER_SIZE = 64;
export const SYMBOL_SIZE = 24;
export const DYNAMIC_SIZE = 16;

/** 0x7f 'E' 'L' 'F', read as a little-endian word. */
export const MAGIC = 0x464c457f;
export const CLASS_64 = 2;
export const DATA_LITTLE = 1;
export const VERSION = 1;

export const ET = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;
export const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, NOTE: 4, GNU_STACK: 0x6474e551 } as const;
export const PF = { X: 1, W: 2, R: 4 } as const;
export const SHT = {
  NULL: 0,
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  DYNAMIC: 6,
  NOTE: 7,
  NOBITS: 8,
  DYNSYM: 11,
  GNU_HASH: 0x6ffffff6,
} as const;
export const SHF = { ALLOC: 2, EXECINSTR: 4 } as const;
export const SHN = { UNDEF: 0, LORESERVE: 0xff00 } as const;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4, TLS: 6, GNU_IFUNC: 10 } as const;
export const DT = {
  NULL: 0,
  NEEDED: 1,
  STRTAB: 5,
  SYMTAB: 6,
  STRSZ: 10,
  SYMENT: 11,
  SONAME: 14,
  GNU_HASH: 0x6ffffef5,
} as const;
export const NT_GNU_BUILD_ID = 3;

/** e_machine values (registry of the gABI) that a user is likely to meet, for error texts. */
export const MACHINE_NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'i386'],
  [8, 'mips'],
  [21, 'powerpc64'],
  [22, 's390'],
  [40, 'arm'],
  [62, 'x64'],
  [183, 'arm64'],
  [243, 'riscv'],
  [258, 'loongarch'],
]);
export const EM_RISCV = 243;
