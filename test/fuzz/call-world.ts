import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { Status } from '../../src/abi/status.js';
import {
  argumentRegisters,
  SYSCALLS,
  type Syscall,
  type SyscallName,
  syscallByName,
} from '../../src/abi/syscalls.js';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { decideSyscall, isBuilt } from '../../src/kernel/syscalls/dispatch.js';
import { raiseException, settleExceptions } from '../../src/kernel/syscalls/exceptions.js';
import { closeHandle } from '../../src/kernel/syscalls/handles.js';
import { leaveBySyscall } from '../../src/kernel/syscalls/restricted.js';
import { endProcess, endThread, updateJobSignals } from '../../src/kernel/syscalls/tasks.js';
import { fireTimer } from '../../src/kernel/syscalls/timer.js';
import { isUserWritable } from '../../src/kernel/syscalls/user-memory.js';
import { expireWait } from '../../src/kernel/syscalls/waits.js';
import { Harness, SCRATCH } from '../kernel/harness.js';
import { brokenInvariants } from '../kernel/invariants.js';
import { addMemory } from '../kernel/ipc-support.js';
import { RandomArguments, SCRATCH_BYTES } from './random-arguments.js';

/** Calls between two checks of the whole kernel. */
const CHECK_CALLS = 100;
/** Calls between two looks around for who needs help: the world may be large. */
const LOOK_CALLS = 8;
/** Calls that end their caller or much of the world: rare, so that the others find something to work on. */
const LETHAL = /process_exit|thread_exit|task_kill|cprng_draw$/;
const IDLE = /^zx_syscall_/;
/** As often as others, these would leave nobody a handle to call with. */
const CLOSING = /handle_(close|close_many|replace)$/;
const FRESH: readonly { readonly name: SyscallName; readonly args: readonly number[] }[] = [
  { name: 'zx_channel_create', args: [0, SCRATCH, SCRATCH + 4] },
  { name: 'zx_channel_create', args: [0, SCRATCH, SCRATCH + 4] },
  { name: 'zx_eventpair_create', args: [0, SCRATCH, SCRATCH + 4] },
  { name: 'zx_event_create', args: [0, SCRATCH] },
  { name: 'zx_port_create', args: [0, SCRATCH] },
  { name: 'zx_timer_create', args: [0, 0, SCRATCH] },
  { name: 'zx_socket_create', args: [0, SCRATCH, SCRATCH + 4] },
  { name: 'zx_socket_create', args: [1, SCRATCH, SCRATCH + 4] },
  { name: 'zx_fifo_create', args: [4, 4, 0, SCRATCH, SCRATCH + 4] },
  { name: 'zx_counter_create', args: [0, SCRATCH] },
  { name: 'zx_iob_create_shared_region', args: [0, 0x3000, SCRATCH] },
  { name: 'zx_clock_create', args: [0x10, 0, SCRATCH] },
  { name: 'zx_pager_create', args: [0, SCRATCH] },
  { name: 'zx_vmo_create', args: [0x8000, 2, SCRATCH] },
  { name: 'zx_vmo_create', args: [0x5000, 0, SCRATCH] },
];
const STATUSES: ReadonlySet<bigint> = new Set(Object.values(Status).map(BigInt));

/** Makes one call; the way to put a broken kernel in. */
export type MakeCall = (h: Harness, thread: number, call: Syscall, args: readonly bigint[]) => void;

export const makeCall: MakeCall = (h, thread, call, args) =>
  decideSyscall(
    h,
    thread,
    0,
    call,
    argumentRegisters((i) => BigInt.asIntN(64, args[i])),
  );

export interface MadeCall {
  readonly call: Syscall;
  readonly args: readonly bigint[];
  readonly ms: number;
}

/** Something that must not be; the message says the call and what was wrong. */
export class Found extends Error {
  override name = 'Found';
}

/**
 * A small world of processes and threads that make random calls. All of it follows from the seed, so that a seed is a
 * complete report.
 */
export class CallWorld {
  readonly h: Harness;
  private readonly random: Prng;
  private readonly weighted: readonly Syscall[];
  private calls = 0;
  /** Processes that can make calls, when the world was looked at last. */
  private running: number[] = [];

