import type { Position } from '../machine/position.js';

/** The same thing of both recordings, in the order they were given. */
export interface Both<T> {
  readonly a: T;
  readonly b: T;
}

export type SideName = keyof Both<unknown>;

export const SIDES: readonly SideName[] = ['a', 'b'];

/** What two recordings can differ in. */
export type DifferenceKind =
  | 'setup'
  | 'schedule'
  | 'input'
  | 'syscall'
  | 'memory'
  | 'control flow'
  | 'console'
  | 'exit';

/** Where and why two recordings part. Plain data. Positions are each side's own. */
export interface DiffReport {
  /** Nothing differs, as far as both recordings go. */
  readonly same: boolean;
  readonly cause: Cause;
  readonly sides: Both<SideSummary>;
  /** All that was found to differ, in the order of the list above. */
  readonly kinds: readonly DifferenceKind[];
  readonly setup: readonly SetupDifference[];
  /** The first difference in the total order of all events; null when there is none. */
  readonly first: FirstDivergence | null;
  readonly outcomes: readonly OutcomeDifference[];
  /** The main program's variables that differ at its end; at most 16 are listed. */
  readonly memory: { readonly variables: readonly VariableDifference[]; readonly more: number };
  /** Threads whose own histories differ, the one that leads to the difference in outcome first; at most 16. */
  readonly threads: readonly ThreadDifference[];
  readonly threadCounts: { readonly same: number; readonly differ: number };
}

export interface SideSummary {
  readonly program: string;
  readonly seed: number;
  readonly cores: number;
  /** Koid of the process that runs the program; 0 where nothing was run. */
  readonly mainProcess: number;
  /** Instructions and kernel events up to `end`. */
  readonly steps: number;
  readonly events: number;
  /** How the run ended, in a few words. */
  readonly ended: string;
  readonly end: Position;
  /** The recording holds the run to its end. */
  readonly complete: boolean;
}

/** Something that was chosen before the runs began. */
export interface SetupDifference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

/** Where the total orders part: all before is alike, event by event. */
export interface FirstDivergence {
  readonly kind: DifferenceKind;
  /** The place of the differing event; for a stretch of instructions that is longer on one side, where the other's ends. */
  readonly position: Position;
  readonly a: string;
  readonly b: string;
}

