import { CLOCK_ARGS_VERSION_SHIFT } from '../abi/clocks.js';
import { type EncodeValues, encodeStruct, type StructValues, sizeOf } from '../abi/structs.js';
import { GeneratedCalls } from './generated/calls.js';
import { invoke, type Returned, structs, type Wide, words } from './invoke.js';
import { inOut, input, type Memory, output, type Task } from './operation.js';
import type { Result } from './result.js';

/** A message to send and room for its answer. */
export interface CallMessage<H> {
  /** At least 4 bytes: the kernel puts its number in their place. */
  readonly bytes: Uint8Array;
  readonly handles?: readonly H[];
  /** Room for the answer; 65536 bytes and 64 handles when left out. */
  readonly replyBytes?: number;
  readonly replyHandles?: number;
}

export type Disposition = EncodeValues<'zx_handle_disposition_t'>;

/** Versions of argument structures stand in the options. */
const V1 = 1n << CLOCK_ARGS_VERSION_SHIFT;
const V2 = 2n << CLOCK_ARGS_VERSION_SHIFT;

const MAX_REPLY_BYTES = 65536;
const MAX_REPLY_HANDLES = 64;

type ChannelCallError =
  | 'ZX_ERR_BAD_HANDLE'
  | 'ZX_ERR_WRONG_TYPE'
  | 'ZX_ERR_ACCESS_DENIED'
  | 'ZX_ERR_INVALID_ARGS'
  | 'ZX_ERR_PEER_CLOSED'
  | 'ZX_ERR_CANCELED'
  | 'ZX_ERR_OUT_OF_RANGE'
  | 'ZX_ERR_BUFFER_TOO_SMALL'
  | 'ZX_ERR_TIMED_OUT';
type HandleError = 'ZX_ERR_BAD_HANDLE' | 'ZX_ERR_WRONG_TYPE' | 'ZX_ERR_ACCESS_DENIED' | 'ZX_ERR_INVALID_ARGS';
type FifoError = HandleError | 'ZX_ERR_OUT_OF_RANGE' | 'ZX_ERR_SHOULD_WAIT' | 'ZX_ERR_PEER_CLOSED';
type StreamError = HandleError | 'ZX_ERR_BAD_STATE' | 'ZX_ERR_NOT_FOUND';

/** zx_channel_call_args_t or …_etc_args_t: four pointers, four lengths. */
interface CallBlocks {
  readonly args: Memory;
  readonly sent: Memory;
  readonly bytes: Memory;
  readonly handles: Memory;
}

function callBlocks(
  bytes: Uint8Array,
  sent: Memory,
  count: number,
  room: CallMessage<unknown>,
  etc: boolean,
): CallBlocks {
  const { replyBytes = MAX_REPLY_BYTES, replyHandles = MAX_REPLY_HANDLES } = room;
  const handleBytes = etc ? sizeOf('zx_handle_info_t') : 4;
  const answer = output(replyBytes);
  const handles = output(handleBytes * replyHandles);
  const values = {
    wr_num_bytes: bytes.length,
    wr_num_handles: count,
    rd_num_bytes: replyBytes,
    rd_num_handles: replyHandles,
  };
  const args: Memory = {
    ...input(encodeStruct('zx_channel_call_args_t', values)),
    pointers: [
      { offset: 0, to: input(bytes) },
      { offset: 8, to: sent },
      { offset: 16, to: answer },
      { offset: 24, to: handles },
    ],
  };
  return { args, sent, bytes: answer, handles };
}

/** zx_iovec_t for each block. */
function vectors(blocks: readonly Memory[]): Memory {
  const list = blocks.map(({ sizeBytes }) => ({ capacity: sizeBytes }));
  const pointers = blocks.map((to, i) => ({ offset: i * sizeOf('zx_iovec_t'), to }));
  return { ...input(structs('zx_iovec_t', list)), pointers };
}

/** Every public system call. Those below are the ones whose arguments follow no rule. */
export class Calls extends GeneratedCalls {
  /**
   * `zx_channel_call` (channel). Sends a message with a number of its own and waits for the one that begins with it.
   * Its handles are gone whatever happens.
   * @param deadline ns of monotonic time
   */
  *channelCall(
    handle: number,
    options: number,
    deadline: Wide,
    message: CallMessage<number>,
  ): Task<Result<{ bytes: Uint8Array; handles: number[] }, ChannelCallError>> {
    const { handles: sent = [] } = message;
    const blocks = callBlocks(message.bytes, input(words(sent)), sent.length, message, false);
    const [actualBytes, actualHandles] = [output(4), output(4)];
    const read = (r: Returned) => ({
      bytes: r.bytes(blocks.bytes).slice(0, r.u32(actualBytes)),
      handles: r.u32s(blocks.handles).slice(0, r.u32(actualHandles)),
    });
    const args = [handle, options, deadline, blocks.args, actualBytes, actualHandles];
    return yield* invoke('zx_channel_call', args, ['bytes', 'handles'], read);
  }

