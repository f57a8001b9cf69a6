// The machine has no wall clock: TIME_UTC counts from the machine's start, on the monotonic clock.
#ifndef JACINTH_TIME_H
#define JACINTH_TIME_H

typedef long time_t;
struct timespec {
  time_t tv_sec;
  long tv_nsec;
};

#define TIME_UTC 1
int timespec_get(struct timespec *time, int base);

#endif