  constructor(
    readonly seed: number,
    private readonly make: MakeCall = makeCall,
    mode: 'owned' | 'immer' = 'owned',
  ) {
    this.random = new Prng(seedPrng(seed, 'calls'));
    // Some worlds have little memory, so that calls meet its end.
    const physicalPages = this.random.below(4) === 0 ? 400 : 20_000;
    this.h = new Harness({ entropySeed: seed, physicalPages }, mode);
    // The harness leaves out the signals that only the start of a task sets.
    for (const job of [this.h.k.state.rootJob, this.h.job]) updateJobSignals(this.h, job);
    this.starts(this.h.thread);
    this.weighted = SYSCALLS.flatMap((call) => Array.from({ length: weightOf(call) }, () => call));
  }

  /** The world's job was killed, or there is more of it than is any use. */
  private get over(): boolean {
    const job = this.h.k.find(this.h.job);
    return job?.kind !== 'job' || job.life !== 'ready' || this.h.k.state.objects.size > 1500;
  }

  private starts(thread: number): void {
    this.h.emit({ type: 'signals-changed', koid: thread, signals: Signal.THREAD_RUNNING });
  }

  /** One call by one thread; null when the world came to its end. Throws Found when the kernel broke. */
  step(): MadeCall | null {
    const { h, random } = this;
    h.events.length = 0;
    this.tend();
    if (this.over) return null;
    const thread = this.caller();
    const { process } = h.k.get(thread, 'thread');
    const args = new RandomArguments(random, h.k, process, (address, bytes) => {
      if (isUserWritable(h.k, process, address, bytes.length)) h.poke(address, bytes, process);
    });
    const call = this.weighted[random.below(this.weighted.length)];
    const values = args.of(call);
    // Only a trap leads out of restricted mode, and calls are made outside.
    if (h.k.get(thread, 'thread').restricted !== null) leaveBySyscall(h, thread);
    h.k.arch.setResult(h.k.registersForWrite(thread), UNANSWERED);
    const started = performance.now();
    try {
      this.make(h, thread, call, values);
    } catch (reason) {
      throw this.found(
        call,
        values,
        reason instanceof Error ? (reason.stack ?? reason.message) : String(reason),
      );
    }
    const ms = performance.now() - started;
    this.checkResult(thread, call, values);
    this.calls++;
    if (this.calls % CHECK_CALLS === 0) this.check(call, values);
    return { call, args: values, ms };
  }

  /** Ends every process and sees that nothing is left but what messages keep. */
  end(): void {
    const { h } = this;
    for (const object of [...h.k.state.objects.values()]) {
      if (object.kind === 'process') endProcess(h, object.koid, 0n);
    }
    settleExceptions(h);
    const broken = brokenInvariants(h.k.state);
    if (broken.length > 0) throw new Found(`seed ${this.seed}, at its end: ${broken.join('; ')}`);
  }

  private checkResult(thread: number, call: Syscall, args: readonly bigint[]): void {
    const now = this.h.k.find(thread);
    // Dead, blocked, or kept by a debugger on its way out.
    if (now?.kind !== 'thread' || now.life !== 'ready') return;
    const result = this.h.result(thread) as bigint;
    // What is no status either: sums, and why a thread left restricted mode.
    const free =
      call.returns !== 'zx_status_t' || IDLE.test(call.name) || call.name === 'zx_restricted_enter';
    const ok = free ? result !== UNANSWERED : STATUSES.has(result);
    if (!ok) throw this.found(call, args, `gave ${result}`);
  }

  private check(call: Syscall, args: readonly bigint[]): void {
    const broken = brokenInvariants(this.h.k.state);
    if (broken.length > 0) throw this.found(call, args, `or one before: ${broken.slice(0, 5).join('; ')}`);
  }

  private found(call: Syscall, args: readonly bigint[], what: string): Found {
    const list = args.map((arg) => `0x${arg.toString(16)}`).join(', ');
    return new Found(`seed ${this.seed}, call ${this.calls}, ${call.name}(${list}): ${what}`);
  }

  /** Time passes, what is due happens, and who can do nothing any more is replaced. */
  private tend(): void {
    const { h, random } = this;
    const { state } = h.k;
    if (random.below(20) === 0) h.advance(BigInt(random.below(3000)));
    for (;;) {
      const due = state.deadlines[0];
      if (due === undefined || due.atNs > h.k.nowNs) break;
      if (due.kind === 'timer') fireTimer(h, due.koid);
      else expireWait(h, due.koid);
    }
    if (this.calls % LOOK_CALLS === 0) this.look();
    if (random.below(50) === 0 && state.runQueue.length > 0) this.crash();
    settleExceptions(h);
  }

