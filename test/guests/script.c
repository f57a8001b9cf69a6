// Runs small programs given as arguments: each argument is one thread's, two hex digits a byte, three bytes an
// instruction (what, and two operands). All threads work on the same memory, futexes, channel, event, port, timer and
// VMO, and fold every status and value they see into a sum, which is printed: two runs that differ anywhere print
// different sums. Every wait has a deadline, so every program ends.
#include <jacinth/launch.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/port.h>

enum { THREADS_MAX = 4, WORDS = 16, PAGE = 4096, PAGES = 4, CHILDREN_MAX = 2 };

static volatile uint64_t plain[WORDS];
static _Atomic uint64_t atomic_words[WORDS];
static zx_futex_t futexes[4];
static zx_handle_t ends[2], event, pair[2], port, timer, vmo, executable, vdso;
static _Atomic int children;

struct program {
  const char *text;
  uint64_t sum;
  double real;
};

static void fold(struct program *p, uint64_t value) { p->sum = (p->sum ^ value) * 0x100000001b3u + 1; }

static unsigned hex_byte(const char *text) {
  unsigned value = 0;
  for (int i = 0; i < 2; i++) value = value * 16 + (unsigned)(text[i] <= '9' ? text[i] - '0' : (text[i] | 32) - 'a' + 10);
  return value & 0xff;
}

static zx_time_t soon(unsigned n) { return zx_deadline_after(1 + 64 * (zx_duration_t)n); }

static void spin(struct program *p, unsigned n) {
  for (unsigned i = 0; i < 4 * n; i++) {
    p->real = p->real * 1.0000001 + 1.0 / (double)(i + 1);
    fold(p, (uint64_t)(p->real * 1e6));
  }
}

static void memory(struct program *p, unsigned a, unsigned b) {
  const uint64_t seen = plain[a % WORDS];
  thrd_yield();
  plain[a % WORDS] = seen + b;
  fold(p, seen);
}

static void atomics(struct program *p, unsigned a, unsigned b) {
  _Atomic uint64_t *word = &atomic_words[a % WORDS];
  uint64_t expected = *word;
  if (b & 1) fold(p, atomic_fetch_add(word, b));
  else fold(p, atomic_compare_exchange_strong(word, &expected, expected * 3 + b));
  fold(p, expected);
}

static void futex(struct program *p, unsigned a, unsigned b) {
  zx_futex_t *word = &futexes[a % 4];
  if (b % 3 == 0) {
    atomic_fetch_add(word, 1);
    fold(p, (uint64_t)zx_futex_wake(word, b / 3 % 3));
  } else if (b % 3 == 1) {
    fold(p, (uint64_t)zx_futex_wait(word, *word, ZX_HANDLE_INVALID, soon(b)));
  } else {
    fold(p, (uint64_t)zx_futex_requeue(word, 1, *word, &futexes[(a + 1) % 4], 2, ZX_HANDLE_INVALID));
  }
}

static void channel(struct program *p, unsigned a, unsigned b) {
  char bytes[64];
  zx_handle_t handle;
  uint32_t size = 0, count = 0;
  if (b % 3 == 0) {
    memset(bytes, (int)a, sizeof bytes);
    const bool gives = b % 2 == 0 && zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &handle) == ZX_OK;
    fold(p, (uint64_t)zx_channel_write(ends[a % 2], 0, bytes, b % 64, &handle, gives ? 1 : 0));
    return;
  }
  if (b % 3 == 1) fold(p, (uint64_t)zx_object_wait_one(ends[a % 2], ZX_CHANNEL_READABLE, soon(b), &size));
  fold(p, (uint64_t)zx_channel_read(ends[a % 2], 0, bytes, &handle, sizeof bytes, 1, &size, &count));
  fold(p, size);
  if (count > 0) zx_handle_close(handle);
}

static void signals(struct program *p, unsigned a, unsigned b) {
  zx_signals_t seen = 0;
  zx_wait_item_t items[3] = {{event, ZX_USER_SIGNAL_0, 0}, {pair[0], ZX_USER_SIGNAL_1, 0}, {timer, ZX_TIMER_SIGNALED, 0}};
  switch (a % 6) {
    case 0: fold(p, (uint64_t)zx_object_signal(event, 0, ZX_USER_SIGNAL_0 << b % 3)); return;
    case 1: fold(p, (uint64_t)zx_object_signal(event, ZX_USER_SIGNAL_0 << b % 3, 0)); return;
    case 2: fold(p, (uint64_t)zx_object_signal_peer(pair[b % 2], b & 2 ? ZX_USER_SIGNAL_1 : 0, ZX_USER_SIGNAL_1)); return;
    case 3: fold(p, (uint64_t)zx_object_wait_one(event, ZX_USER_SIGNAL_0 << b % 3, soon(b), &seen)); break;
    case 4: fold(p, (uint64_t)zx_object_wait_many(items, 1 + b % 3, soon(b))); break;
    default: fold(p, (uint64_t)zx_object_wait_async(event, port, b, ZX_USER_SIGNAL_0 << b % 3, 0));
  }
  fold(p, seen ^ items[0].pending ^ items[1].pending);
}

static void timers(struct program *p, unsigned a, unsigned b) {
  zx_port_packet_t packet = {.key = a, .type = ZX_PKT_TYPE_USER};
  switch (a % 4) {
    case 0: fold(p, (uint64_t)zx_timer_set(timer, soon(b), 0)); return;
    case 1: fold(p, (uint64_t)zx_port_queue(port, &packet)); return;
    case 2: fold(p, (uint64_t)zx_nanosleep(soon(b))); return;
    default:
      fold(p, (uint64_t)zx_port_wait(port, soon(b), &packet));
      fold(p, packet.key);
  }
}

