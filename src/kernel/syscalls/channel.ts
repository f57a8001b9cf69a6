import { ChannelReadOption, ChannelWriteOption } from '../../abi/ipc.js';
import { CHANNEL_MAX_PENDING_MESSAGES } from '../../abi/limits.js';
import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { SyscallArgs } from '../../abi/syscalls.js';
import { type Message, messageCharge } from '../objects/channel.js';
import type { HandleEntry } from '../objects/object.js';
import type { Call } from './call.js';
import { beginChannelCall, callWaitingFor, finishChannelCall, handleListBytes } from './channel-call.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { dropHandle, hasHandleRoom, receiveHandle, requireHandleRoom } from './handles.js';
import {
  checkBeforeHandles,
  dropHandles,
  type HandleList,
  readMessageBytes,
  takeHandles,
} from './message.js';
import { requirePolicy } from './policy.js';
import { hasMessageRoom } from './quota.js';
import { refuse } from './refusal.js';
import { changeSignals } from './signals.js';

export const channelCalls: Handlers = {
  zx_channel_create: (call, { options }) => {
    call.allowOptions(options);
    requirePolicy(call, 'NEW_CHANNEL');
    call.requireOut('out0', 'out1');
    requireHandleRoom(call.k, call.process, 2);
    const koid0 = call.k.state.nextKoid;
    call.emit({ type: 'channel-created', koid0, koid1: koid0 + 1, signals: Signal.CHANNEL_WRITABLE });
    call.putHandle('out0', koid0, DEFAULT_RIGHTS.channel);
    call.putHandle('out1', koid0 + 1, DEFAULT_RIGHTS.channel);
    return Status.OK;
  },

  zx_channel_read: (call, args) => read(call, args, false),
  zx_channel_read_etc: (call, args) => read(call, args, true),
  zx_channel_write: (call, args) => write(call, args, false),
  zx_channel_write_etc: (call, args) => write(call, args, true),
  zx_channel_call: (call, args) => beginChannelCall(call, args, false),
  zx_channel_call_etc: (call, args) => beginChannelCall(call, args, true),
};

/** The order of checks is the kernel's (lib/syscalls/channel): an unknown option comes after the handle. */
function read(call: Call, args: SyscallArgs['zx_channel_read'], etc: boolean): number {
  const { koid, peer, messages, head } = call.resolve(args.handle, 'channel', Right.READ).object;
  if ((args.options & ~ChannelReadOption.MAY_DISCARD) !== 0) refuse(Status.ERR_NOT_SUPPORTED);
  const message = messages.get(head);
  if (message === undefined) {
    // Returned, not thrown: programs ask often.
    return call.k.find(peer) === undefined ? Status.ERR_PEER_CLOSED : Status.ERR_SHOULD_WAIT;
  }
  const { bytes, handles } = message;
  if (args.actual_bytes !== 0) call.requireWritable(args.actual_bytes, 4);
  if (args.actual_handles !== 0) call.requireWritable(args.actual_handles, 4);
  const fits = bytes.length <= args.num_bytes && handles.length <= args.num_handles;
  if (fits) {
    call.requireWritable(args.bytes, bytes.length);
    call.requireWritable(args.handles, handles.length * (etc ? 16 : 4));
    if (!hasHandleRoom(call.k, call.process, handles.length)) refuse(Status.ERR_NO_MEMORY);
  }
  call.writeU32(args.actual_bytes, bytes.length);
  call.writeU32(args.actual_handles, handles.length);
  if (fits) {
    takeMessage(call.m, koid);
    call.write(args.bytes, bytes);
    if (handles.length === 0) return Status.OK;
    const values = handles.map((entry) => receiveHandle(call.m, call.process, entry.koid, entry.rights));
    call.write(args.handles, handleListBytes(call.k, values, handles, etc));
    return Status.OK;
  }
  if ((args.options & ChannelReadOption.MAY_DISCARD) !== 0) {
    takeMessage(call.m, koid);
    for (const entry of handles) dropHandle(call.m, entry.koid);
  }
  return Status.ERR_BUFFER_TOO_SMALL;
}

function takeMessage(m: Decider, koid: number): void {
  m.emit({ type: 'channel-message-taken', koid });
  if (m.k.get(koid, 'channel').messages.size === 0) changeSignals(m, koid, Signal.CHANNEL_READABLE, 0);
}

function write(call: Call, args: SyscallArgs['zx_channel_write'], etc: boolean): number {
  const list: HandleList = { address: args.handles, count: args.num_handles, etc };
  const { channel, bytes } = checkBeforeHandles(call, list, () => {
    call.allowOptions(args.options, ChannelWriteOption.USE_IOVEC);
    const { object } = call.resolve(args.handle, 'channel', Right.WRITE);
    const iovec = args.options !== 0;
    return {
      channel: object.koid,
      bytes: readMessageBytes(call, iovec, args.bytes, args.num_bytes, args.num_handles),
    };
  });
  const { status, handles } = takeHandles(call, channel, list);
  if (status !== Status.OK) return status;
  const { peer } = call.k.get(channel, 'channel');
  const waiter = callWaitingFor(call.k, peer, bytes);
  if (waiter !== 0) {
    finishChannelCall(call.m, waiter, { bytes, handles });
    return Status.OK;
  }
  return queueMessage(call, peer, { bytes, handles });
}

/**
 * Puts a message into an end's queue, or ends its handles when it cannot be there. A full queue is NO_MEMORY: Zircon
 * lets the message in and raises a policy exception that ends the writer (object/channel_dispatcher).
 */
export function queueMessage(call: Call, koid: number, { bytes, handles }: Message): number {
  const end = call.k.find(koid);
  let status: number = Status.OK;
  if (end?.kind !== 'channel') status = Status.ERR_PEER_CLOSED;
  else if (
    end.messages.size >= CHANNEL_MAX_PENDING_MESSAGES ||
    !hasMessageRoom(call.k, messageCharge(bytes.length, handles.length))
  ) {
    status = Status.ERR_NO_MEMORY;
  }
  if (status !== Status.OK) {
    dropHandles(call, handles as readonly HandleEntry[]);
    return status;
  }
  call.emit({ type: 'channel-message-queued', koid, bytes, handles });
  changeSignals(call.m, koid, 0, Signal.CHANNEL_READABLE);
  return Status.OK;
}
