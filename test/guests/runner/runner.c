// How to host another program in restricted mode: a supervisor that serves its system calls, survives its faults and
// gets it out of an endless loop. Build it from this folder: jacinth cc --pie runner.c hosted.S -o runner.elf
//
// There are two processes, which share the upper half of their addresses, their handles and their futexes:
//
//                     prototype ("supervisor")         hosted process
//   upper half        this program: code, heap, every thread's stack, the vDSO
//   lower half        nothing                          hosted.S and its stack
//   threads           main, which kicks                one, which is both: in normal mode it runs serve(), in the
//                                                      upper half; in restricted mode hosted.S, in the lower
//
// Restricted mode cannot see the upper half, so the hosted program cannot touch its supervisor. Nor does normal mode
// see the lower half: the supervisor reads it with zx_process_read_memory, or maps a VMO in both.
//
// Arguments: none. (It starts itself a second time with one.)
#include <jacinth/launch.h>
#include <jacinth/restricted.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls-next.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

#include "hosted.h"

enum { PAGE = 4096, TEXT_MAX = 256 };

// The linker names the ends of a section whose name is a C identifier.
extern const char __start_hosted[], __stop_hosted[], hosted_entry[];

struct hosted {
  zx_handle_t process;
  // The root of its own half.
  zx_handle_t vmar;
  zx_vaddr_t stack_top;
  // Its thread, and an event that is signalled when that is about to spin.
  zx_handle_t thread;
  zx_handle_t spins;
};

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("runner: %s: status %d\n", what, status);
  exit(2);
}

// Maps fresh memory into the hosted program's half, at an address of ours or (0) of the kernel's choice.
static zx_vaddr_t give_memory(const struct hosted *hosted, zx_vm_option_t access, zx_vaddr_t at, size_t size,
                              const void *bytes, size_t byte_count) {
  zx_handle_t vmo;
  zx_vaddr_t address;
  zx_info_vmar_t half;
  check(zx_object_get_info(hosted->vmar, ZX_INFO_VMAR, &half, sizeof half, NULL, NULL), "info");
  check(zx_vmo_create(size, 0, &vmo), "VMO");
  check(zx_vmo_write(vmo, bytes, 0, byte_count), "write");
  if (access & ZX_VM_PERM_EXECUTE) check(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &vmo), "executable");
  const zx_vm_option_t place = at == 0 ? 0 : ZX_VM_SPECIFIC;
  check(zx_vmar_map(hosted->vmar, access | place, at == 0 ? 0 : at - half.base, vmo, 0, size, &address), "map");
  zx_handle_close(vmo);
  return address;
}

static void load_hosted(struct hosted *hosted) {
  const size_t size = (size_t)(__stop_hosted - __start_hosted);
  const size_t pages = (size + PAGE - 1) & -(size_t)PAGE;
  give_memory(hosted, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, HOSTED_ADDRESS, pages, __start_hosted, size);
  const zx_vm_option_t access = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
  hosted->stack_top = give_memory(hosted, access, 0, HOSTED_STACK_SIZE, NULL, 0) + HOSTED_STACK_SIZE;
}

static int64_t write_text(const struct hosted *hosted, zx_vaddr_t text, size_t size) {
  char bytes[TEXT_MAX];
  size_t actual;
  if (size > sizeof bytes) return -1;
  if (zx_process_read_memory(hosted->process, text, bytes, size, &actual) != ZX_OK) return -1;
  printf("hosted: %.*s", (int)actual, bytes);
  return (int64_t)actual;
}

// One system call of the hosted program. Says whether it goes on.
static bool serve_call(const struct hosted *hosted, zx_restricted_state_t *state, int *exit_code) {
  switch (state->a7) {
    case HOSTED_WRITE:
      state->a0 = (uint64_t)write_text(hosted, state->a0, state->a1);
      return true;
    case HOSTED_NEW_PAGE:
      state->a0 = give_memory(hosted, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, PAGE, NULL, 0);
      return true;
    case HOSTED_WILL_SPIN:
      check(zx_object_signal(hosted->spins, 0, ZX_EVENT_SIGNALED), "signal");
      return true;
    case HOSTED_EXIT:
      *exit_code = (int)state->a0;
      return false;
    default:
      state->a0 = (uint64_t)-1;
      return true;
  }
}

