// What the runtime's own files share. Nothing here is for guests.
#pragma once
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

// A thread's control block lies directly below the address in its tp register; its _Thread_local variables start
// at tp (RISC-V ELF psABI, TLS variant I).
struct __thrd {
  zx_handle_t handle;
  zx_handle_t stack_vmar;
  int (*function)(void *argument);
  void *argument;
  struct __thrd *next_finished;
  _Atomic int32_t state;
  int result;
  int errno_value;
} __attribute__((aligned(16)));

static inline struct __thrd *__this_thread(void) {
  char *tp;
  __asm__("mv %0, tp" : "=r"(tp));
  return (struct __thrd *)tp - 1;
}

// Bytes that __thread_block_place needs at the top of a stack.
size_t __thread_block_size(void);
// Puts a zeroed control block and a fresh copy of the thread-local image below `top`; returns the block.
struct __thrd *__thread_block_place(char *top);

// Handles the process was born with (zircon/process.h hands them to guests).
struct __process_handles {
  zx_handle_t process;
  zx_handle_t thread;
  zx_handle_t vmar_root;
  zx_handle_t job_default;
};
extern struct __process_handles __process_handles;
void __startup_handles_take(const uint32_t *infos, const zx_handle_t *handles, uint32_t count);

// A lock word is 0 or the owner's thread handle. Handle values have bit 0 set; a cleared bit 0 says that somebody
// may be waiting. Returns ZX_OK or, when the deadline passed, ZX_ERR_TIMED_OUT.
typedef zx_futex_t __lock_t;
zx_status_t __lock_until(__lock_t *lock, zx_time_t deadline);
bool __lock_try(__lock_t *lock);
void __unlock(__lock_t *lock);
static inline void __lock(__lock_t *lock) { __lock_until(lock, ZX_TIME_INFINITE); }

// Where formatted text goes: `write` is called with pieces, in order.
struct __sink {
  void (*write)(struct __sink *sink, const char *text, size_t size);
};
// Formats as printf does; returns the number of characters, or -1 for a directive it does not know.
int __format(struct __sink *sink, const char *format, va_list arguments);

// The decimal digits of a finite |value|: 0.DIGITS × 10^point, exact. Zero has no digits.
struct __decimal {
  int count;
  int point;
  char digits[800];
};
void __decimal_of(struct __decimal *decimal, double value);
// Rounds to `count` digits, ties to even; trailing zeros are dropped.
void __decimal_round(struct __decimal *decimal, int count);

void __run_fini_array(void);
_Noreturn void __fatal(const char *message);
