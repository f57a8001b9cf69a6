// A pager in user space: a thread answers what the kernel asks it for in a port, and another reads and writes memory
// that is not there yet. The pages are numbered; the pager keeps what is written in a store of its own.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/port.h>

enum { PAGE = 4096, PAGES = 8, BROKEN_PAGE = 6, KEY = 42 };

#define CHECK(expression)                                               \
  do {                                                                  \
    const zx_status_t status_ = (expression);                           \
    if (status_ != ZX_OK) {                                             \
      printf("%s: %d in line %d\n", #expression, status_, __LINE__);    \
      zx_process_exit(1);                                               \
    }                                                                   \
  } while (0)

static zx_handle_t port, pager, vmo;
static uint8_t store[PAGES];
static int reads, dirties;

static void supply(uint64_t offset, uint64_t length) {
  zx_handle_t pages;
  CHECK(zx_vmo_create(length, 0, &pages));
  for (uint64_t at = 0; at < length; at += PAGE) CHECK(zx_vmo_write(pages, &store[(offset + at) / PAGE], at, 1));
  CHECK(zx_pager_supply_pages(pager, vmo, offset, length, pages, 0));
  CHECK(zx_handle_close(pages));
}

static int serve(void *unused) {
  (void)unused;
  for (;;) {
    zx_port_packet_t packet;
    CHECK(zx_port_wait(port, ZX_TIME_INFINITE, &packet));
    if (packet.type != ZX_PKT_TYPE_PAGE_REQUEST || packet.key != KEY) return 1;
    const uint64_t offset = packet.page_request.offset, length = packet.page_request.length;
    if (packet.page_request.command == ZX_PAGER_VMO_COMPLETE) return 0;
    if (packet.page_request.command == ZX_PAGER_VMO_DIRTY) {
      dirties++;
      CHECK(zx_pager_op_range(pager, ZX_PAGER_OP_DIRTY, vmo, offset, length, 0));
    } else if (offset == BROKEN_PAGE * PAGE) {
      CHECK(zx_pager_op_range(pager, ZX_PAGER_OP_FAIL, vmo, offset, length, (uint64_t)ZX_ERR_IO));
    } else {
      reads++;
      supply(offset, length);
    }
  }
}

static int write_back(void) {
  zx_vmo_dirty_range_t ranges[PAGES];
  size_t actual, avail;
  CHECK(zx_pager_query_dirty_ranges(pager, vmo, 0, PAGES * PAGE, ranges, sizeof ranges, &actual, &avail));
  int pages = 0;
  for (size_t i = 0; i < actual; i++) {
    const uint64_t options = ranges[i].options;
    CHECK(zx_pager_op_range(pager, ZX_PAGER_OP_WRITEBACK_BEGIN, vmo, ranges[i].offset, ranges[i].length, options));
    for (uint64_t at = ranges[i].offset; at < ranges[i].offset + ranges[i].length; at += PAGE) {
      CHECK(zx_vmo_read(vmo, &store[at / PAGE], at, 1));
      pages++;
    }
    CHECK(zx_pager_op_range(pager, ZX_PAGER_OP_WRITEBACK_END, vmo, ranges[i].offset, ranges[i].length, 0));
  }
  return pages;
}

int main(void) {
  for (int i = 0; i < PAGES; i++) store[i] = (uint8_t)(10 + i);
  CHECK(zx_port_create(0, &port));
  CHECK(zx_pager_create(0, &pager));
  CHECK(zx_pager_create_vmo(pager, ZX_VMO_TRAP_DIRTY, port, KEY, PAGES * PAGE, &vmo));
  zx_vaddr_t address;
  CHECK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, PAGES * PAGE, &address));
  volatile uint8_t *memory = (volatile uint8_t *)address;
  thrd_t server;
  if (thrd_create(&server, serve, NULL) != thrd_success) return 2;

  // Instructions that find no page wait for it; so do calls.
  uint8_t byte;
  CHECK(zx_vmo_read(vmo, &byte, 3 * PAGE, 1));
  printf("read %d %d %d\n", memory[0], memory[5 * PAGE], byte);
  memory[PAGE] = 99;
  memory[3 * PAGE] += 1;
  printf("wrote %d %d\n", memory[PAGE], memory[3 * PAGE]);
  printf("broken page: %d\n", zx_vmo_read(vmo, &byte, BROKEN_PAGE * PAGE, 1));
  CHECK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 5 * PAGE, PAGE, NULL, 0));
  printf("written back: %d pages, store %d %d %d\n", write_back(), store[1], store[3], store[5]);

  // Nobody is asked any more; what the pager had is gone, what was never written back would stay.
  memory[2 * PAGE] = 77;
  CHECK(zx_pager_detach_vmo(pager, vmo));
  int result;
  if (thrd_join(server, &result) != thrd_success) return 3;
  printf("after detaching: dirty %d, clean %d\n", memory[2 * PAGE], zx_vmo_read(vmo, &byte, 0, 1));
  printf("asked for %d reads and %d writes, pager ended with %d\n", reads, dirties, result);
  return 0;
}
