import { Status } from '../abi/status.js';
import { type Syscall, type SyscallArg, syscallByNumber } from '../abi/syscalls.js';
import { type Digest, Hasher } from '../base/digest.js';
import type { EventOf } from '../kernel/objects/events.js';
import { handleSlot } from '../kernel/objects/handle-value.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import type { SharedState } from '../kernel/objects/shared-state.js';
import type { Happened } from '../machine/machine.js';
import type { Lineage } from './lineage.js';

/** What a fact is about; each level's history leaves out those of the levels below. */
export const LEVELS = ['path', 'calls', 'outcome'] as const;
export type Level = 0 | 1 | 2;
/** Waits and clocks: they depend on what others do at the same time. */
export const PATH: Level = 0;
export const CALLS: Level = 1;
/** What the world sees: console, exit, crash. */
export const OUTCOME: Level = 2;

/** One thing that a thread did: a system call that is over, or an exception. */
export interface Fact {
  readonly thread: number;
  readonly level: Level;
  /** Number of the event that completes it. */
  readonly seq: number;
  /** Instructions the thread had retired when it began. */
  readonly steps: number;
  /** Digest of what it was, in terms that mean the same in two runs. */
  readonly digest: Digest;
  /** The call's number, 0 for an exception. */
  readonly call: number;
  readonly args: readonly (number | bigint)[];
  /** Null: it did not return. */
  readonly result: bigint | null;
  /** What it wrote to the console, at most 256 bytes. */
  readonly console: Uint8Array | null;
  /** Of an exception. */
  readonly exception: string | null;
}

const CONSOLE_BYTES = 256;
const WAITS: ReadonlySet<string> = new Set([
  'zx_nanosleep',
  'zx_object_wait_many',
  'zx_object_wait_one',
  'zx_port_wait',
  'zx_thread_legacy_yield',
]);
const TIME = /^zx_(?:time|instant|duration|ticks)/;
export const TIMING_RESULTS: readonly number[] = [Status.ERR_SHOULD_WAIT, Status.ERR_TIMED_OUT];

/** Whether a call waits for other threads. */
export function isWait(call: Syscall): boolean {
  return call.category === 'futex' || WAITS.has(call.name);
}

/** Whether a call answers with a time. */
export function tellsTime(call: Syscall): boolean {
  return TIME.test(call.returns);
}

/** A process's handles, if it is there. */
export function handleTable(k: Kernel, process: number): SharedState | null {
  return k.find(process)?.kind === 'process' ? k.sharedBy(process) : null;
}

interface Pending {
  readonly call: Syscall;
  readonly args: readonly (number | bigint)[];
  readonly steps: number;
  readonly hasher: Hasher;
  level: Level;
  console: Uint8Array | null;
}

/**
 * Reads the events of a run as facts about its threads. Handles stand for who made the object; user pointers and times
 * are left out, because they depend on the order in which all threads act.
 */
export class FactReader {
  private readonly pending = new Map<number, Pending>();

  constructor(
    private readonly k: Kernel,
    private readonly lineage: Lineage,
    private readonly tell: (fact: Fact) => void,
  ) {}

  /** To be told of events in order, with the kernel as it is behind each. */
  note({ event, seq }: Happened): void {
    switch (event.type) {
      case 'syscall-entered':
        this.enter(event);
        return;
      case 'console-written':
        this.write(event);
        return;
      case 'syscall-returned':
        this.leave(event.thread, seq, event.result);
        return;
      case 'thread-life-changed':
        if (event.life === 'dead') this.leave(event.koid, seq, null);
        return;
      case 'exception-raised':
        this.exception(event, seq);
    }
  }

  /** At the end of a run that can never go on: threads wait for ever, and that is what becomes of them. */
  endWaits(seq: number): void {
    for (const thread of [...this.pending.keys()]) this.leave(thread, seq, null, OUTCOME);
  }

  private enter({ thread, number, args }: EventOf<'syscall-entered'>): void {
    const call = syscallByNumber(number);
    const caller = this.k.find(thread);
    if (call === undefined || caller?.kind !== 'thread') return;
    const hasher = new Hasher().word(number);
    call.args.forEach((argument, i) => {
      this.hashArgument(hasher, caller.process, argument, args[i]);
    });
    const level = isWait(call) || tellsTime(call) ? PATH : call.name === 'zx_process_exit' ? OUTCOME : CALLS;
    this.pending.set(thread, { call, args, steps: caller.ranSteps, hasher, level, console: null });
  }

  private hashArgument(h: Hasher, process: number, argument: SyscallArg, value: number | bigint): void {
    const { kind, cType } = argument;
    if (kind === 'pointer' || cType === 'zx_vaddr_t' || TIME.test(cType)) return;
    if (kind !== 'handle') {
      h.bigint(BigInt(value));
      return;
    }
    const table = handleTable(this.k, process);
    const entry = table?.handles.get(handleSlot(Number(value), table.handleSecret));
    if (entry === undefined) h.word(0);
    else {
      const { creator, ordinal } = this.lineage.origin(entry.koid);
      h.string(creator).word(ordinal);
    }
  }

  private write({ thread, bytes }: EventOf<'console-written'>): void {
    const pending = this.pending.get(thread);
    if (pending === undefined) return;
    pending.level = OUTCOME;
    pending.hasher.bytes(bytes);
    pending.console ??= bytes.slice(0, CONSOLE_BYTES);
  }

  private leave(thread: number, seq: number, result: bigint | null, wanted?: Level): void {
    const pending = this.pending.get(thread);
    if (pending === undefined) return;
    this.pending.delete(thread);
    const { call, args, steps, hasher, console } = pending;
    if (result !== null && !tellsTime(call)) hasher.bigint(result);
    // Whether a call that does not wait finds something, and where a thread is when it is killed, is timing.
    const timing =
      result === null ? !call.flags.includes('noreturn') : TIMING_RESULTS.includes(Number(result));
    const level = wanted ?? (timing ? PATH : pending.level);
    const digest = hasher.value();
    this.tell({
      thread,
      level,
      seq,
      steps,
      digest,
      call: call.number,
      args,
      result,
      console,
      exception: null,
    });
  }

  private exception(event: EventOf<'exception-raised'>, seq: number): void {
    const { thread, exception, access } = event;
    const object = this.k.find(thread);
    if (object?.kind !== 'thread') return;
    const text = access === 'none' ? exception : `${exception} (${access})`;
    this.tell({
      thread,
      level: OUTCOME,
      seq,
      steps: object.ranSteps,
      digest: new Hasher().string(text).bigint(event.pc).value(),
      call: 0,
      args: [],
      result: null,
      console: null,
      exception: text,
    });
  }
}
