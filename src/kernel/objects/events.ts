import type { PrngState } from '../../base/prng.js';
import type { KeysOfUnion } from '../../base/types.js';
import type { Arch } from '../../cpu/arch.js';
import { type ChannelEvents, channelReducers } from './channel.js';
import { type ClockEvents, clockReducers } from './clock.js';
import { type CoreEvents, coreReducers } from './core.js';
import { type CounterEvents, counterReducers } from './counter.js';
import { type EventEvents, eventReducers } from './event.js';
import { type EventpairEvents, eventpairReducers } from './eventpair.js';
import { type ExceptionEvents, exceptionReducers } from './exception.js';
import { type FifoEvents, fifoReducers } from './fifo.js';
import { type FutexEvents, futexReducers } from './futex.js';
import { type IobEvents, iobReducers } from './iob.js';
import { type JobEvents, jobReducers } from './job.js';
import { Kernel, type KernelState, type MachineConfig } from './kernel.js';
import { type PagerEvents, pagerReducers } from './pager.js';
import { type PortEvents, portReducers } from './port.js';
import { type ProcessEvents, processReducers } from './process.js';
import type { Reducers } from './reducer.js';
import { type RestrictedEvents, restrictedReducers } from './restricted.js';
import { type RseqEvents, rseqReducers } from './rseq.js';
import { type SocketEvents, socketReducers } from './socket.js';
import { type StreamEvents, streamReducers } from './stream.js';
import { type SuspendTokenEvents, suspendTokenReducers } from './suspend-token.js';
import { type ThreadEvents, threadReducers } from './thread.js';
import { type TimerEvents, timerReducers } from './timer.js';
import { type VmarEvents, vmarReducers } from './vmar.js';
import { type VmoEvents, vmoReducers } from './vmo.js';

interface MiscEvents {
  /** zx_debug_write: what the guest's console shows. */
  'console-written': { thread: number; bytes: Uint8Array };
  /** The generator of zx_cprng_draw moved on. */
  'entropy-drawn': { state: PrngState };
  /** The generator of random addresses moved on; where they are used is in other events. */
  'addresses-drawn': { state: PrngState };
}

const miscReducers: Reducers<MiscEvents> = {
  'console-written': () => {},
  'entropy-drawn': (k, e) => {
    k.state.entropy = e.state;
  },
  'addresses-drawn': (k, e) => {
    k.state.addressEntropy = e.state;
  },
};

/** Every kind of event and what it holds. */
export type EventMap = ChannelEvents &
  ClockEvents &
  CoreEvents &
  CounterEvents &
  EventEvents &
  EventpairEvents &
  ExceptionEvents &
  FifoEvents &
  FutexEvents &
  IobEvents &
  JobEvents &
  MiscEvents &
  PagerEvents &
  PortEvents &
  ProcessEvents &
  SocketEvents &
  StreamEvents &
  RestrictedEvents &
  RseqEvents &
  SuspendTokenEvents &
  ThreadEvents &
  TimerEvents &
  VmarEvents &
  VmoEvents;

export type EventType = keyof EventMap;
export type EventOf<K extends EventType> = { readonly type: K } & Readonly<EventMap[K]>;
/** An immutable fact, in the past tense. Plain data: it can be stored, hashed and applied anywhere. */
export type KernelEvent = { [K in EventType]: EventOf<K> }[EventType];

const FAMILIES = [
  channelReducers,
  clockReducers,
  coreReducers,
  counterReducers,
  eventReducers,
  eventpairReducers,
  exceptionReducers,
  fifoReducers,
  futexReducers,
  iobReducers,
  jobReducers,
  miscReducers,
  pagerReducers,
  portReducers,
  processReducers,
  socketReducers,
  streamReducers,
  restrictedReducers,
  rseqReducers,
  suspendTokenReducers,
  threadReducers,
  timerReducers,
  vmarReducers,
  vmoReducers,
] as const;
/** Those that a family has a reducer for. */
type AppliedType = KeysOfUnion<(typeof FAMILIES)[number]>;

/** By type. One object of them all would be made anew with each family, and hosts take their time to find one of so many. */
const reducerOf = new Map<AppliedType, (k: Kernel, event: KernelEvent) => void>();
for (const family of FAMILIES)
  for (const type of Object.keys(family))
    reducerOf.set(type as AppliedType, family[type as keyof typeof family]);

export function isEventType(name: string): name is EventType {
  return reducerOf.has(name as EventType);
}

/** Applies one event to a cursor. Only a kernel event moves `seq`; a span counts steps. */
export function applyEvent(k: Kernel, event: KernelEvent): void {
  const { type } = event;
  reducerOf.get(type)!(k, event);
  if (type !== 'span') {
    k.state.seq++;
    k.state.step = 0;
  }
}

/** The pure form: `state` is not changed. Goes through immer drafts. */
export function reduce(
  state: KernelState,
  event: KernelEvent,
  config: MachineConfig,
  arch: Arch,
): KernelState {
  const k = new Kernel(state, config, arch, 'immer');
  applyEvent(k, event);
  return k.snapshot();
}
