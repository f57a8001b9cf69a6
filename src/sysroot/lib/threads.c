#include <errno.h>
#include <jacinth/restricted.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <stdio.h>

#include "runtime.h"

enum { PAGE = 4096, STACK_SIZE = 256 * 1024 };
enum { JOINABLE, DETACHED, FINISHED };

_Static_assert(sizeof(mtx_t) == 12 && sizeof(__lock_t) == sizeof(int32_t), "a mutex starts with its lock word");

// Detached threads that have ended, or are about to; their stacks are given back by the next thrd_create.
static struct thread_list {
  __lock_t lock;
  struct __thrd *first;
} finished;
static _Atomic unsigned thread_count = 1;

void __thread_start(void);

static void release(struct __thrd *thread) {
  const zx_handle_t stack_vmar = thread->stack_vmar, handle = thread->handle;
  zx_vmar_destroy(stack_vmar);
  zx_handle_close(stack_vmar);
  zx_handle_close(handle);
}

static void release_finished(void) {
  __lock(&finished.lock);
  struct __thrd *thread = finished.first;
  finished.first = NULL;
  __unlock(&finished.lock);
  while (thread != NULL) {
    struct __thrd *next = thread->next_finished;
    zx_object_wait_one(thread->handle, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL);
    release(thread);
    thread = next;
  }
}

// Maps a stack with an unmapped page below it. Returns its top, or NULL.
static char *map_stack(zx_handle_t *vmar) {
  zx_vaddr_t base;
  const zx_vm_option_t may = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE;
  if (zx_vmar_allocate(__process_handles.vmar_root, may, 0, PAGE + STACK_SIZE, vmar, &base) != ZX_OK) return NULL;
  zx_handle_t vmo;
  zx_status_t status = zx_vmo_create(STACK_SIZE, 0, &vmo);
  if (status == ZX_OK) {
    zx_object_set_property(vmo, ZX_PROP_NAME, "stack", 5);
    const zx_vm_option_t access = ZX_VM_SPECIFIC | ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    zx_vaddr_t address;
    status = zx_vmar_map(*vmar, access, PAGE, vmo, 0, STACK_SIZE, &address);
    zx_handle_close(vmo);
  }
  if (status == ZX_OK) return (char *)base + PAGE + STACK_SIZE;
  zx_vmar_destroy(*vmar);
  zx_handle_close(*vmar);
  return NULL;
}

int thrd_create(thrd_t *result, thrd_start_t function, void *argument) {
  return jacinth_thread_create_in(__process_handles.process, result, function, argument);
}

int jacinth_thread_create_in(zx_handle_t process, thrd_t *result, thrd_start_t function, void *argument) {
  release_finished();
  zx_handle_t stack_vmar;
  char *top = map_stack(&stack_vmar);
  if (top == NULL) return thrd_nomem;
  struct __thrd *thread = __thread_block_place(top);
  thread->stack_vmar = stack_vmar;
  thread->function = function;
  thread->argument = argument;

  char name[ZX_MAX_NAME_LEN];
  const int length = snprintf(name, sizeof name, "thread-%u", atomic_fetch_add(&thread_count, 1));
  zx_status_t status = zx_thread_create(process, name, (size_t)length, 0, &thread->handle);
  if (status == ZX_OK) {
    *result = thread;
    const uintptr_t tp = (uintptr_t)(thread + 1);
    status = zx_thread_start(thread->handle, (zx_vaddr_t)__thread_start, (zx_vaddr_t)thread, tp, 0);
  }
  if (status == ZX_OK) return thrd_success;
  release(thread);
  return status == ZX_ERR_NO_MEMORY ? thrd_nomem : thrd_error;
}

_Noreturn void __thread_main(void) {
  struct __thrd *thread = __this_thread();
  thrd_exit(thread->function(thread->argument));
}

static void enlist_finished(struct __thrd *thread) {
  __lock(&finished.lock);
  thread->next_finished = finished.first;
  finished.first = thread;
  __unlock(&finished.lock);
}

_Noreturn void thrd_exit(int result) {
  struct __thrd *thread = __this_thread();
  thread->result = result;
  const int state = atomic_exchange(&thread->state, FINISHED);
  // The first thread's stack is not ours to give back.
  if (state == DETACHED && thread->stack_vmar != ZX_HANDLE_INVALID) enlist_finished(thread);
  zx_thread_exit();
  __builtin_unreachable();
}

