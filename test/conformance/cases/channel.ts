import { ChannelReadOption, ChannelWriteOption, HandleOp } from '../../../src/abi/ipc.js';
import { ObjectType } from '../../../src/abi/object-types.js';
import { Right } from '../../../src/abi/rights.js';
import { encodeStruct } from '../../../src/abi/structs.js';
import type { Harness } from '../../kernel/harness.js';
import {
  INFINITE,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  withRights,
  words,
} from '../../kernel/ipc-support.js';
import { type Args, cause, type Result, valid } from '../causes.js';

const { MOVE, DUPLICATE } = HandleOp;
const { SAME_RIGHTS } = Right;

valid('zx_channel_create', (h) => [0, h.scratch(4), h.scratch(4)]);
for (const args of [
  (h: Harness) => [1, h.scratch(4), h.scratch(4)],
  (h: Harness) => [0, NOWHERE, h.scratch(4)],
  (h: Harness) => [0, h.scratch(4), NOWHERE],
]) {
  cause('zx_channel_create', 'ERR_INVALID_ARGS', 'options nonzero or bad out pointer', (h) =>
    h.call('zx_channel_create', args(h)),
  );
}

/** A channel's end with one message of 8 bytes and one handle. */
function endWithMessage(h: Harness): number {
  const [a, z] = newChannel(h);
  const handles = h.scratch(words(newEvent(h)));
  h.call('zx_channel_write', [a, 0, h.scratch(8), 8, handles, 1]);
  return z;
}

for (const call of ['zx_channel_read', 'zx_channel_read_etc'] as const) {
  const read = (h: Harness, end: number, bytes = 8, handles = 1, options = 0): Result =>
    h.call(call, [end, options, h.scratch(64), h.scratch(64), bytes, handles, h.scratch(4), h.scratch(4)]);
  valid(call, (h) => [endWithMessage(h), 0, h.scratch(8), h.scratch(16), 8, 1, h.scratch(4), h.scratch(4)]);
  cause(call, 'ERR_SHOULD_WAIT', 'queue empty, peer open', (h) => read(h, newChannel(h)[0]));
  cause(call, 'ERR_PEER_CLOSED', 'queue empty, peer closed', (h) => {
    const [a, z] = newChannel(h);
    h.call('zx_handle_close', [z]);
    return read(h, a);
  });
  for (const bad of [2, 3, 6, 7]) {
    cause(call, 'ERR_INVALID_ARGS', 'bad pointer or option', (h) => {
      const args = [endWithMessage(h), 0, h.scratch(8), h.scratch(16), 8, 1, h.scratch(4), h.scratch(4)];
      return h.call(call, args.with(bad, NOWHERE));
    });
  }
  const tooBig =
    call === 'zx_channel_read'
      ? 'next message bigger than buffers; sizes reported; dropped only with MAY_DISCARD'
      : 'next message bigger than buffers';
  cause(call, 'ERR_BUFFER_TOO_SMALL', tooBig, (h) => read(h, endWithMessage(h), 7));
  cause(call, 'ERR_BUFFER_TOO_SMALL', tooBig, (h) => read(h, endWithMessage(h), 8, 0));
  cause(call, 'ERR_BUFFER_TOO_SMALL', tooBig, (h) =>
    read(h, endWithMessage(h), 7, 1, ChannelReadOption.MAY_DISCARD),
  );
}

function write(h: Harness, end: number, handles: number[] = [], bytes = 4, options = 0): Result {
  const list = h.scratch(words(...handles));
  return h.call('zx_channel_write', [end, options, h.scratch(8), bytes, list, handles.length]);
}

