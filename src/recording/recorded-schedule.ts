import type { KernelState } from '../kernel/objects/kernel.js';
import { type Choice, type Oracle, usableCores } from '../kernel/scheduler/oracle.js';

/** Thrown when a machine asks for a choice behind the last one recorded: the recording was cut there. */
export class ScheduleEnded extends Error {
  override name = 'ScheduleEnded';
}

/** Thrown when a recorded choice cannot be taken: the machine is not where it was when it was recorded. */
export class ScheduleImpossible extends Error {
  override name = 'ScheduleImpossible';
  constructor(
    readonly choice: Choice,
    readonly slice: number,
  ) {
    super(`slice ${slice}: thread ${choice.thread} cannot run on core ${choice.core}`);
  }
}

/** All slices of a recording, in columns: three numbers a slice, so that a billion steps fit in memory. */
export interface ScheduleColumns {
  readonly core: Uint8Array;
  readonly thread: Float64Array;
  readonly steps: Float64Array;
}

/** Takes the choices that were taken. `next` is where it goes on; a seek sets it to the checkpoint's. */
export class RecordedSchedule implements Oracle {
  next = 0;

  constructor(private readonly columns: ScheduleColumns) {}

  choose(state: KernelState): Choice | null {
    if (usableCores(state).length === 0) return null;
    const i = this.next;
    if (i >= this.columns.core.length) throw new ScheduleEnded('the recording ends here');
    this.next++;
    const choice = {
      core: this.columns.core[i],
      thread: this.columns.thread[i],
      steps: this.columns.steps[i],
    };
    const core = state.cores[choice.core];
    const possible =
      choice.steps >= 1 &&
      core !== undefined &&
      (core.thread === choice.thread || state.runQueue.includes(choice.thread));
    if (!possible) throw new ScheduleImpossible(choice, i);
    return choice;
  }
}
