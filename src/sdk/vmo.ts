import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** Memory as an object. Sizes and offsets are bytes. */
export class Vmo extends Handle {
  /** `zx_vmo_create`. @param options ZX_VMO_* */
  static *create(zx: Zx, size: Wide, options = 0) {
    const result = yield* zx.vmoCreate(size, options);
    return mapped(result, ['vmo'], ({ out }) => ({ vmo: new Vmo(zx, out) }));
  }

  /** `zx_vmo_read`. */
  *read(offset: Wide, sizeBytes: number) {
    const result = yield* this.zx.vmoRead(this.raw, offset, sizeBytes);
    return mapped(result, ['bytes'], ({ buffer }) => ({ bytes: buffer }));
  }

  /** `zx_vmo_write`. */
  *write(bytes: Uint8Array, offset: Wide) {
    return yield* this.zx.vmoWrite(this.raw, bytes, offset);
  }

  /** `zx_vmo_get_size`. */
  *size() {
    return yield* this.zx.vmoGetSize(this.raw);
  }

  /** `zx_vmo_set_size`. */
  *setSize(size: Wide) {
    return yield* this.zx.vmoSetSize(this.raw, size);
  }

  /** `zx_vmo_get_stream_size`. */
  *streamSize() {
    return yield* this.zx.vmoGetStreamSize(this.raw);
  }

  /** `zx_vmo_set_stream_size`. */
  *setStreamSize(size: Wide) {
    return yield* this.zx.vmoSetStreamSize(this.raw, size);
  }

  /** `zx_vmo_create_child`. @param options ZX_VMO_CHILD_* */
  *createChild(options: number, offset: Wide, size: Wide) {
    const result = yield* this.zx.vmoCreateChild(this.raw, options, offset, size);
    return mapped(result, ['vmo'], ({ out }) => ({ vmo: new Vmo(this.zx, out) }));
  }

  /** `zx_vmo_op_range`. @param op ZX_VMO_OP_* */
  *opRange(op: number, offset: Wide, size: Wide) {
    return yield* this.zx.vmoOpRange(this.raw, op, offset, size, null);
  }

  /** `zx_vmo_set_cache_policy`. @param policy ZX_CACHE_POLICY_* */
  *setCachePolicy(policy: number) {
    return yield* this.zx.vmoSetCachePolicy(this.raw, policy);
  }

  /** `zx_vmo_replace_as_executable`: this object's handle is gone, the new one has ZX_RIGHT_EXECUTE. */
  *replaceAsExecutable(vmex: Handle | null = null) {
    const result = yield* this.zx.vmoReplaceAsExecutable(this.release(), vmex?.raw ?? 0);
    return mapped(result, ['vmo'], ({ out }) => ({ vmo: new Vmo(this.zx, out) }));
  }

  /** `zx_vmo_transfer_data`: moves pages from another VMO into this one. */
  *transferData(offset: Wide, length: Wide, from: Vmo, fromOffset: Wide) {
    return yield* this.zx.vmoTransferData(this.raw, 0, offset, length, from.raw, fromOffset);
  }
}