valid('zx_channel_write', (h) => [newChannel(h)[0], 0, h.scratch(8), 8, h.scratch(words(newEvent(h))), 1]);
cause('zx_channel_write', 'ERR_ACCESS_DENIED', 'a listed handle lacks TRANSFER', (h) =>
  write(h, newChannel(h)[0], [newEvent(h), withRights(h, newEvent(h), Right.WAIT)]),
);
const invalidEntry = 'channel or listed handle invalid, or listed twice';
cause('zx_channel_write', 'ERR_BAD_HANDLE', invalidEntry, (h) => write(h, NO_HANDLE));
cause('zx_channel_write', 'ERR_BAD_HANDLE', invalidEntry, (h) => write(h, newChannel(h)[0], [NO_HANDLE]));
cause('zx_channel_write', 'ERR_BAD_HANDLE', invalidEntry, (h) => {
  const event = newEvent(h);
  return write(h, newChannel(h)[0], [event, event]);
});
const badWrite = 'bad pointer, unknown option, malformed iovec';
cause('zx_channel_write', 'ERR_INVALID_ARGS', badWrite, (h) =>
  h.call('zx_channel_write', [newChannel(h)[0], 0, NOWHERE, 8, 0, 0]),
);
cause('zx_channel_write', 'ERR_INVALID_ARGS', badWrite, (h) =>
  h.call('zx_channel_write', [newChannel(h)[0], 0, h.scratch(8), 8, NOWHERE, 1]),
);
cause('zx_channel_write', 'ERR_INVALID_ARGS', badWrite, (h) => write(h, newChannel(h)[0], [], 4, 1));
cause('zx_channel_write', 'ERR_INVALID_ARGS', badWrite, (h) => {
  // zx_channel_iovec_t, whose last word is reserved.
  const iovec = h.scratch(words(h.scratch(8), 0, 8, 1));
  return h.call('zx_channel_write', [newChannel(h)[0], ChannelWriteOption.USE_IOVEC, iovec, 1, 0, 0]);
});
cause('zx_channel_write', 'ERR_NOT_SUPPORTED', "channel's own handle in list", (h) => {
  const [a] = newChannel(h);
  return write(h, a, [a]);
});

const overLimits: readonly (readonly [options: number, bytes: number, handles: number])[] = [
  [0, 65537, 0],
  [0, 0, 65],
  [ChannelWriteOption.USE_IOVEC, 8193, 0],
];
for (const [options, bytes, handles] of overLimits) {
  const args = (h: Harness): Args => [newChannel(h)[0], options, h.scratch(8), bytes, h.scratch(8), handles];
  cause('zx_channel_write', 'ERR_OUT_OF_RANGE', 'over 65536 bytes, 64 handles or 8192 iovecs', (h) =>
    h.call('zx_channel_write', args(h)),
  );
  cause('zx_channel_write_etc', 'ERR_OUT_OF_RANGE', 'over limits', (h) =>
    h.call('zx_channel_write_etc', args(h)),
  );
}

for (const call of ['zx_channel_write', 'zx_channel_write_etc'] as const) {
  cause(call, 'ERR_PEER_CLOSED', 'peer closed', (h) => {
    const [a, z] = newChannel(h);
    h.call('zx_handle_close', [z]);
    return h.call(call, [a, 0, h.scratch(8), 8, 0, 0]);
  });
}

/** operation, handle, type, rights asked for. */
type Disposition = readonly [operation: number, handle: number, type: number, rights: number];

function dispositions(h: Harness, list: readonly Disposition[]): number {
  return h.scratch(words(...list.flatMap((entry) => [...entry, 0])));
}

function writeEtc(h: Harness, end: number, ...list: Disposition[]): Result {
  return h.call('zx_channel_write_etc', [end, 0, h.scratch(8), 8, dispositions(h, list), list.length]);
}

