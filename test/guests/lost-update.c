// A bank account with a lost update. Four tellers deposit without a lock: each reads the balance, adds, and writes
// it back. Between the read and the write lie a few instructions; between two deposits, the paperwork of one. A
// schedule that switches tellers inside the window loses money, and most schedules that do not, do not.
//
// Argument: deposits of each teller.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

enum { TELLERS = 4, DEPOSITS = 12, PAPERWORK_ROUNDS = 400 };

volatile long balance;
static int deposits = DEPOSITS;

// FNV-1a over the receipt, again and again: work that no teller shares.
static uint32_t paperwork(int teller, int receipt) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < PAPERWORK_ROUNDS; i++) hash = (hash ^ (uint32_t)(teller + receipt + i)) * 16777619u;
  return hash;
}

static __attribute__((noinline)) void deposit(long amount) {
  const long seen = balance;
  balance = seen + amount;
}

static int teller_main(void *argument) {
  const int teller = *(const int *)argument;
  char name[ZX_MAX_NAME_LEN];
  snprintf(name, sizeof name, "teller-%d", teller);
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, name, strlen(name));
  uint32_t ledger = 0;
  for (int i = 0; i < deposits; i++) {
    ledger ^= paperwork(teller, i);
    deposit(1);
  }
  return (int)(ledger & 1);
}

int main(int argc, char **argv) {
  if (argc > 1) deposits = atoi(argv[1]);
  static int numbers[TELLERS];
  thrd_t tellers[TELLERS];
  for (int i = 0; i < TELLERS; i++) {
    numbers[i] = i + 1;
    if (thrd_create(&tellers[i], teller_main, &numbers[i]) != thrd_success) return 2;
  }
  for (int i = 0; i < TELLERS; i++) thrd_join(tellers[i], NULL);

  const long expected = (long)TELLERS * deposits;
  if (balance == expected) {
    printf("balance %ld, as expected\n", balance);
    return 0;
  }
  printf("balance %ld, expected %ld: %ld lost\n", balance, expected, expected - balance);
  return 1;
}
