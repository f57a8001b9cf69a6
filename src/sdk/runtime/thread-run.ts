import { input, type Operation, type Reply, type Task } from '../operation.js';
import type { Instance } from './instance.js';
import { type StackFrame, stackFrame } from './stack-frame.js';

/** What one zx_debug_write takes, but for the end of the line. */
const MAX_TEXT_BYTES = 255;
const ABORT: Operation = { kind: 'abort' };

/** One thread of a program: its generator, and the operation that it waits for. */
export class ThreadRun {
  private pending: Operation = ABORT;
  private frameOfPending: StackFrame | null = null;
  /** Steps that the thread had retired when `operation` came up. */
  sinceSteps = 0;
  private generator: Task<unknown> | null = null;
  /** What is to be done before the generator is asked again. */
  private readonly queue: Operation[] = [];

  constructor(
    private readonly instance: Instance,
    readonly stackTop: number,
  ) {}

  begin(generator: Task<unknown>): void {
    this.generator = generator;
  }

  closeBeforeNext(handle: number): void {
    this.queue.push({ kind: 'call', name: 'zx_handle_close', args: [handle] });
  }

  /** Tells the answer to the last operation, none at the start, and finds the next one. */
  goOn(reply: Reply | null): void {
    this.pending = this.queue.shift() ?? this.ask(reply);
    this.frameOfPending = null;
  }

  /** What the thread is to do next. */
  get operation(): Operation {
    return this.pending;
  }

  /** Where the arguments of the call are that it is to make, or makes. */
  get frame(): StackFrame {
    const { pending } = this;
    this.frameOfPending ??= stackFrame(pending.kind === 'call' ? pending.args : [], this.stackTop);
    return this.frameOfPending;
  }

  private ask(reply: Reply | null): Operation {
    const { generator, queue } = this;
    if (generator === null) return ABORT;
    try {
      // A generator's first `next` has no answer to give: it ignores its argument.
      const step = this.instance.as(this, () => generator.next(reply as Reply));
      queue.push(step.done ? { kind: 'call', name: 'zx_thread_exit', args: [] } : step.value);
    } catch (reason) {
      this.generator = null;
      queue.push(complaint(this.instance.program.name, reason), ABORT);
    }
    return queue.shift() ?? ABORT;
  }
}

/** Tells the console why a program fails. */
function complaint(program: string, reason: unknown): Operation {
  const what = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  const text = new TextEncoder().encode(`${program}: uncaught ${what}`).subarray(0, MAX_TEXT_BYTES);
  const line = Uint8Array.of(...text, 0x0a);
  return { kind: 'call', name: 'zx_debug_write', args: [input(line), line.length] };
}
