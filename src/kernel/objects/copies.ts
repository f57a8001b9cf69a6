import type { KernelObject } from './object.js';
import type { SharedState } from './shared-state.js';
import type { ThreadState } from './thread.js';
import type { VmoState } from './vmo.js';

/**
 * Copies of what changes after snapshots. Fields are named one by one, or assigned: with `{ ...object }` V8 gives a copy
 * of a copy another hidden class each time, and compiles all code that meets it again.
 */

export function copyOf(object: KernelObject): KernelObject {
  switch (object.kind) {
    case 'thread':
      return copyOfThread(object);
    case 'vmo':
      return copyOfVmo(object);
    default:
      return Object.assign({}, object);
  }
}

function copyOfThread(t: ThreadState): ThreadState {
  // Few have it, and none has it as undefined.
  if (t.rseq !== undefined) return Object.assign({}, t);
  return {
    kind: t.kind,
    koid: t.koid,
    signals: t.signals,
    handleCount: t.handleCount,
    observers: t.observers,
    name: t.name,
    process: t.process,
    life: t.life,
    wait: t.wait,
    deadlineOrder: t.deadlineOrder,
    syscall: t.syscall,
    exitNote: t.exitNote,
    handlers: t.handlers,
    exceptions: t.exceptions,
    suspends: t.suspends,
    restrictedState: t.restrictedState,
    restrictedReport: t.restrictedReport,
    restricted: t.restricted,
    kicked: t.kicked,
    failedPage: t.failedPage,
    lastCore: t.lastCore,
    ranSteps: t.ranSteps,
    queuedNs: t.queuedNs,
    queuedAtNs: t.queuedAtNs,
  };
}

function copyOfVmo(v: VmoState): VmoState {
  return {
    kind: v.kind,
    koid: v.koid,
    signals: v.signals,
    handleCount: v.handleCount,
    observers: v.observers,
    name: v.name,
    sizeBytes: v.sizeBytes,
    contentSizeBytes: v.contentSizeBytes,
    resizable: v.resizable,
    pages: v.pages,
    mappings: v.mappings,
    mappingsByProcess: v.mappingsByProcess,
    holders: v.holders,
    parent: v.parent,
    childKind: v.childKind,
    children: v.children,
    lender: v.lender,
    lenderOffset: v.lenderOffset,
    lenderBytes: v.lenderBytes,
    borrowers: v.borrowers,
    source: v.source,
    vdsoCodeOffset: v.vdsoCodeOffset,
    vdsoCodeSizeBytes: v.vdsoCodeSizeBytes,
    cachePolicy: v.cachePolicy,
    discardable: v.discardable,
    restrictedState: v.restrictedState,
    locks: v.locks,
    immutable: v.immutable,
  };
}

export function copyOfShared(s: SharedState): SharedState {
  return {
    handles: s.handles,
    nextSlot: s.nextSlot,
    handleSecret: s.handleSecret,
    futexes: s.futexes,
    members: s.members,
  };
}
