// A mutex written here on bare futexes (0 free, 1 held, 2 held and wanted) under four threads that fight for it with
// plain, timed and try locks, while a fifth shifts waiters to another futex and back with zx_futex_requeue.
//
// Argument: acquisitions of each thread.
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

enum { THREADS = 4, ACQUISITIONS = 200, FREE = 0, HELD = 1, WANTED = 2 };

static zx_futex_t word;
static _Atomic int finished;
static int acquisitions = ACQUISITIONS;
// Plain variables: only the mutex keeps them right.
static long counter;
static long shadow[16];

static bool try_lock(void) {
  int expected = FREE;
  return atomic_compare_exchange_strong(&word, &expected, HELD);
}

static bool lock_before(zx_time_t deadline) {
  if (try_lock()) return true;
  while (atomic_exchange(&word, WANTED) != FREE) {
    const zx_status_t status = zx_futex_wait(&word, WANTED, ZX_HANDLE_INVALID, deadline);
    if (status == ZX_ERR_TIMED_OUT) return false;
    if (status != ZX_OK && status != ZX_ERR_BAD_STATE) exit(2);
  }
  return true;
}

static void unlock(void) {
  if (atomic_exchange(&word, FREE) == WANTED) zx_futex_wake(&word, 1);
}

static void acquire(int round) {
  switch (round % 3) {
    case 0: lock_before(ZX_TIME_INFINITE); return;
    case 1:
      while (!lock_before(zx_deadline_after(ZX_USEC(5)))) continue;
      return;
    default:
      while (!try_lock()) thrd_yield();
  }
}

static int fighter_main(void *argument) {
  const int number = *(const int *)argument;
  char name[ZX_MAX_NAME_LEN];
  snprintf(name, sizeof name, "fighter-%d", number);
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, name, strlen(name));
  for (int i = 0; i < acquisitions; i++) {
    acquire(number + i);
    for (int k = 0; k < 16; k++) {
      if (shadow[k] != counter) exit(1);
    }
    counter++;
    for (int k = 0; k < 16; k++) shadow[k] = counter;
    unlock();
  }
  finished++;
  return 0;
}

// Moves one sleeper to a side futex and wakes it there: it must come back for the lock as if woken in place.
static int mover_main(void *argument) {
  (void)argument;
  static zx_futex_t side;
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, "mover", 5);
  while (finished < THREADS) {
    const int seen = word;
    const zx_status_t status = zx_futex_requeue(&word, 0, seen, &side, 1, ZX_HANDLE_INVALID);
    if (status != ZX_OK && status != ZX_ERR_BAD_STATE) exit(3);
    zx_futex_wake(&side, UINT32_MAX);
    zx_nanosleep(zx_deadline_after(ZX_USEC(20)));
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) acquisitions = atoi(argv[1]);
  static int numbers[THREADS];
  thrd_t threads[THREADS + 1];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i + 1;
    if (thrd_create(&threads[i], fighter_main, &numbers[i]) != thrd_success) return 2;
  }
  if (thrd_create(&threads[THREADS], mover_main, NULL) != thrd_success) return 2;
  for (int i = 0; i <= THREADS; i++) thrd_join(threads[i], NULL);
  printf("counter %ld of %ld\n", counter, (long)THREADS * acquisitions);
  return counter == (long)THREADS * acquisitions ? 0 : 1;
}
