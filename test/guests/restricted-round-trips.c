// Round trips into restricted mode and out again by a system call: nothing but zx_restricted_enter, for measuring it.
//
// Argument: round trips.
#include <jacinth/restricted.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls-next.h>

enum { ROUND_TRIPS = 1000, PAGE = 4096 };

// The restricted code: the process shares nothing, so it is a part of this program.
__asm__(
    "  .pushsection .text.restricted, \"ax\", @progbits\n"
    "call_for_ever:\n"
    "  ecall\n"
    "  j call_for_ever\n"
    "  .popsection\n");
extern const char call_for_ever[];

int main(int argc, char **argv) {
  const long round_trips = argc > 1 ? atol(argv[1]) : ROUND_TRIPS;
  zx_handle_t vmo;
  zx_vaddr_t address;
  if (zx_restricted_bind_state(0, &vmo) != ZX_OK) return 2;
  const zx_vm_option_t read_write = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
  if (zx_vmar_map(zx_vmar_root_self(), read_write, 0, vmo, 0, PAGE, &address) != ZX_OK) return 2;
  ((zx_restricted_state_t *)address)->pc = (uint64_t)call_for_ever;
  for (long i = 0; i < round_trips; i++)
    if (jacinth_restricted_enter(0, NULL) != ZX_RESTRICTED_REASON_SYSCALL) return 2;
  printf("%ld round trips\n", round_trips);
  return 0;
}
