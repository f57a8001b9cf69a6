// A debugger in miniature. The program starts itself again under a job whose policy denies events, listens to that
// job, and so hears of the child before its first instruction. From then on it is the child's debugger: it mends a
// load from nowhere, lets a denied call go on, takes a thread out of an endless loop, and lets a crash crash.
#include <jacinth/launch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/policy.h>

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("%s: status %d\n", what, status);
  exit(2);
}

// The child: four kinds of trouble, one after the other.

static uint64_t load_from_nowhere(void) {
  register uint64_t value __asm__("a0");
  __asm__ volatile("ld a0, 0x18(zero)" : "=r"(value));
  return value;
}

static uint64_t spin(void) {
  register uint64_t value __asm__("t0");
  __asm__ volatile("li t0, 0\n1: beqz t0, 1b" : "=r"(value));
  return value;
}

static int child(void) {
  printf("child: loaded %lu\n", load_from_nowhere());
  zx_handle_t event;
  printf("child: an event: status %d\n", zx_event_create(0, &event));
  const zx_exception_context_t context = {.synth_code = ZX_EXCP_USER_CODE_USER0, .synth_data = 7};
  check(zx_thread_raise_exception(ZX_EXCEPTION_TARGET_JOB_DEBUGGER, ZX_EXCP_USER, &context), "raise");
  printf("child: left the loop with %lu\n", spin());
  __asm__ volatile("unimp");
  return 0;
}

// The debugger.

static zx_handle_t watch_job(zx_handle_t *channel) {
  zx_handle_t job;
  check(zx_job_create(zx_job_default(), 0, &job), "job");
  const zx_policy_basic_v2_t policy = {ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY_EXCEPTION, ZX_POL_OVERRIDE_DENY};
  check(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V2, &policy, 1), "policy");
  check(zx_task_create_exception_channel(job, ZX_EXCEPTION_CHANNEL_DEBUGGER, channel), "listen to job");
  return job;
}

static zx_handle_t start(zx_handle_t job) {
  const jacinth_launch_t launch = {
      .name = "child",
      .job = job,
      .executable = zx_take_startup_handle(PA_HND(PA_VMO_EXECUTABLE, 0)),
      .vdso = zx_take_startup_handle(PA_HND(PA_VMO_VDSO, 0)),
      .argv = (const char *const[]){"exceptions", "child"},
      .argc = 2,
  };
  zx_handle_t process;
  check(jacinth_launch(&launch, &process), "launch");
  return process;
}

// The next exception, from either channel; 0 when there will be none any more.
static zx_handle_t next(zx_wait_item_t channels[2], zx_exception_info_t *info) {
  for (;;) {
    check(zx_object_wait_many(channels, 2, ZX_TIME_INFINITE), "wait");
    for (int i = 0; i < 2; i++) {
      if ((channels[i].pending & ZX_CHANNEL_READABLE) == 0) continue;
      zx_handle_t exception;
      check(zx_channel_read(channels[i].handle, 0, info, &exception, sizeof *info, 1, NULL, NULL), "read");
      return exception;
    }
    if ((channels[1].pending & ZX_CHANNEL_PEER_CLOSED) != 0) return ZX_HANDLE_INVALID;
  }
}

static void answer(zx_handle_t exception, uint32_t state) {
  check(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof state), "answer");
  zx_handle_close(exception);
}

static zx_handle_t thread_of(zx_handle_t exception) {
  zx_handle_t thread;
  check(zx_exception_get_thread(exception, &thread), "thread");
  return thread;
}

static void mend(zx_handle_t thread) {
  zx_exception_report_t report;
  check(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof report, NULL, NULL), "report");
  zx_thread_state_general_regs_t regs;
  check(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs), "read registers");
  printf("a load from 0x%lx: cause %lu, status %d\n", report.context.arch.u.riscv_64.tval,
         report.context.arch.u.riscv_64.cause, (zx_status_t)report.context.synth_code);
  regs.pc += 4;
  regs.a0 = 42;
  check(zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs), "write registers");
}

// Catches the thread in its loop, and changes what the loop waits for.
static void release(zx_handle_t thread) {
  zx_handle_t token;
  zx_thread_state_general_regs_t regs;
  zx_nanosleep(zx_deadline_after(ZX_USEC(100)));
  check(zx_task_suspend(thread, &token), "suspend");
  check(zx_object_wait_one(thread, ZX_THREAD_SUSPENDED, ZX_TIME_INFINITE, NULL), "wait for it");
  check(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs), "read registers");
  printf("suspended with t0 = %lu\n", regs.t0);
  regs.t0 = 9;
  check(zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs), "write registers");
  zx_handle_close(token);
}

static int debug(void) {
  zx_wait_item_t channels[2] = {{.waitfor = ZX_CHANNEL_READABLE}, {.handle = ZX_HANDLE_INVALID}};
  const zx_handle_t job = watch_job(&channels[0].handle);
  const zx_handle_t process = start(job);
  check(zx_task_create_exception_channel(process, ZX_EXCEPTION_CHANNEL_DEBUGGER, &channels[1].handle), "debug");
  channels[1].waitfor = ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED;

  zx_exception_info_t info;
  zx_handle_t exception;
  while ((exception = next(channels, &info)) != ZX_HANDLE_INVALID) {
    const zx_handle_t thread = thread_of(exception);
    uint32_t state = ZX_EXCEPTION_STATE_HANDLED;
    switch (info.type) {
      case ZX_EXCP_PROCESS_STARTING:
        puts("a process starts");
        break;
      case ZX_EXCP_THREAD_STARTING:
        puts("a thread starts");
        break;
      case ZX_EXCP_THREAD_EXITING:
        puts("a thread exits");
        break;
      case ZX_EXCP_FATAL_PAGE_FAULT:
        mend(thread);
        break;
      case ZX_EXCP_POLICY_ERROR:
        puts("policy says no");
        break;
      case ZX_EXCP_USER:
        puts("the child says it will loop");
        break;
      default:
        printf("exception 0x%x: not ours\n", info.type);
        state = ZX_EXCEPTION_STATE_TRY_NEXT;
    }
    answer(exception, state);
    if (info.type == ZX_EXCP_USER) release(thread);
    zx_handle_close(thread);
  }
  zx_info_process_t end;
  check(zx_object_get_info(process, ZX_INFO_PROCESS, &end, sizeof end, NULL, NULL), "info");
  printf("the child ended with %ld\n", end.return_code);
  return end.return_code == ZX_TASK_RETCODE_EXCEPTION_KILL ? 0 : 1;
}

int main(int argc, char **argv) {
  return argc > 1 && strcmp(argv[1], "child") == 0 ? child() : debug();
}
