import type { Task } from '../operation.js';
import type { Program } from '../program.js';
import { type Services, startProgram } from '../zx.js';
import { ThreadRun } from './thread-run.js';

/** What a thread of a program runs, besides the first one. */
type ThreadMain = () => Task<unknown>;

/** A program in a process: what its threads share. */
export class Instance implements Services {
  /** The thread that is being told something, while it is. */
  private current: ThreadRun | null = null;
  private readonly functions: ThreadMain[] = [];

  constructor(readonly program: Program) {}

  /** The first thread's run. */
  main(channel: bigint, codeAddress: number, stackTop: number): ThreadRun {
    const run = new ThreadRun(this, stackTop);
    run.begin(startProgram(this, this.program.main, Number(channel), codeAddress));
    return run;
  }

  hasFunction(number: bigint): boolean {
    return number >= 0n && number < BigInt(this.functions.length);
  }

  /** The run of a thread that Zx.spawn made, by the number of its function. */
  thread(number: bigint, stackTop: number): ThreadRun {
    const run = new ThreadRun(this, stackTop);
    run.begin(this.functions[Number(number)]());
    return run;
  }

  addFunction(main: ThreadMain): number {
    return this.functions.push(main) - 1;
  }

  closeLater(handle: number): void {
    this.current?.closeBeforeNext(handle);
  }

  /** Runs something as one of the threads. */
  as<T>(run: ThreadRun, work: () => T): T {
    const before = this.current;
    this.current = run;
    try {
      return work();
    } finally {
      this.current = before;
    }
  }
}
