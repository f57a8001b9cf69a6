import { Peered } from './handle.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** One end of a pipe of bytes, or of datagrams. */
export class Socket extends Peered {
  /** `zx_socket_create`: both ends. @param options ZX_SOCKET_STREAM or ZX_SOCKET_DATAGRAM */
  static *create(zx: Zx, options = 0) {
    const result = yield* zx.socketCreate(options);
    return mapped(result, ['first', 'second'], ({ out0, out1 }) => ({
      first: new Socket(zx, out0),
      second: new Socket(zx, out1),
    }));
  }

  /** `zx_socket_read`: what is there, up to `maxBytes`. @param options ZX_SOCKET_PEEK leaves it there */
  *read(maxBytes: number, options = 0) {
    const result = yield* this.zx.socketRead(this.raw, options, maxBytes);
    return mapped(result, ['bytes'], ({ buffer, actual }) => ({ bytes: buffer.slice(0, Number(actual)) }));
  }

  /** `zx_socket_write`: gives how many bytes it took. */
  *write(bytes: Uint8Array) {
    return yield* this.zx.socketWrite(this.raw, 0, bytes);
  }

  /** `zx_socket_set_disposition`. @param disposition ZX_SOCKET_DISPOSITION_* of this end; 0: as it is */
  *setDisposition(disposition: number, peer: number) {
    return yield* this.zx.socketSetDisposition(this.raw, disposition, peer);
  }
}
