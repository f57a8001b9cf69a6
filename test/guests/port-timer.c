// Ping-pong over ports, paced by timers: each player waits at its port for the ball (a user packet), holds it until
// its own timer's signal arrives at the same port, and passes it on. Virtual time makes the elapsed time exact.
//
// Argument: passes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/port.h>

enum { PASSES = 100, KEY_BALL = 1, KEY_TIMER = 2 };

static const zx_duration_t hold = ZX_MSEC(1);

struct player {
  const char *name;
  size_t name_size;
  zx_handle_t port;
  struct player *other;
  uint64_t passes;
};

static uint64_t passes_wanted = PASSES;

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("%s: status %d\n", what, status);
  exit(2);
}

static void pass(const struct player *to, uint64_t number) {
  zx_port_packet_t packet = {.key = KEY_BALL, .type = ZX_PKT_TYPE_USER};
  packet.u.user.u64[0] = number;
  check(zx_port_queue(to->port, &packet), "pass");
}

static int player_main(void *argument) {
  struct player *self = argument;
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, self->name, self->name_size);
  zx_handle_t timer;
  check(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer), "timer");
  for (uint64_t ball = 0; ball < passes_wanted;) {
    zx_port_packet_t packet;
    check(zx_port_wait(self->port, ZX_TIME_INFINITE, &packet), "wait");
    if (packet.key == KEY_BALL) {
      ball = packet.u.user.u64[0];
      check(zx_timer_set(timer, zx_deadline_after(hold), 0), "set timer");
      check(zx_object_wait_async(timer, self->port, KEY_TIMER, ZX_TIMER_SIGNALED, 0), "wait for timer");
    } else if (packet.key == KEY_TIMER && (packet.u.signal.observed & ZX_TIMER_SIGNALED) != 0) {
      self->passes++;
      pass(self->other, ball + 1);
      ball += 2;
    } else {
      printf("%s: a packet with key %lu\n", self->name, packet.key);
      exit(1);
    }
  }
  zx_handle_close(timer);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) passes_wanted = (uint64_t)atol(argv[1]);
  static struct player ping = {.name = "ping", .name_size = 4}, pong = {.name = "pong", .name_size = 4};
  ping.other = &pong;
  pong.other = &ping;
  check(zx_port_create(0, &ping.port), "port");
  check(zx_port_create(0, &pong.port), "port");
  const zx_time_t start = zx_clock_get_monotonic();
  pass(&ping, 0);
  thrd_t threads[2];
  if (thrd_create(&threads[0], player_main, &ping) != thrd_success) return 2;
  if (thrd_create(&threads[1], player_main, &pong) != thrd_success) return 2;
  for (int i = 0; i < 2; i++) thrd_join(threads[i], NULL);
  const zx_duration_t elapsed = zx_clock_get_monotonic() - start;
  printf("%lu passes by ping, %lu by pong\n", ping.passes, pong.passes);
  const bool paced = elapsed >= (zx_duration_t)passes_wanted * hold;
  puts(paced ? "no pass came early" : "time ran too fast");
  return paced ? 0 : 1;
}
