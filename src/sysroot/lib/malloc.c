// A heap of size classes. Small blocks are carved from segments (one VMO mapping each) and, once freed, kept in
// their class for reuse; large ones get a mapping of their own and give it back. Addresses depend only on the order
// of the calls.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

enum {
  GRAIN = 16,
  PAGE = 4096,
  SEGMENT = 1 << 20,
  SMALL_MAX = 1 << 17,
  // Classes: 16 … 128 by 16, then four to each doubling up to SMALL_MAX.
  CLASSES = 8 + 4 * 10,
  LARGE = CLASSES,
};

// Lies directly before each block. `check` tells a block from a stray pointer.
struct header {
  size_t size;
  uint32_t class;
  uint32_t check;
};
enum { LIVE = 0x6c697665, FREED = 0x66726565 };

struct free_block {
  struct free_block *next;
};

static __lock_t heap_lock;
static struct free_block *free_lists[CLASSES];
static char *segment_next, *segment_end;

static unsigned class_of(size_t size) {
  if (size <= 128) return size == 0 ? 0 : (unsigned)((size - 1) / GRAIN);
  const unsigned top = 63 - __builtin_clzl(size - 1);
  return 8 + 4 * (top - 7) + (unsigned)((size - 1) >> (top - 2) & 3);
}

static size_t class_size(unsigned class) {
  if (class < 8) return (class + 1) * GRAIN;
  return (size_t)(class % 4 + 5) << (class / 4 + 3);
}

static char *map(size_t size) {
  zx_handle_t vmo;
  zx_vaddr_t address = 0;
  if (zx_vmo_create(size, 0, &vmo) != ZX_OK) return NULL;
  zx_object_set_property(vmo, ZX_PROP_NAME, "heap", 4);
  const zx_vm_option_t access = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
  const zx_status_t status = zx_vmar_map(__process_handles.vmar_root, access, 0, vmo, 0, size, &address);
  zx_handle_close(vmo);
  return status == ZX_OK ? (char *)address : NULL;
}

static struct header *carve(size_t size) {
  const size_t whole = size + sizeof(struct header);
  if ((size_t)(segment_end - segment_next) < whole) {
    char *segment = map(SEGMENT);
    if (segment == NULL) return NULL;
    segment_next = segment;
    segment_end = segment + SEGMENT;
  }
  struct header *header = (struct header *)segment_next;
  segment_next += whole;
  return header;
}

static void *use(struct header *header, size_t size, unsigned class) {
  *header = (struct header){.size = size, .class = class, .check = LIVE};
  return header + 1;
}

static void *allocate_large(size_t size) {
  const size_t whole = (size + sizeof(struct header) + PAGE - 1) & -(size_t)PAGE;
  struct header *header = size < PTRDIFF_MAX ? (struct header *)map(whole) : NULL;
  if (header == NULL) return NULL;
  return use(header, whole - sizeof(struct header), LARGE);
}

static void *allocate_small(unsigned class) {
  const size_t size = class_size(class);
  __lock(&heap_lock);
  struct free_block *block = free_lists[class];
  struct header *header;
  if (block != NULL) {
    free_lists[class] = block->next;
    header = (struct header *)block - 1;
  } else {
    header = carve(size);
  }
  void *result = header == NULL ? NULL : use(header, size, class);
  __unlock(&heap_lock);
  return result;
}

void *malloc(size_t size) {
  void *block = size > SMALL_MAX ? allocate_large(size) : allocate_small(class_of(size));
  if (block == NULL) errno = ENOMEM;
  return block;
}

static struct header *header_of(void *pointer, const char *complaint) {
  struct header *header = (struct header *)pointer - 1;
  if (header->check != LIVE) __fatal(complaint);
  return header;
}

void free(void *pointer) {
  if (pointer == NULL) return;
  struct header *header = header_of(pointer, "free: not an allocated block, or freed twice");
  header->check = FREED;
  if (header->class == LARGE) {
    zx_vmar_unmap(__process_handles.vmar_root, (zx_vaddr_t)header, header->size + sizeof *header);
    return;
  }
  struct free_block *block = pointer;
  __lock(&heap_lock);
  block->next = free_lists[header->class];
  free_lists[header->class] = block;
  __unlock(&heap_lock);
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  void *block = malloc(bytes);
  return block == NULL ? NULL : memset(block, 0, bytes);
}

void *realloc(void *pointer, size_t size) {
  if (pointer == NULL) return malloc(size);
  const size_t old_size = header_of(pointer, "realloc: not an allocated block")->size;
  if (size <= old_size && size >= old_size / 2) return pointer;
  void *block = malloc(size);
  if (block == NULL) return NULL;
  memcpy(block, pointer, size < old_size ? size : old_size);
  free(pointer);
  return block;
}
