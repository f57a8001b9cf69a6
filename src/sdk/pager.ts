import { decodeStruct, sizeOf } from '../abi/structs.js';
import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import type { Port } from './port.js';
import { mapped } from './result.js';
import { Vmo } from './vmo.js';
import type { Zx } from './zx.js';

/** Supplies the pages of VMOs when somebody needs them. Offsets and lengths are bytes, whole pages. */
export class Pager extends Handle {
  /** `zx_pager_create`. */
  static *create(zx: Zx) {
    const result = yield* zx.pagerCreate(0);
    return mapped(result, ['pager'], ({ out }) => ({ pager: new Pager(zx, out) }));
  }

  /** `zx_pager_create_vmo`: page requests come to the port, with the key. */
  *createVmo(options: number, port: Port, key: Wide, size: Wide) {
    const result = yield* this.zx.pagerCreateVmo(this.raw, options, port.raw, key, size);
    return mapped(result, ['vmo'], ({ out }) => ({ vmo: new Vmo(this.zx, out) }));
  }

  /** `zx_pager_supply_pages`: from another VMO, which loses them. */
  *supplyPages(vmo: Vmo, offset: Wide, length: Wide, from: Vmo, fromOffset: Wide) {
    return yield* this.zx.pagerSupplyPages(this.raw, vmo.raw, offset, length, from.raw, fromOffset);
  }

  /** `zx_pager_op_range`. @param op ZX_PAGER_OP_* */
  *opRange(op: number, vmo: Vmo, offset: Wide, length: Wide, data: Wide = 0) {
    return yield* this.zx.pagerOpRange(this.raw, op, vmo.raw, offset, length, data);
  }

  /** `zx_pager_query_dirty_ranges`: what differs from the pager's own, in order; so many of them at most. */
  *dirtyRanges(vmo: Vmo, offset: Wide, length: Wide, most = 64) {
    const size = sizeOf('zx_vmo_dirty_range_t');
    const result = yield* this.zx.pagerQueryDirtyRanges(this.raw, vmo.raw, offset, length, size * most);
    return mapped(result, ['ranges'], ({ buffer, actual }) => ({
      ranges: Array.from({ length: Number(actual) }, (_, i) =>
        decodeStruct('zx_vmo_dirty_range_t', buffer.subarray(size * i)),
      ),
    }));
  }

  /** `zx_pager_query_vmo_stats`. @param options 0 or ZX_PAGER_RESET_VMO_STATS */
  *vmoStats(vmo: Vmo, options = 0) {
    const size = sizeOf('zx_pager_vmo_stats_t');
    const result = yield* this.zx.pagerQueryVmoStats(this.raw, vmo.raw, options, size);
    return mapped(result, ['modified'], ({ buffer }) => ({
      modified: decodeStruct('zx_pager_vmo_stats_t', buffer).modified !== 0,
    }));
  }

  /** `zx_pager_detach_vmo`: no more requests for it. */
  *detachVmo(vmo: Vmo) {
    return yield* this.zx.pagerDetachVmo(this.raw, vmo.raw);
  }
}
