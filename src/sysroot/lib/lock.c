// The futex lock under mutexes, the heap and the console, in the manner of Zircon's own sync_mutex: the word names
// the owner, and the owner goes to the kernel with each wait (priority inheritance, and reports of deadlocks).
#include "runtime.h"

static int contended(int owner) { return owner & ~1; }

static zx_status_t wait_for(__lock_t *lock, int seen, zx_time_t deadline) {
  const zx_status_t status = zx_futex_wait(lock, seen, (zx_handle_t)(seen | 1), deadline);
  if (status == ZX_OK || status == ZX_ERR_BAD_STATE || status == ZX_ERR_TIMED_OUT) return status;
  // The owner is this thread or is gone: nobody can be named, but the wait is still owed.
  return zx_futex_wait(lock, seen, ZX_HANDLE_INVALID, deadline);
}

zx_status_t __lock_until(__lock_t *lock, zx_time_t deadline) {
  int mine = (int)__this_thread()->handle;
  for (;;) {
    int seen = 0;
    if (atomic_compare_exchange_strong_explicit(lock, &seen, mine, memory_order_acquire, memory_order_relaxed)) {
      return ZX_OK;
    }
    if (seen != contended(seen)) {
      const int owner = seen;
      if (!atomic_compare_exchange_strong_explicit(lock, &seen, contended(owner), memory_order_relaxed,
                                                   memory_order_relaxed)) {
        continue;
      }
      seen = contended(owner);
    }
    if (wait_for(lock, seen, deadline) == ZX_ERR_TIMED_OUT) return ZX_ERR_TIMED_OUT;
    // Others may still be waiting behind the one that was woken.
    mine = contended(mine);
  }
}

bool __lock_try(__lock_t *lock) {
  int seen = 0;
  return atomic_compare_exchange_strong_explicit(lock, &seen, (int)__this_thread()->handle,
                                                 memory_order_acquire, memory_order_relaxed);
}

void __unlock(__lock_t *lock) {
  const int was = atomic_exchange_explicit(lock, 0, memory_order_release);
  if (was == contended(was)) zx_futex_wake(lock, 1);
}
