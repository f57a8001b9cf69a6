import { InfoTopic, Property } from '../../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../../src/abi/rights.js';
import { Signal } from '../../../src/abi/signals.js';
import { endThread } from '../../../src/kernel/syscalls/tasks.js';
import type { Harness } from '../../kernel/harness.js';
import {
  INFINITE,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newEventpair,
  newPort,
  withRights,
  words,
} from '../../kernel/ipc-support.js';
import { newJob, newRunning } from '../../kernel/task-support.js';
import { newVmo } from '../../kernel/vm-support.js';
import { type Args, cause, excuse, type Result, refuses, valid } from '../causes.js';

const { EVENT_SIGNALED, USER_0 } = Signal;
const UNKNOWN = 0xffff;

/** A VMAR has no signals to wait for; no call gives out a handle to one with WAIT. */
const notWaitable = (h: Harness): number => h.give(h.rootVmar, Right.WAIT);

/** Lets another thread block in a call; what it came to after `then`. */
function blocked(
  h: Harness,
  call: 'zx_object_wait_one' | 'zx_object_wait_many',
  args: Args,
  then: () => unknown,
): Result {
  const thread = h.newThread(h.process, 'waiter');
  if (h.call(call, args, thread) !== 'blocked') throw new Error(`${call} did not block`);
  then();
  return h.result(thread);
}

valid('zx_object_wait_one', (h) => [newEvent(h), EVENT_SIGNALED, INFINITE, h.scratch(4)]);
cause('zx_object_wait_one', 'ERR_INVALID_ARGS', 'bad out', (h) =>
  h.call('zx_object_wait_one', [newEvent(h), EVENT_SIGNALED, INFINITE, NOWHERE]),
);
cause('zx_object_wait_one', 'ERR_TIMED_OUT', 'deadline', (h) =>
  h.call('zx_object_wait_one', [newEvent(h), EVENT_SIGNALED, 0, h.scratch(4)]),
);
cause('zx_object_wait_one', 'ERR_CANCELED', 'handle closed/transferred during wait', (h) => {
  const event = newEvent(h);
  return blocked(h, 'zx_object_wait_one', [event, EVENT_SIGNALED, INFINITE, 0], () =>
    h.call('zx_handle_close', [event]),
  );
});
cause('zx_object_wait_one', 'ERR_CANCELED', 'handle closed/transferred during wait', (h) => {
  const event = newEvent(h);
  const [end] = newChannel(h);
  return blocked(h, 'zx_object_wait_one', [event, EVENT_SIGNALED, INFINITE, 0], () =>
    h.call('zx_channel_write', [end, 0, 0, 0, h.scratch(words(event)), 1]),
  );
});

const item = (h: Harness, handle: number): number => h.scratch(words(handle, EVENT_SIGNALED, 0));
cause('zx_object_wait_many', 'ERR_OUT_OF_RANGE', 'more than 64', (h) =>
  h.call('zx_object_wait_many', [h.scratch(65 * 12), 65, INFINITE]),
);
cause('zx_object_wait_many', 'ERR_INVALID_ARGS', 'bad array', (h) =>
  h.call('zx_object_wait_many', [NOWHERE, 1, INFINITE]),
);
cause(
  'zx_object_wait_many',
  'ERR_CANCELED',
  'some handle closed during wait (its pending has bit23)',
  (h) => {
    const event = newEvent(h);
    const items = item(h, event);
    const result = blocked(h, 'zx_object_wait_many', [items, 1, INFINITE], () =>
      h.call('zx_handle_close', [event]),
    );
    return h.u32(items + 8) === Signal.HANDLE_CLOSED ? result : 0n;
  },
);
cause('zx_object_wait_many', 'ERR_TIMED_OUT', 'deadline', (h) =>
  h.call('zx_object_wait_many', [item(h, newEvent(h)), 1, 0]),
);

