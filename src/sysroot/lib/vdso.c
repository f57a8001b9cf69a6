// Finds the vDSO's exports by name (its dynamic symbols through DT_GNU_HASH) for the table that the call stubs of
// zx-calls.S jump through; bind.S asks for each when it is first called.
#include <string.h>

#include "elf.h"
#include "runtime.h"

#pragma GCC visibility push(hidden)
extern uint64_t __zx_vdso_table[];
extern const int32_t __zx_vdso_names[];
extern const uint32_t __zx_vdso_count;
extern const char __zx_vdso_missing[];
extern const char __zx_unbound[];
uintptr_t __bind_call(size_t slot);
#pragma GCC visibility pop

struct gnu_hash {
  uint32_t bucket_count;
  uint32_t first_symbol;
  uint32_t bloom_size;
  uint32_t bloom_shift;
  uint64_t bloom[];
};

// Entries of bind.S, and their size.
enum { UNBOUND_MAX = 256, UNBOUND_SIZE = 4 };

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

uintptr_t __bind_call(size_t slot) {
  const uintptr_t found = find((const char *)__zx_vdso_names + __zx_vdso_names[slot]);
  return __zx_vdso_table[slot] = found != 0 ? found : (uintptr_t)__zx_vdso_missing;
}

void __bind_vdso(uintptr_t vdso) {
  // Without calls there is no way to complain.
  if (!find_exports((const struct elf_header *)vdso) || __zx_vdso_count > UNBOUND_MAX) __builtin_trap();
  for (size_t i = 0; i < __zx_vdso_count; i++) __zx_vdso_table[i] = (uintptr_t)__zx_unbound + i * UNBOUND_SIZE;
}