// The report of an exception lies behind the registers. Instructions of hosted.S are 4 bytes long.
static void step_over_fault(zx_restricted_exception_t *shared) {
  const zx_exception_report_t *report = &shared->exception;
  const uint64_t offset = shared->state.pc - HOSTED_ADDRESS;
  const uint64_t value = report->context.arch.u.riscv_64.tval;
  if (report->header.type == ZX_EXCP_FATAL_PAGE_FAULT) {
    printf("runner: page fault at %#lx\n", value);
  } else if (report->header.type == ZX_EXCP_UNDEFINED_INSTRUCTION) {
    printf("runner: undefined instruction %#lx\n", value);
  } else {
    printf("runner: exception %#x at offset %#lx\n", report->header.type, offset);
  }
  shared->state.pc += 4;
}

// What the hosted process's thread does: in and out of restricted mode until the hosted program exits.
static int serve(void *argument) {
  struct hosted *hosted = argument;
  hosted->thread = zx_thread_self();
  // The registers of restricted mode live in a VMO, which the kernel reads and writes; we map it.
  zx_handle_t vmo;
  zx_vaddr_t address;
  check(zx_restricted_bind_state(0, &vmo), "bind");
  const zx_vm_option_t access = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
  check(zx_vmar_map(zx_vmar_root_self(), access, 0, vmo, 0, PAGE, &address), "map state");
  zx_handle_close(vmo);
  zx_restricted_exception_t *shared = (zx_restricted_exception_t *)address;
  shared->state = (zx_restricted_state_t){
      .pc = HOSTED_ADDRESS + (uint64_t)(hosted_entry - __start_hosted),
      .sp = hosted->stack_top,
  };

  int exit_code = 0;
  for (;;) {
    // hosted.S uses no floating point; with NULL the registers would be shared.
    const int64_t reason = jacinth_restricted_enter(0, NULL);
    if (reason == ZX_RESTRICTED_REASON_SYSCALL) {
      if (!serve_call(hosted, &shared->state, &exit_code)) break;
    } else if (reason == ZX_RESTRICTED_REASON_EXCEPTION) {
      step_over_fault(shared);
    } else if (reason == ZX_RESTRICTED_REASON_KICK) {
      puts("runner: kicked");
      shared->state.s2 = 1;
    } else {
      check((zx_status_t)reason, "enter");
    }
  }
  check(zx_restricted_unbind_state(0), "unbind");
  check(zx_vmar_unmap(zx_vmar_root_self(), address, PAGE), "unmap state");
  return exit_code;
}

static int supervise(void) {
  static struct hosted hosted;
  check(zx_event_create(0, &hosted.spins), "event");
  check(zx_process_create_shared(zx_process_self(), 0, "hosted", 6, &hosted.process, &hosted.vmar), "create shared");
  load_hosted(&hosted);
  thrd_t thread;
  if (jacinth_thread_create_in(hosted.process, &thread, serve, &hosted) != thrd_success) return 2;

  check(zx_object_wait_one(hosted.spins, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL), "wait");
  // Give it some time to spin; a kick that comes before it does waits for it.
  zx_nanosleep(zx_deadline_after(ZX_USEC(20)));
  check(zx_restricted_kick(hosted.thread, 0), "kick");

  int exit_code;
  thrd_join(thread, &exit_code);
  // Its only thread is gone, and so is the process; the handles and the upper half are still ours.
  check(zx_object_wait_one(hosted.process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL), "wait");
  printf("runner: the hosted program exited with %d\n", exit_code);
  return 0;
}

// The process that the machine starts with shares nothing, and that is for life. So it starts this program once more
// as a prototype.
static int start_supervisor(void) {
  zx_handle_t process;
  const jacinth_launch_t launch = {
      .name = "supervisor",
      .job = zx_job_default(),
      .executable = zx_take_startup_handle(PA_HND(PA_VMO_EXECUTABLE, 0)),
      .vdso = zx_take_startup_handle(PA_HND(PA_VMO_VDSO, 0)),
      .argv = (const char *const[]){"runner", "supervise"},
      .argc = 2,
      .options = ZX_PROCESS_SHARED,
  };
  zx_info_process_t info;
  check(jacinth_launch(&launch, &process), "launch");
  check(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL), "wait");
  check(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL), "info");
  return (int)info.return_code;
}

int main(int argc, char **argv) {
  return argc > 1 && strcmp(argv[1], "supervise") == 0 ? supervise() : start_supervisor();
}
