// A program of Magenta's time: `mx_*` calls alone, job policy with actions that are or-ed together. With another ABI
// than `--abi magenta` there are no such calls. Without the C library's help but for its console.
#include <magenta/syscalls.h>
#include <magenta/syscalls/policy.h>
#include <stdio.h>
#include <string.h>

static mx_status_t set_policy(mx_handle_t job, uint32_t condition, uint32_t policy) {
  const mx_policy_basic_t entry = {condition, policy};
  return mx_job_set_policy(job, MX_JOB_POL_ABSOLUTE, MX_JOB_POL_BASIC, &entry, 1);
}

extern mx_handle_t zx_job_default(void);
extern mx_handle_t zx_vmar_root_self(void);

static void policy(void) {
  mx_handle_t job;
  printf("a job: %d\n", mx_job_create(zx_job_default(), 0, &job));
  printf("channels, denied with an exception: %d\n",
         set_policy(job, MX_POL_NEW_CHANNEL, MX_POL_ACTION_DENY | MX_POL_ACTION_EXCEPTION));
  printf("the same again: %d\n", set_policy(job, MX_POL_NEW_CHANNEL, MX_POL_ACTION_DENY | MX_POL_ACTION_EXCEPTION));
  printf("channels, denied: %d\n", set_policy(job, MX_POL_NEW_CHANNEL, MX_POL_ACTION_DENY));
  printf("bad handles, killed: %d\n", set_policy(job, MX_POL_BAD_HANDLE, MX_POL_ACTION_KILL));
  printf("an unknown action: %d\n", set_policy(job, MX_POL_NEW_FIFO, 8));
  printf("an unknown condition: %d\n", set_policy(job, MX_POL_MAX, MX_POL_ACTION_ALLOW));
  mx_policy_basic_t many[MX_POL_MAX + 1];
  memset(many, 0, sizeof many);
  printf("too many: %d\n",
         mx_job_set_policy(job, MX_JOB_POL_RELATIVE, MX_JOB_POL_BASIC, many, MX_POL_MAX + 1));
  mx_handle_t process, vmar;
  printf("a process: %d\n", mx_process_create(job, "child", 5, 0, &process, &vmar));
  printf("no longer empty: %d\n", set_policy(job, MX_POL_NEW_FIFO, MX_POL_ACTION_DENY));
  mx_handle_close(process);
  mx_handle_close(vmar);
  mx_handle_close(job);
}

// Arguments that moved, a time without a sign.
static void memory(void) {
  mx_handle_t vmo;
  uintptr_t address = 0;
  uint64_t size = 0;
  printf("memory: %d\n", mx_vmo_create(4096, 0, &vmo));
  printf("more of it: %d\n", mx_vmo_set_size(vmo, 8192));
  printf("its size: %d", mx_vmo_get_size(vmo, &size));
  printf(", %d\n", (int)size);
  printf("mapped: %d\n", mx_vmar_map(zx_vmar_root_self(), 0, vmo, 4096, 4096,
                                     MX_VM_FLAG_PERM_READ | MX_VM_FLAG_PERM_WRITE, &address));
  *(volatile int *)address = 42;
  printf("read only: %d\n", mx_vmar_protect(zx_vmar_root_self(), address, 4096, MX_VM_FLAG_PERM_READ));
  printf("it holds %d\n", *(volatile int *)address);
}

static void waits(void) {
  mx_handle_t timer, port;
  mx_futex_t word = 1;
  mx_signals_t observed = 0;
  printf("a timer: %d\n", mx_timer_create(0, MX_CLOCK_MONOTONIC, &timer));
  const mx_time_t start = mx_time_get(MX_CLOCK_MONOTONIC);
  printf("set: %d\n", mx_timer_set(timer, start + MX_MSEC(1), 0));
  printf("without end: %d", mx_object_wait_one(timer, MX_TIMER_SIGNALED, MX_TIME_INFINITE, &observed));
  printf(", saw %d\n", (int)observed);
  printf("a millisecond later: %d\n", mx_time_get(MX_CLOCK_MONOTONIC) >= start + MX_MSEC(1));
  printf("another clock: %d\n", (int)mx_time_get(1));
  printf("a futex of another value: %d\n", mx_futex_wait(&word, 2, MX_TIME_INFINITE));
  printf("a futex until now: %d\n", mx_futex_wait(&word, 1, start));
  printf("a port: %d\n", mx_port_create(0, &port));
  printf("once: %d\n", mx_object_wait_async(timer, port, 7, MX_TIMER_SIGNALED, 0));
  printf("again and again: %d\n", mx_object_wait_async(timer, port, 7, MX_TIMER_SIGNALED, 1));
  uint64_t packet[6];
  printf("a packet: %d", mx_port_wait(port, MX_TIME_INFINITE, packet, 0));
  printf(" of key %d\n", (int)packet[0]);
}

int main(void) {
  mx_handle_t event;
  if (mx_event_create(0, &event) == MX_ERR_NOT_SUPPORTED) {
    puts("this is not Magenta");
    return 1;
  }
  policy();
  memory();
  waits();
  mx_process_exit(5);
}
