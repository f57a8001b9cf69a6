import type { Arch, MemoryView, Registers, RunResult, Stop, Trace } from '../../cpu/arch.js';
import type { ProgramCall, ProgramEngine } from '../../machine/program-host.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { Place, placeAt } from '../image.js';
import type { Operation, Reply } from '../operation.js';
import { check, type Fault, load, store } from './process-bytes.js';
import type { StackFrame } from './stack-frame.js';
import type { ThreadRun } from './thread-run.js';

/** What a thread's engine asks of its host. */
export interface Teller {
  /** The program on whose code page a thread with these registers is; null: on none. */
  programAt(registers: Registers, memory: MemoryView): string | null;
  /** The thread's run, null before it has begun. */
  runOf(thread: number): ThreadRun | null;
  /** Tells a thread something, after it retired so many steps; the first time this begins its run. */
  tell(thread: number, ranSteps: number, reply: Reply): void;
  /** Whether a thread may begin at that place. */
  canBegin(thread: number, place: number, argument: bigint): boolean;
  /** Whether the thread could write there. */
  isWritable(thread: number, address: number, sizeBytes: number): boolean;
  /** Instructions that the thread retired before this run of the engine. */
  ranSteps(thread: number): number;
}

const BUDGET: Stop = { kind: 'budget' };
const SYSCALL: Stop = { kind: 'syscall' };
const ILLEGAL: Stop = { kind: 'illegal-instruction', bits: 0 };
const STEP_BYTES = 4;
const NO_FRAME: StackFrame = { args: [], filled: [], wanted: [] };

/** One run of the engine. */
interface Run {
  readonly registers: Registers;
  readonly memory: MemoryView;
  readonly isWritable: (address: number, sizeBytes: number) => boolean;
  readonly trace: Trace | undefined;
}

/**
 * Runs one thread of a program. A step either brings the thread on to a call, or finishes what it waited for, tells
 * the program and finds out what it does next. All that a step depends on is in registers and memory, but for the
 * operation that comes next, which follows from what the program was told.
 */
export class ThreadEngine implements ProgramEngine {
  constructor(
    private readonly arch: Arch,
    private readonly thread: number,
    readonly program: string,
    private readonly teller: Teller,
  ) {}

  get call(): ProgramCall {
    const operation = this.operation();
    const name = operation?.kind === 'call' ? operation.name : 'zx_thread_exit';
    return { name, args: this.frame().args };
  }

  run(
    registers: Registers,
    memory: MemoryView,
    budget: number,
    _timeNs: bigint,
    _grace: number,
    trace?: Trace,
  ): RunResult {
    const run = {
      registers,
      memory,
      isWritable: (address: number, size: number) => this.teller.isWritable(this.thread, address, size),
      trace,
    };
    const before = this.teller.ranSteps(this.thread);
    for (let steps = 0; ; ) {
      // Before every step, as an instruction is fetched: so it does not matter where runs are cut. Whoever left the code
      // page, or lost it, goes on as machine code.
      if (steps >= budget || this.teller.programAt(registers, memory) !== this.program) {
        return { steps, stop: BUDGET };
      }
      const pc = Number(BigInt.asUintN(64, this.arch.pc(registers)));
      const offset = pc % PAGE_SIZE;
      const place = placeAt(offset);
      if (place === Place.call && offset === place) return { steps, stop: SYSCALL };
      const idle = place === Place.operate ? Math.min(this.idleSteps(before + steps), budget - steps) : 0;
      if (idle > 0) {
        for (let i = 0; i < idle; i++) trace?.step(BigInt(pc), 0, STEP_BYTES);
        steps += idle;
        continue;
      }
      const stop = this.step(run, place, before + steps);
      if (stop !== null) return { steps, stop };
      steps++;
    }
  }

  private operation(): Operation | null {
    return this.teller.runOf(this.thread)?.operation ?? null;
  }

  private frame(): StackFrame {
    return this.teller.runOf(this.thread)?.frame ?? NO_FRAME;
  }

  /** Steps of work still to be done, but for the last, which tells the program. */
  private idleSteps(ranSteps: number): number {
    const run = this.teller.runOf(this.thread);
    if (run?.operation.kind !== 'work') return 0;
    return Math.max(0, run.operation.steps - 1 - (ranSteps - run.sinceSteps));
  }

