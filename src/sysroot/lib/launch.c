#include <jacinth/launch.h>
#include <string.h>
#include <zircon/processargs.h>

#include "elf.h"
#include "runtime.h"

enum { PAGE = 4096, STACK_SIZE = 256 * 1024, SEGMENTS_MAX = 16, MESSAGE_MAX = 4096, OWN_HANDLES = 6 };

static uint64_t page_down(uint64_t value) { return value & -(uint64_t)PAGE; }
static uint64_t page_up(uint64_t value) { return page_down(value + PAGE - 1); }

struct image {
  zx_handle_t vmo;
  struct elf_header header;
  struct elf_segment segments[SEGMENTS_MAX];
  uint64_t low, high;
};

static zx_status_t read_image(struct image *image, zx_handle_t vmo) {
  struct elf_header *header = &image->header;
  image->vmo = vmo;
  zx_status_t status = zx_vmo_read(vmo, header, 0, sizeof *header);
  if (status != ZX_OK) return status;
  const bool elf = memcmp(header->ident, "\177ELF\2\1", 6) == 0 && header->machine == EM_RISCV;
  if (!elf || (header->type != ET_EXEC && header->type != ET_DYN)) return ZX_ERR_INVALID_ARGS;
  if (header->phnum > SEGMENTS_MAX || header->phentsize != sizeof(struct elf_segment)) return ZX_ERR_INVALID_ARGS;
  status = zx_vmo_read(vmo, image->segments, header->phoff, header->phnum * sizeof(struct elf_segment));
  if (status != ZX_OK) return status;
  image->low = UINT64_MAX;
  image->high = 0;
  for (unsigned i = 0; i < header->phnum; i++) {
    const struct elf_segment *segment = &image->segments[i];
    if (segment->type != PT_LOAD) continue;
    const uint64_t end = segment->vaddr + segment->memsz;
    if (end < segment->vaddr || end > INT64_MAX || segment->filesz > segment->memsz) return ZX_ERR_INVALID_ARGS;
    if ((segment->vaddr - segment->offset) % PAGE != 0) return ZX_ERR_INVALID_ARGS;
    if (page_down(segment->vaddr) < image->low) image->low = page_down(segment->vaddr);
    if (page_up(end) > image->high) image->high = page_up(end);
  }
  return image->low < image->high ? ZX_OK : ZX_ERR_INVALID_ARGS;
}

static zx_status_t map_at(zx_handle_t vmar, zx_vm_option_t access, uint64_t at, zx_handle_t vmo, uint64_t offset,
                          uint64_t size) {
  zx_vaddr_t address;
  return zx_vmar_map(vmar, access | ZX_VM_SPECIFIC, at, vmo, offset, size, &address);
}

// Writable pages come from a private copy of the file, then zeros; the rest maps the file itself.
static zx_status_t map_segment(const struct image *image, const struct elf_segment *segment, zx_handle_t vmar) {
  const zx_vm_option_t access = (segment->flags & PF_R ? ZX_VM_PERM_READ : 0) |
                                (segment->flags & PF_W ? ZX_VM_PERM_WRITE : 0) |
                                (segment->flags & PF_X ? ZX_VM_PERM_EXECUTE : 0);
  const uint64_t at = page_down(segment->vaddr) - image->low;
  const uint64_t offset = page_down(segment->offset);
  const uint64_t lead = segment->offset - offset;
  const uint64_t file_size = segment->filesz == 0 ? 0 : page_up(lead + segment->filesz);
  if ((segment->flags & PF_W) == 0) return map_at(vmar, access, at, image->vmo, offset, file_size);

  zx_status_t status = ZX_OK;
  if (file_size > 0) {
    static const char zeros[PAGE];
    const uint64_t data_end = lead + segment->filesz;
    zx_handle_t copy;
    status = zx_vmo_create_child(image->vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, offset, file_size, &copy);
    if (status != ZX_OK) return status;
    status = zx_vmo_write(copy, zeros, data_end, file_size - data_end);
    if (status == ZX_OK) status = map_at(vmar, access, at, copy, 0, file_size);
    zx_handle_close(copy);
  }
  const uint64_t zero_size = page_up(lead + segment->memsz) - file_size;
  if (status != ZX_OK || zero_size == 0) return status;
  zx_handle_t bss;
  status = zx_vmo_create(zero_size, 0, &bss);
  if (status != ZX_OK) return status;
  status = map_at(vmar, access, at + file_size, bss, 0, zero_size);
  zx_handle_close(bss);
  return status;
}

