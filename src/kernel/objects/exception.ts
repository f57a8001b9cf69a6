import { ExceptionState as Answer, ExceptionChannelType, ExceptionType } from '../../abi/exceptions.js';
import { IntMap } from '../../base/int-map.js';
import type { Access, ExceptionKind } from '../../cpu/arch.js';
import type { Kernel } from './kernel.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';

/** What went wrong in a thread: a fault of its instructions, or a policy exception. */
export interface Fault {
  readonly thread: number;
  readonly process: number;
  readonly exception: ExceptionKind;
  readonly access: Access | 'none';
  readonly pc: bigint;
  readonly address: bigint;
  /** ZX_EXCP_POLICY_CODE_* for a policy exception, else ZX_ERR_* of a page fault as u32. */
  readonly code: number;
  /** The bits of an illegal instruction, the call number for BAD_SYSCALL, else 0. */
  readonly data: number;
}

/** `ZX_EXCP_*` by kind of fault. */
export const FAULT_TYPES: Readonly<Record<ExceptionKind, number>> = {
  'page-fault': ExceptionType.FATAL_PAGE_FAULT,
  'undefined-instruction': ExceptionType.UNDEFINED_INSTRUCTION,
  breakpoint: ExceptionType.SW_BREAKPOINT,
  misaligned: ExceptionType.UNALIGNED_ACCESS,
  policy: ExceptionType.POLICY_ERROR,
};

/** Where exceptions of a task go: the kernel's end of a channel, and the rights that task handles get from there. */
export interface ExceptionSlot {
  /** A channel whose one handle the kernel has. */
  readonly channel: number;
  readonly threadRights: number;
  /** 0: exceptions from here give no process handle. */
  readonly processRights: number;
}

/** Who is asked next; the first is asked twice where it wants that, and alone where others are not concerned. */
export type ExceptionStage =
  | 'debugger-alone'
  | 'debugger'
  | 'vector'
  | 'thread'
  | 'process'
  | 'debugger-again'
  | 'job'
  | 'job-debuggers'
  | 'nobody';

/** How far an exception has come on its way. */
export interface ExceptionCourse {
  readonly stage: ExceptionStage;
  /** The job to ask in the stages of jobs. */
  readonly job: number;
  /** Its debuggers that are still to be asked. */
  readonly debuggers: readonly ExceptionSlot[];
}

/** Who has it now: nobody yet, or the reader of a channel. */
export interface ExceptionHandler {
  /** ZX_EXCEPTION_CHANNEL_TYPE_*. */
  readonly channelType: number;
  readonly threadRights: number;
  readonly processRights: number;
}

export interface ExceptionState extends ObjectBase {
  readonly kind: 'exception';
  readonly thread: number;
  readonly process: number;
  /** ZX_EXCP_*. */
  readonly type: number;
  /** `zx_exception_report_t`. */
  readonly report: Uint8Array;
  /** Null for what only tells of something: nobody has to handle that. */
  readonly fault: Fault | null;
  /** The thread does not go on before this is over; false when it does, or is dead. */
  readonly pending: boolean;
  readonly handler: ExceptionHandler;
  readonly course: ExceptionCourse;
  /** ZX_EXCEPTION_STATE_*: what the end of the last handle will mean. */
  readonly answer: number;
  readonly secondChance: boolean;
}

/** The places of a task that a channel can be bound to. */
export type ExceptionPlace = 'thread' | 'process' | 'debugger' | 'job' | 'job-debugger';

