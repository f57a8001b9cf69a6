import { Peered } from './handle.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** One end of a short queue of elements of one size. */
export class Fifo extends Peered {
  constructor(
    zx: Zx,
    raw: number,
    /** Bytes; 0 when the fifo came from elsewhere and nobody said. */
    readonly elementSizeBytes = 0,
  ) {
    super(zx, raw);
  }

  /** `zx_fifo_create`: both ends. @param elementSizeBytes times `count` is at most 4096 */
  static *create(zx: Zx, count: number, elementSizeBytes: number) {
    const result = yield* zx.fifoCreate(count, elementSizeBytes, 0);
    return mapped(result, ['first', 'second'], ({ out0, out1 }) => ({
      first: new Fifo(zx, out0, elementSizeBytes),
      second: new Fifo(zx, out1, elementSizeBytes),
    }));
  }

  /** `zx_fifo_read`: up to `count` elements. */
  *read(count: number, elementSizeBytes = this.elementSizeBytes) {
    return yield* this.zx.fifoRead(this.raw, elementSizeBytes, count);
  }

  /** `zx_fifo_write`: as many of the elements as there is room for. */
  *write(data: Uint8Array, elementSizeBytes = this.elementSizeBytes) {
    return yield* this.zx.fifoWrite(this.raw, elementSizeBytes, data);
  }
}
