import { fields, type Layouts, union } from './layout.js';

/** Structs of zircon/syscalls/port.h. */
export const PORT_LAYOUTS = {
  zx_packet_user_t: union('uint64_t u64[4]', 'uint32_t u32[8]', 'uint16_t u16[16]', 'uint8_t c8[32]'),
  zx_packet_signal_t: fields(
    'zx_signals_t trigger',
    'zx_signals_t observed',
    'uint64_t count',
    'zx_time_t timestamp',
    'uint64_t reserved1',
  ),
  zx_packet_interrupt_t: fields(
    'zx_time_t timestamp',
    'uint64_t reserved0',
    'uint64_t reserved1',
    'uint64_t reserved2',
  ),
  zx_packet_page_request_t: fields(
    'uint16_t command',
    'uint16_t flags',
    'uint32_t reserved0',
    'uint64_t offset',
    'uint64_t length',
    'uint64_t reserved1',
  ),
  zx_packet_body_t: union(
    'zx_packet_user_t user',
    'zx_packet_signal_t signal',
    'zx_packet_interrupt_t interrupt',
    'zx_packet_page_request_t page_request',
  ),
  zx_port_packet_t: fields('uint64_t key', 'uint32_t type', 'zx_status_t status', 'zx_packet_body_t u'),
} as const satisfies Layouts;
