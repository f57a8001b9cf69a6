/** Channels, sockets, streams and IO buffers. Sources: zircon/types.h, zircon/syscalls/iob.h. */

/** Options of `zx_channel_read`: `ZX_CHANNEL_READ_*`. */
export const ChannelReadOption = { MAY_DISCARD: 0x1 } as const;

/** Options of `zx_channel_write`: `ZX_CHANNEL_WRITE_*`. */
export const ChannelWriteOption = { USE_IOVEC: 0x2 } as const;

/** `ZX_HANDLE_OP_*` of a handle disposition. */
export const HandleOp = { MOVE: 0, DUPLICATE: 1 } as const;

/** Options of `zx_socket_create` and `zx_socket_read`: `ZX_SOCKET_*`. */
export const SocketOption = { STREAM: 0, DATAGRAM: 0x1, PEEK: 0x8 } as const;

/** `ZX_SOCKET_DISPOSITION_*`. */
export const SocketDisposition = { WRITE_DISABLED: 0x1, WRITE_ENABLED: 0x2 } as const;

/** `ZX_STREAM_MODE_*`. */
export const StreamMode = { READ: 0x1, WRITE: 0x2, APPEND: 0x4 } as const;

/** Options of `zx_stream_writev`: `ZX_STREAM_*`. */
export const StreamWriteOption = { APPEND: 0x1 } as const;

/** `ZX_STREAM_SEEK_ORIGIN_*`. */
export const StreamSeekOrigin = { START: 0, CURRENT: 1, END: 2 } as const;

/** `access` of a `zx_iob_region_t`: `ZX_IOB_ACCESS_*`. */
export const IobAccess = {
  EP0_CAN_MAP_READ: 0x1,
  EP0_CAN_MAP_WRITE: 0x2,
  EP0_CAN_MEDIATED_READ: 0x4,
  EP0_CAN_MEDIATED_WRITE: 0x8,
  EP1_CAN_MAP_READ: 0x10,
  EP1_CAN_MAP_WRITE: 0x20,
  EP1_CAN_MEDIATED_READ: 0x40,
  EP1_CAN_MEDIATED_WRITE: 0x80,
} as const;

/** `ZX_IOB_REGION_TYPE_*`. */
export const IobRegionType = { PRIVATE: 0, SHARED: 1 } as const;

/** `ZX_IOB_DISCIPLINE_TYPE_*`. */
export const IobDisciplineType = { NONE: 0, ID_ALLOCATOR: 1, MEDIATED_WRITE_RING_BUFFER: 2 } as const;