  /** `zx_channel_call_etc` (channel): the same with dispositions, and with what the answer's handles are. */
  *channelCallEtc(
    handle: number,
    options: number,
    deadline: Wide,
    message: CallMessage<Disposition>,
  ): Task<Result<{ bytes: Uint8Array; handles: StructValues['zx_handle_info_t'][] }, ChannelCallError>> {
    const { handles: sent = [] } = message;
    const list = inOut(structs('zx_handle_disposition_t', sent));
    const blocks = callBlocks(message.bytes, list, sent.length, message, true);
    const [actualBytes, actualHandles] = [output(4), output(4)];
    const read = (r: Returned) => ({
      bytes: r.bytes(blocks.bytes).slice(0, r.u32(actualBytes)),
      handles: r.structs('zx_handle_info_t', blocks.handles).slice(0, r.u32(actualHandles)),
    });
    const args = [handle, options, deadline, blocks.args, actualBytes, actualHandles];
    return yield* invoke('zx_channel_call_etc', args, ['bytes', 'handles'], read);
  }

  /**
   * `zx_clock_create` (clock).
   * @param backstopTime ns that the clock never goes below; null: none is given
   */
  *clockCreate(
    options: Wide,
    backstopTime: Wide | null,
  ): Task<Result<{ out: number }, 'ZX_ERR_INVALID_ARGS'>> {
    const out = output(4);
    const values = { backstop_time: backstopTime ?? 0 };
    const args = backstopTime === null ? 0 : input(encodeStruct('zx_clock_create_args_v1_t', values));
    const all = BigInt(options) | (backstopTime === null ? 0n : V1);
    return yield* invoke('zx_clock_create', [all, args, out], ['out'], (r) => ({ out: r.u32(out) }));
  }

  /** `zx_clock_get_details` (clock), version 1. */
  *clockGetDetails(
    handle: number,
  ): Task<Result<{ details: StructValues['zx_clock_details_v1_t'] }, HandleError>> {
    const details = output(sizeOf('zx_clock_details_v1_t'));
    const read = (r: Returned) => ({ details: r.struct('zx_clock_details_v1_t', details) });
    return yield* invoke('zx_clock_get_details', [handle, V1, details], ['details'], read);
  }

  /** `zx_clock_get_details_mapped` (clock), version 1. */
  *clockGetDetailsMapped(
    clockAddr: Wide,
  ): Task<Result<{ details: StructValues['zx_clock_details_v1_t'] }, 'ZX_ERR_INVALID_ARGS'>> {
    const details = output(sizeOf('zx_clock_details_v1_t'));
    const read = (r: Returned) => ({ details: r.struct('zx_clock_details_v1_t', details) });
    return yield* invoke('zx_clock_get_details_mapped', [clockAddr, V1, details], ['details'], read);
  }

  /**
   * `zx_clock_update` (clock), version 2.
   * @param options ZX_CLOCK_UPDATE_OPTION_*: which values are given
   */
  *clockUpdate(
    handle: number,
    options: Wide,
    values: EncodeValues<'zx_clock_update_args_v2_t'>,
  ): Task<Result<unknown, HandleError>> {
    const args = input(encodeStruct('zx_clock_update_args_v2_t', values));
    return yield* invoke('zx_clock_update', [handle, BigInt(options) | V2, args]);
  }

  /** `zx_fifo_read` (fifo). `data` holds `actualCount` elements. */
  *fifoRead(
    handle: number,
    elemSize: number,
    count: number,
  ): Task<Result<{ data: Uint8Array; actualCount: number }, FifoError>> {
    const data = output(elemSize * count);
    const actual = output(8);
    const read = (r: Returned) => {
      const actualCount = Number(r.u64(actual));
      return { data: r.bytes(data).slice(0, actualCount * elemSize), actualCount };
    };
    return yield* invoke(
      'zx_fifo_read',
      [handle, elemSize, data, count, actual],
      ['data', 'actualCount'],
      read,
    );
  }