valid('zx_object_wait_async', (h) => [newEvent(h), newPort(h), 1, EVENT_SIGNALED, 0]);
const badAsync = 'unknown options or both timestamp kinds';
for (const options of [0x80, 0x5]) {
  cause('zx_object_wait_async', 'ERR_INVALID_ARGS', badAsync, (h) =>
    h.call('zx_object_wait_async', [newEvent(h), newPort(h), 1, EVENT_SIGNALED, options]),
  );
}
cause('zx_object_wait_async', 'ERR_NOT_SUPPORTED', 'object not waitable', (h) =>
  h.call('zx_object_wait_async', [notWaitable(h), newPort(h), 1, 1, 0]),
);

valid('zx_object_signal', (h) => [newEvent(h), 0, USER_0]);
cause('zx_object_signal', 'ERR_INVALID_ARGS', "bits outside the object's user-settable mask", (h) =>
  h.call('zx_object_signal', [newChannel(h)[0], 0, Signal.CHANNEL_READABLE]),
);

valid('zx_object_signal_peer', (h) => [newEventpair(h)[0], 0, USER_0]);
cause('zx_object_signal_peer', 'ERR_INVALID_ARGS', 'mask', (h) =>
  h.call('zx_object_signal_peer', [newEventpair(h)[0], 0, Signal.EVENTPAIR_PEER_CLOSED]),
);
cause('zx_object_signal_peer', 'ERR_NOT_SUPPORTED', 'object has no peer', (h) =>
  h.call('zx_object_signal_peer', [withRights(h, newEvent(h), Right.SIGNAL_PEER), 0, USER_0]),
);
cause('zx_object_signal_peer', 'ERR_PEER_CLOSED', 'peer gone', (h) => {
  const [a, z] = newEventpair(h);
  h.call('zx_handle_close', [z]);
  return h.call('zx_object_signal_peer', [a, 0, USER_0]);
});

/** The test process by its koid, through its job. */
valid('zx_object_get_child', (h) => [h.handles.job, h.process, Right.SAME_RIGHTS, h.scratch(4)]);
const getChild = (h: Harness, parent: number, koid: number, rights: number, out = h.scratch(4)): Result =>
  h.call('zx_object_get_child', [parent, koid, rights, out]);
cause('zx_object_get_child', 'ERR_NOT_FOUND', 'no such direct child', (h) =>
  getChild(h, h.handles.job, h.thread, Right.SAME_RIGHTS),
);
cause('zx_object_get_child', 'ERR_ACCESS_DENIED', 'asked rights not on parent handle', (h) =>
  getChild(h, h.handles.job, h.process, Right.EXECUTE),
);
cause('zx_object_get_child', 'ERR_INVALID_ARGS', 'bad out', (h) =>
  getChild(h, h.handles.job, h.process, Right.SAME_RIGHTS, NOWHERE),
);
cause('zx_object_get_child', 'ERR_WRONG_TYPE', 'other object type', (h) =>
  getChild(h, withRights(h, newEvent(h), Right.ENUMERATE), 1, Right.SAME_RIGHTS),
);

const getInfo = (h: Harness, handle: number, topic: number, buffer = h.scratch(512), size = 512): Result =>
  h.call('zx_object_get_info', [handle, topic, buffer, size, 0, 0]);
valid('zx_object_get_info', (h) => [newEvent(h), InfoTopic.HANDLE_BASIC, h.scratch(64), 64, 0, 0]);
cause('zx_object_get_info', 'ERR_ACCESS_DENIED', 'handle lacks by topic', (h) =>
  getInfo(h, withRights(h, h.handles.process, Right.WAIT), InfoTopic.PROCESS),
);
cause('zx_object_get_info', 'ERR_WRONG_TYPE', 'topic does not fit object', (h) =>
  getInfo(h, newEvent(h), InfoTopic.PROCESS),
);
cause('zx_object_get_info', 'ERR_BUFFER_TOO_SMALL', 'fixed-size topic, buffer short', (h) =>
  getInfo(h, newEvent(h), InfoTopic.HANDLE_BASIC, h.scratch(8), 8),
);
cause('zx_object_get_info', 'ERR_INVALID_ARGS', 'bad pointer', (h) =>
  getInfo(h, newEvent(h), InfoTopic.HANDLE_BASIC, NOWHERE),
);
cause('zx_object_get_info', 'ERR_NOT_SUPPORTED', 'unknown topic', (h) => getInfo(h, newEvent(h), UNKNOWN));
cause('zx_object_get_info', 'ERR_BAD_STATE', 'object dead or not in a state that has the info', (h) => {
  const thread = h.newThread(h.process, 'dead');
  const handle = h.give(thread, DEFAULT_RIGHTS.thread);
  endThread(h, thread);
  return getInfo(h, handle, InfoTopic.THREAD_STATS);
});

