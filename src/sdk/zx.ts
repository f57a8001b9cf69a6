import { ProcArg } from '../abi/processargs.js';
import { VmOption } from '../abi/vm.js';
import { decodeProcessArgs } from '../loader/processargs.js';
import { Calls } from './calls.js';
import { Place } from './image.js';
import { text, type Wide } from './invoke.js';
import { Job } from './job.js';
import { input, type Task } from './operation.js';
import { Process } from './process.js';
import type { Main } from './program.js';
import { must, type Result, statusText } from './result.js';
import { Thread } from './thread.js';
import { Vmar } from './vmar.js';
import { Vmo } from './vmo.js';

/** Longest text of one zx_debug_write. */
const LINE_BYTES = 256;
const DEFAULT_STACK_BYTES = 256 * 1024;
const MESSAGE_BYTES = 65536;
const MESSAGE_HANDLES = 64;

/** What the runtime does for the programs of one process. */
export interface Services {
  /** A number for a function, by which a new thread finds it. */
  addFunction(main: () => Task<unknown>): number;
  /** Lets the running thread close a handle before it does anything else. */
  closeLater(handle: number): void;
}

export interface SpawnOptions {
  readonly name?: string;
  /** A multiple of 4096. The arguments of each call must fit. */
  readonly stackSizeBytes?: number;
}

/** A handle that came with the start of the process, by its role: `PA_*` and its argument. */
export interface StartupHandle {
  readonly type: number;
  readonly arg: number;
  readonly handle: number;
}

/**
 * What a program has: its process, all system calls, memory, console. One for all threads of a process; a call is
 * made by the thread that yields it.
 */
export class Zx extends Calls {
  readonly process: Process;
  readonly thread: Thread;
  readonly rootVmar: Vmar;
  readonly job: Job;
  /** The vDSO's image, to map into processes of machine code. */
  readonly vdso: Vmo;

  constructor(
    private readonly services: Services,
    /** Address of the program's page of code: where its threads begin. */
    private readonly codeAddress: number,
    /** argv, the program's name first. */
    readonly args: readonly string[],
    /** NAME=value each. */
    readonly environ: readonly string[],
    /** All handles of the start, those that have a field too. */
    readonly startupHandles: readonly StartupHandle[],
  ) {
    super();
    this.process = new Process(this, this.startup(ProcArg.PROC_SELF));
    this.thread = new Thread(this, this.startup(ProcArg.THREAD_SELF));
    this.rootVmar = new Vmar(this, this.startup(ProcArg.VMAR_ROOT));
    this.job = new Job(this, this.startup(ProcArg.JOB_DEFAULT));
    this.vdso = new Vmo(this, this.startup(ProcArg.VMO_VDSO));
  }

  /** The value of a startup handle; 0 when none came. */
  startup(type: number, arg = 0): number {
    return this.startupHandles.find((h) => h.type === type && h.arg === arg)?.handle ?? 0;
  }

  /** Writes to the console. */
  *print(message: string): Task<void> {
    const bytes = text(message);
    for (let at = 0; at < bytes.length; at += LINE_BYTES) {
      const part = bytes.slice(at, at + LINE_BYTES);
      yield { kind: 'call', name: 'zx_debug_write', args: [input(part), part.length] };
    }
  }

  /** Ends the process. The first return code that anybody gives counts. */
  *exit(code: Wide): Task<never> {
    return yield* this.processExit(code);
  }

  /** Steps that compute: nothing happens, but the thread can be interrupted after each. @param steps at least 1 */
  *work(steps: number): Task<void> {
    yield { kind: 'work', steps };
  }

  /** Sleeps. @param durationNs from now */
  *sleep(durationNs: Wide): Task<Result<unknown>> {
    return yield* this.nanosleep(yield* this.deadlineAfter(durationNs));
  }

  /** Bytes at an address. The thread faults where it may not read. */
  *load(address: Wide, sizeBytes: number): Task<Uint8Array> {
    const { blocks } = yield { kind: 'load', address: Number(address), sizeBytes };
    return blocks[0];
  }

