/** Result codes (`zx_status_t`), without the `ZX_` prefix. Source: zircon/errors.h. */
export const Status = {
  OK: 0,
  ERR_INTERNAL: -1,
  ERR_NOT_SUPPORTED: -2,
  ERR_NO_RESOURCES: -3,
  ERR_NO_MEMORY: -4,
  ERR_INTERNAL_INTR_RETRY: -6,
  ERR_INVALID_ARGS: -10,
  ERR_BAD_HANDLE: -11,
  ERR_WRONG_TYPE: -12,
  ERR_BAD_SYSCALL: -13,
  ERR_OUT_OF_RANGE: -14,
  ERR_BUFFER_TOO_SMALL: -15,
  ERR_BAD_STATE: -20,
  ERR_TIMED_OUT: -21,
  ERR_SHOULD_WAIT: -22,
  ERR_CANCELED: -23,
  ERR_PEER_CLOSED: -24,
  ERR_NOT_FOUND: -25,
  ERR_ALREADY_EXISTS: -26,
  ERR_ALREADY_BOUND: -27,
  ERR_UNAVAILABLE: -28,
  ERR_ACCESS_DENIED: -30,
  ERR_IO: -40,
  ERR_IO_REFUSED: -41,
  ERR_IO_DATA_INTEGRITY: -42,
  ERR_IO_DATA_LOSS: -43,
  ERR_IO_NOT_PRESENT: -44,
  ERR_IO_OVERRUN: -45,
  ERR_IO_MISSED_DEADLINE: -46,
  ERR_IO_INVALID: -47,
  ERR_BAD_PATH: -50,
  ERR_NOT_DIR: -51,
  ERR_NOT_FILE: -52,
  ERR_FILE_BIG: -53,
  ERR_NO_SPACE: -54,
  ERR_NOT_EMPTY: -55,
  ERR_STOP: -60,
  ERR_NEXT: -61,
  ERR_ASYNC: -62,
  ERR_PROTOCOL_NOT_SUPPORTED: -70,
  ERR_ADDRESS_UNREACHABLE: -71,
  ERR_ADDRESS_IN_USE: -72,
  ERR_NOT_CONNECTED: -73,
  ERR_CONNECTION_REFUSED: -74,
  ERR_CONNECTION_RESET: -75,
  ERR_CONNECTION_ABORTED: -76,
  ERR_INTERNAL_INTR_KILLED: -502,
} as const;

export type StatusName = keyof typeof Status;
export type Status = (typeof Status)[StatusName];

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Status).map(([name, value]) => [value, `ZX_${name}`]),
);

/** `-11` → `'ZX_ERR_BAD_HANDLE'`; a number without a name is given as decimal text. */
export function statusName(status: number): string {
  return NAMES.get(status) ?? String(status);
}
