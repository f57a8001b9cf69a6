import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase, type Observer } from './object.js';
import { PACKET_CHARGE } from './port.js';
import type { Reducers } from './reducer.js';

export interface EventState extends ObjectBase {
  readonly kind: 'event';
}

export interface EventEvents {
  'event-created': { koid: number };
  /** An event that the kernel keeps: what it tells is of the whole machine. */
  'system-event-created': { koid: number; kind: number; signals: number };
  /** All signals of an object after a change. */
  'signals-changed': { koid: number; signals: number };
  'observer-added': { koid: number; order: number; observer: Observer };
  'observer-removed': { koid: number; order: number };
}

export const eventReducers: Reducers<EventEvents> = {
  'event-created': (k, e) => {
    k.create({ kind: 'event', ...newObject(e.koid, 0, IntMap.empty()) });
  },
  'system-event-created': (k, e) => {
    k.create({ kind: 'event', ...newObject(e.koid, e.signals, IntMap.empty()) });
    k.state.systemEvents = k.state.systemEvents.set(e.kind, e.koid, k.owner);
  },
  'signals-changed': (k, e) => {
    k.updateAny(e.koid, (object) => {
      object.signals = e.signals;
    });
  },
  'observer-added': (k, e) => {
    k.state.nextOrder = e.order + 1;
    k.updateAny(e.koid, (object) => {
      object.observers = object.observers.set(e.order, e.observer, k.owner);
    });
    if (e.observer.kind === 'wait') return;
    k.update(e.observer.port, 'port', (port) => {
      port.registrations = port.registrations.set(e.order, e.koid, k.owner);
    });
    k.state.messageBytes += PACKET_CHARGE;
  },
  'observer-removed': (k, e) => {
    const observer = k.find(e.koid)?.observers.get(e.order);
    if (observer === undefined) return;
    k.updateAny(e.koid, (object) => {
      object.observers = object.observers.delete(e.order, k.owner);
    });
    if (observer.kind === 'wait') return;
    k.update(observer.port, 'port', (port) => {
      port.registrations = port.registrations.delete(e.order, k.owner);
    });
    k.state.messageBytes -= PACKET_CHARGE;
  },
};
