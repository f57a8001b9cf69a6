import { HandleOp } from '../abi/ipc.js';
import { Right } from '../abi/rights.js';
import type { CallMessage } from './calls.js';
import { Handle, Peered } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

const MAX_BYTES = 65536;
const MAX_HANDLES = 64;

/** A handle to send: as it is, with fewer rights, or a duplicate of it. */
export interface Sent {
  readonly handle: Handle;
  /** A duplicate is sent, and the handle stays. */
  readonly duplicate?: boolean;
  readonly rights?: number;
  /** ZX_OBJ_TYPE_*: it must be one. */
  readonly type?: number;
}

/** One end of a channel: messages of bytes and handles. */
export class Channel extends Peered {
  /** `zx_channel_create`: both ends. */
  static *create(zx: Zx) {
    const result = yield* zx.channelCreate(0);
    return mapped(result, ['first', 'second'], ({ out0, out1 }) => ({
      first: new Channel(zx, out0),
      second: new Channel(zx, out1),
    }));
  }

  /** `zx_channel_write`. The handles are gone from here, whatever happens. */
  *write(bytes: Uint8Array, handles: readonly Handle[] = []) {
    const values = handles.map((handle) => handle.release());
    return yield* this.zx.channelWrite(this.raw, 0, bytes, values);
  }

  /** `zx_channel_write_etc`. Handles that are not duplicated are gone, whatever happens. */
  *writeEtc(bytes: Uint8Array, handles: readonly Sent[]) {
    const { status } = yield* this.zx.channelWriteEtc(this.raw, 0, bytes, handles.map(disposition));
    return { status };
  }

  /**
   * `zx_channel_read`. A message that is larger stays: ZX_ERR_BUFFER_TOO_SMALL.
   * @returns the message; its handles wait to be told what they are (`as`)
   */
  *read(maxBytes = MAX_BYTES, maxHandles = MAX_HANDLES) {
    const result = yield* this.zx.channelRead(this.raw, 0, maxBytes, maxHandles);
    if (result.status !== 'ZX_OK') return { status: result.status, bytes: null, handles: null } as const;
    const values = result.handles.slice(0, result.actualHandles);
    return {
      status: result.status,
      bytes: result.bytes.slice(0, result.actualBytes),
      handles: values.map((value) => new Handle(this.zx, value)),
    } as const;
  }

  /**
   * `zx_channel_call`: sends a message and waits for its answer. The kernel writes a number into the first 4 bytes, and
   * the answer must begin with it.
   * @param deadline ns of monotonic time
   */
  *call(message: CallMessage<Handle>, deadline: Wide) {
    const handles = (message.handles ?? []).map((handle) => handle.release());
    const result = yield* this.zx.channelCall(this.raw, 0, deadline, { ...message, handles });
    return mapped(result, ['bytes', 'handles'], (answer) => ({
      bytes: answer.bytes,
      handles: answer.handles.map((value) => new Handle(this.zx, value)),
    }));
  }
}

function disposition({ handle, duplicate = false, rights = Right.SAME_RIGHTS, type = 0 }: Sent) {
  return {
    operation: duplicate ? HandleOp.DUPLICATE : HandleOp.MOVE,
    handle: duplicate ? handle.raw : handle.release(),
    type,
    rights,
  };
}
