import { decodeStruct, encodeStruct, type StructValues } from '../abi/structs.js';
import { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

/** A packet. Its body depends on its type, `ZX_PKT_TYPE_*`. */
export type Packet = StructValues['zx_port_packet_t'];

/** A queue of packets about things that happened. */
export class Port extends Handle {
  /** `zx_port_create`. */
  static *create(zx: Zx, options = 0) {
    const result = yield* zx.portCreate(options);
    return mapped(result, ['port'], ({ out }) => ({ port: new Port(zx, out) }));
  }

  /** `zx_port_queue`: a packet of type USER. @param body 32 bytes at most */
  *queue(key: Wide, body: Uint8Array = new Uint8Array(0), status = 0) {
    return yield* this.zx.portQueue(this.raw, { key, status, u: body });
  }

  /** `zx_port_wait`. @param deadline ns of monotonic time */
  *wait(deadline: Wide) {
    return yield* this.zx.portWait(this.raw, deadline);
  }

  /** `zx_port_cancel`: what was registered through that handle with that key. */
  *cancel(source: Handle, key: Wide) {
    return yield* this.zx.portCancel(this.raw, source.raw, key);
  }

  /** `zx_port_cancel_key`: everything with that key. */
  *cancelKey(key: Wide) {
    return yield* this.zx.portCancelKey(this.raw, 0, key);
  }
}

/** The body of a packet that a signal made. */
export function signalOf({ u }: Packet): StructValues['zx_packet_signal_t'] {
  return decodeStruct('zx_packet_signal_t', bodyOf(u));
}

/** The body of a packet that asks a pager for pages, type PAGE_REQUEST; offset and length in bytes. */
export function pageRequestOf({ u }: Packet): StructValues['zx_packet_page_request_t'] {
  return decodeStruct('zx_packet_page_request_t', bodyOf(u));
}

function bodyOf(u: Packet['u']): Uint8Array {
  return u instanceof Uint8Array ? u : encodeStruct('zx_packet_body_t', u);
}