  /** One step; null when it retired. */
  private step(run: Run, place: number, ranSteps: number): Stop | null {
    const { arch } = this;
    const { registers } = run;
    switch (place) {
      case Place.main:
      case Place.thread: {
        const argument = arch.syscallArgument(registers, 0);
        if (!this.teller.canBegin(this.thread, place, argument)) return ILLEGAL;
        this.startStep(run);
        const values = [argument, this.codeAddress(run), arch.sp(registers)] as const;
        this.next(run, ranSteps, { values, blocks: [new TextEncoder().encode(this.program)] });
        return null;
      }
      case Place.prepare:
        return this.prepare(run);
      case Place.call:
        return this.finishCall(run, ranSteps);
      case Place.operate:
        return this.operate(run, ranSteps);
      case Place.vector: {
        const [context, reason] = [arch.syscallArgument(registers, 0), arch.syscallArgument(registers, 1)];
        if (this.operation()?.kind !== 'call') return ILLEGAL;
        this.startStep(run);
        this.next(run, ranSteps, { values: [0n, context, reason], blocks: [] });
        return null;
      }
      default:
        return ILLEGAL;
    }
  }

  private startStep({ registers, trace }: Run): void {
    trace?.step(BigInt.asUintN(64, this.arch.pc(registers)), 0, STEP_BYTES);
  }

  /** Tells the program; the thread's next place follows from what it does then. */
  private next(run: Run, ranSteps: number, told: Reply): void {
    this.teller.tell(this.thread, ranSteps + 1, told);
    this.goTo(run, this.operation()?.kind === 'call' ? Place.prepare : Place.operate);
  }

  private codeAddress({ registers }: Run): bigint {
    const pc = BigInt.asUintN(64, this.arch.pc(registers));
    return pc - (pc % BigInt(PAGE_SIZE));
  }

  private goTo(run: Run, place: number): void {
    this.arch.setPc(run.registers, this.codeAddress(run) + BigInt(place));
  }

  /** Puts a call's arguments on the stack. */
  private prepare(run: Run): Stop | null {
    const { memory, trace } = run;
    const { filled } = this.frame();
    if (filled.length > 0) {
      const { address: start } = filled[0];
      const { address: last, memory: block } = filled[filled.length - 1];
      const fault = check(run, 'store', start, last + block.sizeBytes - start);
      if (fault !== null) return fault;
    }
    this.startStep(run);
    for (const { address, memory: block } of filled) store(memory, address, block.bytes!, trace);
    this.goTo(run, Place.call);
    return null;
  }

  /** The call returned: its result is in a register, the rest on the stack. */
  private finishCall(run: Run, ranSteps: number): Stop | null {
    const { memory, registers, trace } = run;
    const { wanted } = this.frame();
    for (const { address, memory: block } of wanted) {
      const fault = check(run, 'load', address, block.sizeBytes);
      if (fault !== null) return fault;
    }
    this.startStep(run);
    const blocks = wanted.map(({ address, memory: block }) => load(memory, address, block.sizeBytes, trace));
    this.next(run, ranSteps, { values: [this.arch.result(registers), 0n, 0n], blocks });
    return null;
  }

  private operate(run: Run, ranSteps: number): Stop | null {
    const operation = this.operation();
    const { memory, trace } = run;
    if (operation === null || operation.kind === 'abort' || operation.kind === 'call') return ILLEGAL;
    let blocks: readonly Uint8Array[] = [];
    let value = 0n;
    let fault: Fault = null;
    if (operation.kind === 'load') {
      const { address, sizeBytes } = operation;
      fault = check(run, 'load', address, sizeBytes);
      if (fault !== null) return fault;
      this.startStep(run);
      blocks = [load(memory, address, sizeBytes, trace)];
    } else if (operation.kind === 'store') {
      fault = check(run, 'store', operation.address, operation.bytes.length);
      if (fault !== null) return fault;
      this.startStep(run);
      store(memory, operation.address, operation.bytes, trace);
    } else if (operation.kind === 'compare-exchange') {
      const { address, expected, desired } = operation;
      if (address % 4 !== 0) return { kind: 'misaligned', access: 'store', address: BigInt(address) };
      fault = check(run, 'load', address, 4) ?? check(run, 'store', address, 4);
      if (fault !== null) return fault;
      this.startStep(run);
      const found = new DataView(load(memory, address, 4, trace).buffer).getInt32(0, true);
      if (found === (expected | 0)) store(memory, address, word(desired), trace);
      value = BigInt(found);
    } else this.startStep(run);
    this.next(run, ranSteps, { values: [value, 0n, 0n], blocks });
    return null;
  }
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