valid('zx_channel_write_etc', (h) => {
  const list = dispositions(h, [[MOVE, newEvent(h), ObjectType.event, SAME_RIGHTS]]);
  return [newChannel(h)[0], 0, h.scratch(8), 8, list, 1];
});
cause('zx_channel_write_etc', 'ERR_BAD_HANDLE', 'invalid or repeated moved handle', (h) =>
  writeEtc(h, newChannel(h)[0], [MOVE, NO_HANDLE, 0, SAME_RIGHTS]),
);
cause('zx_channel_write_etc', 'ERR_BAD_HANDLE', 'invalid or repeated moved handle', (h) => {
  const event = newEvent(h);
  return writeEtc(h, newChannel(h)[0], [MOVE, event, 0, SAME_RIGHTS], [MOVE, event, 0, SAME_RIGHTS]);
});
cause('zx_channel_write_etc', 'ERR_WRONG_TYPE', 'type filter mismatch', (h) =>
  writeEtc(h, newChannel(h)[0], [MOVE, newEvent(h), ObjectType.port, SAME_RIGHTS]),
);
const badEntry = 'bad pointer/op/rights not subset';
cause('zx_channel_write_etc', 'ERR_INVALID_ARGS', badEntry, (h) =>
  h.call('zx_channel_write_etc', [newChannel(h)[0], 0, h.scratch(8), 8, NOWHERE, 1]),
);
cause('zx_channel_write_etc', 'ERR_INVALID_ARGS', badEntry, (h) =>
  writeEtc(h, newChannel(h)[0], [2, newEvent(h), 0, SAME_RIGHTS]),
);
cause('zx_channel_write_etc', 'ERR_INVALID_ARGS', badEntry, (h) =>
  writeEtc(h, newChannel(h)[0], [MOVE, newEvent(h), 0, Right.EXECUTE]),
);
const untransferable = 'missing TRANSFER (move) or DUPLICATE+TRANSFER (duplicate)';
for (const [operation, rights] of [
  [MOVE, Right.DUPLICATE],
  [DUPLICATE, Right.DUPLICATE],
  [DUPLICATE, Right.TRANSFER],
]) {
  cause('zx_channel_write_etc', 'ERR_ACCESS_DENIED', untransferable, (h) =>
    writeEtc(h, newChannel(h)[0], [operation, withRights(h, newEvent(h), rights), 0, SAME_RIGHTS]),
  );
}
cause('zx_channel_write_etc', 'ERR_NOT_SUPPORTED', 'own handle listed', (h) => {
  const [a] = newChannel(h);
  return writeEtc(h, a, [MOVE, a, 0, SAME_RIGHTS]);
});

interface Request {
  bytes?: number;
  handles?: readonly number[];
  handleCount?: number;
  replyBytes?: number;
  options?: number;
  deadline?: bigint;
}

/** Arguments of zx_channel_call: 8 bytes there, 64 back. `handles` are words: values, or dispositions. */
function callArgs(h: Harness, end: number, request: Request = {}, etc = false): Args {
  const { bytes = 8, handles = [], replyBytes = 64, options = 0, deadline = INFINITE } = request;
  const values = {
    wr_bytes: h.scratch(64),
    wr_handles: h.scratch(words(...handles)),
    rd_bytes: h.scratch(64),
    rd_handles: h.scratch(64),
    wr_num_bytes: bytes,
    wr_num_handles: request.handleCount ?? handles.length / (etc ? 5 : 1),
    rd_num_bytes: replyBytes,
    rd_num_handles: 4,
  };
  const struct = etc ? 'zx_channel_call_etc_args_t' : 'zx_channel_call_args_t';
  return [end, options, deadline, h.scratch(encodeStruct(struct, values)), h.scratch(4), h.scratch(4)];
}

/** Makes the call in another thread, which waits then; what it came to after `then`. */
function blockedCall(h: Harness, end: number, request: Request, then: (thread: number) => void): Result {
  const thread = h.newThread(h.process, 'client');
  if (h.call('zx_channel_call', callArgs(h, end, request), thread) !== 'blocked') return 0n;
  then(thread);
  return h.result(thread);
}

