// Starts a process from an ELF image, as Zircon's own user-space loaders do it: nothing here is the kernel's work.
#ifndef JACINTH_LAUNCH_H
#define JACINTH_LAUNCH_H
#include <stdint.h>
#include <zircon/types.h>

// One more handle for the child, which takes it with zx_take_startup_handle(info). Always consumed.
typedef struct {
  uint32_t info;
  zx_handle_t handle;
} jacinth_extra_handle_t;

typedef struct {
  const char *name;
  // Lent, not consumed; the child gets duplicates as PA_JOB_DEFAULT, PA_VMO_EXECUTABLE and PA_VMO_VDSO.
  zx_handle_t job;
  zx_handle_t executable;
  zx_handle_t vdso;
  const char *const *argv;
  uint32_t argc;
  const jacinth_extra_handle_t *extra;
  uint32_t extra_count;
  // Of zx_process_create: 0, or ZX_PROCESS_SHARED for a prototype. The program of a prototype must be static PIE,
  // because the addresses of other programs lie where each process that shares has its own part.
  uint32_t options;
} jacinth_launch_t;

// On success *process is the running child. Errors: those of the calls it makes; ZX_ERR_INVALID_ARGS for a file
// that is not a static riscv64 ELF; ZX_ERR_OUT_OF_RANGE for arguments or handles that no message can carry.
zx_status_t jacinth_launch(const jacinth_launch_t *launch, zx_handle_t *process);

#endif
