// Makes random system calls through the vDSO, all that it exports, with arguments that are handles it has, addresses
// of its own memory and edges of their types. What becomes of it is not its concern: the kernel must take it.
//
// Arguments: seed, number of calls.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

enum { HANDLES = 64, ARENA = 1 << 16 };

// The table that the call stubs jump through (src/sysroot/lib/zx-calls.S).
extern uint64_t __zx_vdso_table[];
extern const int32_t __zx_vdso_names[];
extern const uint32_t __zx_vdso_count;

typedef uint64_t (*call_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static uint64_t state;
static zx_handle_t handles[HANDLES];
static uint64_t arena[ARENA / 8] __attribute__((aligned(4096)));

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static unsigned below(unsigned bound) { return (unsigned)(next() >> 33) % bound; }

static uint64_t edge(void) {
  const unsigned bit = below(64);
  return (UINT64_C(1) << bit) + below(3) - 1;
}

static uint64_t argument(void) {
  switch (below(16)) {
    case 0: case 1: case 2: case 3: case 4: return handles[below(HANDLES)];
    case 5: case 6: case 7: case 8: return (uint64_t)arena + 64 * below(ARENA / 64 - 64);
    case 9: return below(16);
    case 10: return 4096 * (uint64_t)below(8);
    case 11: return edge();
    case 12: return (uint64_t)zx_deadline_after(below(5000));
    case 13: return 0;
    case 14: return 1u << below(32);
    default: return next();
  }
}

// Handles and addresses where calls look for structures.
static void stir(void) {
  for (int i = 0; i < 32; i++) {
    uint64_t *word = &arena[below(ARENA / 8)];
    *word = below(2) ? handles[below(HANDLES)] | (uint64_t)handles[below(HANDLES)] << 32 : argument();
  }
}

// Keeps what looks like a new handle: calls leave them in the arena.
static void harvest(void) {
  const uint32_t *words = (const uint32_t *)arena;
  for (int i = 0; i < 64; i++) {
    const zx_handle_t seen = words[below(ARENA / 4)];
    if ((seen & 3) == 3 && zx_object_get_info(seen, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) == ZX_OK) {
      handles[below(HANDLES)] = seen;
    }
  }
}

// Objects of each kind to begin with; now and then more.
static void equip(void) {
  zx_handle_t made[2] = {0, 0};
  switch (below(8)) {
    case 0: zx_channel_create(0, &made[0], &made[1]); break;
    case 1: zx_eventpair_create(0, &made[0], &made[1]); break;
    case 2: zx_event_create(0, made); break;
    case 3: zx_port_create(0, made); break;
    case 4: zx_timer_create(0, ZX_CLOCK_MONOTONIC, made); break;
    case 5: zx_vmo_create(4096 * (1 + below(8)), ZX_VMO_RESIZABLE, made); break;
    case 6: zx_job_create(zx_job_default(), 0, made); break;
    default: zx_thread_create(zx_process_self(), "t", 1, 0, made);
  }
  for (int i = 0; i < 2; i++) if (made[i] != 0) handles[below(HANDLES)] = made[i];
}

static bool ends_the_caller(const char *name) {
  return strstr(name, "_exit") != NULL || strcmp(name, "zx_cprng_draw") == 0 || strcmp(name, "zx_task_kill") == 0;
}

static int work(void *argument_) {
  unsigned long *left = argument_;
  while (*left > 0) {
    --*left;
    const uint32_t slot = below(__zx_vdso_count);
    const char *name = (const char *)__zx_vdso_names + __zx_vdso_names[slot];
    if (ends_the_caller(name) && below(200) != 0) continue;
    if (below(4) == 0) equip();
    if (below(4) == 0) stir();
    if (below(8) == 0) harvest();
    ((call_t)__zx_vdso_table[slot])(argument(), argument(), argument(), argument(), argument(), argument(), argument(),
                                   argument());
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    puts("usage: fuzz-calls SEED CALLS");
    return 2;
  }
  state = strtoul(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
  unsigned long left = strtoul(argv[2], NULL, 10);
  for (int i = 0; i < HANDLES; i++) equip();
  if (state & 1) handles[0] = zx_vmar_root_self();
  if (state & 2) handles[1] = zx_process_self();
  thrd_t threads[2];
  for (int i = 0; i < 2; i++) thrd_create(&threads[i], work, &left);
  for (int i = 0; i < 2; i++) thrd_join(threads[i], NULL);
  puts("all calls made");
  return 0;
}
