// A tree of processes, each started by its parent from the same executable (the VMO the parent was itself started
// from). A parent hands its child a channel to report on and a VMO that all of them map; each process adds its
// number to a sum there, and sends its parent the report of its whole subtree together with an event that only it
// can have signalled.
//
// Arguments of the root: depth, children of each process.
#include <jacinth/launch.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

enum { DEPTH = 2, CHILDREN = 2, CHILDREN_MAX = 8, DEPTH_MAX = 4, PAGE = 4096 };

struct report {
  uint64_t processes;
  uint64_t number_sum;
};

struct shared {
  _Atomic uint64_t number_sum;
  _Atomic uint64_t processes;
};

// 1 is the root; the children of n are n × CHILDREN_MAX + 1 and on, so that numbers never collide.
static uint64_t number = 1;
static unsigned depth = DEPTH, children = CHILDREN;
static zx_handle_t executable, vdso, shared_vmo;

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("process %lu: %s: status %d\n", number, what, status);
  exit(2);
}

static zx_handle_t duplicate(zx_handle_t handle) {
  zx_handle_t copy;
  check(zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy), "duplicate");
  return copy;
}

static zx_handle_t start_child(unsigned index, zx_handle_t *channel) {
  char name[ZX_MAX_NAME_LEN], numbers[3][24];
  const uint64_t child = number * CHILDREN_MAX + index + 1;
  snprintf(name, sizeof name, "node-%lu", child);
  snprintf(numbers[0], sizeof numbers[0], "%u", depth - 1);
  snprintf(numbers[1], sizeof numbers[1], "%u", children);
  snprintf(numbers[2], sizeof numbers[2], "%lu", child);
  zx_handle_t theirs, process;
  check(zx_channel_create(0, channel, &theirs), "channel");
  const jacinth_extra_handle_t extra[] = {{PA_HND(PA_USER0, 0), theirs}, {PA_HND(PA_USER1, 0), duplicate(shared_vmo)}};
  const jacinth_launch_t launch = {
      .name = name,
      .job = zx_job_default(),
      .executable = executable,
      .vdso = vdso,
      .argv = (const char *const[]){"process-tree", numbers[0], numbers[1], numbers[2]},
      .argc = 4,
      .extra = extra,
      .extra_count = 2,
  };
  check(jacinth_launch(&launch, &process), "launch");
  return process;
}

// Waits for a child's report, for the event that came with it, and for the child's end.
static void collect(zx_handle_t process, zx_handle_t channel, struct report *sum) {
  struct report report;
  zx_handle_t event;
  uint32_t size, handle_count;
  const zx_signals_t news = ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED;
  check(zx_object_wait_one(channel, news, ZX_TIME_INFINITE, NULL), "wait for report");
  check(zx_channel_read(channel, 0, &report, &event, sizeof report, 1, &size, &handle_count), "read report");
  if (size != sizeof report || handle_count != 1) check(ZX_ERR_IO, "report");
  check(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL), "event");
  zx_handle_close(event);
  zx_handle_close(channel);

  zx_info_process_t info;
  check(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL), "wait for child");
  check(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL), "child info");
  if (info.return_code != (int64_t)depth) check(ZX_ERR_BAD_STATE, "child's return code");
  zx_handle_close(process);
  sum->processes += report.processes;
  sum->number_sum += report.number_sum;
}

static struct shared *map_shared(void) {
  zx_vaddr_t address;
  const zx_vm_option_t access = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
  check(zx_vmar_map(zx_vmar_root_self(), access, 0, shared_vmo, 0, PAGE, &address), "map");
  return (struct shared *)address;
}

static int report_to(zx_handle_t parent, const struct report *report) {
  zx_handle_t event;
  check(zx_event_create(0, &event), "event");
  check(zx_object_signal(event, 0, ZX_EVENT_SIGNALED), "signal");
  check(zx_channel_write(parent, 0, report, sizeof *report, &event, 1), "report");
  return (int)depth + 1;
}

int main(int argc, char **argv) {
  if (argc > 1) depth = (unsigned)atoi(argv[1]);
  if (argc > 2) children = (unsigned)atoi(argv[2]);
  if (argc > 3) number = strtoul(argv[3], NULL, 10);
  if (depth > DEPTH_MAX || children > CHILDREN_MAX) return 2;
  executable = zx_take_startup_handle(PA_HND(PA_VMO_EXECUTABLE, 0));
  vdso = zx_take_startup_handle(PA_HND(PA_VMO_VDSO, 0));
  const zx_handle_t parent = zx_take_startup_handle(PA_HND(PA_USER0, 0));
  shared_vmo = zx_take_startup_handle(PA_HND(PA_USER1, 0));
  if (shared_vmo == ZX_HANDLE_INVALID) check(zx_vmo_create(PAGE, 0, &shared_vmo), "shared VMO");
  struct shared *shared = map_shared();
  atomic_fetch_add(&shared->number_sum, number);
  atomic_fetch_add(&shared->processes, 1);

  struct report report = {1, number};
  zx_handle_t processes[CHILDREN_MAX], channels[CHILDREN_MAX];
  const unsigned count = depth == 0 ? 0 : children;
  for (unsigned i = 0; i < count; i++) processes[i] = start_child(i, &channels[i]);
  for (unsigned i = 0; i < count; i++) collect(processes[i], channels[i], &report);
  if (parent != ZX_HANDLE_INVALID) return report_to(parent, &report);

  printf("%lu processes, numbers add up to %lu\n", report.processes, report.number_sum);
  const bool agreed = shared->processes == report.processes && shared->number_sum == report.number_sum;
  puts(agreed ? "the shared page agrees" : "the shared page disagrees");
  return agreed ? 0 : 1;
}
