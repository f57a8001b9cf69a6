import { Observable, type Subscriber } from 'rxjs';
import { Status } from '../abi/status.js';
import { argumentRegisters, type Syscall, syscallByName } from '../abi/syscalls.js';
import { assert } from '../base/assert.js';
import { type Digest, Hasher } from '../base/digest.js';
import type { Arch, Engine, EngineKind, MemoryView, Stop, Trace } from '../cpu/arch.js';
import { countSteps } from '../kernel/objects/core.js';
import type { SnapshotMark } from '../kernel/objects/dead-pages.js';
import { applyEvent, type EventOf, type KernelEvent } from '../kernel/objects/events.js';
import { Kernel, type KernelState, type MachineConfig } from '../kernel/objects/kernel.js';
import { hashEvent } from '../kernel/objects/state-hash.js';
import type { ThreadState } from '../kernel/objects/thread.js';
import type { Oracle } from '../kernel/scheduler/oracle.js';
import type { Decider } from '../kernel/syscalls/decider.js';
import { decideSyscall, dispatchSyscall } from '../kernel/syscalls/dispatch.js';
import { raiseException, settleExceptions } from '../kernel/syscalls/exceptions.js';
import { decidePageFault } from '../kernel/syscalls/page-fault.js';
import { leaveByKick, leaveBySyscall } from '../kernel/syscalls/restricted.js';
import { checkRseq } from '../kernel/syscalls/rseq.js';
import { fireTimer } from '../kernel/syscalls/timer.js';
import { expireWait } from '../kernel/syscalls/waits.js';
import { ProcessMemory } from './memory-view.js';
import { comparePositions, type Position } from './position.js';
import type { ProgramEngine, ProgramHost, ProgramSet } from './program-host.js';

/** Who was at work when something happened. */
export interface Actor {
  readonly core: number;
  readonly thread: number;
}

/** Steps since the last kernel event, which no span event told of yet. */
export interface OpenSpan extends Actor {
  readonly steps: number;
}

/** An event and where it happened. */
export class Happened {
  constructor(
    /** The event's own number; a span has that of the event before it. */
    readonly seq: number,
    readonly event: KernelEvent,
    /** The thread whose instructions or call led to it; null for what the machine itself does. */
    readonly by: Actor | null,
    private readonly steps: number,
    private readonly idleNs: bigint,
  ) {}

  /** Virtual time. */
  get timeNs(): bigint {
    return BigInt(this.steps) + this.idleNs;
  }

  /** The same place and time with another event. */
  with(event: KernelEvent): Happened {
    return new Happened(this.seq, event, this.by, this.steps, this.idleNs);
  }
}

/** A machine at a boundary between commands, from where it can go on. */
export interface Checkpoint {
  readonly state: KernelState;
  readonly events: Hasher;
  readonly slices: number;
  readonly span: OpenSpan | null;
  /** Where programs in the host's language are. */
  readonly programs: number;
  /** Of one that somebody will release. */
  readonly mark?: SnapshotMark | undefined;
}

/** The vDSO's code, as far as the machine must know it: which call the trap at an offset belongs to. */
export interface VdsoCalls {
  readonly codeSizeBytes: number;
  /** The call whose trap is at this offset into the code, 0 for none. */
  callAt(offset: number): number;
}

export interface MachineOptions {
  readonly state: KernelState;
  readonly config: MachineConfig;
  readonly arch: Arch;
  /** How instructions are run. */
  readonly engine: EngineKind;
  readonly quantumSteps: number;
  /** The run ends there with a step-limit halt; Infinity for none. */
  readonly maxSteps: number;
  readonly oracle: Oracle;
  readonly vdso: VdsoCalls;
  /** Programs in the host's language that the run may meet. */
  readonly programs: ProgramSet | null;
  /** The first command of a run: makes the first process. */
  readonly boot: (m: Decider) => void;
}

/**
 * Steps that a slice may last longer while its thread holds a reservation: RISC-V promises that LR/SC loops of up to
 * 16 instructions end (unprivileged manual, "Eventual Success of Store-Conditional Instructions").
 */
const GRACE_STEPS = 32;

/** What runs the threads of a process, and the memory it sees. */
interface Runner {
  readonly engine: Engine;
  readonly memory: MemoryView;
}

/** Thrown through a decider by `emit`, when a position inside a command is reached. */
class PositionReached {}

/**
 * The one loop: fire what is due, choose a slice, run instructions, decide the call or fault they end at. Each
 * decision is emitted as events; observers see them in order and steer nothing.
 */
