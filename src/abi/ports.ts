/** Ports and waits. Sources: zircon/syscalls/port.h, zircon/syscalls.h. */

/** `ZX_PKT_TYPE_*`; 2 and 8 were given up. */
export const PacketType = {
  USER: 0,
  SIGNAL_ONE: 1,
  GUEST_BELL: 3,
  GUEST_MEM: 4,
  GUEST_IO: 5,
  GUEST_VCPU: 6,
  INTERRUPT: 7,
  PAGE_REQUEST: 9,
  PROCESSOR_POWER_LEVEL_TRANSITION_REQUEST: 10,
} as const;

/** Options of `zx_object_wait_async`: `ZX_WAIT_ASYNC_*`. */
export const WaitAsyncOption = { ONCE: 0, TIMESTAMP: 0x1, EDGE: 0x2, BOOT_TIMESTAMP: 0x4 } as const;

/** Options of `zx_port_create`: `ZX_PORT_*`. */
export const PortOption = { BIND_TO_INTERRUPT: 0x1 } as const;
