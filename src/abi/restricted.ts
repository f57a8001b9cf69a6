import { type StructName, struct } from './structs.js';
import { ADDRESS_SPACES, type Arch } from './vm.js';

/** Restricted mode. Sources: zircon/syscalls-next.h, docs of zx_restricted_enter and zx_restricted_bind_state. */

/** `ZX_RESTRICTED_REASON_*`; EXCEPTION_LOST is 3 by order, no header seen gives its value. */
export const RestrictedReason = { SYSCALL: 0, EXCEPTION: 1, KICK: 2, EXCEPTION_LOST: 3 } as const;

export type RestrictedReasonName = keyof typeof RestrictedReason;

/** Options of `zx_restricted_enter`: `ZX_RESTRICTED_OPT_*`, of the headers of 2023; the newest take none. */
export const RestrictedOption = { EXCEPTION_CHANNEL: 0x1 } as const;

/** Bits that a program may set in restricted state: others are ZX_ERR_BAD_STATE. */
export const RESTRICTED_ARM64_CPSR_MASK = 0xf0000000;
export const RESTRICTED_X64_FLAGS_MASK = 0x244dd5;

/** How restricted mode looks on one architecture. Registers and fields by the names of its state struct. */
export interface RestrictedAbi {
  /** `zx_restricted_state_t`: at offset 0 of the state VMO. */
  readonly state: StructName;
  /** `zx_restricted_syscall_t`, `zx_restricted_exception_t`: what the VMO holds when the vector is told the reason. */
  readonly syscall: StructName;
  readonly exception: StructName;
  /** Where code goes on; must be below the top of user addresses. */
  readonly pc: string;
  /** Fields of which a program may set these bits only. */
  readonly allowedBits: readonly (readonly [field: string, bits: number])[];
  /** Fields that must be canonical addresses. */
  readonly canonical: readonly string[];
  /** Registers in which the vector finds `context` and the reason; all others are 0. */
  readonly contextRegister: string;
  readonly reasonRegister: string;
  /** Registers of normal mode that are kept while a thread is in restricted mode, and restored at the vector. */
  readonly kept: readonly string[];
}

export const RESTRICTED_ABI: Readonly<Record<Arch, RestrictedAbi>> = {
  riscv64: {
    state: 'zx_riscv64_restricted_state_t',
    syscall: 'zx_riscv64_restricted_syscall_t',
    exception: 'zx_riscv64_restricted_exception_t',
    pc: 'pc',
    allowedBits: [],
    canonical: [],
    contextRegister: 'a0',
    reasonRegister: 'a1',
    kept: [],
  },
  arm64: {
    state: 'zx_arm64_restricted_state_t',
    syscall: 'zx_arm64_restricted_syscall_t',
    exception: 'zx_arm64_restricted_exception_t',
    pc: 'pc',
    allowedBits: [['cpsr', RESTRICTED_ARM64_CPSR_MASK]],
    canonical: [],
    contextRegister: 'x0',
    reasonRegister: 'x1',
    kept: ['tpidr_el0'],
  },
  x64: {
    state: 'zx_x86_64_restricted_state_t',
    syscall: 'zx_x86_64_restricted_syscall_t',
    exception: 'zx_x86_64_restricted_exception_t',
    pc: 'ip',
    allowedBits: [['flags', RESTRICTED_X64_FLAGS_MASK]],
    canonical: ['fs_base', 'gs_base'],
    contextRegister: 'rdi',
    reasonRegister: 'rsi',
    kept: ['fs_base', 'gs_base'],
  },
};

interface Field {
  readonly offset: number;
  readonly sizeBytes: number;
}

function fieldValue(view: DataView, { offset, sizeBytes }: Field): bigint {
  return sizeBytes === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** What is looked at in a state before code runs from it. */
interface Rules {
  readonly pc: Field;
  readonly top: number;
  readonly allowedBits: readonly (readonly [field: Field, bits: bigint])[];
  readonly canonical: readonly Field[];
}

function rulesOf(arch: Arch): Rules {
  const { state, pc, allowedBits, canonical } = RESTRICTED_ABI[arch];
  const fields = struct(state).fields as Record<string, Field>;
  return {
    pc: fields[pc],
    top: ADDRESS_SPACES[arch].top,
    allowedBits: allowedBits.map(([field, bits]) => [fields[field], BigInt(bits)] as const),
    canonical: canonical.map((field) => fields[field]),
  };
}

const RULES: Readonly<Record<Arch, Rules>> = {
  riscv64: rulesOf('riscv64'),
  arm64: rulesOf('arm64'),
  x64: rulesOf('x64'),
};

/** Whether code may run from this state; ZX_ERR_BAD_STATE otherwise. The bytes are at least a state's. */
export function isRestrictedStateValid(arch: Arch, bytes: Uint8Array): boolean {
  const { pc, top, allowedBits, canonical } = RULES[arch];
  // As a number, rounded above 2^53: this is asked each time that somebody goes in.
  if (wordAt(bytes, pc.offset + 4) * 0x100000000 + wordAt(bytes, pc.offset) >= top) return false;
  if (allowedBits.length === 0 && canonical.length === 0) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [field, bits] of allowedBits) if ((fieldValue(view, field) & ~bits) !== 0n) return false;
  return canonical.every((field) => {
    const value = fieldValue(view, field);
    return BigInt.asUintN(64, BigInt.asIntN(48, value)) === value;
  });
}
