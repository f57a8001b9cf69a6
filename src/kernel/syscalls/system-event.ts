import { SYSTEM_EVENT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { MEMORY_STALL_MAX_WINDOW_NS, SystemEventKind } from '../../abi/system.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';

const KINDS: readonly number[] = Object.values(SystemEventKind);

export const systemEventCalls: Handlers = {
  // Memory is never short in steps: the pressure is normal until a page that is asked for cannot be had, and who asks
  // is told then. So of these events NORMAL is signalled, and stays so; they are the same for all who ask.
  zx_system_get_event: (call, { kind }) => {
    const { koid: job } = call.object('root_job', 'job');
    if (job !== call.k.state.rootJob) refuse(Status.ERR_ACCESS_DENIED);
    requireArgs(KINDS.includes(kind));
    call.requireOut('event');
    requireHandleRoom(call.k, call.process, 1);
    const { systemEvents, nextKoid } = call.k.state;
    const koid = systemEvents.get(kind) ?? nextKoid;
    if (koid === nextKoid) {
      const signals = kind === SystemEventKind.MEMORY_PRESSURE_NORMAL ? Signal.EVENT_SIGNALED : 0;
      call.emit({ type: 'system-event-created', koid, kind, signals });
    }
    call.putHandle('event', koid, SYSTEM_EVENT_RIGHTS);
    return Status.OK;
  },

  // Needs a resource, and there are none.
  zx_system_watch_memory_stall: (call, { resource, threshold, window }) => {
    requirePolicy(call, 'NEW_EVENT');
    requireArgs(threshold > 0n && threshold <= window && window <= MEMORY_STALL_MAX_WINDOW_NS);
    call.lookup(resource);
    return refuse(Status.ERR_WRONG_TYPE);
  },
};