// Maps the whole image into a region of its own; *bias is what to add to the file's addresses.
static zx_status_t map_image(const struct image *image, zx_handle_t root, uint64_t *bias) {
  zx_vm_option_t options = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE;
  uint64_t offset = 0;
  zx_status_t status;
  if (image->header.type == ET_EXEC) {
    zx_info_vmar_t info;
    status = zx_object_get_info(root, ZX_INFO_VMAR, &info, sizeof info, NULL, NULL);
    if (status != ZX_OK) return status;
    options |= ZX_VM_SPECIFIC;
    offset = image->low - info.base;
  }
  zx_handle_t vmar;
  zx_vaddr_t base;
  status = zx_vmar_allocate(root, options, offset, image->high - image->low, &vmar, &base);
  if (status != ZX_OK) return status;
  for (unsigned i = 0; i < image->header.phnum && status == ZX_OK; i++) {
    if (image->segments[i].type == PT_LOAD) status = map_segment(image, &image->segments[i], vmar);
  }
  zx_handle_close(vmar);
  *bias = base - image->low;
  return status;
}

static zx_status_t map_stack(zx_handle_t root, zx_handle_t *vmo, zx_vaddr_t *top) {
  const zx_vm_option_t may = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE;
  zx_handle_t vmar;
  zx_vaddr_t base;
  zx_status_t status = zx_vmo_create(STACK_SIZE, 0, vmo);
  if (status != ZX_OK) return status;
  // The page below stays unmapped: an overflow must fault.
  status = zx_vmar_allocate(root, may, 0, PAGE + STACK_SIZE, &vmar, &base);
  if (status == ZX_OK) {
    status = map_at(vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, PAGE, *vmo, 0, STACK_SIZE);
    zx_handle_close(vmar);
  }
  *top = base + PAGE + STACK_SIZE;
  return status;
}

struct message {
  union {
    zx_proc_args_t header;
    char bytes[MESSAGE_MAX];
  };
  uint32_t size;
  zx_handle_t handles[ZX_CHANNEL_MAX_MSG_HANDLES];
  uint32_t infos[ZX_CHANNEL_MAX_MSG_HANDLES];
  uint32_t handle_count;
};

static void add_handle(struct message *message, uint32_t info, zx_handle_t handle) {
  message->infos[message->handle_count] = info;
  message->handles[message->handle_count++] = handle;
}

static zx_status_t add_duplicate(struct message *message, uint32_t info, zx_handle_t handle) {
  zx_handle_t copy;
  const zx_status_t status = zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy);
  if (status == ZX_OK) add_handle(message, info, copy);
  return status;
}

static zx_status_t fill_bytes(struct message *message, const jacinth_launch_t *launch) {
  const uint32_t infos_size = message->handle_count * sizeof(uint32_t);
  message->header = (zx_proc_args_t){
      .protocol = ZX_PROCARGS_PROTOCOL,
      .version = ZX_PROCARGS_VERSION,
      .handle_info_off = sizeof(zx_proc_args_t),
      .args_off = sizeof(zx_proc_args_t) + infos_size,
      .args_num = launch->argc,
  };
  memcpy(message->bytes + sizeof(zx_proc_args_t), message->infos, infos_size);
  message->size = message->header.args_off;
  for (uint32_t i = 0; i < launch->argc; i++) {
    const size_t size = strlen(launch->argv[i]) + 1;
    if (size > MESSAGE_MAX - message->size) return ZX_ERR_OUT_OF_RANGE;
    memcpy(message->bytes + message->size, launch->argv[i], size);
    message->size += (uint32_t)size;
  }
  return ZX_OK;
}

