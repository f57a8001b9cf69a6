// Counters that belong to cores, not to threads, and are counted up without atomic instructions: each increment is a
// restartable sequence (RFC-0278). A thread that loses its core inside of one begins it anew, on the counter of the core
// it has then, so nothing is lost, whatever the schedule. With the argument "plain" the kernel is not told, and it is.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/rseq.h>

enum { THREADS = 6, INCREMENTS = 100, CORES = 64, PAGE = 4096 };

// The sequence is the code from 1 to 2. Work between its load and its store, so that it is interrupted now and then.
// Returns 1, or 0 when it was not done.
int increment(volatile uint64_t *counter, zx_rseq_t *rseq, uint32_t cpu);
__asm__(
    ".globl increment\n"
    ".type increment, @function\n"
    "increment:\n"
    "  lla t0, 1f\n"
    "  lla t1, 2f\n"
    "  lla t2, 3f\n"
    "  sub t1, t1, t0\n"
    "  sd t0, 8(a1)\n"
    "  sd t2, 24(a1)\n"
    "  sd t1, 16(a1)\n"
    "1:\n"
    "  lw t0, 0(a1)\n"
    "  bne t0, a2, 3f\n"
    "  ld t1, 0(a0)\n"
    "  li t2, 60\n"
    "4:\n"
    "  addi t2, t2, -1\n"
    "  bnez t2, 4b\n"
    "  addi t1, t1, 1\n"
    "  sd t1, 0(a0)\n"
    "2:\n"
    "  sd zero, 16(a1)\n"
    "  li a0, 1\n"
    "  ret\n"
    "3:\n"
    "  sd zero, 16(a1)\n"
    "  li a0, 0\n"
    "  ret\n"
    ".size increment, . - increment\n");

static volatile uint64_t counters[CORES];
static volatile uint64_t aborts[THREADS];
static zx_handle_t vmo;
static zx_vaddr_t area;
static int plain;

static int count(void *argument) {
  const int number = (int)(intptr_t)argument;
  zx_rseq_t *rseq = (zx_rseq_t *)(area + (size_t)number * sizeof(zx_rseq_t));
  volatile uint32_t *core = &rseq->cpu_id;
  if (!plain) {
    *core = UINT32_MAX;
    if (zx_thread_set_rseq(vmo, (size_t)number * sizeof(zx_rseq_t), sizeof(zx_rseq_t)) != ZX_OK) return 1;
    if (*core >= zx_system_get_num_cpus()) return 2;
  }
  for (int i = 0; i < INCREMENTS;) {
    const uint32_t cpu = *core;
    if (increment(&counters[cpu], rseq, cpu)) i++;
    else aborts[number]++;
  }
  return zx_thread_set_rseq(ZX_HANDLE_INVALID, 0, 0) == ZX_OK ? 0 : 3;
}

int main(int argc, char **argv) {
  plain = argc > 1 && strcmp(argv[1], "plain") == 0;
  if (zx_vmo_create(PAGE, 0, &vmo) != ZX_OK) return 10;
  if (zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, PAGE, &area) != ZX_OK) return 11;
  thrd_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    if (thrd_create(&threads[i], count, (void *)(intptr_t)i) != thrd_success) return 12;
  }
  for (int i = 0; i < THREADS; i++) {
    int result;
    if (thrd_join(threads[i], &result) != thrd_success || result != 0) return 13;
  }
  uint64_t total = 0, aborted = 0;
  for (int i = 0; i < CORES; i++) total += counters[i];
  for (int i = 0; i < THREADS; i++) aborted += aborts[i];
  printf("%lu of %d, %lu begun anew\n", total, THREADS * INCREMENTS, aborted);
  return total != THREADS * INCREMENTS;
}
