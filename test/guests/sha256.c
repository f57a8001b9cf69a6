// SHA-256 (FIPS 180-4) of a generated buffer.
//
// Argument: size of the buffer in bytes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256-constants.h"

enum { SIZE_BYTES = 20000, BLOCK = 64 };

static uint32_t rotate(uint32_t value, int by) { return value >> by | value << (32 - by); }

static void compress(uint32_t state[8], const uint8_t block[BLOCK]) {
  uint32_t words[64];
  for (int i = 0; i < 16; i++) {
    const uint8_t *in = block + 4 * i;
    words[i] = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
  }
  for (int i = 16; i < 64; i++) {
    const uint32_t a = words[i - 15], b = words[i - 2];
    const uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
    const uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
  uint32_t v[8];
  memcpy(v, state, sizeof v);
  for (int i = 0; i < 64; i++) {
    const uint32_t e = v[4], a = v[0];
    const uint32_t choice = (e & v[5]) ^ (~e & v[6]);
    const uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
    const uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + rounds[i] + words[i];
    const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
    for (int k = 7; k > 0; k--) v[k] = v[k - 1];
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) state[i] += v[i];
}

static void sha256(const uint8_t *data, size_t size, uint32_t state[8]) {
  memcpy(state, initial, sizeof initial);
  size_t done = 0;
  for (; size - done >= BLOCK; done += BLOCK) compress(state, data + done);
  uint8_t tail[2 * BLOCK] = {0};
  const size_t left = size - done;
  memcpy(tail, data + done, left);
  tail[left] = 0x80;
  const size_t tail_size = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  for (int i = 0; i < 8; i++) tail[tail_size - 1 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
  for (size_t at = 0; at < tail_size; at += BLOCK) compress(state, tail + at);
}

static void print_hash(const char *label, const void *data, size_t size) {
  uint32_t state[8];
  sha256(data, size, state);
  printf("%s ", label);
  for (int i = 0; i < 8; i++) printf("%08x", state[i]);
  printf("\n");
}

int main(int argc, char **argv) {
  const size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : SIZE_BYTES;
  uint8_t *buffer = malloc(size + 1);
  if (buffer == NULL) return 2;
  uint32_t state = 1;
  for (size_t i = 0; i < size; i++) {
    state = state * 1664525 + 1013904223;
    buffer[i] = (uint8_t)(state >> 24);
  }
  make_constants();
  print_hash("abc", "abc", 3);
  print_hash("buffer", buffer, size);
  free(buffer);
  return 0;
}