export interface OutcomeDifference {
  readonly kind: 'exit' | 'console';
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

export interface VariableDifference extends ValueDifference {
  /** `balance`; of a variable that is no integer the first eight bytes that differ, `tellers+0x10`. */
  readonly name: string;
  readonly address: number;
}

/** A thread of both runs: they are matched by who made them, as its how many-th. */
export interface ThreadName {
  readonly name: string;
  readonly koid: number;
  /** `main`, `main/3` (the third thread that `main` made): the same in both runs. */
  readonly key: string;
}

/** A place in one run where a thread did something. */
export interface Moment {
  /** Behind what is told: the state there shows it done. */
  readonly position: Position;
  readonly thread: ThreadName | null;
  /** `deposit+0x8`, or the system call in which it happened. */
  readonly where: string;
  /** Calls the thread was in, innermost first. */
  readonly stack: readonly string[];
}

/** One access to memory. */
export interface AccessMoment extends Moment {
  readonly value: bigint;
  readonly sizeBytes: number;
}

/** One system call, or exception, of a thread. */
export interface CallMoment extends Moment {
  readonly text: string;
}

/** What a call gave a thread. */
export interface Answer extends Moment {
  /** `"open"`, `2`, `ZX_ERR_BAD_HANDLE`. */
  readonly text: string;
  /** Who made it so: sent the message, signalled what was waited for, closed the handle. Null when that is not known. */
  readonly from: Moment | null;
}

/** Where the history of one thread parts, whatever the other threads do. */
export interface ThreadDifference {
  readonly thread: Both<ThreadName | null>;
  /**
   * `outcome`: in what the world sees of it (console, exit, crash). `calls`: in system calls that are not about waiting
   * or time. `path`: only in instructions, waits or times.
   */
  readonly level: 'outcome' | 'calls' | 'path';
  /** System calls that are alike before that. */
  readonly alike: number;
  readonly calls: Both<CallMoment | null>;
  /** The first instruction or result of a call that differs in it; null when it was not looked for or found. */
  readonly parting: Parting | null;
}

/** Where a thread's instructions part, its own history followed on both sides. */
export interface Parting {
  /** `memory`: loads of one address give two values. `syscall`: results. `control flow`: the paths alone. */
  readonly kind: 'memory' | 'syscall' | 'control flow';
  /** Why it probably does not matter: a wait that one run did not need, a time, an address, a handle. Null: it may. */
  readonly benign: 'contention' | 'time' | 'address' | 'handle' | 'own stack' | null;
  /** What was loaded (`balance`), which call gave it, or where the paths part. */
  readonly what: string;
  readonly address: number | null;
  readonly a: AccessMoment;
  readonly b: AccessMoment;
  /** What the call gave; null when it was none. Of what it put into memory, the moments are those of reading it. */
  readonly answers: Both<string> | null;
  /** Other loads shortly before that differ as well, the nearest first; at most 3. */
  readonly also: readonly ValueDifference[];
}

/** Something that has two values. */
export interface ValueDifference {
  readonly name: string;
  readonly sizeBytes: number;
  readonly a: bigint;
  readonly b: bigint;
}

export type Cause =
  /** Nothing differs. */
  | { readonly kind: 'none'; readonly summary: string }
  /** Unlike programs, arguments or machines: nothing was run. */
  | { readonly kind: 'setup'; readonly summary: string }
  | LostUpdate
  | DifferentValue
  | DifferentAnswer
  | {
      readonly kind: 'syscall';
      readonly summary: string;
      readonly thread: ThreadName;
      readonly calls: Both<CallMoment | null>;
    }
  | {
      readonly kind: 'deadlock';
      readonly summary: string;
      readonly side: SideName;
      readonly waits: readonly string[];
    }
  /** The runs differ, but end alike, or what they were given ends one of them. */
  | { readonly kind: 'schedule' | 'input'; readonly summary: string }
  /** They end unlike, and why was not found. */
  | { readonly kind: 'unknown'; readonly summary: string };

export interface LossCount {
  /** How often a thread stored over what it had not seen, and how many stores of others were lost by that. */
  readonly times: number;
  readonly stores: number;
  /** All accesses of the run were looked at. */
  readonly complete: boolean;
}

/** A thread loaded, others stored, and it stored over them what it had made of the old value. */
export interface LostUpdate {
  readonly kind: 'lost-update';
  readonly summary: string;
  /** In which recording. */
  readonly side: SideName;
  readonly what: string;
  readonly address: number;
  /** Whose address it is. */
  readonly process: number;
  readonly counts: Both<LossCount>;
  /** The first of them. */
  readonly load: AccessMoment;
  /** The stores that were lost, at most 4, and how many there are. */
  readonly overwritten: readonly AccessMoment[];
  readonly overwrittenCount: number;
  readonly store: AccessMoment;
  /** The scheduler's decision between the load and the first store that was lost. */
  readonly switched: {
    readonly position: Position;
    readonly preempted: boolean;
    readonly text: string;
  } | null;
  /** What the same store of the same thread was like in the other recording. */
  readonly other: {
    readonly load: AccessMoment;
    readonly writer: AccessMoment | null;
    readonly store: AccessMoment;
  } | null;
}

/** A system call gave a thread something else than in the other run. */
export interface DifferentAnswer {
  readonly kind: 'answer';
  readonly summary: string;
  /** The call. */
  readonly what: string;
  readonly answers: Both<Answer>;
  /** As of a value. */
  readonly consequences: readonly string[];
}

/** A thread read another value than in the other run, because another wrote it, or wrote it at another time. */
export interface DifferentValue {
  readonly kind: 'value';
  readonly summary: string;
  readonly what: string;
  readonly address: number;
  readonly load: Both<AccessMoment>;
  /** Who wrote before: null when nobody did. */
  readonly writer: Both<AccessMoment | null>;
  /** Which other thread wrote next, after the load. */
  readonly next: Both<AccessMoment | null>;
  /** What else it read otherwise just before. */
  readonly also: readonly ValueDifference[];
  /** What the value led to, up to what the world sees: summaries of causes that were followed back to this one. */
  readonly consequences: readonly string[];
}