for (const call of ['zx_object_get_property', 'zx_object_set_property'] as const) {
  const ask = (h: Harness, handle: number, property: number, value = h.scratch(64), size = 64): Result =>
    h.call(call, [handle, property, value, size]);
  const kind = call === 'zx_object_get_property' ? 'get' : 'set';
  valid(call, (h) => [h.handles.process, Property.NAME, h.scratch(words(0x61)), 32]);
  cause(call, 'ERR_WRONG_TYPE', 'property does not fit object', (h) =>
    ask(h, withRights(h, newEvent(h), Right.GET_PROPERTY | Right.SET_PROPERTY), Property.PROCESS_DEBUG_ADDR),
  );
  cause(call, 'ERR_BUFFER_TOO_SMALL', 'value_size short', (h) =>
    ask(h, h.handles.process, Property.PROCESS_DEBUG_ADDR, h.scratch(8), 7),
  );
  cause(call, 'ERR_NOT_SUPPORTED', kind === 'get' ? 'unknown property' : 'unknown or read-only', (h) =>
    ask(h, h.handles.process, UNKNOWN),
  );
  const badPointer = kind === 'get' ? 'bad pointer or unknown number' : 'bad pointer or value';
  for (const address of [0, NOWHERE]) {
    cause(call, 'ERR_INVALID_ARGS', badPointer, (h) => ask(h, h.handles.process, Property.NAME, address));
  }
}
cause('zx_object_set_property', 'ERR_NOT_SUPPORTED', 'unknown or read-only', (h) =>
  h.call('zx_object_set_property', [h.handles.process, Property.PROCESS_VDSO_BASE_ADDRESS, h.scratch(8), 8]),
);
cause('zx_object_set_property', 'ERR_OUT_OF_RANGE', 'value out of range', (h) =>
  h.call('zx_object_set_property', [
    newVmo(h, 4096),
    Property.VMO_CONTENT_SIZE,
    h.scratch(words(4097, 0)),
    8,
  ]),
);
cause('zx_object_get_property', 'ERR_BAD_STATE', 'thread dead (NAME)', (h) => {
  const { process, thread } = newRunning(h, newJob(h));
  h.call('zx_task_kill', [process]);
  return h.call('zx_object_get_property', [thread, Property.NAME, h.scratch(32), 32]);
});

/** Profiles are made with a resource, which drivers have: no handle is one, and the call looks at it first. */
const NO_PROFILES = 'there are no profiles to give the call, so it never comes to that';
const setProfile = (h: Harness, profile: number, options = 0): Args => [h.handles.thread, profile, options];
refuses('zx_object_set_profile', 'ERR_INVALID_ARGS', 'options nonzero (before handle lookup)', (h) =>
  setProfile(h, NO_HANDLE, 1),
);
refuses('zx_object_set_profile', 'ERR_BAD_HANDLE', "profile is not in the caller's handle table", (h) =>
  setProfile(h, NO_HANDLE),
);
refuses('zx_object_set_profile', 'ERR_WRONG_TYPE', 'profile is not a profile', (h) =>
  setProfile(h, newEvent(h)),
);
for (const [status, text] of [
  ['ERR_ACCESS_DENIED', 'profile lacks APPLY_PROFILE'],
  ['ERR_BAD_HANDLE', "handle is not in the caller's handle table"],
  ['ERR_WRONG_TYPE', 'handle is not a thread or vmar'],
  ['ERR_ACCESS_DENIED', 'handle lacks MANAGE_THREAD on a thread, OP_CHILDREN on a VMAR'],
  ['ERR_BAD_STATE', 'thread not startable/dying/dead'],
  ['ERR_NOT_SUPPORTED', 'profile kind not for target'],
] as const) {
  excuse('zx_object_set_profile', status, text, NO_PROFILES);
}
