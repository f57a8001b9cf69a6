// A hash table of 32 MiB with linear probing: random keys are put in, looked up and counted, so that nearly every probe
// is on another page.
//
// Argument: operations.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPERATIONS = 60000, SLOTS = 1 << 21, KEYS = 1 << 20 };

struct slot {
  uint64_t key;
  uint64_t count;
};

static struct slot table[SLOTS];

// The last steps of MurmurHash3's 64-bit mixing.
static uint64_t mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
  return x ^ x >> 33;
}

// The slot of a key or the free one where it belongs; keys are not 0 and at most half of the slots are taken.
static struct slot *find(uint64_t key) {
  for (uint64_t at = mix(key);; at++) {
    struct slot *slot = &table[at % SLOTS];
    if (slot->key == key || slot->key == 0) return slot;
  }
}

int main(int argc, char **argv) {
  const long operations = argc > 1 ? strtol(argv[1], NULL, 10) : OPERATIONS;
  uint64_t random = 1, found = 0, missed = 0, sum = 0;
  for (long i = 0; i < operations; i++) {
    // Marsaglia's xorshift64.
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    struct slot *slot = find(random % KEYS + 1);
    if (slot->key == 0) missed++;
    else found++;
    if ((random >> 60) < 8) {
      slot->key = random % KEYS + 1;
      slot->count++;
    }
    sum = sum * 31 + slot->count;
  }
  printf("%lu found, %lu missed, %016lx\n", (unsigned long)found, (unsigned long)missed, (unsigned long)sum);
  return 0;
}
