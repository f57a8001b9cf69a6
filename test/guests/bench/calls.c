// Recursive functions that do little but call: Fibonacci, Takeuchi and Ackermann.
//
// Argument: rounds.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 8 };

__attribute__((noinline)) static uint64_t fibonacci(uint64_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline)) static int takeuchi(int x, int y, int z) {
  return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

__attribute__((noinline)) static uint64_t ackermann(uint64_t m, uint64_t n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

int main(int argc, char **argv) {
  const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
  uint64_t sum = 0;
  for (long i = 0; i < rounds; i++) {
    const int vary = (int)(i & 1);
    sum = sum * 31 + fibonacci(16 + vary);
    sum = sum * 31 + takeuchi(10 + vary, 6, 2);
    sum = sum * 31 + ackermann(2, 40 + vary);
  }
  printf("%016lx\n", (unsigned long)sum);
  return 0;
}