  /** `zx_fifo_write` (fifo). @param data whole elements, one after the other */
  *fifoWrite(
    handle: number,
    elemSize: number,
    data: Uint8Array,
  ): Task<Result<{ actualCount: number }, FifoError>> {
    const actual = output(8);
    const count = elemSize === 0 ? 0 : Math.floor(data.length / elemSize);
    const args = [handle, elemSize, input(data), count, actual];
    return yield* invoke('zx_fifo_write', args, ['actualCount'], (r) => ({
      actualCount: Number(r.u64(actual)),
    }));
  }

  /** `zx_iob_create` (iob). */
  *iobCreate(
    options: Wide,
    regions: readonly EncodeValues<'zx_iob_region_t'>[],
  ): Task<
    Result<
      { ep0Out: number; ep1Out: number },
      'ZX_ERR_ACCESS_DENIED' | 'ZX_ERR_INVALID_ARGS' | 'ZX_ERR_OUT_OF_RANGE'
    >
  > {
    const [ep0, ep1] = [output(4), output(4)];
    const args = [options, input(structs('zx_iob_region_t', regions)), regions.length, ep0, ep1];
    const read = (r: Returned) => ({ ep0Out: r.u32(ep0), ep1Out: r.u32(ep1) });
    return yield* invoke('zx_iob_create', args, ['ep0Out', 'ep1Out'], read);
  }

  /** `zx_iob_writev` (iob). */
  *iobWritev(
    handle: number,
    options: Wide,
    regionIndex: number,
    parts: readonly Uint8Array[],
  ): Task<
    Result<unknown, HandleError | 'ZX_ERR_OUT_OF_RANGE' | 'ZX_ERR_NO_SPACE' | 'ZX_ERR_IO_DATA_INTEGRITY'>
  > {
    const list = vectors(parts.map(input));
    return yield* invoke('zx_iob_writev', [handle, options, regionIndex, list, parts.length]);
  }

  /**
   * `zx_job_set_policy` (job).
   * @param topic ZX_JOB_POL_*
   * @param policy the topic's entries, one after the other, as the header lays them out
   * @param count of entries
   */
  *jobSetPolicy(
    handle: number,
    options: number,
    topic: number,
    policy: Uint8Array,
    count: number,
  ): Task<
    Result<unknown, HandleError | 'ZX_ERR_ALREADY_EXISTS' | 'ZX_ERR_BAD_STATE' | 'ZX_ERR_OUT_OF_RANGE'>
  > {
    return yield* invoke('zx_job_set_policy', [handle, options, topic, input(policy), count]);
  }

  /** `zx_stream_readv` (stream). */
  *streamReadv(
    handle: number,
    options: number,
    sizeBytes: number,
  ): Task<Result<{ data: Uint8Array }, StreamError>> {
    return yield* streamRead('zx_stream_readv', [handle, options], sizeBytes);
  }

  /** `zx_stream_readv_at` (stream). */
  *streamReadvAt(
    handle: number,
    options: number,
    offset: Wide,
    sizeBytes: number,
  ): Task<Result<{ data: Uint8Array }, StreamError>> {
    return yield* streamRead('zx_stream_readv_at', [handle, options, offset], sizeBytes);
  }

  /** `zx_stream_writev` (stream). */
  *streamWritev(
    handle: number,
    options: number,
    parts: readonly Uint8Array[],
  ): Task<Result<{ actual: bigint }, StreamError | 'ZX_ERR_FILE_BIG' | 'ZX_ERR_NO_SPACE'>> {
    return yield* streamWrite('zx_stream_writev', [handle, options], parts);
  }

  /** `zx_stream_writev_at` (stream). */
  *streamWritevAt(
    handle: number,
    options: number,
    offset: Wide,
    parts: readonly Uint8Array[],
  ): Task<Result<{ actual: bigint }, StreamError | 'ZX_ERR_FILE_BIG' | 'ZX_ERR_NO_SPACE'>> {
    return yield* streamWrite('zx_stream_writev_at', [handle, options, offset], parts);
  }
}

function* streamRead<R>(
  name: 'zx_stream_readv' | 'zx_stream_readv_at',
  args: readonly Wide[],
  sizeBytes: number,
): Task<R> {
  const data = output(sizeBytes);
  const actual = output(8);
  const read = (r: Returned) => ({ data: r.bytes(data).slice(0, Number(r.u64(actual))) });
  return yield* invoke(name, [...args, vectors([data]), 1, actual], ['data'], read);
}

function* streamWrite<R>(
  name: 'zx_stream_writev' | 'zx_stream_writev_at',
  args: readonly Wide[],
  parts: readonly Uint8Array[],
): Task<R> {
  const actual = output(8);
  const all = [...args, vectors(parts.map(input)), parts.length, actual];
  return yield* invoke(name, all, ['actual'], (r) => ({ actual: r.u64(actual) }));
}
