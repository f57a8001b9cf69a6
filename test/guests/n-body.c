// The sun and four planets under gravity, by a leapfrog of kicks and drifts, in double precision. The energy before
// and after shows how exactly the machine computes.
//
// Argument: steps.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 1000, BODIES = 5 };

// Units: astronomical units, years, solar masses × 4π².
struct body {
  double position[3];
  double velocity[3];
  double mass;
};

static const double year_step = 0.01;

// Distances and masses are the planets' own, rounded; directions are ours.
static struct body bodies[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.47841760435743},
    {{5.2, 0.1, -0.1}, {0.05, 2.75, 0.02}, 0.0377},
    {{-0.5, 9.5, 0.3}, {-2.03, -0.1, 0.03}, 0.0113},
    {{-19.1, -1.2, 0.2}, {0.09, -1.43, -0.01}, 0.00172},
    {{2.1, -29.9, -0.4}, {1.14, 0.08, -0.02}, 0.00203},
};

// The centre of mass must rest, or the whole system drifts away.
static void rest(void) {
  for (int axis = 0; axis < 3; axis++) {
    double momentum = 0;
    for (int i = 1; i < BODIES; i++) momentum += bodies[i].velocity[axis] * bodies[i].mass;
    bodies[0].velocity[axis] = -momentum / bodies[0].mass;
  }
}

static double energy(void) {
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    const struct body *body = &bodies[i];
    double square = 0;
    for (int axis = 0; axis < 3; axis++) square += body->velocity[axis] * body->velocity[axis];
    sum += body->mass * square / 2;
    for (int k = i + 1; k < BODIES; k++) {
      double distance = 0;
      for (int axis = 0; axis < 3; axis++) {
        const double difference = body->position[axis] - bodies[k].position[axis];
        distance += difference * difference;
      }
      sum -= body->mass * bodies[k].mass / sqrt(distance);
    }
  }
  return sum;
}

static void kick(struct body *a, struct body *b) {
  double difference[3], square = 0;
  for (int axis = 0; axis < 3; axis++) {
    difference[axis] = a->position[axis] - b->position[axis];
    square += difference[axis] * difference[axis];
  }
  const double pull = year_step / (square * sqrt(square));
  for (int axis = 0; axis < 3; axis++) {
    a->velocity[axis] -= difference[axis] * b->mass * pull;
    b->velocity[axis] += difference[axis] * a->mass * pull;
  }
}

static void advance(void) {
  for (int i = 0; i < BODIES; i++) {
    for (int k = i + 1; k < BODIES; k++) kick(&bodies[i], &bodies[k]);
  }
  for (int i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) bodies[i].position[axis] += year_step * bodies[i].velocity[axis];
  }
}

int main(int argc, char **argv) {
  const long steps = argc > 1 ? atol(argv[1]) : STEPS;
  rest();
  printf("%.15f\n", energy());
  for (long i = 0; i < steps; i++) advance();
  printf("%.15f\n", energy());
  const double *at = bodies[1].position;
  printf("%.17g %.17g %.17g\n", at[0], at[1], at[2]);
  return 0;
}
