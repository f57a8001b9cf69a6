// A bank account with a lost update. Four tellers deposit without a lock: each reads the balance, notes what it saw in
// its own audit trail, and writes the sum back. That takes a few instructions; the paperwork between two deposits takes
// a thousand. A schedule that changes tellers inside the few loses money, and most schedules never do it, or seldom.
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

enum { TELLERS = 4, DEPOSITS = 100, PAPERWORK_ROUNDS = 200 };

volatile long balance;
static int deposits = DEPOSITS;

// FNV-1a over the receipt, again and again: work that no teller shares.
static uint32_t paperwork(int teller, int receipt) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < PAPERWORK_ROUNDS; i++) hash = (hash ^ (uint32_t)(teller + receipt + i)) * 16777619u;
  return hash;
}

struct teller {
  int number;
  // Volatile, as the balance is: the trail is to be written before the money is.
  volatile uint64_t receipts;
  volatile uint64_t audit;
};

static __attribute__((noinline)) void deposit(struct teller *teller, long amount) {
  const long seen = balance;
  teller->receipts++;
  teller->audit = teller->audit * 31 + (uint64_t)seen;
  balance = seen + amount;
}

static int teller_main(void *argument) {
  struct teller *teller = argument;
  char name[ZX_MAX_NAME_LEN];
  snprintf(name, sizeof name, "teller-%d", teller->number);
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, name, strlen(name));
  uint32_t ledger = 0;
  for (int i = 0; i < deposits; i++) {
    ledger ^= paperwork(teller->number, i);
    deposit(teller, 1);
  }
  return (int)(ledger & 1);
}

int main(int argc, char **argv) {
  if (argc > 1) deposits = atoi(argv[1]);
  static struct teller tellers[TELLERS];
  thrd_t threads[TELLERS];
  for (int i = 0; i < TELLERS; i++) {
    tellers[i].number = i + 1;
    if (thrd_create(&threads[i], teller_main, &tellers[i]) != thrd_success) return 2;
  }
  for (int i = 0; i < TELLERS; i++) thrd_join(threads[i], NULL);

  const long expected = (long)TELLERS * deposits;
  if (balance == expected) {
    printf("balance %ld, as expected\n", balance);
    return 0;
  }
  printf("balance %ld, expected %ld: %ld lost\n", balance, expected, expected - balance);
  return 1;
}
