// A recursion without end runs off its stack into the unmapped page below.
//
// Argument: depth to stop at instead.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long deepest = ULONG_MAX;

static __attribute__((noinline)) unsigned long descend(unsigned long depth, const char *above) {
  if (depth == deepest) return depth;
  char frame[208];
  memset(frame, (int)depth, sizeof frame);
  frame[0] = (char)(above[0] + 1);
  return descend(depth + 1, frame) + (unsigned char)frame[depth % sizeof frame];
}

int main(int argc, char **argv) {
  if (argc > 1) deepest = strtoul(argv[1], NULL, 10);
  puts("going down");
  printf("back up with %lu\n", descend(0, ""));
  return 0;
}
