import type { IntMap } from '../../base/int-map.js';
import type { ChannelState } from './channel.js';
import type { ClockState } from './clock.js';
import type { CounterState } from './counter.js';
import type { EventState } from './event.js';
import type { EventpairState } from './eventpair.js';
import type { ExceptionState } from './exception.js';
import type { FifoState } from './fifo.js';
import type { IobSharedRegionState, IobState } from './iob.js';
import type { JobState } from './job.js';
import type { PagerState } from './pager.js';
import type { PortState } from './port.js';
import type { ProcessState } from './process.js';
import type { SocketState } from './socket.js';
import type { StreamState } from './stream.js';
import type { SuspendTokenState } from './suspend-token.js';
import type { ThreadState } from './thread.js';
import type { TimerState } from './timer.js';
import type { VmarState } from './vmar.js';
import type { VmoState } from './vmo.js';

/**
 * What every kernel object has. Objects are flat records: a reducer assigns fields of the object it was given and
 * never changes anything inside a field, so everything wide is a persistent collection. That is why the same
 * recipe runs on an owned copy and on an immer draft alike.
 */
export interface ObjectBase {
  /** Kernel object id: never reused, 1024 or more. */
  readonly koid: number;
  /** ZX_*_SIGNALED … bits now asserted. */
  readonly signals: number;
  /** Handles to it, in tables and in flight. */
  readonly handleCount: number;
  /** Who wants to be told of signals, in order of registration. */
  readonly observers: IntMap<Observer>;
}

/** A wait in progress (`wait`) or a zx_object_wait_async registration (`async`). */
export type Observer =
  | {
      readonly kind: 'wait';
      readonly thread: number;
      readonly mask: number;
      /** The handle table (`SharedState`) and the slot waited through: closing it cancels the wait. */
      readonly table: number;
      readonly handle: number;
    }
  | {
      readonly kind: 'async';
      readonly port: number;
      readonly key: bigint;
      readonly mask: number;
      readonly options: number;
      readonly table: number;
      readonly handle: number;
    };

export type KernelObject =
  | ChannelState
  | ClockState
  | CounterState
  | EventState
  | EventpairState
  | ExceptionState
  | FifoState
  | IobSharedRegionState
  | IobState
  | JobState
  | PagerState
  | PortState
  | ProcessState
  | SocketState
  | StreamState
  | SuspendTokenState
  | ThreadState
  | TimerState
  | VmarState
  | VmoState;

export type ObjectKind = KernelObject['kind'];
export type ObjectOf<K extends ObjectKind> = Extract<KernelObject, { kind: K }>;

/** The part of an object that is the same for all kinds at birth. */
export function newObject(koid: number, signals: number, noObservers: IntMap<Observer>): ObjectBase {
  return { koid, signals, handleCount: 0, observers: noObservers };
}

/** A reference to an object with rights: what a handle is, in a table or in a message. */
export interface HandleEntry {
  readonly koid: number;
  readonly rights: number;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
