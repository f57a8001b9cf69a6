// Constants of SHA-256 (FIPS 180-4), computed, not listed: the first 32 bits of the fractional parts of roots of primes, by
// integer search.
#ifndef SHA256_CONSTANTS_H
#define SHA256_CONSTANTS_H
#include <stdint.h>

static uint32_t rounds[64], initial[8];

// The low 32 bits of floor(2^32 × prime^(1/degree)), found bit by bit: degree is 2 or 3, prime below 512.
static uint32_t root_fraction(unsigned prime, int degree) {
  const unsigned __int128 limit = (unsigned __int128)prime << 32 * degree;
  uint64_t root = 0;
  for (int bit = 35; bit >= 0; bit--) {
    const uint64_t guess = root | 1ul << bit;
    const unsigned __int128 square = (unsigned __int128)guess * guess;
    if ((degree == 3 ? square * guess : square) <= limit) root = guess;
  }
  return (uint32_t)root;
}

static void make_constants(void) {
  int count = 0;
  for (unsigned candidate = 2; count < 64; candidate++) {
    unsigned divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor != 0) divisor++;
    if (divisor * divisor <= candidate) continue;
    if (count < 8) initial[count] = root_fraction(candidate, 2);
    rounds[count++] = root_fraction(candidate, 3);
  }
}

#endif
