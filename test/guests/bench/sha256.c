// SHA-256 (FIPS 180-4) chained: a block of 4 KiB is hashed, the hash goes into its start, and so on.
//
// Argument: blocks.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../sha256-constants.h"

enum { BLOCKS = 6, BLOCK_BYTES = 4096, CHUNK_BYTES = 64 };

static uint8_t block[BLOCK_BYTES];

static inline uint32_t rotate(uint32_t value, int by) { return value >> by | value << (32 - by); }

static void compress(uint32_t state[8], const uint8_t *in) {
  uint32_t words[64];
  for (int i = 0; i < 16; i++, in += 4) {
    words[i] = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
  }
  for (int i = 16; i < 64; i++) {
    const uint32_t x = words[i - 15], y = words[i - 2];
    const uint32_t s0 = rotate(x, 7) ^ rotate(x, 18) ^ x >> 3;
    const uint32_t s1 = rotate(y, 17) ^ rotate(y, 19) ^ y >> 10;
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i++) {
    const uint32_t choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
    const uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + rounds[i] + words[i];
    const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
    h = g, g = f, f = e, e = d + t1;
    d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

// The message is the whole block, so all of the padding is in a chunk of its own.
static void hash_block(uint32_t state[8]) {
  for (int i = 0; i < 8; i++) state[i] = initial[i];
  for (int at = 0; at < BLOCK_BYTES; at += CHUNK_BYTES) compress(state, block + at);
  uint8_t padding[CHUNK_BYTES] = {0x80};
  const uint64_t bits = (uint64_t)BLOCK_BYTES * 8;
  for (int i = 0; i < 8; i++) padding[CHUNK_BYTES - 1 - i] = (uint8_t)(bits >> 8 * i);
  compress(state, padding);
}

int main(int argc, char **argv) {
  const long blocks = argc > 1 ? strtol(argv[1], NULL, 10) : BLOCKS;
  uint32_t state[8] = {0};
  make_constants();
  for (int i = 0; i < BLOCK_BYTES; i++) block[i] = (uint8_t)(i * 7 + (i >> 8));
  for (long i = 0; i < blocks; i++) {
    hash_block(state);
    for (int k = 0; k < 32; k++) block[k] = (uint8_t)(state[k / 4] >> (24 - k % 4 * 8));
  }
  for (int i = 0; i < 8; i++) printf("%08x", (unsigned)state[i]);
  printf("\n");
  return 0;
}
