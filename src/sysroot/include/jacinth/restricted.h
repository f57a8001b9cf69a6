// Restricted mode as a function call, and threads for the processes that use it. See zx_restricted_enter.
#ifndef JACINTH_RESTRICTED_H
#define JACINTH_RESTRICTED_H
#include <stdint.h>
#include <threads.h>
#include <zircon/syscalls-next.h>
#include <zircon/types.h>

// The floating-point registers of a program in restricted mode: f0 to f31 and fcsr. Both modes have one set.
typedef struct {
  uint64_t f[32];
  uint64_t fcsr;
} jacinth_restricted_float_t;

// Enters restricted mode with the state in the bound VMO and returns when the thread is back in normal mode. Keeps
// what the ABI says a call keeps, although the kernel forgets it. `floats` is loaded before and saved after; NULL
// when the program in restricted mode does not use floating point.
//
// Returns ZX_RESTRICTED_REASON_*, or a negative status when the thread never left normal mode.
int64_t jacinth_restricted_enter(uint32_t options, jacinth_restricted_float_t *floats);

// thrd_create, for a process that shares this one's memory and handles (zx_process_create_shared). Its first thread
// starts it. The lock under a thread_local or a mutex is the same in both.
int jacinth_thread_create_in(zx_handle_t process, thrd_t *thread, thrd_start_t function, void *argument);

#endif
