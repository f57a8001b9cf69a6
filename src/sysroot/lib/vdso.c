// Finds the vDSO's exports for the table that the call stubs of zx-calls.S jump through; bind.S asks for each when it
// is first called.
#include "vdso-exports.h"

#pragma GCC visibility push(hidden)
extern uint64_t __zx_vdso_table[];
extern const int32_t __zx_vdso_names[];
extern const uint32_t __zx_vdso_count;
extern const char __zx_vdso_missing[];
extern const char __zx_unbound[];
uintptr_t __bind_call(size_t slot);
#pragma GCC visibility pop

// Entries of bind.S, and their size.
enum { UNBOUND_MAX = 256, UNBOUND_SIZE = 4 };

uintptr_t __bind_call(size_t slot) {
  const uintptr_t found = find((const char *)__zx_vdso_names + __zx_vdso_names[slot]);
  return __zx_vdso_table[slot] = found != 0 ? found : (uintptr_t)__zx_vdso_missing;
}

void __bind_vdso(uintptr_t vdso) {
  // Without calls there is no way to complain.
  if (!find_exports((const struct elf_header *)vdso) || __zx_vdso_count > UNBOUND_MAX) __builtin_trap();
  for (size_t i = 0; i < __zx_vdso_count; i++) __zx_vdso_table[i] = (uintptr_t)__zx_unbound + i * UNBOUND_SIZE;
}
