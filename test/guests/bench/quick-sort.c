// Quicksort with insertion sort for short stretches, over arrays of random 32-bit keys of at most 8 MiB.
//
// Argument: keys to sort in all; arrays of two million as long as there are so many.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 15000, LONGEST = 1 << 21, SHORT = 12 };

static uint32_t keys[LONGEST];

static void swap(size_t a, size_t b) {
  const uint32_t key = keys[a];
  keys[a] = keys[b];
  keys[b] = key;
}

static void insertion_sort(size_t from, size_t to) {
  for (size_t i = from + 1; i < to; i++) {
    const uint32_t key = keys[i];
    size_t at = i;
    for (; at > from && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
    keys[at] = key;
  }
}

// Hoare's partition around the median of three; the answer is where the right part starts.
static size_t partition(size_t from, size_t to) {
  const size_t middle = from + (to - from) / 2;
  if (keys[middle] < keys[from]) swap(middle, from);
  if (keys[to - 1] < keys[from]) swap(to - 1, from);
  if (keys[to - 1] < keys[middle]) swap(to - 1, middle);
  const uint32_t pivot = keys[middle];
  for (size_t low = from, high = to - 1;; low++, high--) {
    while (keys[low] < pivot) low++;
    while (keys[high] > pivot) high--;
    if (low >= high) return high + 1;
    swap(low, high);
  }
}

static void quick_sort(size_t from, size_t to) {
  while (to - from > SHORT) {
    const size_t split = partition(from, to);
    if (split - from < to - split) {
      quick_sort(from, split);
      from = split;
    } else {
      quick_sort(split, to);
      to = split;
    }
  }
  insertion_sort(from, to);
}

int main(int argc, char **argv) {
  size_t left = argc > 1 ? strtoul(argv[1], NULL, 10) : KEYS;
  uint64_t random = 42, sum = 0;
  while (left > 0) {
    const size_t count = left < LONGEST ? left : LONGEST;
    left -= count;
    for (size_t i = 0; i < count; i++) {
      // Knuth's 64-bit linear congruential generator (MMIX).
      random = random * 6364136223846793005u + 1442695040888963407u;
      keys[i] = (uint32_t)(random >> 32);
    }
    quick_sort(0, count);
    for (size_t i = 0; i < count; i++) {
      if (i > 0 && keys[i - 1] > keys[i]) return 1;
      sum = sum * 31 + keys[i];
    }
  }
  printf("%016lx\n", (unsigned long)sum);
  return 0;
}
