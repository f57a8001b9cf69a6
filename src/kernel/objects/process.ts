import { IntMap } from '../../base/int-map.js';
import type { ExceptionSlot } from './exception.js';
import type { Kernel } from './kernel.js';
import { type HandleEntry, newObject, type ObjectBase } from './object.js';
import type { JobPolicy } from './policy.js';
import type { Reducers } from './reducer.js';
import { joinShared, leaveShared, updateShared } from './shared-state.js';

export interface ProcessState extends ObjectBase {
  readonly kind: 'process';
  readonly name: string;
  readonly job: number;
  /** The job's when the process was made. */
  readonly policy: JobPolicy;
  /** Root of its address space, or of the shared part of it. */
  readonly rootVmar: number;
  /** Root of the part of its address space that it does not share; 0 when it shares none, or is the prototype. */
  readonly restrictedVmar: number;
  /** Threads that were started and are not dead. One that was never started is known by its handles alone. */
  readonly threads: IntMap<true>;
  readonly life: 'initial' | 'running' | 'dying' | 'dead';
  readonly returnCode: bigint;
  /** The job that its end kills; 0: none. */
  readonly criticalTo: number;
  /** Only an end with another return code than 0 does. */
  readonly criticalNonzero: boolean;
  /** Who listens for exceptions: at most one handler and one debugger. */
  readonly handlers: readonly ExceptionSlot[];
  readonly debuggers: readonly ExceptionSlot[];
  /** Exceptions of its threads that are not gone: they keep this object. */
  readonly exceptions: number;
  /** How often it was suspended and not resumed. */
  readonly suspends: number;
  /** Its handle table and futexes: see `SharedState`. */
  readonly shared: number;
  /** Made by zx_process_create_shared, or to be a prototype for it: `rootVmar` is the shared part. */
  readonly sharing: boolean;
  /** ZX_PROP_PROCESS_DEBUG_ADDR, ZX_PROP_PROCESS_BREAK_ON_LOAD. */
  readonly debugAddress: bigint;
  readonly breakOnLoad: bigint;
  readonly startedNs: bigint;
  /** `ranSteps` and `queuedNs` of the threads that are dead. */
  readonly endedRanSteps: number;
  readonly endedQueuedNs: bigint;
}

export interface ProcessEvents {
  'process-created': {
    koid: number;
    name: string;
    job: number;
    rootVmar: number;
    restrictedVmar: number;
    /** Its own koid, or the name of the state that it shares. */
    shared: number;
    sharing: boolean;
    /** Of a state of its own. */
    handleSecret: number;
    main: boolean;
  };
  'process-life-changed': { koid: number; life: ProcessState['life']; returnCode: bigint };
  'process-made-critical': { koid: number; job: number; nonzeroOnly: boolean };
  'process-property-set': { koid: number; property: 'debugAddress' | 'breakOnLoad'; value: bigint };
  /** A handle appeared in a process's table. */
  'handle-added': { process: number; slot: number; koid: number; rights: number };
  /** A handle left a table: closed (`kept` false), or on its way into a message (`kept` true). */
  'handle-removed': { process: number; slot: number; koid: number; kept: boolean };
  /** A handle that was in flight, in a message or on its way back, came to its end outside any table. */
  'handle-dropped': { koid: number };
  /** A handle that was in flight arrived in a table: the object's count of handles stays. */
  'handle-arrived': { process: number; slot: number; koid: number; rights: number };
  /** A handle was made in flight: duplicated into a message, or given to a process before it runs. */
  'handle-made': { koid: number };
  'object-named': { koid: number; name: string };
}

export const processReducers: Reducers<ProcessEvents> = {
  'process-created': (k, e) => {
    k.create({
      kind: 'process',
      ...newObject(e.koid, 0, IntMap.empty()),
      name: e.name,
      job: e.job,
      policy: k.get(e.job, 'job').policy,
      rootVmar: e.rootVmar,
      restrictedVmar: e.restrictedVmar,
      threads: IntMap.empty(),
      life: 'initial',
      returnCode: 0n,
      criticalTo: 0,
      criticalNonzero: false,
      handlers: [],
      debuggers: [],
      exceptions: 0,
      suspends: 0,
      shared: e.shared,
      sharing: e.sharing,
      debugAddress: 0n,
      breakOnLoad: 0n,
      startedNs: 0n,
      endedRanSteps: 0,
      endedQueuedNs: 0n,
    });
    k.update(e.job, 'job', (job) => {
      job.processes = job.processes.set(e.koid, true, k.owner);
    });
    joinShared(k, e.shared, e.handleSecret);
    if (e.main) k.state.mainProcess = e.koid;
  },
  'process-life-changed': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      if (e.life === 'running') process.startedNs = k.nowNs;
      process.life = e.life;
      process.returnCode = e.returnCode;
    });
    if (e.life === 'dead') leaveShared(k, k.get(e.koid, 'process').shared);
  },
  'process-made-critical': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      process.criticalTo = e.job;
      process.criticalNonzero = e.nonzeroOnly;
    });
  },
  'process-property-set': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      process[e.property] = e.value;
    });
  },
  'handle-added': (k, e) => {
    addEntry(k, e.process, e.slot, { koid: e.koid, rights: e.rights });
    k.state.handles++;
    k.updateAny(e.koid, (object) => {
      object.handleCount++;
    });
    setHolder(k, e.koid, k.get(e.process, 'process').shared);
  },
  'handle-removed': (k, e) => {
    updateShared(k, e.process, (state) => {
      state.handles = state.handles.delete(e.slot, k.owner);
    });
    k.state.handles--;
    if (!e.kept) {
      k.updateAny(e.koid, (object) => {
        object.handleCount--;
      });
    }
    if (e.kept) setHolder(k, e.koid, 0);
  },
  'handle-dropped': (k, e) => {
    k.updateAny(e.koid, (object) => {
      object.handleCount--;
    });
  },
  'handle-arrived': (k, e) => {
    addEntry(k, e.process, e.slot, { koid: e.koid, rights: e.rights });
    k.state.handles++;
    setHolder(k, e.koid, k.get(e.process, 'process').shared);
  },
  'handle-made': (k, e) => {
    k.updateAny(e.koid, (object) => {
      object.handleCount++;
    });
  },
  'object-named': (k, e) => {
    k.updateAny(e.koid, (object) => {
      if ('name' in object) object.name = e.name;
    });
  },
};

function addEntry(k: Kernel, process: number, slot: number, entry: HandleEntry): void {
  updateShared(k, process, (state) => {
    state.handles = state.handles.set(slot, entry, k.owner);
    state.nextSlot = Math.max(state.nextSlot, slot + 1);
  });
}

/** Channels have one handle, and know whose table it is in. */
function setHolder(k: Kernel, koid: number, table: number): void {
  if (k.find(koid)?.kind !== 'channel') return;
  k.update(koid, 'channel', (channel) => {
    channel.holder = table;
  });
}
