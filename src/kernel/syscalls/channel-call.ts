import { ChannelWriteOption } from '../../abi/ipc.js';
import { CHANNEL_CALL_MIN_BYTES } from '../../abi/limits.js';
import { Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { decodeStruct, sizeOf } from '../../abi/structs.js';
import { pointerNumber, type SyscallArgs } from '../../abi/syscalls.js';
import { KERNEL_TXID, type Message } from '../objects/channel.js';
import type { Kernel } from '../objects/kernel.js';
import type { HandleEntry } from '../objects/object.js';
import type { Wait } from '../objects/thread.js';
import { type Call, type Outcome, typeNumber } from './call.js';
import { queueMessage } from './channel.js';
import type { Decider } from './decider.js';
import { dropHandle, hasHandleRoom, receiveHandle } from './handles.js';
import { checkBeforeHandles, type HandleList, readMessageBytes, takeHandles } from './message.js';
import { requireArgs } from './refusal.js';
import { isUserWritable } from './user-memory.js';
import { block, finishCall } from './waits.js';

type CallWait = Extract<Wait, { kind: 'channel-call' }>;

/**
 * zx_channel_call and _etc: writes a message with a number of its own and waits for the message that begins with
 * that number. The whole call is one wait here; Zircon's vDSO makes two calls of it, to be able to restart.
 */
export function beginChannelCall(call: Call, args: SyscallArgs['zx_channel_call'], etc: boolean): Outcome {
  const name = etc ? 'zx_channel_call_etc_args_t' : 'zx_channel_call_args_t';
  const given = decodeStruct(name, call.read(args.args, sizeOf(name)));
  const list: HandleList = { address: pointerNumber(given.wr_handles), count: given.wr_num_handles, etc };
  const { channel, slot, bytes } = checkBeforeHandles(call, list, () => {
    call.allowOptions(args.options, ChannelWriteOption.USE_IOVEC);
    const { object, slot } = call.resolve(args.handle, 'channel', Right.READ | Right.WRITE);
    const iovec = args.options !== 0;
    const bytes = readMessageBytes(
      call,
      iovec,
      pointerNumber(given.wr_bytes),
      given.wr_num_bytes,
      given.wr_num_handles,
    );
    requireArgs(bytes.length >= CHANNEL_CALL_MIN_BYTES);
    call.requireWritable(args.actual_bytes, 4);
    call.requireWritable(args.actual_handles, 4);
    return { channel: object.koid, slot, bytes };
  });
  const { status, handles } = takeHandles(call, channel, list);
  if (status !== Status.OK) return status;
  const { peer, nextTxid } = call.k.get(channel, 'channel');
  const txid = freeTxid(call.k, channel, nextTxid);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, txid, true);
  const queued = queueMessage(call, peer, { bytes, handles });
  if (queued !== Status.OK) return queued;
  call.emit({ type: 'channel-call-started', koid: channel, txid, thread: call.thread });
  if (args.deadline <= call.k.nowNs) {
    call.emit({ type: 'channel-call-ended', koid: channel, txid });
    return Status.ERR_TIMED_OUT;
  }
  const wait: CallWait = {
    kind: 'channel-call',
    channel,
    handle: slot,
    txid,
    bytesAddress: pointerNumber(given.rd_bytes),
    handlesAddress: pointerNumber(given.rd_handles),
    bytesCapacity: given.rd_num_bytes,
    handlesCapacity: given.rd_num_handles,
    actualBytesAddress: args.actual_bytes,
    actualHandlesAddress: args.actual_handles,
    etc,
  };
  return block(call, wait, args.deadline);
}

/** The next number of the channel's own that no call waits with. */
function freeTxid(k: Kernel, channel: number, next: number): number {
  const { calls } = k.get(channel, 'channel');
  let txid = next + KERNEL_TXID;
  while (calls.has(txid)) txid = KERNEL_TXID + ((txid + 1) & (KERNEL_TXID - 1));
  return txid;
}

/** The thread that waits at this end for the reply that these bytes are; 0 for none. */
export function callWaitingFor(k: Kernel, koid: number, bytes: Uint8Array): number {
  const end = k.find(koid);
  if (end?.kind !== 'channel' || end.calls.size === 0 || bytes.length < CHANNEL_CALL_MIN_BYTES) return 0;
  const txid = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return txid < KERNEL_TXID ? 0 : (end.calls.get(txid) ?? 0);
}

/** Gives a reply to the thread that waits for it. A reply that cannot be taken in is gone, with its handles. */
export function finishChannelCall(m: Decider, thread: number, { bytes, handles }: Message): void {
  const { wait, process } = m.k.get(thread, 'thread');
  if (wait?.kind !== 'channel-call') return;
  const status = replyStatus(m.k, process, wait, bytes.length, handles.length);
  if (status !== Status.OK) {
    finishCall(m, thread, status);
    for (const { koid } of handles) dropHandle(m, koid);
    return;
  }
  const values = handles.map((entry) => receiveHandle(m, process, entry.koid, entry.rights));
  finishCall(m, thread, Status.OK, [
    { address: wait.actualBytesAddress, bytes: u32(bytes.length) },
    { address: wait.actualHandlesAddress, bytes: u32(handles.length) },
    { address: wait.bytesAddress, bytes },
    { address: wait.handlesAddress, bytes: handleListBytes(m.k, values, handles, wait.etc) },
  ]);
}

function replyStatus(k: Kernel, process: number, wait: CallWait, bytes: number, handles: number): number {
  if (bytes > wait.bytesCapacity || handles > wait.handlesCapacity) return Status.ERR_BUFFER_TOO_SMALL;
  const writable =
    isUserWritable(k, process, wait.bytesAddress, bytes) &&
    isUserWritable(k, process, wait.handlesAddress, handles * (wait.etc ? 16 : 4)) &&
    isUserWritable(k, process, wait.actualBytesAddress, 4) &&
    isUserWritable(k, process, wait.actualHandlesAddress, 4);
  if (!writable) return Status.ERR_INVALID_ARGS;
  return hasHandleRoom(k, process, handles) ? Status.OK : Status.ERR_NO_MEMORY;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

const NO_BYTES = new Uint8Array(0);

/** Received handles as the caller gets them: values, or (`etc`) zx_handle_info_t: handle, type, rights, unused. */
export function handleListBytes(
  k: Kernel,
  values: readonly number[],
  handles: readonly HandleEntry[],
  etc: boolean,
): Uint8Array {
  if (values.length === 0) return NO_BYTES;
  const size = etc ? 16 : 4;
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(size * i, value, true);
    if (!etc) return;
    const object = k.find(handles[i].koid);
    view.setUint32(size * i + 4, object === undefined ? 0 : typeNumber(object), true);
    view.setUint32(size * i + 8, handles[i].rights, true);
  });
  return bytes;
}
