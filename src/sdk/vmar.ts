import type { Clock } from './clock.js';
import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import type { Iob } from './iob.js';
import { mapped } from './result.js';
import type { Vmo } from './vmo.js';

/** Options are `ZX_VM_*`, offsets count from the region's base, sizes are bytes. */
export class Vmar extends Handle {
  /** `zx_vmar_allocate`: a region in this one. */
  *allocate(options: number, offset: Wide, size: Wide) {
    const result = yield* this.zx.vmarAllocate(this.raw, options, offset, size);
    return mapped(result, ['vmar', 'address'], ({ childVmar, childAddr }) => ({
      vmar: new Vmar(this.zx, childVmar),
      address: childAddr,
    }));
  }

  /** `zx_vmar_map`. */
  *map(options: number, offset: Wide, vmo: Vmo, vmoOffset: Wide, size: Wide) {
    const result = yield* this.zx.vmarMap(this.raw, options, offset, vmo.raw, vmoOffset, size);
    return mapped(result, ['address'], ({ mappedAddr }) => ({ address: mappedAddr }));
  }

  /** `zx_vmar_map_clock`. */
  *mapClock(options: number, offset: Wide, clock: Clock, size: Wide) {
    const result = yield* this.zx.vmarMapClock(this.raw, options, offset, clock.raw, size);
    return mapped(result, ['address'], ({ mappedAddr }) => ({ address: mappedAddr }));
  }

  /** `zx_vmar_map_iob`. */
  *mapIob(options: number, offset: Wide, iob: Iob, region: number, regionOffset: Wide, size: Wide) {
    const result = yield* this.zx.vmarMapIob(this.raw, options, offset, iob.raw, region, regionOffset, size);
    return mapped(result, ['address'], ({ mappedAddr }) => ({ address: mappedAddr }));
  }

  /** `zx_vmar_unmap`. */
  *unmap(address: Wide, size: Wide) {
    return yield* this.zx.vmarUnmap(this.raw, address, size);
  }

  /** `zx_vmar_protect`. */
  *protect(options: number, address: Wide, size: Wide) {
    return yield* this.zx.vmarProtect(this.raw, options, address, size);
  }

  /** `zx_vmar_op_range`. @param op ZX_VMAR_OP_* */
  *opRange(op: number, address: Wide, size: Wide) {
    return yield* this.zx.vmarOpRange(this.raw, op, address, size, null);
  }

  /** `zx_vmar_destroy`: with everything in it. */
  *destroy() {
    return yield* this.zx.vmarDestroy(this.raw);
  }
}
