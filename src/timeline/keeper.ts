import type { Machine } from '../machine/machine.js';
import { AFTER_EVERYTHING } from '../machine/position.js';
import { writeCheckpoints } from '../recording/checkpoints/checkpoint-file.js';
import type { Recording } from '../recording/format/reader.js';
import type { RecordingSink } from '../recording/format/writer.js';
import { Checkpoints, WHOLE_RUN } from './checkpoints.js';

/** Takes checkpoints of a run that goes by, to store them when it is over. */
export class CheckpointKeeper {
  /** The machine's count of page changes at the last one. */
  private generation = 0;

  constructor(
    private readonly machine: Machine,
    private readonly kept = new Checkpoints(WHOLE_RUN.limits, WHOLE_RUN.every),
  ) {}

  /** To be called between two commands, as often as one likes. */
  look(): void {
    if (this.kept.wants(this.machine.k.state)) this.take();
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
    const { memoryGeneration } = this.machine.k;
    this.kept.add(this.machine.checkpoint(), memoryGeneration - this.generation);
    this.generation = memoryGeneration;
  }
}
