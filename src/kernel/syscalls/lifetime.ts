import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { rootVmarsOf } from '../objects/address-space.js';
import { heldVmos } from '../objects/belongings.js';
import type { ChannelState } from '../objects/channel.js';
import type { KernelObject } from '../objects/object.js';
import type { VmoState } from '../objects/vmo.js';
import type { Decider } from './decider.js';
import { closeExceptionChannels } from './exception-channel.js';
import { releaseFifo } from './fifo.js';
import { releaseIob } from './iob.js';
import { detachPager } from './page-requests.js';
import { changeSignals } from './signals.js';
import { releaseSocket } from './socket.js';
import { releaseToken } from './suspend.js';
import { endProcess, leaveJob } from './tasks.js';
import { finishCall } from './waits.js';

/**
 * Looks at objects that lost a reference and ends those that nobody can reach any more, then those that they alone
 * kept, and so on: a list, not recursion, because a guest may nest messages as deep as it likes.
 */
export function releaseObjects(m: Decider, koids: readonly number[]): void {
  const queue = [...koids];
  for (let i = 0; i < queue.length; i++) {
    const object = m.k.find(queue[i]);
    if (object !== undefined && object.handleCount === 0) queue.push(...release(m, object));
  }
}

/** Ends one object without handles, unless something else keeps it; gives the objects that lost a reference. */
function release(m: Decider, object: KernelObject): number[] {
  const { koid } = object;
  switch (object.kind) {
    case 'channel':
      return releaseChannel(m, object);
    case 'eventpair':
      m.emit({ type: 'object-destroyed', koid });
      changeSignals(m, object.peer, 0, Signal.EVENTPAIR_PEER_CLOSED);
      return [];
    case 'vmo':
      if (object.mappings > 0 || object.restrictedState === 'bound') return [];
      // Who keeps it may have been kept by its mappings.
      return object.holders.size > 0 ? [...object.holders.keys()] : releaseVmo(m, object);
    case 'vmar':
      if (object.destroyed) m.emit({ type: 'object-destroyed', koid });
      return [];
    case 'thread':
      if ((object.life !== 'new' && object.life !== 'dead') || object.exceptions > 0) return [];
      closeExceptionChannels(m, object);
      m.emit({ type: 'object-destroyed', koid });
      return [];
    case 'process':
      if (object.life === 'initial') endProcess(m, koid, 0n);
      // The machine itself keeps the process whose end ends the run: it has to read its return code.
      else if (object.life === 'dead' && object.exceptions === 0 && koid !== m.k.state.mainProcess) {
        m.emit({ type: 'object-destroyed', koid });
        return [object.job, ...rootVmarsOf(object)];
      }
      return [];
    case 'job':
      if (object.parent === 0 || object.jobs.size > 0 || object.processes.size > 0) return [];
      leaveJob(m, object.parent, koid);
      closeExceptionChannels(m, object);
      m.emit({ type: 'object-destroyed', koid });
      return [object.parent];
    case 'timer':
      if (object.deadlineOrder !== 0) m.emit({ type: 'timer-cleared', koid });
      m.emit({ type: 'object-destroyed', koid });
      return [];
    case 'pager':
      for (const vmo of [...object.vmos.keys()]) detachPager(m, vmo, false, false);
      m.emit({ type: 'object-destroyed', koid });
      return [];
    case 'port':
      for (const thread of [...object.waiters.values()]) finishCall(m, thread, Status.ERR_CANCELED);
      for (const [order, source] of [...object.registrations]) {
        m.emit({ type: 'observer-removed', koid: source, order });
      }
      m.emit({ type: 'object-destroyed', koid });
      return [];
    case 'fifo':
      releaseFifo(m, object);
      return [];
    case 'iob':
      return releaseIob(m, object);
    case 'socket':
      releaseSocket(m, object);
      return [];
    case 'exception':
      if (object.pending) {
        m.emit({ type: 'exception-let-go', koid });
        return [];
      }
      m.emit({ type: 'exception-destroyed', koid });
      return [object.thread, object.process];
    case 'suspend-token':
      releaseToken(m, object);
      return [];
    case 'event':
      if (![...m.k.state.systemEvents.values()].includes(koid)) m.emit({ type: 'object-destroyed', koid });
      return [];
    case 'clock':
    case 'counter':
    case 'iob-shared-region':
    case 'stream':
      m.emit({ type: 'object-destroyed', koid });
      return [...heldVmos(object)];
  }
}

/** Pages that somebody borrows stay, and their VMO with them, out of sight. */
function releaseVmo(m: Decider, vmo: VmoState): number[] {
  const { koid, parent, children, borrowers, lender } = vmo;
  const borrowed = borrowers.size > 0;
  if (!borrowed && vmo.source !== null) detachPager(m, koid, false, true);
  if (!borrowed) m.emit({ type: 'object-destroyed', koid });
  else if (parent !== 0 || children.size > 0) m.emit({ type: 'vmo-left-family', koid });
  if (parent !== 0 && m.k.get(parent, 'vmo').children.size === 0) {
    changeSignals(m, parent, 0, Signal.VMO_ZERO_CHILDREN);
  }
  return borrowed || lender === 0 ? [] : [lender];
}

function releaseChannel(m: Decider, channel: ChannelState): number[] {
  const { koid, peer } = channel;
  const lost: number[] = [];
  for (const message of channel.messages.values()) {
    for (const entry of message.handles) {
      m.emit({ type: 'handle-dropped', koid: entry.koid });
      lost.push(entry.koid);
    }
  }
  while (m.k.get(koid, 'channel').messages.size > 0) m.emit({ type: 'channel-message-taken', koid });
  for (const thread of [...channel.calls.values()]) finishCall(m, thread, Status.ERR_CANCELED);
  m.emit({ type: 'object-destroyed', koid });
  const other = m.k.find(peer);
  if (other?.kind === 'channel') {
    for (const thread of [...other.calls.values()]) finishCall(m, thread, Status.ERR_PEER_CLOSED);
    changeSignals(m, peer, Signal.CHANNEL_WRITABLE, Signal.CHANNEL_PEER_CLOSED);
  }
  return lost;
}
