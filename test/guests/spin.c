// Integer arithmetic in a loop and nothing else, for counting steps.
//
// Argument: rounds.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 200000 };

int main(int argc, char **argv) {
  const uint64_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
  // Marsaglia's xorshift64 ("Xorshift RNGs", 2003).
  uint64_t state = 88172645463325252;
  for (uint64_t i = 0; i < rounds; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
  }
  printf("%016lx\n", state);
  return 0;
}
