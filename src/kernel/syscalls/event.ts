import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { requirePolicy } from './policy.js';
import { refuse } from './refusal.js';

export const eventCalls: Handlers = {
  zx_event_create: (call, { options }) => {
    call.allowOptions(options);
    requirePolicy(call, 'NEW_EVENT');
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'event-created', koid });
    call.putHandle('out', koid, DEFAULT_RIGHTS.event);
    return Status.OK;
  },

  // Unknown options are NOT_SUPPORTED here, not INVALID_ARGS (syscalls/eventpair_create).
  zx_eventpair_create: (call, { options }) => {
    if (options !== 0) refuse(Status.ERR_NOT_SUPPORTED);
    requirePolicy(call, 'NEW_EVENTPAIR');
    call.requireOut('out0', 'out1');
    requireHandleRoom(call.k, call.process, 2);
    const koid0 = call.k.state.nextKoid;
    call.emit({ type: 'eventpair-created', koid0, koid1: koid0 + 1 });
    call.putHandle('out0', koid0, DEFAULT_RIGHTS.eventpair);
    call.putHandle('out1', koid0 + 1, DEFAULT_RIGHTS.eventpair);
    return Status.OK;
  },
};
