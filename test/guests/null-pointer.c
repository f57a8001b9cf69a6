// A crash a few calls deep: a write through a null pointer.
#include <stddef.h>
#include <stdio.h>

struct account {
  long number;
  long balance;
};

static __attribute__((noinline)) struct account *find_account(long number) {
  static struct account accounts[] = {{1, 100}, {2, 200}};
  for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
    if (accounts[i].number == number) return &accounts[i];
  }
  return NULL;
}

static __attribute__((noinline)) void credit(struct account *account, long amount) { account->balance += amount; }

static __attribute__((noinline)) void transfer(long from, long to, long amount) {
  credit(find_account(from), -amount);
  credit(find_account(to), amount);
  printf("moved %ld from %ld to %ld\n", amount, from, to);
}

int main(void) {
  transfer(1, 2, 50);
  transfer(2, 3, 25);
  puts("not reached");
  return 0;
}
