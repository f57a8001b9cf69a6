// What restricted mode promises besides system calls (runner/ shows those): the registers of floating point, kicks,
// suspension, and who is asked about exceptions. The process shares nothing, so restricted mode keeps its address
// space, and the restricted code is a part of this program.
#include <jacinth/restricted.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls-next.h>
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

enum { PAGE = 4096 };

// The restricted code. Each piece ends in an ecall, or never.
__asm__(
    "  .pushsection .text.restricted, \"ax\", @progbits\n"
    "  .option push\n"
    "  .option norvc\n"
    "double_fs0:\n"
    "  fadd.d fs0, fs0, fs0\n"
    "  ecall\n"
    "spin:\n"
    "  addi a0, a0, 1\n"
    "  j spin\n"
    "spin_end:\n"
    "load_null:\n"
    "  lw a0, 0(zero)\n"
    "  ecall\n"
    "  .option pop\n"
    "  .popsection\n");
extern const char double_fs0[], spin[], spin_end[], load_null[];

static zx_restricted_exception_t *shared;

static void expect(bool holds, const char *what) {
  if (holds) return;
  printf("not so: %s\n", what);
  exit(1);
}

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("%s: status %d\n", what, status);
  exit(2);
}

static int64_t enter_at(const char *code, uint32_t options) {
  shared->state = (zx_restricted_state_t){.pc = (uint64_t)code};
  return jacinth_restricted_enter(options, NULL);
}

static void bind(void) {
  zx_handle_t vmo;
  zx_vaddr_t address;
  check(zx_restricted_bind_state(0, &vmo), "bind");
  check(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, PAGE, &address), "map");
  zx_handle_close(vmo);
  shared = (zx_restricted_exception_t *)address;
}

static void test_floats(void) {
  static jacinth_restricted_float_t floats;
  const double before = 1.5;
  memcpy(&floats.f[8], &before, sizeof before);
  // Kept by the caller in a register that the restricted code has, too.
  register double mine __asm__("fs0") = 7;
  __asm__ volatile("" : "+f"(mine));
  shared->state = (zx_restricted_state_t){.pc = (uint64_t)double_fs0};
  expect(jacinth_restricted_enter(0, &floats) == ZX_RESTRICTED_REASON_SYSCALL, "floats: system call");
  __asm__ volatile("" : "+f"(mine));
  double after;
  memcpy(&after, &floats.f[8], sizeof after);
  expect(mine == 7 && after == 3, "each mode finds its own f registers");
  puts("floats");
}

static void test_early_kick(void) {
  check(zx_restricted_kick(zx_thread_self(), 0), "kick");
  check(zx_restricted_kick(zx_thread_self(), 0), "kick");
  expect(enter_at(double_fs0, 0) == ZX_RESTRICTED_REASON_KICK, "a kick waits for enter");
  expect(shared->state.pc == (uint64_t)double_fs0, "and leaves the state alone");
  expect(enter_at(double_fs0, 0) == ZX_RESTRICTED_REASON_SYSCALL, "two kicks are one");
  expect(shared->state.pc == (uint64_t)double_fs0 + 8, "pc is behind the ecall");
  puts("kick before enter");
}

static bool spins(uint64_t pc) { return pc >= (uint64_t)spin && pc < (uint64_t)spin_end; }

static int kick_later(void *argument) {
  const zx_handle_t target = *(zx_handle_t *)argument;
  zx_nanosleep(zx_deadline_after(ZX_USEC(5)));
  check(zx_restricted_kick(target, 0), "kick");
  return 0;
}

static void test_kick(void) {
  zx_handle_t self = zx_thread_self();
  thrd_t kicker;
  expect(thrd_create(&kicker, kick_later, &self) == thrd_success, "create");
  expect(enter_at(spin, 0) == ZX_RESTRICTED_REASON_KICK, "kicked out of a loop");
  expect(spins(shared->state.pc), "at an instruction of the loop");
  thrd_join(kicker, NULL);
  puts("kick");
}

// A debugger finds the restricted registers, and a kick waits until the thread may run again.
static int inspect(void *argument) {
  const zx_handle_t target = *(zx_handle_t *)argument;
  zx_handle_t token;
  zx_thread_state_general_regs_t registers;
  do {
    thrd_yield();
    check(zx_task_suspend_token(target, &token), "suspend");
    check(zx_object_wait_one(target, ZX_THREAD_SUSPENDED, ZX_TIME_INFINITE, NULL), "wait");
    check(zx_thread_read_state(target, ZX_THREAD_STATE_GENERAL_REGS, &registers, sizeof registers), "read");
    if (!spins(registers.pc)) zx_handle_close(token);
  } while (!spins(registers.pc));
  registers.s5 = 55;
  check(zx_thread_write_state(target, ZX_THREAD_STATE_GENERAL_REGS, &registers, sizeof registers), "write");
  check(zx_restricted_kick(target, 0), "kick");
  check(zx_thread_read_state(target, ZX_THREAD_STATE_GENERAL_REGS, &registers, sizeof registers), "read");
  expect(spins(registers.pc), "a kicked thread stays where it is while it is suspended");
  zx_handle_close(token);
  return 0;
}

