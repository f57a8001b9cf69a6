// Five bodies under gravity by a leapfrog of kicks and drifts, in double precision.
//
// Argument: steps.
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 2000, BODIES = 5 };

// Units: astronomical units, years, solar masses × 4π².
struct body {
  double x, y, z, vx, vy, vz, mass;
};

static const double year_step = 0.01;

// Distances and masses are the sun's and the large planets', rounded; directions are ours.
static struct body bodies[BODIES] = {
    {0, 0, 0, 0, -0.0026, 0, 39.47841760435743},
    {5.2, 0.1, -0.1, 0.05, 2.75, 0.02, 0.0377},
    {-0.5, 9.5, 0.3, -2.03, -0.1, 0.03, 0.0113},
    {-19.1, -1.2, 0.2, 0.09, -1.43, -0.01, 0.00172},
    {2.1, -29.9, -0.4, 1.14, 0.08, -0.02, 0.00203},
};

static void advance(void) {
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    for (int k = i + 1; k < BODIES; k++) {
      struct body *b = &bodies[k];
      const double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      const double square = dx * dx + dy * dy + dz * dz;
      const double pull = year_step / (square * __builtin_sqrt(square));
      a->vx -= dx * b->mass * pull;
      a->vy -= dy * b->mass * pull;
      a->vz -= dz * b->mass * pull;
      b->vx += dx * a->mass * pull;
      b->vy += dy * a->mass * pull;
      b->vz += dz * a->mass * pull;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    a->x += year_step * a->vx;
    a->y += year_step * a->vy;
    a->z += year_step * a->vz;
  }
}

int main(int argc, char **argv) {
  const long steps = argc > 1 ? strtol(argv[1], NULL, 10) : STEPS;
  for (long i = 0; i < steps; i++) advance();
  printf("%.17g %.17g %.17g\n", bodies[1].x, bodies[1].y, bodies[1].z);
  return 0;
}
