// Races of several kinds, each run right by most schedules: what `diff` has to explain. Each round has a part that no
// other thread shares, so that schedules differ in where threads meet.
//
// Argument: which race. Exit code 0: nothing went wrong.
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/port.h>

static volatile uint32_t sink;

static void work(int rounds) {
  uint32_t hash = 1;
  for (int i = 0; i < rounds; i++) hash = hash * 16777619u ^ (uint32_t)i;
  sink = hash;
}

static void set_name(const char *name) {
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, name, strlen(name));
}

// Runs two threads to their end; the result is the first one's.
static int run_both(thrd_start_t first, thrd_start_t second) {
  thrd_t threads[2];
  int result = 1;
  if (thrd_create(&threads[0], first, NULL) != thrd_success) return 2;
  if (thrd_create(&threads[1], second, NULL) != thrd_success) return 2;
  thrd_join(threads[0], &result);
  thrd_join(threads[1], NULL);
  return result;
}

// Two messages of two senders: the reader counts on their order.
static zx_handle_t to_reader, from_senders;

static int opener(void *unused) {
  (void)unused;
  set_name("opener");
  work(900);
  return zx_channel_write(to_reader, 0, "open", 4, NULL, 0);
}

static int writer(void *unused) {
  (void)unused;
  set_name("writer");
  work(1000);
  return zx_channel_write(to_reader, 0, "data", 4, NULL, 0);
}

static int messages(void) {
  zx_channel_create(0, &to_reader, &from_senders);
  if (run_both(opener, writer) != 0) return 2;
  char text[8] = {0};
  uint32_t bytes, handles;
  if (zx_channel_read(from_senders, 0, text, NULL, sizeof text, 0, &bytes, &handles) != ZX_OK) return 2;
  if (strcmp(text, "open") == 0) return 0;
  puts("data before it was opened");
  return 1;
}

// A deadline against somebody's work: whichever packet comes first.
static zx_handle_t done;

static int worker(void *unused) {
  (void)unused;
  set_name("worker");
  work(4000);
  return zx_object_signal(done, 0, ZX_EVENT_SIGNALED);
}

static int idler(void *unused) {
  (void)unused;
  set_name("idler");
  work(3000);
  return 0;
}

static int deadline(void) {
  zx_handle_t port, timer;
  zx_port_packet_t packet;
  zx_port_create(0, &port);
  zx_event_create(0, &done);
  zx_timer_create(ZX_TIMER_SLACK_LATE, ZX_CLOCK_MONOTONIC, &timer);
  zx_object_wait_async(done, port, 1, ZX_EVENT_SIGNALED, 0);
  zx_object_wait_async(timer, port, 2, ZX_TIMER_SIGNALED, 0);
  zx_timer_set(timer, zx_deadline_after(ZX_USEC(40)), 0);
  if (run_both(worker, idler) != 0) return 2;
  if (zx_port_wait(port, ZX_TIME_INFINITE, &packet) != ZX_OK) return 2;
  if (packet.key == 1) return 0;
  puts("too slow");
  return 1;
}

// One thread closes the handle that another is about to use.
static zx_handle_t shared_event;

static int signaller(void *unused) {
  (void)unused;
  set_name("signaller");
  work(1000);
  const zx_status_t status = zx_object_signal(shared_event, 0, ZX_EVENT_SIGNALED);
  if (status == ZX_OK) puts("signalled");
  else printf("signal failed: %d\n", status);
  return status != ZX_OK;
}

static int closer(void *unused) {
  (void)unused;
  set_name("closer");
  work(1000);
  return zx_handle_close(shared_event);
}

static int closed_handle(void) {
  zx_event_create(0, &shared_event);
  return run_both(signaller, closer);
}

// Two words that belong together are written one after the other.
static volatile long left_half = 1, right_half = 1;

static int checker(void *unused) {
  (void)unused;
  set_name("checker");
  int torn = 0;
  for (int i = 0; i < 60; i++) {
    work(100);
    const long left = left_half, right = right_half;
    if (left != right && !torn) {
      printf("torn: %ld and %ld\n", left, right);
      torn = 1;
    }
  }
  return torn;
}

static int halves_writer(void *unused) {
  (void)unused;
  set_name("halves-writer");
  for (int i = 2; i < 32; i++) {
    work(200);
    left_half = i;
    right_half = i;
  }
  return 0;
}

static int torn_halves(void) { return run_both(checker, halves_writer); }

// A waiter looks at a flag, and reads the word it waits on too late.
static volatile int ready;
static atomic_int sequence;

static int waiter(void *unused) {
  (void)unused;
  set_name("waiter");
  work(1000);
  if (ready) return 0;
  work(40);
  const zx_status_t status = zx_futex_wait((const zx_futex_t *)&sequence, sequence, ZX_HANDLE_INVALID,
                                           zx_deadline_after(ZX_MSEC(5)));
  if (status != ZX_OK) printf("gave up: %d\n", status);
  return status != ZX_OK;
}

static int waker(void *unused) {
  (void)unused;
  set_name("waker");
  work(1003);
  ready = 1;
  sequence++;
  return zx_futex_wake((const zx_futex_t *)&sequence, 1);
}

static int missed_wake(void) { return run_both(waiter, waker); }

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    int (*run)(void);
  } races[] = {{"messages", messages},
               {"deadline", deadline},
               {"closed-handle", closed_handle},
               {"torn-halves", torn_halves},
               {"missed-wake", missed_wake}};
  for (size_t i = 0; i < sizeof races / sizeof races[0]; i++) {
    if (argc > 1 && strcmp(argv[1], races[i].name) == 0) return races[i].run();
  }
  puts("races: messages, deadline, closed-handle, torn-halves, missed-wake");
  return 2;
}