export class Machine implements Decider {
  readonly k: Kernel;
  /** Every kernel event, and every span before the kernel event that ends it. Observers read, never call back. */
  readonly happened = new Observable<Happened>((observer) => {
    this.observers = [...this.observers, observer];
    return () => {
      this.observers = this.observers.filter((one) => one !== observer);
    };
  });
  /** Another list whenever somebody comes or goes. A Subject would make a closure and an iterator for each event. */
  private observers: readonly Subscriber<Happened>[] = [];
  private readonly listeners: ((event: KernelEvent) => void)[] = [];
  /** Slices chosen so far: a recording's schedule is indexed by it. */
  slices = 0;
  private eventHasher = new Hasher();
  private span: OpenSpan | null = null;
  private actor: Actor | null = null;
  /** By process, and apart for restricted mode where that has an address space of its own. */
  private readonly engines = { normal: new Map<number, Runner>(), restricted: new Map<number, Runner>() };
  /** The one that ran last, which mostly runs next. */
  private last: { readonly process: number; readonly restricted: boolean; readonly runner: Runner } | null =
    null;
  private readonly allowed: (call: Syscall, pc: number) => boolean;
  private stopSeq = Number.POSITIVE_INFINITY;
  /** The last command was cut where going on would be another run. */
  private cut = false;
  private trapProcess = 0;
  private readonly programs: ProgramHost | null;
  private engine: EngineKind;

  constructor(private readonly options: MachineOptions) {
    this.engine = options.engine;
    this.k = new Kernel(options.state, options.config, options.arch);
    this.programs = options.programs?.host(this.k) ?? null;
    this.allowed = (call, pc) => {
      const code = this.k.get(this.k.get(this.trapProcess, 'process').rootVmar, 'vmar').vdsoCode;
      const offset = pc - code;
      return (
        code !== 0 &&
        offset >= 0 &&
        offset < options.vdso.codeSizeBytes &&
        options.vdso.callAt(offset) === call.number
      );
    };
  }

  get position(): Position {
    return { seq: this.k.state.seq, step: this.k.state.step };
  }

  /** Whether the machine can go on from here: else a checkpoint must be restored first. */
  get goesOn(): boolean {
    return !this.cut;
  }

  get halted(): boolean {
    return this.k.state.halt !== null;
  }

  /** Digest of all events so far, an open span not included. */
  eventHash(): Digest {
    return this.eventHasher.value();
  }

  emit(event: KernelEvent): void {
    if (this.span !== null) this.closeSpan(this.span);
    const { k } = this;
    applyEvent(k, event);
    const { seq } = k.state;
    this.tell(seq, event);
    const { type } = event;
    if (type === 'process-life-changed' || type === 'thread-life-changed') this.lifeChanged(event);
    if (seq >= this.stopSeq) throw new PositionReached();
  }

  private lifeChanged({ type, koid, life }: EventOf<'process-life-changed' | 'thread-life-changed'>): void {
    if (life !== 'dead') return;
    if (type === 'process-life-changed') {
      this.engines.normal.delete(koid);
      this.engines.restricted.delete(koid);
      this.last = null;
    }
    this.programs?.ended(koid);
  }

  /** Tells of all that happens from now on, as `happened`: for whom the event alone is enough, which costs a call each. */
  listen(listener: (event: KernelEvent) => void): void {
    this.listeners.push(listener);
  }

  private tell(seq: number, event: KernelEvent, by = this.actor): void {
    hashEvent(this.eventHasher, event);
    const { listeners, observers } = this;
    for (let i = 0; i < listeners.length; i++) listeners[i](event);
    if (observers.length === 0) return;
    const { steps, idleNs } = this.k.state;
    const happened = new Happened(seq, event, by, steps, idleNs);
    for (const observer of observers) observer.next(happened);
  }

  get openSpan(): OpenSpan | null {
    return this.span;
  }

  private closeSpan({ core, thread, steps }: OpenSpan): void {
    this.span = null;
    this.tell(this.k.state.seq, { type: 'span', core, thread, steps }, { core, thread });
  }

  /** The state here, to go on from; only between commands. */
  checkpoint(): Checkpoint {
    return this.checkpointOf(this.k.snapshot());
  }

  /** As `checkpoint`, for whoever will `release` it: one that is forgotten without keeps more than it has itself. */
  checkpointToRelease(): Checkpoint {
    const { state, mark } = this.k.snapshotToRelease();
    return this.checkpointOf(state, mark);
  }

  /** Nobody looks at it, or goes on from it, any more: room of pages that only it has is used again. */
  release({ mark }: Checkpoint): void {
    assert(mark !== undefined, 'a checkpoint is released that was to stay');
    this.k.deadPages.release(mark);
  }

