// Two threads take turns under one mutex, and wake each other by a condition variable. In its turn each locks another
// mutex many times, that nobody else wants just then.
//
// Argument: turns of each thread.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

enum { TURNS = 500, PLAYERS = 2, LOCKS = 32 };

static mtx_t table, counter;
static cnd_t turned;
static int whose;
static long turns = TURNS;
// Plain variables: only the mutexes keep them right.
static uint64_t sum, locks;

static int play(void *argument) {
  const int me = *(const int *)argument;
  for (long turn = 0; turn < turns; turn++) {
    mtx_lock(&table);
    while (whose != me) cnd_wait(&turned, &table);
    for (int i = 0; i < LOCKS; i++) {
      mtx_lock(&counter);
      sum = sum * 31 + (uint64_t)(me + turn);
      locks++;
      mtx_unlock(&counter);
    }
    whose = 1 - me;
    cnd_signal(&turned);
    mtx_unlock(&table);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) turns = strtol(argv[1], NULL, 10);
  if (mtx_init(&table, mtx_plain) != thrd_success || mtx_init(&counter, mtx_plain) != thrd_success) return 2;
  if (cnd_init(&turned) != thrd_success) return 2;
  static int numbers[PLAYERS] = {0, 1};
  thrd_t players[PLAYERS];
  for (int i = 0; i < PLAYERS; i++) {
    if (thrd_create(&players[i], play, &numbers[i]) != thrd_success) return 2;
  }
  for (int i = 0; i < PLAYERS; i++) thrd_join(players[i], NULL);
  printf("%lu %016lx\n", (unsigned long)locks, (unsigned long)sum);
  return locks == (uint64_t)turns * PLAYERS * LOCKS ? 0 : 1;
}
