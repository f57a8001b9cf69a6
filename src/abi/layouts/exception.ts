import { fields, type Layouts, union } from './layout.js';

/** Structs of zircon/syscalls/exception.h. */
export const EXCEPTION_LAYOUTS = {
  zx_x86_64_exc_data_t: fields('uint64_t vector', 'uint64_t err_code', 'uint64_t cr2'),
  zx_arm64_exc_data_t: fields('uint32_t esr', 'uint8_t padding1[4]', 'uint64_t far', 'uint8_t padding2[8]'),
  zx_riscv64_exc_data_t: fields('uint64_t cause', 'uint64_t tval', 'uint8_t padding1[8]'),
  zx_exception_arch_data_t: union(
    'zx_x86_64_exc_data_t x86_64',
    'zx_arm64_exc_data_t arm_64',
    'zx_riscv64_exc_data_t riscv_64',
  ),
  zx_exception_arch_t: fields('zx_exception_arch_data_t u'),
  zx_exception_context_t: fields('zx_exception_arch_t arch', 'uint32_t synth_code', 'uint32_t synth_data'),
  zx_exception_header_t: fields('uint32_t size', 'zx_excp_type_t type'),
  zx_exception_report_t: fields('zx_exception_header_t header', 'zx_exception_context_t context'),
  zx_exception_info_t: fields('zx_koid_t pid', 'zx_koid_t tid', 'zx_excp_type_t type', 'uint8_t padding1[4]'),
} as const satisfies Layouts;
