import { IntMap } from '../../base/int-map.js';
import type { Futex } from './futex.js';
import type { Kernel } from './kernel.js';
import { type HandleEntry, newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

export interface ProcessState extends ObjectBase {
  readonly kind: 'process';
  readonly name: string;
  readonly job: number;
  readonly rootVmar: number;
  /** Threads that were started and are not dead. One that was never started is known by its handles alone. */
  readonly threads: IntMap<true>;
  readonly life: 'initial' | 'running' | 'dying' | 'dead';
  readonly returnCode: bigint;
  /** Handles by slot; `handle-value.ts` turns slots into values. Slots are not reused, so stale values stay bad. */
  readonly handles: IntMap<HandleEntry>;
  readonly nextSlot: number;
  /** Mixed into handle values, so that they differ between processes. */
  readonly handleSecret: number;
  /** ZX_PROP_PROCESS_DEBUG_ADDR, ZX_PROP_PROCESS_BREAK_ON_LOAD. */
  readonly debugAddress: bigint;
  readonly breakOnLoad: bigint;
  /** Where the vDSO's code was mapped, or 0: system calls are accepted from there only. */
  readonly vdsoCode: number;
  /** Futexes that somebody waits on, by address. */
  readonly futexes: IntMap<Futex>;
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
    handleSecret: number;
    main: boolean;
  };
  'process-life-changed': { koid: number; life: ProcessState['life']; returnCode: bigint };
  'process-vdso-mapped': { koid: number; codeAddress: number };
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
      rootVmar: e.rootVmar,
      threads: IntMap.empty(),
      life: 'initial',
      returnCode: 0n,
      handles: IntMap.empty(),
      nextSlot: 1,
      handleSecret: e.handleSecret,
      debugAddress: 0n,
      breakOnLoad: 0n,
      vdsoCode: 0,
      futexes: IntMap.empty(),
      startedNs: 0n,
      endedRanSteps: 0,
      endedQueuedNs: 0n,
    });
    k.update(e.job, 'job', (job) => {
      job.processes = job.processes.set(e.koid, true, k.owner);
    });
    if (e.main) k.state.mainProcess = e.koid;
  },
  'process-life-changed': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      if (e.life === 'running') process.startedNs = k.nowNs;
      process.life = e.life;
      process.returnCode = e.returnCode;
    });
  },
  'process-vdso-mapped': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      process.vdsoCode = e.codeAddress;
    });
  },
  'process-property-set': (k, e) => {
    k.update(e.koid, 'process', (process) => {
      process[e.property] = e.value;
    });
  },
  'handle-added': (k, e) => {
    k.update(e.process, 'process', (process) => {
      process.handles = process.handles.set(e.slot, { koid: e.koid, rights: e.rights }, k.owner);
      process.nextSlot = Math.max(process.nextSlot, e.slot + 1);
    });
    k.state.handles++;
    k.updateAny(e.koid, (object) => {
      object.handleCount++;
    });
    setHolder(k, e.koid, e.process);
  },
  'handle-removed': (k, e) => {
    k.update(e.process, 'process', (process) => {
      process.handles = process.handles.delete(e.slot, k.owner);
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
    k.update(e.process, 'process', (process) => {
      process.handles = process.handles.set(e.slot, { koid: e.koid, rights: e.rights }, k.owner);
      process.nextSlot = Math.max(process.nextSlot, e.slot + 1);
    });
    k.state.handles++;
    setHolder(k, e.koid, e.process);
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

/** Channels have one handle, and know who has it. */
function setHolder(k: Kernel, koid: number, process: number): void {
  if (k.find(koid)?.kind !== 'channel') return;
  k.update(koid, 'channel', (channel) => {
    channel.holder = process;
  });
}