  *store(address: Wide, bytes: Uint8Array): Task<void> {
    yield { kind: 'store', address: Number(address), bytes };
  }

  *loadInt32(address: Wide): Task<number> {
    const bytes = yield* this.load(address, 4);
    return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  }

  *storeInt32(address: Wide, value: number): Task<void> {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    yield* this.store(address, bytes);
  }

  /** Puts `desired` where `expected` is, in one step. Gives what was there: `expected` when it did. */
  *compareExchange(address: Wide, expected: number, desired: number): Task<number> {
    const { values } = yield { kind: 'compare-exchange', address: Number(address), expected, desired };
    return Number(values[0]);
  }

  /**
   * Starts a thread of this process. It ends when its function does.
   * @returns the thread, or the status of the call that failed: of the stack's VMO, its mapping, or the thread's
   */
  *spawn(main: () => Task<unknown>, options: SpawnOptions = {}): Task<Result<{ thread: Thread }>> {
    const { name = 'thread', stackSizeBytes = DEFAULT_STACK_BYTES } = options;
    const stack = yield* this.vmoCreate(stackSizeBytes, 0);
    if (stack.status !== 'ZX_OK') return { status: stack.status, thread: null };
    const { PERM_READ, PERM_WRITE } = VmOption;
    const mapping = yield* this.vmarMap(
      this.rootVmar.raw,
      PERM_READ | PERM_WRITE,
      0,
      stack.out,
      0,
      stackSizeBytes,
    );
    yield* this.handleClose(stack.out);
    if (mapping.status !== 'ZX_OK') return { status: mapping.status, thread: null };
    const made = yield* this.threadCreate(this.process.raw, name, 0);
    if (made.status !== 'ZX_OK') return { status: made.status, thread: null };
    const entry = this.codeAddress + Place.thread;
    const top = mapping.mappedAddr + BigInt(stackSizeBytes);
    const started = yield* this.threadStart(made.out, entry, top, this.services.addFunction(main), 0);
    if (started.status !== 'ZX_OK') {
      yield* this.handleClose(made.out);
      return { status: started.status, thread: null };
    }
    return { status: 'ZX_OK', thread: new Thread(this, made.out) };
  }

  /**
   * `zx_restricted_enter`: runs the bound state in restricted mode, until it comes back.
   * @returns why, `ZX_RESTRICTED_REASON_*`, and `context` again
   */
  *enterRestricted(context: Wide, options = 0): Task<Result<{ reason: bigint; context: bigint }>> {
    const args = [options, this.codeAddress + Place.vector, context];
    const { values } = yield { kind: 'call', name: 'zx_restricted_enter', args };
    const status = statusText(Number(values[0]));
    if (status !== 'ZX_OK')
      return { status, reason: null, context: null } as Result<{ reason: bigint; context: bigint }>;
    return { status, context: BigInt.asUintN(64, values[1]), reason: BigInt.asUintN(64, values[2]) };
  }

  /** Closes a handle before the running thread does anything else. */
  closeLater(handle: number): void {
    this.services.closeLater(handle);
  }
}

/** The first thread of a program: reads the startup message, runs `main`, ends the process with what it returns. */
export function* startProgram(
  services: Services,
  main: Main,
  channel: number,
  codeAddress: number,
): Task<never> {
  const { bytes, handles, actualBytes, actualHandles } = must(
    yield* new Calls().channelRead(channel, 0, MESSAGE_BYTES, MESSAGE_HANDLES),
  );
  yield* new Calls().handleClose(channel);
  const { roles, args, environ } = decodeProcessArgs(bytes.subarray(0, actualBytes), actualHandles);
  const startup = roles.map((role, i) => ({ ...role, handle: handles[i] }));
  const zx = new Zx(services, codeAddress, args, environ, startup);
  const code = yield* main(zx);
  return yield* zx.exit(code ?? 0);
}
