import type { KernelState } from '../kernel/objects/kernel.js';
import type { Machine } from '../machine/machine.js';
import { AFTER_EVERYTHING } from '../machine/position.js';
import { writeCheckpoints } from '../recording/checkpoints/checkpoint-file.js';
import type { Recording } from '../recording/format/reader.js';
import type { RecordingSink } from '../recording/format/writer.js';
import { Checkpoints, WHOLE_RUN, worthIt } from './checkpoints.js';

/** Takes checkpoints of a run that goes by, to store them when it is over. */
export class CheckpointKeeper {
  /** Where the last one was taken, and the machine's count of page changes there. */
  private last: KernelState;
  private generation = 0;

  constructor(
    private readonly machine: Machine,
    private readonly kept = new Checkpoints(WHOLE_RUN.limits, WHOLE_RUN.every),
  ) {
    this.last = machine.k.snapshot();
  }

  /** To be called between two commands, as often as one likes. */
  look(): void {
    const { state, memoryGeneration } = this.machine.k;
    if (this.kept.wants(state) && worthIt(this.last, state, memoryGeneration - this.generation)) this.take();
  }

  /**
   * Writes them, and one of where the run is now.
   * @param recording of this run, as far as it went or further
   * @returns how many
   * @throws RecordingError
   */
  store(recording: Recording, sink: RecordingSink): number {
    this.take();
    const all = this.kept.upTo(AFTER_EVERYTHING);
    return writeCheckpoints(recording, all, sink);
  }

  private take(): void {
    const checkpoint = this.machine.checkpoint();
    const { memoryGeneration } = this.machine.k;
    this.kept.add(checkpoint, memoryGeneration - this.generation);
    this.last = checkpoint.state;
    this.generation = memoryGeneration;
  }
}
