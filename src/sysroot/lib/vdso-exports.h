// The vDSO's exports by name: its dynamic symbols through DT_GNU_HASH. Each file that includes this has its own view.
#pragma once
#include <string.h>

#include "elf.h"
#include "runtime.h"

struct gnu_hash {
  uint32_t bucket_count;
  uint32_t first_symbol;
  uint32_t bloom_size;
  uint32_t bloom_shift;
  uint64_t bloom[];
};

static struct {
  uintptr_t bias;
  const struct elf_symbol *symbols;
  const char *strings;
  const struct gnu_hash *hash;
} exports;

static bool find_exports(const struct elf_header *header) {
  const struct elf_segment *segment = (const void *)((const char *)header + header->phoff);
  const struct elf_segment *dynamic = NULL;
  for (unsigned i = 0; i < header->phnum; i++) {
    if (segment[i].type == PT_LOAD && segment[i].offset == 0) exports.bias = (uintptr_t)header - segment[i].vaddr;
    if (segment[i].type == PT_DYNAMIC) dynamic = &segment[i];
  }
  if (dynamic == NULL) return false;
  const struct elf_dynamic *entry = (const void *)(exports.bias + dynamic->vaddr);
  for (; entry->tag != DT_NULL; entry++) {
    const void *at = (const void *)(exports.bias + entry->value);
    if (entry->tag == DT_SYMTAB) exports.symbols = at;
    if (entry->tag == DT_STRTAB) exports.strings = at;
    if (entry->tag == DT_GNU_HASH) exports.hash = at;
  }
  return exports.symbols != NULL && exports.strings != NULL && exports.hash != NULL;
}

static uintptr_t find(const char *name) {
  uint32_t wanted = 5381;
  for (const char *in = name; *in != 0; in++) wanted = wanted * 33 + (unsigned char)*in;
  const struct gnu_hash *hash = exports.hash;
  const uint32_t *buckets = (const void *)&hash->bloom[hash->bloom_size];
  const uint32_t *chain = buckets + hash->bucket_count;
  uint32_t index = buckets[wanted % hash->bucket_count];
  if (index < hash->first_symbol) return 0;
  for (;; index++) {
    const uint32_t seen = chain[index - hash->first_symbol];
    const struct elf_symbol *symbol = &exports.symbols[index];
    if ((seen | 1) == (wanted | 1) && strcmp(exports.strings + symbol->name, name) == 0) {
      return symbol->section == 0 ? 0 : exports.bias + symbol->value;
    }
    // A set low bit ends the bucket.
    if ((seen & 1) != 0) return 0;
  }
}
