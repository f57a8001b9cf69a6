import type { EncodeValues } from '../abi/structs.js';
import { Peered } from './handle.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** One end of an IO buffer: regions of memory with rules. */
export class Iob extends Peered {
  /** `zx_iob_create`: both ends. */
  static *create(zx: Zx, regions: readonly EncodeValues<'zx_iob_region_t'>[]) {
    const result = yield* zx.iobCreate(0, regions);
    return mapped(result, ['first', 'second'], ({ ep0Out, ep1Out }) => ({
      first: new Iob(zx, ep0Out),
      second: new Iob(zx, ep1Out),
    }));
  }

  /** `zx_iob_allocate_id`: the number that stands for these bytes. */
  *allocateId(regionIndex: number, blob: Uint8Array) {
    return yield* this.zx.iobAllocateId(this.raw, 0, regionIndex, blob);
  }

  /** `zx_iob_writev`. */
  *write(regionIndex: number, parts: readonly Uint8Array[]) {
    return yield* this.zx.iobWritev(this.raw, 0, regionIndex, parts);
  }
}
