// Finds what the stubs of mx-calls.S ask for. Only programs that call Magenta's functions have this in them.
#include <zircon/process.h>

#include "vdso-exports.h"

#pragma GCC visibility push(hidden)
uintptr_t __mx_function(const char *name);
#pragma GCC visibility pop

static zx_status_t missing(void) { return ZX_ERR_NOT_SUPPORTED; }

uintptr_t __mx_function(const char *name) {
  if (exports.hash == NULL) {
    uint64_t vdso = 0;
    zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &vdso, sizeof vdso);
    // A program that found its own calls in it finds them again.
    if (vdso == 0 || !find_exports((const struct elf_header *)vdso)) __builtin_trap();
  }
  const uintptr_t found = find(name);
  return found != 0 ? found : (uintptr_t)missing;
}
