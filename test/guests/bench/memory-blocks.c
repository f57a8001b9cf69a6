// The C library's memcpy, memset and strlen over sizes from 1 byte to 256 KiB, aligned and not.
//
// Argument: rounds.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 1, LARGEST = 1 << 18, SHARE_BYTES = 1 << 16 };

static char from[LARGEST + 16], to[LARGEST + 16];

static uint64_t copies(size_t size, size_t from_at, size_t to_at) {
  // Every size moves about as many bytes in all, but the largest is copied once.
  const size_t times = size < SHARE_BYTES / 64 ? 64 : size < SHARE_BYTES ? SHARE_BYTES / size : 1;
  uint64_t sum = 0;
  for (size_t i = 0; i < times; i++) {
    from[from_at + size / 2] = (char)(i + size);
    memcpy(to + to_at, from + from_at, size);
    sum = sum * 31 + (unsigned char)to[to_at + size / 2];
  }
  return sum;
}

static uint64_t lengths(size_t size) {
  const size_t times = size < 1024 ? 8 : 1;
  uint64_t sum = 0;
  memset(to, 'a' + (int)(size % 26), size);
  to[size] = 0;
  for (size_t i = 0; i < times; i++) sum += strlen(to + (i & (size - 1)));
  return sum;
}

int main(int argc, char **argv) {
  const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
  uint64_t sum = 0;
  for (long i = 0; i < rounds; i++) {
    for (size_t size = 1; size <= LARGEST; size *= 4) {
      sum = sum * 31 + copies(size, 0, 0);
      sum = sum * 31 + copies(size, 3, 3);
      if (size <= SHARE_BYTES) {
        sum = sum * 31 + copies(size, 1, 4);
        sum = sum * 31 + lengths(size);
      }
    }
  }
  printf("%016lx\n", (unsigned long)sum);
  return 0;
}
