// The smallest program worth running: says hello, and its arguments when it has any.
#include <stdio.h>

int main(int argc, char **argv) {
  puts("Hello from Zircon.");
  for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  return 0;
}