static void test_suspension(void) {
  zx_handle_t self = zx_thread_self();
  thrd_t inspector;
  expect(thrd_create(&inspector, inspect, &self) == thrd_success, "create");
  expect(enter_at(spin, 0) == ZX_RESTRICTED_REASON_KICK, "kicked while suspended");
  expect(shared->state.s5 == 55, "with the registers that the debugger wrote");
  thrd_join(inspector, NULL);
  puts("suspension");
}

struct handler {
  zx_handle_t task;
  uint32_t options;
  // What it answers: ZX_EXCEPTION_STATE_*.
  uint32_t answer;
  _Atomic bool listens;
};

// Handles one page fault: steps over the instruction, when it is to be handled. A debugger is told of new threads and
// they wait for it, so it must not listen before it runs.
static int handle(void *argument) {
  struct handler *handler = argument;
  zx_handle_t channel;
  check(zx_task_create_exception_channel(handler->task, handler->options, &channel), "exception channel");
  handler->listens = true;
  for (;;) {
    zx_exception_info_t info;
    zx_handle_t exception, thread;
    check(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL), "wait for exception");
    check(zx_channel_read(channel, 0, &info, &exception, sizeof info, 1, NULL, NULL), "read exception");
    if (info.type != ZX_EXCP_FATAL_PAGE_FAULT) {
      zx_handle_close(exception);
      continue;
    }
    zx_thread_state_general_regs_t registers;
    check(zx_exception_get_thread(exception, &thread), "get thread");
    check(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &registers, sizeof registers), "read state");
    expect(registers.pc == (uint64_t)load_null, "the handler sees the restricted pc");
    registers.pc += handler->answer == ZX_EXCEPTION_STATE_HANDLED ? 4 : 0;
    check(zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &registers, sizeof registers), "write state");
    check(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &handler->answer, sizeof handler->answer), "answer");
    zx_handle_close(thread);
    zx_handle_close(exception);
    zx_handle_close(channel);
    return 0;
  }
}

static int64_t enter_with_handler(struct handler *handler, uint32_t enter_options) {
  thrd_t thread;
  expect(thrd_create(&thread, handle, handler) == thrd_success, "create");
  while (!handler->listens) thrd_yield();
  const int64_t reason = enter_at(load_null, enter_options);
  thrd_join(thread, NULL);
  return reason;
}

static void test_exceptions(void) {
  expect(enter_at(load_null, 0) == ZX_RESTRICTED_REASON_EXCEPTION, "nobody listens: the vector");
  expect(shared->state.pc == (uint64_t)load_null, "pc is at the instruction");
  expect(shared->exception.header.type == ZX_EXCP_FATAL_PAGE_FAULT, "the report is behind the state");

  const uint32_t debugger = ZX_EXCEPTION_CHANNEL_DEBUGGER;
  struct handler willing = {zx_process_self(), debugger, ZX_EXCEPTION_STATE_HANDLED, false};
  expect(enter_with_handler(&willing, 0) == ZX_RESTRICTED_REASON_SYSCALL, "a debugger comes first");
  struct handler unwilling = {zx_process_self(), debugger, ZX_EXCEPTION_STATE_TRY_NEXT, false};
  expect(enter_with_handler(&unwilling, 0) == ZX_RESTRICTED_REASON_EXCEPTION, "then the vector");

  struct handler thread = {zx_thread_self(), 0, ZX_EXCEPTION_STATE_HANDLED, false};
  const int64_t reason = enter_with_handler(&thread, ZX_RESTRICTED_OPT_EXCEPTION_CHANNEL);
  expect(reason == ZX_RESTRICTED_REASON_SYSCALL, "or, by option, the thread's channel");
  puts("exceptions");
}

int main(void) {
  bind();
  test_floats();
  test_early_kick();
  test_kick();
  test_suspension();
  test_exceptions();
  check(zx_restricted_unbind_state(0), "unbind");
  expect(jacinth_restricted_enter(0, NULL) == ZX_ERR_BAD_STATE, "nothing is bound");
  puts("done");
  return 0;
}
