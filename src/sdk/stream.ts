import { StreamSeekOrigin } from '../abi/ipc.js';
import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Vmo } from './vmo.js';
import type { Zx } from './zx.js';

/** A place in a VMO to read and write from. */
export class Stream extends Handle {
  /** `zx_stream_create`. @param options ZX_STREAM_MODE_* */
  static *create(zx: Zx, options: number, vmo: Vmo, seek: Wide = 0) {
    const result = yield* zx.streamCreate(options, vmo.raw, seek);
    return mapped(result, ['stream'], ({ outStream }) => ({ stream: new Stream(zx, outStream) }));
  }

  /** `zx_stream_readv` into one buffer. */
  *read(sizeBytes: number) {
    return yield* this.zx.streamReadv(this.raw, 0, sizeBytes);
  }

  /** `zx_stream_readv_at` into one buffer. */
  *readAt(offset: Wide, sizeBytes: number) {
    return yield* this.zx.streamReadvAt(this.raw, 0, offset, sizeBytes);
  }

  /** `zx_stream_writev`. @param options ZX_STREAM_APPEND */
  *write(bytes: Uint8Array, options = 0) {
    return yield* this.zx.streamWritev(this.raw, options, [bytes]);
  }

  /** `zx_stream_writev_at`. */
  *writeAt(offset: Wide, bytes: Uint8Array) {
    return yield* this.zx.streamWritevAt(this.raw, 0, offset, [bytes]);
  }

  /** `zx_stream_seek`: gives the new place. */
  *seek(offset: Wide, whence: keyof typeof StreamSeekOrigin = 'START') {
    const result = yield* this.zx.streamSeek(this.raw, StreamSeekOrigin[whence], offset);
    return mapped(result, ['offset'], ({ outSeek }) => ({ offset: outSeek }));
  }
}