export interface ExceptionEvents {
  /** Before anybody was asked. */
  'exception-raised': Fault;
  /** Nobody handled it: its process ends. */
  'exception-unhandled': Fault;
  'exception-created': {
    koid: number;
    thread: number;
    process: number;
    exceptionType: number;
    report: Uint8Array;
    fault: Fault | null;
  };
  /** It is in a channel's message; `course` is where to go on if that does not handle it. */
  'exception-sent': { koid: number; handler: ExceptionHandler; course: ExceptionCourse };
  'exception-answer-set': { koid: number; answer: number };
  'exception-strategy-set': { koid: number; secondChance: boolean };
  /** Its last handle is gone while a thread waits for it: the thread goes on before the command is over. */
  'exception-let-go': { koid: number };
  'exception-picked-up': { koid: number };
  /** No thread waits for it any more. */
  'exception-ended': { koid: number };
  'exception-destroyed': { koid: number };
  'exception-channel-bound': { task: number; place: ExceptionPlace; slot: ExceptionSlot };
  'exception-channel-unbound': { task: number; place: ExceptionPlace; channel: number };
}

const NO_HANDLER: ExceptionHandler = {
  channelType: ExceptionChannelType.NONE,
  threadRights: 0,
  processRights: 0,
};

export const exceptionReducers: Reducers<ExceptionEvents> = {
  'exception-raised': () => {},
  'exception-unhandled': () => {},
  'exception-created': (k, e) => {
    k.create({
      kind: 'exception',
      ...newObject(e.koid, 0, IntMap.empty()),
      thread: e.thread,
      process: e.process,
      type: e.exceptionType,
      report: e.report,
      fault: e.fault,
      pending: true,
      handler: NO_HANDLER,
      course: { stage: 'nobody', job: 0, debuggers: [] },
      answer: Answer.TRY_NEXT,
      secondChance: false,
    });
    countException(k, e.thread, e.process, 1);
  },
  'exception-sent': (k, e) => {
    k.update(e.koid, 'exception', (exception) => {
      exception.handler = e.handler;
      exception.course = e.course;
      exception.answer = Answer.TRY_NEXT;
    });
  },
  'exception-answer-set': (k, e) => {
    k.update(e.koid, 'exception', (exception) => {
      exception.answer = e.answer;
    });
  },
  'exception-strategy-set': (k, e) => {
    k.update(e.koid, 'exception', (exception) => {
      exception.secondChance = e.secondChance;
    });
  },
  'exception-let-go': (k, e) => {
    k.state.answered = [...k.state.answered, e.koid];
  },
  'exception-picked-up': (k, e) => {
    k.state.answered = k.state.answered.filter((koid) => koid !== e.koid);
  },
  'exception-ended': (k, e) => {
    k.update(e.koid, 'exception', (exception) => {
      exception.pending = false;
    });
  },
  'exception-destroyed': (k, e) => {
    const { thread, process } = k.get(e.koid, 'exception');
    k.remove(e.koid);
    countException(k, thread, process, -1);
  },
  'exception-channel-bound': (k, e) => {
    changeSlots(k, e.task, e.place, (slots) => [...slots, e.slot]);
  },
  'exception-channel-unbound': (k, e) => {
    changeSlots(k, e.task, e.place, (slots) => slots.filter((slot) => slot.channel !== e.channel));
  },
};

/** Exceptions keep the objects of the tasks they are about. */
function countException(k: Kernel, thread: number, process: number, by: number): void {
  k.update(thread, 'thread', (t) => {
    t.exceptions += by;
  });
  k.update(process, 'process', (p) => {
    p.exceptions += by;
  });
}

type Slots = readonly ExceptionSlot[];

function changeSlots(k: Kernel, task: number, place: ExceptionPlace, change: (slots: Slots) => Slots): void {
  if (place === 'thread') {
    k.update(task, 'thread', (t) => {
      t.handlers = change(t.handlers);
    });
  } else if (place === 'process' || place === 'debugger') {
    k.update(task, 'process', (p) => {
      if (place === 'process') p.handlers = change(p.handlers);
      else p.debuggers = change(p.debuggers);
    });
  } else {
    k.update(task, 'job', (j) => {
      if (place === 'job') j.handlers = change(j.handlers);
      else j.debuggers = change(j.debuggers);
    });
  }
}
