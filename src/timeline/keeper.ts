import type { KernelState } from '../kernel/objects/kernel.js';
import type { Machine } from '../machine/machine.js';
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

/** As many steps as a look may run through, however many pages change in them: they take 0.1 s. */
const MOST_STEPS = 1 << 25;

/** Takes checkpoints of a run that goes by, to store them when it is over. */
export class CheckpointKeeper {
  private readonly log: CheckpointLog;
  /** Where the last one was taken, and the machine's count of page changes there. */
  private last: KernelState;
  private generation = 0;

  /** @param every steps and kernel events between them, whichever come first, while the run is short */
  constructor(
    private readonly machine: Machine,
    private readonly every: { readonly steps: number; readonly events: number } = EVERY,
    limits = LIMITS,
  ) {
    this.log = new CheckpointLog(limits);
    this.last = machine.k.snapshot();
  }

  /** To be called between two commands, as often as one likes. */
  look(): void {
    const { last, every } = this;
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
    const checkpoint = this.machine.checkpoint();
    if (checkpoint.state.seq > this.last.seq || checkpoint.state.step > this.last.step)
      this.log.add(checkpoint);
    this.last = checkpoint.state;
    this.generation = this.machine.k.memoryGeneration;
  }
}
