// What the runtime's threads promise: mutual exclusion of each kind of mutex, conditions, deadlines, once, thread-
// local variables, errno of one's own, detached threads whose stacks come back; and the order of beginning and end.
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

enum { THREADS = 3, ROUNDS = 40 };

static void expect(bool holds, const char *what) {
  if (holds) return;
  printf("not so: %s\n", what);
  exit(1);
}

static mtx_t recursive;
static int nested;
static thread_local int mine = 7;
static thread_local int zeroed;

static int nest(void *argument) {
  (void)argument;
  errno = 0;
  expect(mine == 7 && zeroed == 0, "thread-local variables start fresh");
  for (int i = 0; i < ROUNDS; i++) {
    mtx_lock(&recursive);
    expect(mtx_trylock(&recursive) == thrd_success, "a recursive mutex can be locked again");
    nested++;
    mtx_unlock(&recursive);
    mtx_unlock(&recursive);
    mine++;
    zeroed--;
  }
  expect(mine == 7 + ROUNDS && zeroed == -ROUNDS, "thread-local variables are nobody else's");
  expect(errno == 0, "errno is nobody else's");
  return mine;
}

static void test_recursive(void) {
  thrd_t threads[THREADS];
  mtx_init(&recursive, mtx_recursive);
  errno = EINVAL;
  for (int i = 0; i < THREADS; i++) expect(thrd_create(&threads[i], nest, NULL) == thrd_success, "create");
  for (int i = 0; i < THREADS; i++) {
    int result;
    thrd_join(threads[i], &result);
    expect(result == 7 + ROUNDS, "join gives the result");
  }
  expect(nested == THREADS * ROUNDS, "no update is lost under a recursive mutex");
  expect(mine == 7 && errno == EINVAL, "the first thread's own are untouched");
  puts("recursive mutex, thread-local variables");
}

static mtx_t queue_lock;
static cnd_t not_empty, not_full;
static int queue[4], queued, taken_sum;

static int take(void *argument) {
  (void)argument;
  for (int i = 0; i < ROUNDS; i++) {
    mtx_lock(&queue_lock);
    while (queued == 0) cnd_wait(&not_empty, &queue_lock);
    taken_sum += queue[--queued];
    cnd_signal(&not_full);
    mtx_unlock(&queue_lock);
  }
  return 0;
}

static void test_conditions(void) {
  thrd_t takers[THREADS];
  mtx_init(&queue_lock, mtx_plain);
  cnd_init(&not_empty);
  cnd_init(&not_full);
  for (int i = 0; i < THREADS; i++) expect(thrd_create(&takers[i], take, NULL) == thrd_success, "create");
  for (int i = 1; i <= THREADS * ROUNDS; i++) {
    mtx_lock(&queue_lock);
    while (queued == 4) cnd_wait(&not_full, &queue_lock);
    queue[queued++] = i;
    cnd_broadcast(&not_empty);
    mtx_unlock(&queue_lock);
  }
  for (int i = 0; i < THREADS; i++) thrd_join(takers[i], NULL);
  const int count = THREADS * ROUNDS;
  expect(taken_sum == count * (count + 1) / 2, "each item is taken once");
  puts("conditions");
}

static struct timespec after(long nanoseconds) {
  struct timespec time;
  timespec_get(&time, TIME_UTC);
  time.tv_nsec += nanoseconds;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

static void test_deadlines(void) {
  mtx_t held;
  cnd_t never;
  mtx_init(&held, mtx_timed);
  cnd_init(&never);
  mtx_lock(&held);
  expect(mtx_trylock(&held) == thrd_busy, "a held mutex is busy");
  const struct timespec soon = after(50000);
  expect(mtx_timedlock(&held, &soon) == thrd_timedout, "a held mutex times out");
  const struct timespec later = after(50000);
  expect(cnd_timedwait(&never, &held, &later) == thrd_timedout, "a condition times out");
  expect(mtx_trylock(&held) == thrd_busy, "the mutex is held again after the wait");
  const zx_time_t before = zx_clock_get_monotonic();
  thrd_sleep(&(struct timespec){.tv_nsec = 100000}, NULL);
  expect(zx_clock_get_monotonic() >= before + 100000, "sleep takes its time");
  puts("deadlines");
}

static once_flag once = ONCE_FLAG_INIT;
static _Atomic int once_count, once_users;

static void initialize(void) {
  thrd_yield();
  once_count++;
}

static int use_once(void *argument) {
  (void)argument;
  call_once(&once, initialize);
  expect(once_count == 1, "nobody passes call_once before it is done");
  once_users++;
  return 0;
}

static void test_once_detached(void) {
  for (int i = 0; i < 4 * THREADS; i++) {
    thrd_t thread;
    expect(thrd_create(&thread, use_once, NULL) == thrd_success, "create");
    thrd_detach(thread);
  }
  while (once_users < 4 * THREADS) thrd_yield();
  expect(once_count == 1, "once is once");
  puts("once, detached threads");
}

static bool constructed;
static __attribute__((constructor)) void construct(void) { constructed = true; }
static __attribute__((destructor)) void destruct(void) { puts("destructor"); }

static void first(void) { puts("first registered"); }
static void second(void) { puts("last registered"); }

static int leave(void *argument) {
  (void)argument;
  exit(0);
}

int main(void) {
  expect(constructed, "constructors run before main");
  expect(thrd_equal(thrd_current(), thrd_current()), "the current thread is itself");
  test_recursive();
  test_conditions();
  test_deadlines();
  test_once_detached();
  atexit(first);
  atexit(second);
  thrd_t thread;
  expect(thrd_create(&thread, leave, NULL) == thrd_success, "create");
  thrd_exit(1);
}
