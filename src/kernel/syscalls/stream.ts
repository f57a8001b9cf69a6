import { StreamMode, StreamSeekOrigin, StreamWriteOption } from '../../abi/ipc.js';
import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { StreamState } from '../objects/stream.js';
import { memoryOf } from '../objects/vmo-pages.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { readVectors } from './iovec.js';
import { refuse, requireArgs } from './refusal.js';
import { readStream, type Transfer, writeStream } from './stream-transfer.js';

const { READ, WRITE, APPEND } = StreamMode;
const MAX_SEEK = 0xffff_ffff_ffff_ffffn;

export const streamCalls: Handlers = {
  zx_stream_create: (call, { options, seek }) => {
    call.allowOptions(options, READ | WRITE | APPEND);
    const rights = ((options & READ) === 0 ? 0 : Right.READ) | ((options & WRITE) === 0 ? 0 : Right.WRITE);
    const vmo = call.handle('vmo', 'vmo', rights);
    call.requireOut('out_stream');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    const canResize = (vmo.rights & Right.RESIZE) !== 0;
    call.emit({ type: 'stream-created', koid, mode: options, vmo: vmo.object.koid, seek, canResize });
    call.putHandle('out_stream', koid, DEFAULT_RIGHTS.stream | rights);
    return Status.OK;
  },

  zx_stream_readv: (call, { options, vectors, num_vectors }) => {
    requireArgs(options === 0 && vectors !== 0);
    const stream = call.object('handle', 'stream');
    const list = readVectors(call, vectors, num_vectors);
    call.requireOut('actual');
    const transfer = readStream(call, stream, stream.seek, list);
    seekBehind(call, stream, transfer);
    call.put('actual', transfer.actual);
    return Status.OK;
  },

  zx_stream_readv_at: (call, { options, offset, vectors, num_vectors }) => {
    requireArgs(options === 0 && vectors !== 0);
    const stream = call.object('handle', 'stream');
    const list = readVectors(call, vectors, num_vectors);
    call.requireOut('actual');
    call.put('actual', readStream(call, stream, offset, list).actual);
    return Status.OK;
  },

  // Append mode is of writes at the stream's place alone.
  zx_stream_writev: (call, { options, vectors, num_vectors }) => {
    call.allowOptions(options, StreamWriteOption.APPEND);
    requireArgs(vectors !== 0);
    const stream = call.object('handle', 'stream');
    const list = readVectors(call, vectors, num_vectors);
    call.requireOut('actual');
    const appends = options !== 0 || isAppending(stream);
    const offset = appends ? contentSize(call, stream) : stream.seek;
    const transfer = writeStream(call, stream, offset, list);
    seekBehind(call, stream, transfer);
    call.put('actual', transfer.actual);
    return Status.OK;
  },

  zx_stream_writev_at: (call, { options, offset, vectors, num_vectors }) => {
    requireArgs(options === 0 && vectors !== 0);
    const stream = call.object('handle', 'stream');
    const list = readVectors(call, vectors, num_vectors);
    call.requireOut('actual');
    call.put('actual', writeStream(call, stream, offset, list).actual);
    return Status.OK;
  },

  zx_stream_seek: (call, { handle, whence, offset }) => {
    const { object: stream, rights } = call.resolve(handle, 'stream', 0);
    if ((rights & (Right.READ | Right.WRITE)) === 0) refuse(Status.ERR_ACCESS_DENIED);
    const seek = origin(call, stream, whence) + offset;
    requireArgs(seek >= 0n && seek <= MAX_SEEK);
    call.requireOut('out_seek');
    call.emit({ type: 'stream-sought', koid: stream.koid, seek });
    call.put('out_seek', seek);
    return Status.OK;
  },
};

/** ZX_PROP_STREAM_MODE_APPEND. */
export function isAppending({ mode }: StreamState): boolean {
  return (mode & APPEND) !== 0;
}

export function setAppending(m: Decider, { koid, mode }: StreamState, on: boolean): void {
  m.emit({ type: 'stream-mode-set', koid, mode: on ? mode | APPEND : mode & ~APPEND });
}

/** The bytes of a stream: the stream size of its VMO. */
export function contentSize({ k }: Pick<Call, 'k'>, { vmo }: StreamState): bigint {
  return BigInt(memoryOf(k.state, k.get(vmo, 'vmo')).contentSizeBytes);
}

function origin(call: Pick<Call, 'k'>, stream: StreamState, whence: number): bigint {
  switch (whence) {
    case StreamSeekOrigin.START:
      return 0n;
    case StreamSeekOrigin.CURRENT:
      return stream.seek;
    case StreamSeekOrigin.END:
      return contentSize(call, stream);
    default:
      return refuse(Status.ERR_INVALID_ARGS);
  }
}

function seekBehind(call: Call, { koid }: StreamState, { actual, end }: Transfer): void {
  if (actual > 0) call.emit({ type: 'stream-sought', koid, seek: end });
}
