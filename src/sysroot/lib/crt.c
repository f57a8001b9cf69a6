// From the first instruction to main and back: relocate, bind the vDSO, read the startup message, run.
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>

#include "elf.h"
#include "runtime.h"

// Arguments and environment together; their pointers lie on the first stack.
enum { STRINGS_MAX = 4096 };

// Until relocate() is done only this file's own code and hidden symbols may be touched: their addresses come from
// the program counter, everybody else's from the global offset table.
#pragma GCC visibility push(hidden)
extern const struct elf_header __ehdr_start;
void __bind_vdso(uintptr_t vdso);
_Noreturn void __process_main(zx_handle_t bootstrap, uintptr_t vdso);
#pragma GCC visibility pop

extern void (*const __preinit_array_start[])(void), (*const __preinit_array_end[])(void);
extern void (*const __init_array_start[])(void), (*const __init_array_end[])(void);
extern void (*const __fini_array_start[])(void), (*const __fini_array_end[])(void);

int main(int argc, char **argv, char **environ);

char **environ;
static const struct elf_segment *tls_segment;
static uintptr_t load_bias;

static const struct elf_segment *find_segment(uint32_t type) {
  const struct elf_segment *segment = (const void *)((const char *)&__ehdr_start + __ehdr_start.phoff);
  for (unsigned i = 0; i < __ehdr_start.phnum; i++) {
    if (segment[i].type == type && segment[i].memsz > 0) return &segment[i];
  }
  return NULL;
}

// A static PIE needs addresses of its own and offsets of its thread-local variables; anything else, such as a symbol,
// would be a linking mistake.
static void relocate(void) {
  const struct elf_segment *first = find_segment(PT_LOAD), *dynamic = find_segment(PT_DYNAMIC);
  const uintptr_t bias = (uintptr_t)&__ehdr_start - first->vaddr;
  load_bias = bias;
  if (dynamic == NULL) return;
  const struct elf_relocation *relocation = NULL;
  size_t size = 0;
  for (const struct elf_dynamic *entry = (const void *)(bias + dynamic->vaddr); entry->tag != DT_NULL; entry++) {
    if (entry->tag == DT_RELA) relocation = (const void *)(bias + entry->value);
    if (entry->tag == DT_RELASZ) size = entry->value;
  }
  for (size_t i = 0; i < size / sizeof *relocation; i++) {
    const uint64_t info = relocation[i].info;
    if (info != R_RISCV_RELATIVE && info != R_RISCV_TLS_TPREL64) __builtin_trap();
    const uint64_t base = info == R_RISCV_RELATIVE ? bias : 0;
    *(uint64_t *)(bias + relocation[i].offset) = base + (uint64_t)relocation[i].addend;
  }
}

static size_t tls_align(void) {
  const size_t align = tls_segment == NULL ? 0 : tls_segment->align;
  return align < _Alignof(struct __thrd) ? _Alignof(struct __thrd) : align;
}

size_t __thread_block_size(void) {
  return sizeof(struct __thrd) + tls_align() + (tls_segment == NULL ? 0 : tls_segment->memsz);
}

struct __thrd *__thread_block_place(char *top) {
  const size_t tls_size = tls_segment == NULL ? 0 : tls_segment->memsz;
  char *tp = (char *)(((uintptr_t)top - tls_size) & -tls_align());
  if (tls_segment != NULL) {
    memcpy(tp, (const char *)(load_bias + tls_segment->vaddr), tls_segment->filesz);
    memset(tp + tls_segment->filesz, 0, tls_size - tls_segment->filesz);
  }
  return memset(tp - sizeof(struct __thrd), 0, sizeof(struct __thrd));
}

// The startup message (zircon/processargs.h) lies in this function's caller's frame, so argv lives as long as main.
struct startup {
  const char *bytes;
  uint32_t size;
  zx_handle_t *handles;
  uint32_t handle_count;
};

static const zx_proc_args_t *check_startup(const struct startup *startup) {
  const zx_proc_args_t *header = (const void *)startup->bytes;
  if (startup->size < sizeof *header) __fatal("startup message: too short");
  if (header->protocol != ZX_PROCARGS_PROTOCOL) __fatal("startup message: not processargs");
  const uint64_t infos_end = (uint64_t)header->handle_info_off + startup->handle_count * sizeof(uint32_t);
  if (infos_end > startup->size || header->handle_info_off % sizeof(uint32_t) != 0) __fatal("startup message: handle table outside");
  return header;
}

// Fills `list` with pointers to `count` strings that follow each other at `offset`, and a final NULL.
static void list_strings(const struct startup *startup, uint32_t offset, uint32_t count, char **list) {
  for (uint32_t i = 0; i < count; i++) {
    if (offset >= startup->size) __fatal("startup message: string outside");
    list[i] = (char *)startup->bytes + offset;
    const size_t length = strnlen(list[i], startup->size - offset);
    if (length == startup->size - offset) __fatal("startup message: string without end");
    offset += (uint32_t)length + 1;
  }
  list[count] = NULL;
}

static void call_all(void (*const *first)(void), void (*const *end)(void)) {
  for (; first < end; first++) (*first)();
}

static _Noreturn void run(const struct startup *startup, struct __thrd *thread) {
  const zx_proc_args_t *header = check_startup(startup);
  const uint32_t *infos = (const void *)(startup->bytes + header->handle_info_off);
  __startup_handles_take(infos, startup->handles, startup->handle_count);
  thread->handle = __process_handles.thread;

  const uint64_t strings = (uint64_t)header->args_num + header->environ_num;
  if (strings > STRINGS_MAX) __fatal("startup message: too many strings");
  char *lists[strings + 2];
  list_strings(startup, header->args_off, header->args_num, lists);
  environ = lists + header->args_num + 1;
  list_strings(startup, header->environ_off, header->environ_num, environ);

  call_all(__preinit_array_start, __preinit_array_end);
  call_all(__init_array_start, __init_array_end);
  exit(main((int)header->args_num, lists, environ));
}

_Noreturn void __process_main(zx_handle_t bootstrap, uintptr_t vdso) {
  relocate();
  __bind_vdso(vdso);
  tls_segment = find_segment(PT_TLS);
  char thread_block[__thread_block_size()];
  struct __thrd *thread = __thread_block_place(thread_block + sizeof thread_block);
  __asm__ volatile("mv tp, %0" : : "r"(thread + 1) : "memory");

  uint32_t size = 0, handle_count = 0;
  zx_status_t status = zx_channel_read(bootstrap, 0, NULL, NULL, 0, 0, &size, &handle_count);
  if (status != ZX_ERR_BUFFER_TOO_SMALL) __fatal("startup message: none");
  uint64_t bytes[size / sizeof(uint64_t) + 1];
  zx_handle_t handles[handle_count + 1];
  status = zx_channel_read(bootstrap, 0, bytes, handles, size, handle_count, NULL, NULL);
  if (status != ZX_OK) __fatal("startup message: cannot be read");
  zx_handle_close(bootstrap);
  const struct startup startup = {(const char *)bytes, size, handles, handle_count};
  run(&startup, thread);
}

void __run_fini_array(void) { call_all(__fini_array_start, __fini_array_end); }
