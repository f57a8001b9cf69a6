// The Mandelbrot set in single precision: how long each point of a grid takes to escape, over grids that are shifted
// a little from frame to frame.
//
// Argument: frames.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRAMES = 4, WIDTH = 48, HEIGHT = 32, LIMIT = 200 };

static int escape(float cx, float cy) {
  float x = 0, y = 0;
  for (int turns = 0; turns < LIMIT; turns++) {
    const float xx = x * x, yy = y * y;
    if (xx + yy > 4.0f) return turns;
    y = 2.0f * x * y + cy;
    x = xx - yy + cx;
  }
  return LIMIT;
}

int main(int argc, char **argv) {
  const long frames = argc > 1 ? strtol(argv[1], NULL, 10) : FRAMES;
  uint64_t sum = 0;
  for (long frame = 0; frame < frames; frame++) {
    const float shift = (float)(frame & 255) / 4096.0f;
    for (int row = 0; row < HEIGHT; row++) {
      for (int column = 0; column < WIDTH; column++) {
        const float cx = (float)column * (3.0f / WIDTH) - 2.25f + shift;
        const float cy = (float)row * (2.5f / HEIGHT) - 1.25f + shift;
        sum = sum * 31 + (uint64_t)escape(cx, cy);
      }
    }
  }
  printf("%016lx\n", (unsigned long)sum);
  return 0;
}
