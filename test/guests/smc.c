// Code that writes code: a function `li a0, N; ret` is assembled and its N changed again and again, first through a
// second, writable mapping of the same pages, then in place in one mapping that is writable and executable.
//
// Argument: versions of the function.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

enum { VERSIONS = 500, PAGE = 4096 };

typedef long function(void);

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("%s: status %d\n", what, status);
  exit(2);
}

static uint32_t *map(zx_handle_t vmo, zx_vm_option_t access) {
  zx_vaddr_t address;
  check(zx_vmar_map(zx_vmar_root_self(), access, 0, vmo, 0, PAGE, &address), "map");
  return (uint32_t *)address;
}

// addi a0, zero, value (value below 2048), then ret: RISC-V unprivileged specification, I-type and JALR.
static void assemble(volatile uint32_t *code, uint32_t value) {
  code[0] = value << 20 | 10 << 7 | 0x13;
  code[1] = 1 << 15 | 0x67;
  __asm__ volatile("fence.i" ::: "memory");
}

static long run_versions(uint32_t *writable, uint32_t *executable, uint32_t versions) {
  long sum = 0;
  for (uint32_t i = 0; i < versions; i++) {
    assemble(writable, i % 2048);
    sum += ((function *)executable)();
  }
  return sum;
}

int main(int argc, char **argv) {
  const uint32_t versions = argc > 1 ? (uint32_t)atoi(argv[1]) : VERSIONS;
  long expected = 0;
  for (uint32_t i = 0; i < versions; i++) expected += i % 2048;
  zx_handle_t vmo;
  check(zx_vmo_create(PAGE, 0, &vmo), "create");
  check(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &vmo), "make executable");
  uint32_t *writable = map(vmo, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
  uint32_t *executable = map(vmo, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE);
  uint32_t *both = map(vmo, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE);
  const long aliased = run_versions(writable, executable, versions);
  const long in_place = run_versions(both, both, versions);
  printf("two mappings: %ld, one: %ld, expected: %ld\n", aliased, in_place, expected);
  return aliased == expected && in_place == expected ? 0 : 1;
}
