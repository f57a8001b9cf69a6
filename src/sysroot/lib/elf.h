// The parts of ELF64 that start-up and program loading read (System V ABI, "Object Files" and "Program Loading").
#pragma once
#include <stdint.h>

struct elf_header {
  unsigned char ident[16];
  uint16_t type;
  uint16_t machine;
  uint32_t version;
  uint64_t entry;
  uint64_t phoff;
  uint64_t shoff;
  uint32_t flags;
  uint16_t ehsize;
  uint16_t phentsize;
  uint16_t phnum;
  uint16_t shentsize;
  uint16_t shnum;
  uint16_t shstrndx;
};

struct elf_segment {
  uint32_t type;
  uint32_t flags;
  uint64_t offset;
  uint64_t vaddr;
  uint64_t paddr;
  uint64_t filesz;
  uint64_t memsz;
  uint64_t align;
};

struct elf_dynamic {
  int64_t tag;
  uint64_t value;
};

struct elf_symbol {
  uint32_t name;
  unsigned char info;
  unsigned char other;
  uint16_t section;
  uint64_t value;
  uint64_t size;
};

struct elf_relocation {
  uint64_t offset;
  uint64_t info;
  int64_t addend;
};

enum { ET_EXEC = 2, ET_DYN = 3, EM_RISCV = 243 };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_TLS = 7 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };
enum { DT_NULL = 0, DT_STRTAB = 5, DT_SYMTAB = 6, DT_RELA = 7, DT_RELASZ = 8, DT_GNU_HASH = 0x6ffffef5 };
enum { R_RISCV_RELATIVE = 3, R_RISCV_TLS_TPREL64 = 11 };
