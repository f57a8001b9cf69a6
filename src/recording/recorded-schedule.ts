import type { KernelState } from '../kernel/objects/kernel.js';
import { type Choice, type Oracle, usableCores } from '../kernel/scheduler/oracle.js';
import type { Table } from './format/columns.js';
import type { SchemaOf } from './format/kinds.js';
import type { Recording } from './format/reader.js';

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

/** The slices of a recording by number. One chunk of them is in memory, whatever the file claims to hold. */
class RecordedSlices {
  private readonly chunks: readonly number[];
  /** The number of the first slice of each chunk, 0 first, as far as chunks were read or somebody said. */
  private readonly starts: number[];
  private at = -1;
  private table: Table<SchemaOf<'schedule'>> | null = null;

  constructor(
    private readonly recording: Recording,
    starts: readonly number[],
  ) {
    this.chunks = recording.chunksOfKind('schedule');
    this.starts = [...starts];
  }

  /**
   * Null behind the last one.
   * @throws RecordingError
   */
  get(slice: number): Choice | null {
    while (
      this.table === null ||
      slice < this.starts[this.at] ||
      slice >= this.starts[this.at] + this.table.rowCount
    ) {
      const next = this.chunkOf(slice);
      if (next >= this.chunks.length) return null;
      this.at = next;
      this.table = this.recording.table('schedule', this.chunks[next]);
      const end = this.starts[next] + this.table.rowCount;
      // What somebody said was not so: they are counted from the first one.
      if (end !== (this.starts[next + 1] ?? end)) {
        this.starts.length = 1;
        this.table = null;
      } else this.starts[next + 1] = end;
    }
    const { core, thread, steps } = this.table.columns;
    const row = slice - this.starts[this.at];
    return { core: core[row], thread: thread[row], steps: steps[row] };
  }

  /** The last chunk known to begin at or before a slice. */
  private chunkOf(slice: number): number {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle] <= slice) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** Takes the choices that were taken. `next` is where it goes on; a seek sets it to the checkpoint's. */
export class RecordedSchedule implements Oracle {
  next = 0;
  private readonly slices: RecordedSlices;

  /** @param starts numbers of the first slices of its chunks, ascending from 0: to go on late without reading all */
  constructor(recording: Recording, starts: readonly number[] = [0]) {
    this.slices = new RecordedSlices(recording, starts);
  }

  choose(state: KernelState): Choice | null {
    if (usableCores(state).length === 0) return null;
    const choice = this.slices.get(this.next);
    if (choice === null) throw new ScheduleEnded('the recording ends here');
    const slice = this.next++;
    const core = state.cores[choice.core];
    const possible =
      choice.steps >= 1 &&
      core !== undefined &&
      (core.thread === choice.thread || state.runQueue.includes(choice.thread));
    if (!possible) throw new ScheduleImpossible(choice, slice);
    return choice;
  }
}
