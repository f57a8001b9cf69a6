import { CPRNG_ADD_ENTROPY_MAX_BYTES } from '../../abi/limits.js';
import { Status } from '../../abi/status.js';
import { FeatureKind } from '../../abi/system.js';
import { CacheFlush } from '../../abi/vm.js';
import { nextU32, Prng, type PrngState } from '../../base/prng.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { type Call, GONE } from './call.js';
import type { Handlers } from './dispatch.js';
import { raiseException } from './exceptions.js';
import { refuse, requireArgs } from './refusal.js';
import { isUserWritable, USER_COPY_MAX_BYTES } from './user-memory.js';

/** What caches there may be are coherent: the size of a line is only asked to loop by it. */
const CACHE_LINE_BYTES = 64;

/** ZX_SYSTEM_BARRIER_DATA_MEMORY and _INSTRUCTION_STREAM (zircon/syscalls-next.h). */
const BARRIER_KINDS = 2;

/** What zx_cache_flush takes: INVALIDATE means something together with DATA alone (vdso/zx_cache_flush). */
const FLUSHES: readonly number[] = [
  CacheFlush.INSN,
  CacheFlush.DATA,
  CacheFlush.INSN | CacheFlush.DATA,
  CacheFlush.DATA | CacheFlush.INVALIDATE,
  CacheFlush.INSN | CacheFlush.DATA | CacheFlush.INVALIDATE,
];

export const systemCalls: Handlers = {
  zx_cache_flush: (_, { options }) => (FLUSHES.includes(options) ? Status.OK : Status.ERR_INVALID_ARGS),

  // All cores take turns here, so every store is seen by all at once.
  zx_system_barrier: (_, { options }) => (options < BARRIER_KINDS ? Status.OK : Status.ERR_INVALID_ARGS),

  /**
   * The vDSO's loop has no way to fail but by a trap of its own (vdso/zx_cprng_draw). More than one copy to user
   * memory may be is such a failure here.
   */
  zx_cprng_draw: (call, { buffer, buffer_size }) => {
    if (
      buffer_size > USER_COPY_MAX_BYTES ||
      !isUserWritable(call.k, call.process, buffer, Number(buffer_size))
    ) {
      trap(call);
      return GONE;
    }
    const prng = new Prng(call.k.state.entropy);
    call.write(buffer, prng.bytes(Number(buffer_size)));
    call.emit({ type: 'entropy-drawn', state: prng.state });
    return Status.OK;
  },

  zx_cprng_add_entropy: (call, { buffer, buffer_size }) => {
    requireArgs(buffer_size <= CPRNG_ADD_ENTROPY_MAX_BYTES);
    const bytes = call.read(buffer, Number(buffer_size));
    call.emit({ type: 'entropy-drawn', state: stirred(call.k.state.entropy, bytes) });
    return Status.OK;
  },

  zx_system_get_dcache_line_size: () => CACHE_LINE_BYTES,
  zx_system_get_num_cpus: (call) => call.k.config.cores,
  zx_system_get_page_size: () => PAGE_SIZE,
  zx_system_get_physmem: (call) => BigInt(call.k.config.physicalPages) * BigInt(PAGE_SIZE),

  // RISC-V has no bits for its CPU (zircon/features.h), no debug registers, no tags, and its kernel no pages that can
  // be executed only.
  zx_system_get_features: (call, { kind }) => {
    if (kind === FeatureKind.CPU || kind > FeatureKind.VM) refuse(Status.ERR_NOT_SUPPORTED);
    call.requireOut('features');
    call.put('features', 0);
    return Status.OK;
  },
};

/** What `__builtin_trap` in the vDSO does to its process. */
function trap(call: Call): void {
  call.emit({ type: 'syscall-trapped', thread: call.thread });
  const what = { exception: 'undefined-instruction', access: 'none', address: 0n, code: 0, data: 0 } as const;
  raiseException(call.m, call.thread, what);
}

/** A generator's state after these bytes were put in. */
function stirred(state: PrngState, bytes: Uint8Array): PrngState {
  let now = state;
  for (const byte of bytes) {
    const [s0, s1, s2, s3] = now;
    const mixed = s0 ^ byte;
    // All zeros is the one state that leads nowhere.
    now = nextU32([(mixed | s1 | s2 | s3) === 0 ? 1 : mixed, s1, s2, s3]).state;
  }
  return now;
}