valid('zx_channel_call', (h) => callArgs(h, newChannel(h)[0]));
const badCall = 'bad pointer, message shorter than 4 bytes, bad iovec entry, unknown option';
const badCalls: readonly ((h: Harness, end: number) => Args)[] = [
  (h, end) => callArgs(h, end).with(3, NOWHERE),
  (h, end) => callArgs(h, end).with(4, NOWHERE),
  (h, end) => callArgs(h, end, { bytes: 3 }),
  (h, end) => callArgs(h, end, { options: 1 }),
  (h, end) => callArgs(h, end, { options: ChannelWriteOption.USE_IOVEC, bytes: 8192 }),
];
for (const bad of badCalls) {
  cause('zx_channel_call', 'ERR_INVALID_ARGS', badCall, (h) =>
    h.call('zx_channel_call', bad(h, newChannel(h)[0])),
  );
}
const peerGone = 'peer gone before or during wait';
cause('zx_channel_call', 'ERR_PEER_CLOSED', peerGone, (h) => {
  const [a, z] = newChannel(h);
  h.call('zx_handle_close', [z]);
  return h.call('zx_channel_call', callArgs(h, a));
});
cause('zx_channel_call', 'ERR_PEER_CLOSED', peerGone, (h) => {
  const [a, z] = newChannel(h);
  return blockedCall(h, a, {}, () => h.call('zx_handle_close', [z]));
});
cause('zx_channel_call', 'ERR_CANCELED', 'handle closed or moved while waiting', (h) => {
  const [a] = newChannel(h);
  return blockedCall(h, a, {}, () => h.call('zx_handle_close', [a]));
});
cause('zx_channel_call', 'ERR_CANCELED', 'handle closed or moved while waiting', (h) => {
  const [a] = newChannel(h);
  const [carrier] = newChannel(h);
  return blockedCall(h, a, {}, () => write(h, carrier, [a]));
});
for (const request of [{ bytes: 65537 }, { handleCount: 65 }, { options: 2, bytes: 8193 }]) {
  cause('zx_channel_call', 'ERR_OUT_OF_RANGE', 'message over byte/handle/iovec limit', (h) =>
    h.call('zx_channel_call', callArgs(h, newChannel(h)[0], request)),
  );
}
cause('zx_channel_call', 'ERR_BUFFER_TOO_SMALL', 'reply did not fit (reply dropped)', (h) => {
  const [a, z] = newChannel(h);
  return blockedCall(h, a, { replyBytes: 4 }, () => {
    const bytes = h.scratch(8);
    h.call('zx_channel_read', [z, 0, bytes, 0, 8, 0, 0, 0]);
    h.call('zx_channel_write', [z, 0, bytes, 8, 0, 0]);
  });
});
cause('zx_channel_call', 'ERR_NOT_SUPPORTED', 'own handle in list', (h) => {
  const [a] = newChannel(h);
  return h.call('zx_channel_call', callArgs(h, a, { handles: [a] }));
});
cause('zx_channel_call', 'ERR_TIMED_OUT', 'no reply by deadline', (h) =>
  h.call('zx_channel_call', callArgs(h, newChannel(h)[0], { deadline: 0n })),
);

valid('zx_channel_call_etc', (h) => callArgs(h, newChannel(h)[0], {}, true));
cause('zx_channel_call_etc', 'ERR_WRONG_TYPE', 'disposition type does not match', (h) => {
  const handles = [MOVE, newEvent(h), ObjectType.port, SAME_RIGHTS, 0];
  return h.call('zx_channel_call_etc', callArgs(h, newChannel(h)[0], { handles }, true));
});
cause('zx_channel_call_etc', 'ERR_INVALID_ARGS', 'disposition rights not a subset', (h) => {
  const handles = [MOVE, newEvent(h), 0, Right.EXECUTE, 0];
  return h.call('zx_channel_call_etc', callArgs(h, newChannel(h)[0], { handles }, true));
});