  private checkpointOf(state: KernelState, mark?: SnapshotMark): Checkpoint {
    return {
      state,
      events: this.eventHasher.clone(),
      slices: this.slices,
      span: this.span,
      programs: this.programs?.mark() ?? 0,
      mark,
    };
  }

  restore(checkpoint: Checkpoint): void {
    assert(checkpoint.mark?.isReleased !== true, 'a released checkpoint is gone to');
    this.cut = false;
    this.k.restore(checkpoint.state);
    this.eventHasher = checkpoint.events.clone();
    this.slices = checkpoint.slices;
    this.span = checkpoint.span;
    this.programs?.restore(checkpoint.programs);
    this.forgetEngines();
  }

  /** Instructions are run like that from here on, with the same results. */
  runBy(engine: EngineKind): void {
    if (engine === this.engine) return;
    this.engine = engine;
    this.last = null;
    for (const runners of [this.engines.normal, this.engines.restricted])
      for (const [process, runner] of runners)
        if (runner.engine.become?.(engine) !== true) runners.delete(process);
  }

  private forgetEngines(): void {
    this.engines.normal.clear();
    this.engines.restricted.clear();
    this.last = null;
  }

  /** Runs until the machine halts. */
  run(): void {
    while (!this.halted) this.command();
  }

  /**
   * One command, cut short where it comes to a position, or past it when the run does not have that position, or after
   * so many steps. Where that is in the middle of a call, or ends a reservation, the machine does not go on.
   * @param trace told of every instruction that runs
   */
  commandTo(target: Position, trace?: Trace, mostSteps = Number.POSITIVE_INFINITY): void {
    const here = this.position;
    if (comparePositions(here, target) >= 0) return;
    this.cut = false;
    // Steps come after the event they are counted from, so with a step it is the event behind that is too far.
    this.stopSeq = target.step === 0 ? target.seq : target.seq + 1;
    try {
      const steps = target.seq === here.seq ? target.step - here.step : Number.POSITIVE_INFINITY;
      this.command(Math.min(steps, mostSteps), trace);
    } catch (reason) {
      if (!(reason instanceof PositionReached)) throw reason;
      this.cut = true;
    } finally {
      this.stopSeq = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * One command, from one boundary to the next. `stepLimit` bounds the instructions; the answer is whether any ran
   * or anything happened.
   */
  command(stepLimit = Number.POSITIVE_INFINITY, trace?: Trace): boolean {
    const { state } = this.k;
    this.actor = null;
    if (state.seq === 0) {
      this.options.boot(this);
      return true;
    }
    const due = state.deadlines.length > 0 ? state.deadlines[0] : null;
    if (due !== null && due.atNs <= this.k.nowNs) {
      if (due.kind === 'timer') fireTimer(this, due.koid);
      else expireWait(this, due.koid);
      return true;
    }
    if (state.steps >= this.options.maxSteps) {
      this.emit({ type: 'machine-halted', halt: { kind: 'step-limit' } });
      return true;
    }
    if (state.slice === null || this.aloneNoMore()) {
      this.schedule();
      return true;
    }
    const thread = this.k.get(state.slice.thread, 'thread');
    if (thread.kicked && thread.restricted !== null) {
      leaveByKick(this, state.slice.thread);
      return true;
    }
    const untilDue = due === null ? Number.POSITIVE_INFINITY : Number(due.atNs - this.k.nowNs);
    const { steps } = state;
    const own = Math.min(untilDue, this.options.maxSteps - steps);
    const limit = Math.min(own, stepLimit);
    const budget = Math.min(state.slice.stepsLeft, limit);
    const grace = Math.min(GRACE_STEPS, limit - budget);
    const dropped = this.runSlice(state.slice.core, thread, budget, grace, trace);
    // Where the run itself ends a slice, or its grace, it drops a reservation too.
    if (dropped && limit < own && state.steps - steps === limit) this.cut = true;
    this.haltWhenMainEnded();
    return true;
  }

  private schedule(): void {
    const { k } = this;
    for (let core = 0; core < k.state.cores.length && k.state.runQueue.length > 0; core++) {
      const { thread, quantumSteps } = k.state.cores[core];
      if (thread !== 0 && quantumSteps <= 0) this.emit({ type: 'thread-preempted', core, thread });
    }
    const choice = this.options.oracle.choose(k.state);
    if (choice === null) {
      this.idle();
      return;
    }
    const before = k.state.cores[choice.core].thread;
    if (before !== 0 && before !== choice.thread) {
      this.emit({ type: 'thread-preempted', core: choice.core, thread: before });
    }
    const held = k.state.cores[choice.core];
    // More than a quantum is given to a thread that has the machine to itself, and to no other.
    const quantum = this.options.quantumSteps;
    const goesOn = held.thread === choice.thread && held.quantumSteps > 0;
    const left = goesOn ? Math.min(held.quantumSteps, quantum) : quantum;
    const quantumSteps = choice.steps > quantum ? choice.steps : left;
    this.slices++;
    this.emit({
      type: 'slice-started',
      core: choice.core,
      thread: choice.thread,
      steps: Math.min(choice.steps, quantumSteps),
      quantumSteps,
    });
    if (held.thread !== choice.thread) checkRseq(this, choice.thread, choice.core);
  }

  /** A thread got more than a quantum because nobody else could run, and now somebody can. */
  private aloneNoMore(): boolean {
    const { slice, runQueue } = this.k.state;
    return runQueue.length > 0 && slice !== null && slice.stepsLeft > this.options.quantumSteps;
  }

  /** No thread can run: time jumps to the next deadline, or nothing will ever happen again. */
  private idle(): void {
    const { state } = this.k;
    if (state.deadlines.length > 0)
      this.emit({ type: 'clock-advanced', byNs: state.deadlines[0].atNs - this.k.nowNs });
    else this.emit({ type: 'machine-halted', halt: { kind: 'deadlock' } });
  }

  /** Whether a reservation may have been held where the budget was used up. */
  private runSlice(
    core: number,
    { koid: thread, process, restricted }: ThreadState,
    budget: number,
    grace: number,
    trace?: Trace,
  ): boolean {
    this.actor = { core, thread };
    const runner = this.runnerOf(process, restricted !== null);
    const { memory } = runner;
    const program = restricted === null ? (this.programs?.engineFor(thread, memory) ?? null) : null;
    const { steps, stop, reserved } = (program ?? runner.engine).run(
      this.k.registersForWrite(thread),
      memory,
      budget,
      this.k.nowNs,
      grace,
      trace,
    );
    if (steps > 0) {
      countSteps(this.k, { core, thread }, steps);
      if (this.span === null) this.span = { core, thread, steps };
      else this.span = { core, thread, steps: this.span.steps + steps };
    }
    if (stop.kind === 'budget') return reserved !== false;
    if (stop.kind !== 'syscall') this.fault(thread, stop);
    else if (restricted !== null) leaveBySyscall(this, thread);
    else if (program !== null) this.callOf(program, thread, core);
    else {
      this.trapProcess = process;
      dispatchSyscall(this, thread, core, this.allowed);
    }
    return false;
  }

  /** A program in the host's language says what it calls: there is no trap to come from the vDSO or not. */
  private callOf({ call: { name, args } }: ProgramEngine, thread: number, core: number): void {
    decideSyscall(
      this,
      thread,
      core,
      syscallByName(name),
      argumentRegisters((i) => args[i] ?? 0n),
    );
  }

  private runnerOf(process: number, restricted: boolean): Runner {
    const { last } = this;
    if (last !== null && last.process === process && last.restricted === restricted) return last.runner;
    const mode = restricted ? 'restricted' : 'normal';
    const ownSpace = this.k.get(process, 'process').restrictedVmar !== 0;
    const runners = ownSpace ? this.engines[mode] : this.engines.normal;
    let runner = runners.get(process);
    if (runner === undefined) {
      runner = {
        engine: this.options.arch.createEngine(this.engine),
        memory: new ProcessMemory(this.k, process, mode),
      };
      runners.set(process, runner);
    }
    this.last = { process, restricted, runner };
    return runner;
  }

  /** Handlers of exceptions are asked; a fault that none of them handles ends the process. */
  private fault(thread: number, stop: Exclude<Stop, { kind: 'budget' | 'syscall' }>): void {
    const address = stop.kind === 'page-fault' || stop.kind === 'misaligned' ? stop.address : 0n;
    let code = 0;
    if (stop.kind === 'page-fault') {
      const status = decidePageFault(this, thread, stop.access, address);
      if (status === Status.OK) return;
      code = status >>> 0;
    }
    raiseException(this, thread, {
      exception: stop.kind === 'illegal-instruction' ? 'undefined-instruction' : stop.kind,
      access: stop.kind === 'page-fault' || stop.kind === 'misaligned' ? stop.access : 'none',
      address,
      code,
      data: stop.kind === 'illegal-instruction' ? stop.bits : 0,
    });
    settleExceptions(this);
  }

  private haltWhenMainEnded(): void {
    const main = this.k.find(this.k.state.mainProcess);
    if (main?.kind === 'process' && main.life === 'dead') {
      this.emit({ type: 'machine-halted', halt: { kind: 'exited', returnCode: main.returnCode } });
    }
  }
}
