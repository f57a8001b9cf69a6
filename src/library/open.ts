import { Observable } from 'rxjs';
import type { KernelState } from '../kernel/objects/kernel.js';
import type { Happened } from '../machine/machine.js';
import { comparePositions, type Position, START } from '../machine/position.js';
import type { StoredCheckpoints } from '../recording/checkpoints/stored-checkpoints.js';
import type { ByteSource } from '../recording/format/byte-source.js';
import type { RecordingHeader } from '../recording/format/header.js';
import type { Recording } from '../recording/format/reader.js';
import { Timeline } from '../timeline/timeline.js';
import { checkpointsOf, type LookOptions, recordingOf } from './recording-of.js';

/** Kernel events between two looks at whether a subscriber has had enough. */
const BATCH_EVENTS = 1024;

/** A recording, open to be looked at anywhere. */
export class Session {
  readonly timeline: Timeline;

  /** @throws RecordingError, ElfError */
  constructor(
    readonly recording: Recording,
    checkpoints: StoredCheckpoints | null = null,
  ) {
    this.timeline = new Timeline(recording, checkpoints);
  }

  get header(): RecordingHeader {
    return this.recording.header;
  }

  /** The last position of the run. */
  get end(): Position {
    return this.timeline.end;
  }

  /**
   * The whole machine at a position, an immutable value.
   * @throws NoSuchPosition, Diverged
   */
  stateAt(position: Position): KernelState {
    return this.timeline.stateAt(position);
  }

  /**
   * What happened after `from` up to `to`, in order. Cold: each subscription runs the machine for itself, a batch at a
   * time, and no further than its subscriber lets it.
   */
  events(from: Position = START, to?: Position): Observable<Happened> {
    return new Observable((subscriber) => {
      try {
        for (const happened of this.batches(from, to ?? this.end)) {
          if (subscriber.closed) return;
          subscriber.next(happened);
        }
        subscriber.complete();
      } catch (reason) {
        subscriber.error(reason);
      }
    });
  }

  /** The same as a generator: pulled one by one, so a slow consumer holds the machine back. */
  *batches(from: Position, to: Position): Generator<Happened> {
    for (let at = from; comparePositions(at, to) < 0; ) {
      const next = at.seq + BATCH_EVENTS < to.seq ? { seq: at.seq + BATCH_EVENTS, step: 0 } : to;
      const batch: Happened[] = [];
      this.timeline.events(at, next, (happened) => batch.push(happened));
      yield* batch;
      at = next;
    }
  }
}

/**
 * Opens a recording.
 * @throws RecordingError, ElfError
 */
export function open(recording: Uint8Array | ByteSource, options: LookOptions = {}): Session {
  const opened = recordingOf(recording, options);
  return new Session(opened, checkpointsOf(opened, options));
}