int thrd_detach(thrd_t thread) {
  const int state = atomic_exchange(&thread->state, DETACHED);
  if (state == FINISHED) enlist_finished(thread);
  return thrd_success;
}

int thrd_join(thrd_t thread, int *result) {
  if (zx_object_wait_one(thread->handle, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL) != ZX_OK) return thrd_error;
  if (result != NULL) *result = thread->result;
  release(thread);
  return thrd_success;
}

thrd_t thrd_current(void) { return __this_thread(); }
int thrd_equal(thrd_t left, thrd_t right) { return left == right; }
void thrd_yield(void) { zx_nanosleep(0); }

int thrd_sleep(const struct timespec *duration, struct timespec *remaining) {
  if (remaining != NULL) *remaining = (struct timespec){0, 0};
  zx_nanosleep(zx_deadline_after(duration->tv_sec * ZX_SEC(1) + duration->tv_nsec));
  return 0;
}

int timespec_get(struct timespec *time, int base) {
  const zx_time_t now = zx_clock_get_monotonic();
  *time = (struct timespec){now / ZX_SEC(1), now % ZX_SEC(1)};
  return base == TIME_UTC ? base : 0;
}

static zx_time_t deadline_of(const struct timespec *time) { return time->tv_sec * ZX_SEC(1) + time->tv_nsec; }

int mtx_init(mtx_t *mutex, int kind) {
  *mutex = (mtx_t){0, kind, 0};
  return thrd_success;
}

void mtx_destroy(mtx_t *mutex) { (void)mutex; }

static __lock_t *lock_of(mtx_t *mutex) { return (__lock_t *)&mutex->__lock; }

// A recursive mutex held by this thread already; the handle's bit 0 may be cleared in the word.
static bool relock(mtx_t *mutex) {
  const int mine = (int)__this_thread()->handle;
  if ((mutex->__kind & mtx_recursive) == 0) return false;
  if ((atomic_load_explicit(lock_of(mutex), memory_order_relaxed) | 1) != mine) return false;
  mutex->__depth++;
  return true;
}

int mtx_lock(mtx_t *mutex) {
  if (!relock(mutex)) __lock(lock_of(mutex));
  return thrd_success;
}

int mtx_trylock(mtx_t *mutex) { return relock(mutex) || __lock_try(lock_of(mutex)) ? thrd_success : thrd_busy; }

int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict deadline) {
  if (relock(mutex)) return thrd_success;
  return __lock_until(lock_of(mutex), deadline_of(deadline)) == ZX_OK ? thrd_success : thrd_timedout;
}

int mtx_unlock(mtx_t *mutex) {
  if (mutex->__depth > 0) {
    mutex->__depth--;
  } else {
    __unlock(lock_of(mutex));
  }
  return thrd_success;
}

static zx_futex_t *sequence_of(cnd_t *condition) { return (zx_futex_t *)&condition->__sequence; }

int cnd_init(cnd_t *condition) {
  condition->__sequence = 0;
  return thrd_success;
}

void cnd_destroy(cnd_t *condition) { (void)condition; }

static int wake(cnd_t *condition, uint32_t count) {
  atomic_fetch_add(sequence_of(condition), 1);
  zx_futex_wake(sequence_of(condition), count);
  return thrd_success;
}

int cnd_signal(cnd_t *condition) { return wake(condition, 1); }
int cnd_broadcast(cnd_t *condition) { return wake(condition, UINT32_MAX); }

static int wait_until(cnd_t *condition, mtx_t *mutex, zx_time_t deadline) {
  const int seen = atomic_load(sequence_of(condition));
  mtx_unlock(mutex);
  const zx_status_t status = zx_futex_wait(sequence_of(condition), seen, ZX_HANDLE_INVALID, deadline);
  mtx_lock(mutex);
  return status == ZX_ERR_TIMED_OUT ? thrd_timedout : thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex) { return wait_until(condition, mutex, ZX_TIME_INFINITE); }

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict deadline) {
  return wait_until(condition, mutex, deadline_of(deadline));
}

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

void call_once(once_flag *flag, void (*function)(void)) {
  zx_futex_t *state = (zx_futex_t *)&flag->__state;
  int seen = ONCE_NEW;
  if (atomic_compare_exchange_strong(state, &seen, ONCE_RUNNING)) {
    function();
    atomic_store(state, ONCE_DONE);
    zx_futex_wake(state, UINT32_MAX);
  }
  while (atomic_load(state) != ONCE_DONE) {
    zx_futex_wait(state, ONCE_RUNNING, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
  }
}
