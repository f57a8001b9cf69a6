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

  /** `zx_pager_detach_vmo`: no more requests for it. */
  *detachVmo(vmo: Vmo) {
    return yield* this.zx.pagerDetachVmo(this.raw, vmo.raw);
  }
}
