// Round trips of one small message between two threads: nothing but channel calls and waits, for measuring them.
//
// Argument: round trips.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <zircon/syscalls.h>

enum { ROUND_TRIPS = 1000 };

static uint64_t read_number(zx_handle_t channel) {
  uint64_t number;
  for (;;) {
    const zx_status_t status = zx_channel_read(channel, 0, &number, NULL, sizeof number, 0, NULL, NULL);
    if (status == ZX_OK) return number;
    if (status != ZX_ERR_SHOULD_WAIT) exit(2);
    if (zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL) != ZX_OK) exit(2);
  }
}

static void write_number(zx_handle_t channel, uint64_t number) {
  if (zx_channel_write(channel, 0, &number, sizeof number, NULL, 0) != ZX_OK) exit(2);
}

static uint64_t round_trips = ROUND_TRIPS;

static int echo_main(void *argument) {
  const zx_handle_t channel = *(zx_handle_t *)argument;
  for (uint64_t i = 0; i < round_trips; i++) write_number(channel, read_number(channel) + 1);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) round_trips = (uint64_t)atol(argv[1]);
  static zx_handle_t far_end;
  zx_handle_t channel;
  thrd_t echo;
  if (zx_channel_create(0, &channel, &far_end) != ZX_OK) return 2;
  if (thrd_create(&echo, echo_main, &far_end) != thrd_success) return 2;
  uint64_t number = 0;
  for (uint64_t i = 0; i < round_trips; i++) {
    write_number(channel, number);
    number = read_number(channel);
  }
  thrd_join(echo, NULL);
  printf("%lu round trips\n", number);
  return number == round_trips ? 0 : 1;
}
