/** Bounds of the ABI. Sources: zircon/types.h, zircon/limits.h; where the kernel alone decides, the answer is here. */

/** `ZX_HANDLE_INVALID`. */
export const HANDLE_INVALID = 0;
/** `ZX_HANDLE_FIXED_BITS_MASK`: bits that are set in every valid handle value. */
export const HANDLE_FIXED_BITS_MASK = 0x3;

/** `ZX_KOID_INVALID`, `ZX_KOID_KERNEL`, `ZX_KOID_FIRST`. */
export const KOID_INVALID = 0;
export const KOID_KERNEL = 1;
export const KOID_FIRST = 1024;

/** `ZX_MAX_NAME_LEN`: with the terminating NUL. */
export const NAME_SIZE_BYTES = 32;

/** `ZX_CHANNEL_MAX_MSG_BYTES`, `…_HANDLES`, `…_IOVECS`. */
export const CHANNEL_MAX_MSG_BYTES = 65536;
export const CHANNEL_MAX_MSG_HANDLES = 64;
export const CHANNEL_MAX_MSG_IOVECS = 8192;
/** A call's message begins with its transaction number. */
export const CHANNEL_CALL_MIN_BYTES = 4;
/** Transaction numbers that the kernel gives out have this bit. */
export const CHANNEL_KERNEL_TXID_BIT = 0x80000000;
/** Unread messages at one end before the writer gets CHANNEL_FULL_WRITE; private to a kernel (3500 in 2020). */
export const CHANNEL_MAX_PENDING_MESSAGES = 3500;

/** `ZX_WAIT_MANY_MAX_ITEMS`. */
export const WAIT_MANY_MAX_ITEMS = 64;

/** Unread user packets in one port before the writer gets PORT_TOO_MANY_PACKETS; kernels differ (2048, 4096). */
export const PORT_MAX_USER_PACKETS = 4096;

/** `ZX_CPRNG_DRAW_MAX_LEN`, `ZX_CPRNG_ADD_ENTROPY_MAX_LEN`. */
export const CPRNG_DRAW_MAX_BYTES = 256;
export const CPRNG_ADD_ENTROPY_MAX_BYTES = 256;

/** `zx_debug_write` prints this much of a longer text. */
export const DEBUG_WRITE_MAX_BYTES = 256;

/** Whole FIFO: elements times element size. */
export const FIFO_MAX_SIZE_BYTES = 4096;

/** Handles in the whole machine; kernels differ (256 Ki in 2020, 448 Ki later). */
export const MAX_HANDLE_COUNT = 256 * 1024;

/** Jobs below one another; the root's height is this. */
export const JOB_MAX_HEIGHT = 32;

/** `ZX_IOB_MAX_REGIONS`. */
export const IOB_MAX_REGIONS = 64;

/** One `zx_process_read_memory` or `zx_process_write_memory`. */
export const PROCESS_MEMORY_MAX_BYTES = 64 * 1024 * 1024;

/** Debuggers that may watch one job. */
export const JOB_DEBUGGERS_MAX = 32;
