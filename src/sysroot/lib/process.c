// The process's own handles, and how it ends.
#include <errno.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>

#include "runtime.h"

enum { STARTUP_HANDLES_MAX = ZX_CHANNEL_MAX_MSG_HANDLES, EXIT_FUNCTIONS_MAX = 32 };

struct __process_handles __process_handles;

static struct {
  uint32_t info;
  zx_handle_t handle;
} startup_handles[STARTUP_HANDLES_MAX];

void __startup_handles_take(const uint32_t *infos, const zx_handle_t *handles, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    startup_handles[i].info = infos[i];
    startup_handles[i].handle = handles[i];
  }
  __process_handles.process = zx_take_startup_handle(PA_HND(PA_PROC_SELF, 0));
  __process_handles.thread = zx_take_startup_handle(PA_HND(PA_THREAD_SELF, 0));
  __process_handles.vmar_root = zx_take_startup_handle(PA_HND(PA_VMAR_ROOT, 0));
  __process_handles.job_default = zx_take_startup_handle(PA_HND(PA_JOB_DEFAULT, 0));
  if (__process_handles.process == ZX_HANDLE_INVALID || __process_handles.thread == ZX_HANDLE_INVALID ||
      __process_handles.vmar_root == ZX_HANDLE_INVALID) {
    __fatal("startup message: lacks the process, its first thread or its root VMAR");
  }
}

zx_handle_t zx_take_startup_handle(uint32_t info) {
  for (unsigned i = 0; i < STARTUP_HANDLES_MAX; i++) {
    const zx_handle_t handle = startup_handles[i].handle;
    if (handle == ZX_HANDLE_INVALID || startup_handles[i].info != info) continue;
    startup_handles[i].handle = ZX_HANDLE_INVALID;
    return handle;
  }
  return ZX_HANDLE_INVALID;
}

zx_handle_t zx_process_self(void) { return __process_handles.process; }
zx_handle_t zx_thread_self(void) { return __this_thread()->handle; }
zx_handle_t zx_vmar_root_self(void) { return __process_handles.vmar_root; }
zx_handle_t zx_job_default(void) { return __process_handles.job_default; }
zx_handle_t _zx_process_self(void) __attribute__((alias("zx_process_self")));
zx_handle_t _zx_thread_self(void) __attribute__((alias("zx_thread_self")));
zx_handle_t _zx_vmar_root_self(void) __attribute__((alias("zx_vmar_root_self")));
zx_handle_t _zx_job_default(void) __attribute__((alias("zx_job_default")));

int *__errno_location(void) { return &__this_thread()->errno_value; }

extern char **environ;

char *getenv(const char *name) {
  const size_t length = strlen(name);
  for (char **entry = environ; *entry != NULL; entry++) {
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
  }
  return NULL;
}

static _Atomic unsigned exit_function_count;
static void (*exit_functions[EXIT_FUNCTIONS_MAX])(void);

int atexit(void (*function)(void)) {
  const unsigned at = atomic_fetch_add(&exit_function_count, 1);
  if (at >= EXIT_FUNCTIONS_MAX) {
    atomic_store(&exit_function_count, EXIT_FUNCTIONS_MAX);
    return -1;
  }
  exit_functions[at] = function;
  return 0;
}

_Noreturn void exit(int status) {
  for (unsigned count; (count = atomic_load(&exit_function_count)) > 0;) {
    atomic_store(&exit_function_count, count - 1);
    exit_functions[count - 1]();
  }
  __run_fini_array();
  _Exit(status);
}

_Noreturn void _Exit(int status) {
  zx_process_exit(status);
  __builtin_unreachable();
}

// Illegal instruction: the process ends as by any other unhandled exception, with a report.
_Noreturn void abort(void) {
  __asm__ volatile("unimp");
  __builtin_unreachable();
}

// Works before the console's lock does: one write, no formatting.
_Noreturn void __fatal(const char *message) {
  char line[120] = "fatal: ";
  strncat(line, message, sizeof line - 9);
  strcat(line, "\n");
  zx_debug_write(line, strlen(line));
  abort();
}

_Noreturn void __assert_fail(const char *condition, const char *file, int line, const char *function) {
  printf("%s:%d: %s: assertion failed: %s\n", file, line, function, condition);
  abort();
}
