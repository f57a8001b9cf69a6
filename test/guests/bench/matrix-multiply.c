// Matrices of 128 × 128 doubles multiplied, a row of the product at a time.
//
// Argument: rows of products to compute.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20, SIDE = 128 };

static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

int main(int argc, char **argv) {
  const long rows = argc > 1 ? strtol(argv[1], NULL, 10) : ROWS;
  for (int i = 0; i < SIDE; i++) {
    for (int k = 0; k < SIDE; k++) {
      left[i][k] = (double)((i * 7 + k * 3) % 19 - 9) / 8;
      right[i][k] = (double)((i * 5 + k * 11) % 23 - 11) / 3;
    }
  }
  for (long at = 0; at < rows; at++) {
    const int row = (int)(at % SIDE);
    for (int column = 0; column < SIDE; column++) {
      double cell = 0;
      for (int i = 0; i < SIDE; i++) cell += left[row][i] * right[i][column];
      product[row][column] = cell;
    }
    // The next time round is another product.
    left[row][at % 7] += product[row][3] / 1024;
  }
  uint64_t sum = 0;
  for (int i = 0; i < SIDE; i++) {
    for (int k = 0; k < SIDE; k++) {
      uint64_t bits;
      memcpy(&bits, &product[i][k], sizeof bits);
      sum = sum * 31 + bits;
    }
  }
  printf("%016lx\n", (unsigned long)sum);
  return 0;
}
