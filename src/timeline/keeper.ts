import type { Checkpoint, Machine } from '../machine/machine.js';
import { CheckpointLog, type LogLimits } from '../recording/checkpoints/checkpoint-log.js';
import type { Recording } from '../recording/format/reader.js';
import type { RecordingSink } from '../recording/format/writer.js';
import { worthIt } from './checkpoints.js';

/** What is held of a run that goes by: more than a file's index should have to name, and 256 MiB. */
const LIMITS: LogLimits = { count: 4096, memoryBytes: 256 << 20 };
/** As many steps as are interpreted in 5 ms, and as many events as are decided in 10 ms by code that V8 does not know. */
const EVERY = { steps: 1 << 20, events: 1 << 11 };
/** What a page costs that is stored, beside one that is only held: it is hashed, and compared with what it was. */
const STORED_PAGE_COST = 2;

/** As many steps as a look may run through, however many pages change in them: they take 0.05 s. */
const MOST_STEPS = 1 << 24;

/** Takes checkpoints of a run that goes by, to store them when it is over. */
export class CheckpointKeeper {
  private readonly log: CheckpointLog;
  /** Where the last one was taken, and the machine's count of page changes there. */
  private last: Checkpoint;
  /** The one before: engines look at the pages that it had until the next epoch starts. */
  private lastButOne: Checkpoint | null = null;
  private generation = 0;

  /** @param every steps and kernel events between them, whichever come first, while the run is short */
  constructor(
    private readonly machine: Machine,
    private readonly every: { readonly steps: number; readonly events: number } = EVERY,
    limits = LIMITS,
  ) {
    this.log = new CheckpointLog(limits);
    this.last = machine.checkpointToRelease();
  }

  /** To be called between two commands, as often as one likes. */
  look(): void {
    const { every } = this;
    const last = this.last.state;
    const { spacing } = this.log;
    const { state, memoryGeneration } = this.machine.k;
    const steps = state.steps - last.steps;
    const isFar = steps >= every.steps * spacing || state.seq - last.seq >= every.events * spacing;
    const pages = memoryGeneration - this.generation;
    if (isFar && (steps >= MOST_STEPS || worthIt(last, state, STORED_PAGE_COST * pages))) this.take();
  }

  /**
   * Writes them, and one of where the run is now.
   * @param recording of this run, as far as it went or further
   * @returns how many
   * @throws RecordingError
   */
  store(recording: Recording, sink: RecordingSink): number {
    this.take();
    this.log.write(recording, sink);
    return this.log.count;
  }

  private take(): void {
    const { machine, last, lastButOne } = this;
    const checkpoint = machine.checkpointToRelease();
    const { seq, step } = checkpoint.state;
    if (seq === last.state.seq && step === last.state.step) {
      machine.release(checkpoint);
      return;
    }
    this.log.add(checkpoint);
    if (lastButOne !== null) machine.release(lastButOne);
    this.lastButOne = last;
    this.last = checkpoint;
    this.generation = machine.k.memoryGeneration;
  }
}
