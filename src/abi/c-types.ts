/**
 * The C types that arguments and struct fields are declared with, on every architecture Zircon runs on (LP64,
 * little-endian). One table for the call decoder, the struct layouts and the headers.
 */
export type ScalarKind =
  | 'handle'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'bool'
  | 'pointer';

/** C name → how it is held. */
export const SCALAR_KINDS = {
  bool: 'bool',
  char: 'u8',
  int8_t: 'i8',
  int16_t: 'i16',
  int32_t: 'i32',
  int64_t: 'i64',
  uint8_t: 'u8',
  uint16_t: 'u16',
  uint32_t: 'u32',
  uint64_t: 'u64',
  size_t: 'u64',
  uintptr_t: 'u64',
  zx_clock_t: 'u32',
  zx_duration_boot_t: 'i64',
  zx_duration_mono_t: 'i64',
  zx_duration_t: 'i64',
  zx_excp_type_t: 'u32',
  zx_futex_t: 'i32',
  zx_handle_op_t: 'u32',
  zx_handle_t: 'handle',
  zx_instant_boot_t: 'i64',
  zx_instant_boot_ticks_t: 'i64',
  zx_instant_mono_t: 'i64',
  zx_instant_mono_ticks_t: 'i64',
  zx_koid_t: 'u64',
  zx_obj_type_t: 'u32',
  zx_off_t: 'u64',
  zx_paddr_t: 'u64',
  zx_rights_t: 'u32',
  zx_rsrc_kind_t: 'u32',
  zx_signals_t: 'u32',
  zx_status_t: 'i32',
  zx_thread_state_t: 'u32',
  zx_ticks_t: 'i64',
  zx_time_t: 'i64',
  zx_vaddr_t: 'u64',
  zx_vm_option_t: 'u32',
} as const satisfies Record<string, Exclude<ScalarKind, 'pointer'>>;

const SIZE_BYTES: Readonly<Record<ScalarKind, number>> = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  handle: 4,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  pointer: 8,
};

/** How a C type is held, or undefined when it is none of the scalars (a struct, `void`). */
export function scalarKind(cType: string): ScalarKind | undefined {
  if (cType.endsWith('*')) return 'pointer';
  return Object.hasOwn(SCALAR_KINDS, cType) ? SCALAR_KINDS[cType as keyof typeof SCALAR_KINDS] : undefined;
}

export function scalarSizeBytes(kind: ScalarKind): number {
  return SIZE_BYTES[kind];
}

export interface Declaration {
  readonly cType: string;
  readonly name: string;
  /** Elements of an array field; undefined when it is no array. */
  readonly count?: number;
}

/** Splits `'const void* bytes'` or `'uint64_t mask[8]'`. Throws on anything else: the tables are ours. */
export function parseDeclaration(text: string): Declaration {
  const match = /^((?:const )?\w+\*?) (\w+)(?:\[(\d+)\])?$/.exec(text);
  if (match === null) throw new Error(`not a C declaration: ${text}`);
  const [, cType, name, count] = match;
  return count === undefined ? { cType, name } : { cType, name, count: Number(count) };
}