static void mapping(struct program *p, unsigned a, unsigned b) {
  zx_vaddr_t address = 0;
  zx_handle_t source = vmo;
  const bool snapshot = b % 3 == 0;
  if (snapshot) fold(p, (uint64_t)zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES * PAGE, &source));
  const zx_vm_option_t access = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
  zx_status_t status = zx_vmar_map(zx_vmar_root_self(), access, 0, source, a % PAGES * PAGE, PAGE, &address);
  fold(p, (uint64_t)status);
  if (status == ZX_OK) {
    volatile uint64_t *words = (volatile uint64_t *)address;
    fold(p, words[b % 8]);
    words[b % 8] += a;
    if (b % 5 == 0) fold(p, (uint64_t)zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, address, PAGE));
    fold(p, words[b % 8]);
    fold(p, (uint64_t)zx_vmar_unmap(zx_vmar_root_self(), address, PAGE));
  }
  if (snapshot) zx_handle_close(source);
}

static void vmo_bytes(struct program *p, unsigned a, unsigned b) {
  uint64_t value = a;
  if (b % 4 == 0) fold(p, (uint64_t)zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, a % PAGES * PAGE, PAGE, NULL, 0));
  else if (b % 2 == 0) fold(p, (uint64_t)zx_vmo_write(vmo, &value, a * 61 % (PAGES * PAGE - 8), sizeof value));
  else fold(p, (uint64_t)zx_vmo_read(vmo, &value, a * 61 % (PAGES * PAGE - 8), sizeof value));
  fold(p, value);
}

static void look(struct program *p, unsigned a) {
  uint64_t drawn;
  zx_info_process_t info;
  zx_info_handle_count_t handles;
  zx_cprng_draw(&drawn, sizeof drawn);
  fold(p, drawn);
  if (a % 2 == 0) fold(p, (uint64_t)zx_clock_get_monotonic());
  fold(p, (uint64_t)zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
  fold(p, (uint64_t)zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, &handles, sizeof handles, NULL, NULL));
  fold(p, handles.handle_count);
}

// A process of the same executable, with a program of its own.
static void child(struct program *p, unsigned a, unsigned b) {
  if (atomic_fetch_add(&children, 1) >= CHILDREN_MAX) return;
  char text[16];
  snprintf(text, sizeof text, "01%02x0102%02x03", a, b);
  const jacinth_launch_t launch = {
      .name = "script-child",
      .job = zx_job_default(),
      .executable = executable,
      .vdso = vdso,
      .argv = (const char *const[]){"script", text},
      .argc = 2,
  };
  zx_handle_t process;
  zx_info_process_t info;
  const zx_status_t status = jacinth_launch(&launch, &process);
  fold(p, (uint64_t)status);
  if (status != ZX_OK) return;
  if (b % 8 == 0) fold(p, (uint64_t)zx_task_kill(process));
  fold(p, (uint64_t)zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL));
  fold(p, (uint64_t)zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
  fold(p, (uint64_t)info.return_code);
  zx_handle_close(process);
}

static int run(void *argument) {
  struct program *p = argument;
  for (const char *at = p->text; strlen(at) >= 6; at += 6) {
    const unsigned a = hex_byte(at + 2), b = hex_byte(at + 4);
    switch (hex_byte(at) % 13) {
      case 0: spin(p, a); break;
      case 1: memory(p, a, b); break;
      case 2: atomics(p, a, b); break;
      case 3: futex(p, a, b); break;
      case 4: channel(p, a, b); break;
      case 5: signals(p, a, b); break;
      case 6: timers(p, a, b); break;
      case 7: mapping(p, a, b); break;
      case 8: vmo_bytes(p, a, b); break;
      case 9: look(p, a); break;
      case 10: thrd_yield(); break;
      case 11: free(memset(malloc(1 + 16 * a), (int)b, 1 + 16 * a)); break;
      default:
        if (a == 1 && b < 4) *(volatile int *)(uintptr_t)b = 1;
        if (a == 2 && b < 8) exit((int)b);
        if (a == 3 && b < 8) thrd_exit((int)b);
        if (a < 64) child(p, a, b);
    }
  }
  return 0;
}

static bool prepare(void) {
  executable = zx_take_startup_handle(PA_HND(PA_VMO_EXECUTABLE, 0));
  vdso = zx_take_startup_handle(PA_HND(PA_VMO_VDSO, 0));
  return zx_channel_create(0, &ends[0], &ends[1]) == ZX_OK && zx_event_create(0, &event) == ZX_OK &&
         zx_eventpair_create(0, &pair[0], &pair[1]) == ZX_OK && zx_port_create(0, &port) == ZX_OK &&
         zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer) == ZX_OK && zx_vmo_create(PAGES * PAGE, 0, &vmo) == ZX_OK;
}

int main(int argc, char **argv) {
  const int count = argc - 1;
  if (count < 1 || count > THREADS_MAX) {
    puts("usage: script HEX [HEX [HEX [HEX]]]");
    return 2;
  }
  if (!prepare()) return 3;
  static struct program programs[THREADS_MAX];
  thrd_t threads[THREADS_MAX];
  for (int i = 0; i < count; i++) {
    programs[i].text = argv[i + 1];
    if (thrd_create(&threads[i], run, &programs[i]) != thrd_success) return 3;
  }
  uint64_t sum = 0;
  for (int i = 0; i < count; i++) {
    thrd_join(threads[i], NULL);
    sum = sum * 31 + programs[i].sum;
    printf("thread %d: %016lx\n", i, programs[i].sum);
  }
  for (int i = 0; i < WORDS; i++) sum = sum * 31 + plain[i] + atomic_words[i];
  printf("all: %016lx\n", sum);
  return (int)(sum & 0x3f);
}
