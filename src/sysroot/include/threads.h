// C11 threads over zx_thread_* and zx_futex_*. Thread-specific storage is `thread_local`; tss_* is not provided.
// A locked mutex holds its owner's thread handle, so that the kernel knows who waits for whom.
#ifndef JACINTH_THREADS_H
#define JACINTH_THREADS_H
#include <stdint.h>
#include <time.h>

#define thread_local _Thread_local

enum { thrd_success, thrd_busy, thrd_error, thrd_nomem, thrd_timedout };
enum { mtx_plain = 0, mtx_recursive = 1, mtx_timed = 2 };

typedef struct __thrd *thrd_t;
typedef int (*thrd_start_t)(void *argument);
typedef struct {
  int32_t __lock;
  int32_t __kind;
  int32_t __depth;
} mtx_t;
typedef struct {
  int32_t __sequence;
} cnd_t;
typedef struct {
  int32_t __state;
} once_flag;
#define ONCE_FLAG_INIT {0}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument);
thrd_t thrd_current(void);
int thrd_detach(thrd_t thread);
int thrd_equal(thrd_t left, thrd_t right);
_Noreturn void thrd_exit(int result);
int thrd_join(thrd_t thread, int *result);
int thrd_sleep(const struct timespec *duration, struct timespec *remaining);
void thrd_yield(void);

int mtx_init(mtx_t *mutex, int kind);
void mtx_destroy(mtx_t *mutex);
int mtx_lock(mtx_t *mutex);
int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict deadline);
int mtx_trylock(mtx_t *mutex);
int mtx_unlock(mtx_t *mutex);

int cnd_init(cnd_t *condition);
void cnd_destroy(cnd_t *condition);
int cnd_signal(cnd_t *condition);
int cnd_broadcast(cnd_t *condition);
int cnd_wait(cnd_t *condition, mtx_t *mutex);
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict deadline);

void call_once(once_flag *flag, void (*function)(void));

#endif
