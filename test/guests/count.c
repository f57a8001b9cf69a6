// Counts, and says on the console where it is: one line after every so many turns, with the machine's time. Ends by
// itself only after very many.
//
// Arguments: lines, turns between two of them.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zircon/syscalls.h>

int main(int argc, char **argv) {
  const unsigned long lines = argc > 1 ? strtoul(argv[1], NULL, 10) : 3;
  const unsigned long turns = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
  volatile uint32_t sum = 1;
  for (unsigned long line = 1; line <= lines; line++) {
    for (unsigned long i = 0; i < turns; i++) sum = sum * 1664525u + 1013904223u;
    printf("%lu %u\n", line, (unsigned)sum);
  }
  return 0;
}