static zx_status_t add_own_handles(struct message *message, const jacinth_launch_t *launch, zx_handle_t process,
                                   zx_handle_t thread, zx_handle_t root) {
  zx_status_t status = add_duplicate(message, PA_HND(PA_PROC_SELF, 0), process);
  if (status == ZX_OK) status = add_duplicate(message, PA_HND(PA_THREAD_SELF, 0), thread);
  if (status == ZX_OK) status = add_duplicate(message, PA_HND(PA_VMAR_ROOT, 0), root);
  if (status == ZX_OK) status = add_duplicate(message, PA_HND(PA_JOB_DEFAULT, 0), launch->job);
  if (status == ZX_OK) status = add_duplicate(message, PA_HND(PA_VMO_EXECUTABLE, 0), launch->executable);
  if (status == ZX_OK) status = add_duplicate(message, PA_HND(PA_VMO_VDSO, 0), launch->vdso);
  return status;
}

// Fills the fresh process and starts it; the message's handles are the caller's to close on failure.
static zx_status_t fill_and_start(const jacinth_launch_t *launch, struct message *message, zx_handle_t process,
                                  zx_handle_t root, zx_handle_t thread) {
  struct image program, vdso;
  uint64_t program_bias, vdso_bias;
  zx_vaddr_t stack_top = 0;
  zx_handle_t stack = ZX_HANDLE_INVALID, ours, theirs;
  zx_status_t status = read_image(&program, launch->executable);
  if (status == ZX_OK) status = read_image(&vdso, launch->vdso);
  if (status == ZX_OK) status = map_image(&program, root, &program_bias);
  if (status == ZX_OK) status = map_image(&vdso, root, &vdso_bias);
  if (status == ZX_OK) status = map_stack(root, &stack, &stack_top);
  zx_handle_close(stack);
  if (status == ZX_OK) status = add_own_handles(message, launch, process, thread, root);
  if (status == ZX_OK) status = fill_bytes(message, launch);
  if (status != ZX_OK || (status = zx_channel_create(0, &ours, &theirs)) != ZX_OK) return status;

  status = zx_channel_write(ours, 0, message->bytes, message->size, message->handles, message->handle_count);
  message->handle_count = 0;
  zx_handle_close(ours);
  if (status != ZX_OK) {
    zx_handle_close(theirs);
    return status;
  }
  const zx_vaddr_t entry = program.header.entry + program_bias;
  return zx_process_start(process, thread, entry, stack_top, theirs, vdso_bias + vdso.low);
}

zx_status_t jacinth_launch(const jacinth_launch_t *launch, zx_handle_t *result) {
  struct message message;
  message.handle_count = 0;
  const bool fits = launch->extra_count <= ZX_CHANNEL_MAX_MSG_HANDLES - OWN_HANDLES;
  for (uint32_t i = 0; i < launch->extra_count; i++) {
    if (fits) {
      add_handle(&message, launch->extra[i].info, launch->extra[i].handle);
    } else {
      zx_handle_close(launch->extra[i].handle);
    }
  }
  if (!fits) return ZX_ERR_OUT_OF_RANGE;

  static const char thread_name[] = "initial-thread";
  zx_handle_t process, root, thread = ZX_HANDLE_INVALID;
  zx_status_t status = zx_process_create(launch->job, launch->name, strlen(launch->name), launch->options, &process, &root);
  if (status == ZX_OK) {
    status = zx_thread_create(process, thread_name, sizeof thread_name - 1, 0, &thread);
    if (status == ZX_OK) status = fill_and_start(launch, &message, process, root, thread);
    zx_handle_close(thread);
    zx_handle_close(root);
    if (status == ZX_OK) {
      *result = process;
    } else {
      zx_handle_close(process);
    }
  }
  zx_handle_close_many(message.handles, message.handle_count);
  return status;
}
