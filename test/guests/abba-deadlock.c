// Two threads take two locks in opposite orders. By default each makes sure that the other holds its first lock
// before it asks for its second, so every schedule ends in the deadlock; with an argument they race that many times,
// and the schedule decides.
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

static mtx_t accounts, ledger;
static _Atomic int holding;
static int rounds = 1;
static bool meet = true;

struct clerk {
  const char *name;
  mtx_t *first, *second;
};

static int clerk_main(void *argument) {
  const struct clerk *clerk = argument;
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, clerk->name, strlen(clerk->name));
  for (int i = 0; i < rounds; i++) {
    mtx_lock(clerk->first);
    holding++;
    while (meet && holding < 2) thrd_yield();
    mtx_lock(clerk->second);
    mtx_unlock(clerk->second);
    mtx_unlock(clerk->first);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    rounds = atoi(argv[1]);
    meet = false;
  }
  mtx_init(&accounts, mtx_plain);
  mtx_init(&ledger, mtx_plain);
  static const struct clerk clerks[] = {{"clerk-a", &accounts, &ledger}, {"clerk-b", &ledger, &accounts}};
  thrd_t threads[2];
  puts("two clerks take two locks");
  for (int i = 0; i < 2; i++) {
    if (thrd_create(&threads[i], clerk_main, (void *)&clerks[i]) != thrd_success) return 2;
  }
  for (int i = 0; i < 2; i++) thrd_join(threads[i], NULL);
  puts("both clerks went home");
  return 0;
}