  private look(): void {
    const { h, random } = this;
    this.running = [];
    // By name, not by value: who goes takes others along.
    for (const koid of [...h.k.state.objects.keys()]) {
      const object = h.k.find(koid);
      if (object?.kind === 'thread' && object.life === 'blocked' && random.below(40) === 0)
        endThread(h, koid);
      if (object?.kind !== 'process' || object.life !== 'running') continue;
      const spoiled = !isUserWritable(h.k, koid, SCRATCH, SCRATCH_BYTES);
      if (spoiled && random.below(3) === 0) {
        endProcess(h, koid, 1n);
        continue;
      }
      this.running.push(koid);
      const { handles } = h.k.sharedBy(koid);
      if (handles.size > 120) this.closeSome(koid, [...handles.keys()].slice(4));
    }
  }

  private isRunning(koid: number): boolean {
    const object = this.h.k.find(koid);
    return object?.kind === 'process' && object.life === 'running' && object.suspends === 0;
  }

  /** A thread gets into trouble of its own making. */
  private crash(): void {
    const { runQueue } = this.h.k.state;
    const thread = runQueue[this.random.below(runQueue.length)];
    // Calls from restricted mode, which only this world knows, leave its state nowhere to go.
    if (this.h.k.get(thread, 'thread').restricted !== null) return;
    const what = { exception: 'page-fault', access: 'load', address: 0n, code: 0, data: 0 } as const;
    raiseException(this.h, thread, what);
  }

  private closeSome(process: number, slots: readonly number[]): void {
    for (const slot of slots) if (this.random.below(2) === 0) closeHandle(this.h, process, slot);
  }

  private caller(): number {
    const { h, random } = this;
    const ready = h.k.state.runQueue;
    const running = this.running.filter((koid) => this.isRunning(koid));
    if (running.length < 2) return this.newProcess();
    if (ready.length < 3) {
      const process = running[random.below(running.length)];
      const thread = h.newThread(process, 'more');
      this.starts(thread);
      h.give(thread, DEFAULT_RIGHTS.thread, process);
      return thread;
    }
    const thread = ready[random.below(ready.length)];
    if (random.below(8) === 0) this.equip(thread, h.k.get(thread, 'thread').process);
    return thread;
  }

  /** A process with memory, a thread, and handles to itself and to some of what there is. */
  private newProcess(): number {
    const { h } = this;
    const process = h.newProcess('fuzz');
    this.running.push(process);
    addMemory(h, process);
    const thread = h.newThread(process, 'first');
    this.starts(thread);
    updateJobSignals(h, h.job);
    h.give(process, DEFAULT_RIGHTS.process, process);
    h.give(thread, DEFAULT_RIGHTS.thread, process);
    h.give(h.job, DEFAULT_RIGHTS.job & ~Right.DESTROY, process);
    h.give(h.k.state.rootJob, Right.MANAGE_PROCESS, process);
    for (let i = 0; i < 12; i++) this.equip(thread, process);
    return thread;
  }

  /** Something more to call with: a new object, or a handle to one that is there. */
  private equip(thread: number, process: number): void {
    const { h, random } = this;
    const fresh = FRESH[random.below(FRESH.length)];
    if (random.below(2) === 0 && isUserWritable(h.k, process, SCRATCH, 8)) {
      decideSyscall(
        h,
        thread,
        0,
        syscallByName(fresh.name),
        argumentRegisters((i) => BigInt(fresh.args[i])),
      );
      return;
    }
    const { rootVmar } = h.k.get(process, 'process');
    const objects = [...h.k.state.objects.values()].filter((o) => o.kind !== 'channel' && o.handleCount > 0);
    const object = random.below(3) === 0 ? h.k.get(rootVmar, 'vmar') : objects[random.below(objects.length)];
    // Handles to the whole world's job come without the right to end it, most often.
    const less = object.kind === 'job' && random.below(8) !== 0 ? Right.DESTROY : 0;
    const more = object.kind === 'vmar' ? Right.READ | Right.WRITE | Right.EXECUTE : 0;
    h.give(object.koid, (DEFAULT_RIGHTS[object.kind] | more) & ~less, process);
  }
}

const UNANSWERED = 0x7777_7777_7777_7777n;

function weightOf(call: Syscall): number {
  if (IDLE.test(call.name) || !isBuilt(call.name)) return 1;
  if (LETHAL.test(call.name)) return 1;
  return CLOSING.test(call.name) ? 3 : 12;
}
