// Makes the calls that its argument names, between two marks: two hex digits a byte, three bytes a call (which, and two
// operands). Objects are kept in eight places. A program in TypeScript makes the same calls (test/sdk/scenario.ts), and
// the kernel must not be able to tell them apart.
#include <stdint.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/port.h>

enum { PLACES = 8, PAGE = 4096, BYTES = 64 };

static zx_handle_t places[PLACES];

static unsigned hex(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }

static void channel(unsigned call, unsigned a, unsigned b) {
  char bytes[BYTES] = {0};
  zx_handle_t handle = places[b % PLACES];
  uint32_t size, count;
  if (call == 4) {
    zx_channel_write(places[a % PLACES], 0, bytes, b % BYTES, &handle, b % 2);
    if (b % 2) places[b % PLACES] = ZX_HANDLE_INVALID;
  } else if (zx_channel_read(places[a % PLACES], 0, bytes, &handle, BYTES, 1, &size, &count) == ZX_OK && count > 0) {
    places[b % PLACES] = handle;
  }
}

static void memory(unsigned call, unsigned a, unsigned b) {
  char bytes[16] = "sixteen letters";
  zx_vaddr_t address;
  const zx_handle_t vmo = places[a % PLACES];
  if (call == 8) {
    zx_vmo_create(b * 100, a & 1 ? ZX_VMO_RESIZABLE : 0, &places[a % PLACES]);
  } else if (call == 9) {
    zx_vmo_write(vmo, bytes, b * 8, sizeof bytes);
  } else if (call == 10) {
    zx_vmo_read(vmo, bytes, b * 8, sizeof bytes);
  } else if (zx_vmar_map(zx_vmar_root_self(), b & 1 ? ZX_VM_PERM_READ : 0, 0, vmo, 0, PAGE, &address) == ZX_OK) {
    zx_vmar_unmap(zx_vmar_root_self(), address, PAGE);
  }
}

static void waiting(unsigned call, unsigned a, unsigned b) {
  const zx_handle_t handle = places[a % PLACES];
  const zx_signals_t signals = 1u << b % 32;
  zx_signals_t observed;
  zx_port_packet_t packet;
  switch (call) {
    case 6: zx_object_wait_one(handle, signals, 0, &observed); return;
    case 7: zx_object_signal(handle, 0, signals); return;
    case 11: zx_port_create(0, &places[a % PLACES]); return;
    case 12: zx_object_wait_async(handle, places[b % PLACES], b, ZX_USER_SIGNAL_0, 0); return;
    case 13: zx_port_wait(handle, 0, &packet); return;
    case 14: zx_timer_create(0, ZX_CLOCK_MONOTONIC, &places[a % PLACES]); return;
    case 15: zx_timer_set(handle, b & 1 ? ZX_TIME_INFINITE : 0, 0); return;
    default: zx_object_signal_peer(handle, 0, signals); return;
  }
}

static void make(unsigned call, unsigned a, unsigned b) {
  zx_info_handle_basic_t info;
  size_t actual, avail;
  switch (call) {
    case 0: zx_event_create(0, &places[a % PLACES]); return;
    case 1: zx_channel_create(b & 1, &places[a % PLACES], &places[(a + 1) % PLACES]); return;
    case 2: zx_handle_duplicate(places[a % PLACES], b & 1 ? ZX_RIGHT_SAME_RIGHTS : b, &places[b % PLACES]); return;
    case 3:
      zx_handle_close(places[a % PLACES]);
      places[a % PLACES] = ZX_HANDLE_INVALID;
      return;
    case 4: case 5: channel(call, a, b); return;
    case 8: case 9: case 10: case 17: memory(call, a, b); return;
    case 16: zx_object_get_info(places[a % PLACES], ZX_INFO_HANDLE_BASIC, &info, sizeof info, &actual, &avail); return;
    case 18: zx_eventpair_create(0, &places[a % PLACES], &places[(a + 1) % PLACES]); return;
    default: waiting(call, a, b); return;
  }
}

int main(int argc, char **argv) {
  const char *text = argc > 1 ? argv[1] : "000000010100";
  zx_system_get_physmem();
  for (; strlen(text) >= 6; text += 6) {
    make((hex(text[0]) * 16 + hex(text[1])) % 20, hex(text[2]) * 16 + hex(text[3]), hex(text[4]) * 16 + hex(text[5]));
  }
  zx_system_get_physmem();
  return 0;
}
