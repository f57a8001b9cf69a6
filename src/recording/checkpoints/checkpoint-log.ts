import { type Digest, Hasher } from '../../base/digest.js';
import type { KernelObject } from '../../kernel/objects/object.js';
import { stateHash } from '../../kernel/objects/state-hash.js';
import type { Checkpoint } from '../../machine/machine.js';
import type { Recording } from '../format/reader.js';
import { RecordingError } from '../format/recording-error.js';
import { type RecordingSink, RecordingWriter } from '../format/writer.js';
import {
  CHECKPOINT_FORMAT,
  encodeAscending,
  encodePlaces,
  encodePositions,
  hashOfAll,
  MAX_PAGE_VERSIONS,
  MAX_STATES_BYTES,
  MAX_STORED_CHECKPOINTS,
  requireStorable,
  type StoredPosition,
  type StoredRecord,
} from './checkpoint-file.js';
import { MemoryLog, type PageTable } from './memory-log.js';
import { encodeState } from './state-codec.js';
import { MemoryWriter } from './stored-memory.js';

interface Logged {
  readonly steps: number;
  readonly stateHash: Digest;
  readonly record: Omit<StoredRecord, 'tables'>;
  readonly tables: readonly PageTable[];
  /** Those that were logged up to it. */
  readonly ordinal: number;
}

/** What checkpoints may take. */
export interface LogLimits {
  readonly count: number;
  /** Of what their memory differs from one to the next, bytes. */
  readonly memoryBytes: number;
}

/** Checkpoints whose memory stands together: the index, which every look reads, grows with every chunk. */
const TOGETHER = 32;
/** As many as one file can have. */
const MOST: LogLimits = { count: MAX_STORED_CHECKPOINTS, memoryBytes: Number.POSITIVE_INFINITY };

/**
 * Checkpoints of one run in order, as bytes, to be written when it is over. When they take too much, every second one
 * goes; the last one stays.
 */
export class CheckpointLog {
  /** Doubles whenever half of them go. */
  spacing = 1;
  private list: Logged[] = [];
  private added = 0;
  private statesBytes = 0;
  private readonly memory = new MemoryLog();
  private readonly objectVersions = new WeakMap<KernelObject, number>();
  private objects = 0;

  constructor(private readonly limits: LogLimits = MOST) {}

  get count(): number {
    return this.list.length;
  }

  add({ state, slices, span, events }: Checkpoint): void {
    const { seq, step, steps } = state;
    // Whoever reads them has the start.
    if (seq === 0) return;
    this.memory.add(state);
    const tables: PageTable[] = [];
    const bytes = encodeState(state, {
      table: (leaf) => tables.push(this.memory.table(leaf)),
      object: (object) => this.versionOf(object),
    });
    const hash = stateHash(state);
    const rest = { slices, span, events: events.save() };
    const record = { seq, step, ...rest, hash: hashOfAll(hash, rest), state: bytes };
    this.list.push({ steps, stateHash: hash, record, tables, ordinal: ++this.added });
    this.statesBytes += bytes.length;
    while (this.isTooMuch && this.list.length > 1) this.thin();
  }

  private get isTooMuch(): boolean {
    const { limits, memory } = this;
    return (
      this.list.length > limits.count ||
      this.statesBytes > MAX_STATES_BYTES ||
      memory.sizeBytes > limits.memoryBytes ||
      memory.versions.length > MAX_PAGE_VERSIONS
    );
  }

  private thin(): void {
    this.spacing *= 2;
    const last = this.list.length - 1;
    this.list = this.list.filter((_, i) => (last - i) % 2 === 0);
    this.memory.keepOnly(this.list.flatMap(({ tables }) => tables));
    this.statesBytes = this.list.reduce((sum, { record }) => sum + record.state.length, 0);
  }

  private versionOf(object: KernelObject): number {
    const known = this.objectVersions.get(object);
    if (known !== undefined) return known;
    this.objectVersions.set(object, this.objects);
    return this.objects++;
  }

  /**
   * Writes them all.
   * @param recording of the run, as far as it went or further
   * @throws RecordingError
   */
  write(recording: Recording, sink: RecordingSink): void {
    requireStorable(recording.header);
    if (this.memory.versions.length > MAX_PAGE_VERSIONS) {
      const what = 'the run writes more memory than checkpoints are kept of';
      throw new RecordingError('limit', what, null, 'do without them');
    }
    const header = { ...recording.header, checkpointsOf: recording.lastDigest };
    // Not the sink itself: one with a clock would say when chunks end. Most of it is pages; to inflate the rest would
    // take a look longer than to read it.
    const writer = new RecordingWriter(
      { write: (bytes) => sink.write(bytes), deflate: (bytes) => bytes },
      header,
    );
    const memory = new MemoryWriter(writer, this.memory);
    const positions: StoredPosition[] = [];
    for (const [i, { steps, record, tables }] of this.list.entries()) {
      if (i % TOGETHER === 0) {
        const last = this.list[Math.min(i + TOGETHER, this.list.length) - 1];
        memory.writeUpTo(last.ordinal, record.seq);
      }
      const places = encodePlaces(tables.map(({ place }) => place));
      writer.append('checkpoints', record.seq, { ...record, tables: places } satisfies StoredRecord);
      const chunk = writer.chunkCount;
      writer.flush();
      positions.push({ seq: record.seq, step: record.step, steps, chunk });
    }
    const last = this.list.at(-1);
    writer.end({
      exitCode: 0,
      cause: 'checkpoints',
      steps: last?.steps ?? 0,
      events: last?.record.seq ?? 0,
      stateHash: last?.stateHash ?? new Hasher().value(),
      eventHash: Hasher.from(last?.record.events ?? new Hasher().save()).value(),
      checkpointFormat: CHECKPOINT_FORMAT,
      checkpoints: encodePositions(positions),
      slices: encodeAscending(sliceStarts(recording)),
    });
  }
}

/** The number of the first slice in each chunk of a schedule. */
function sliceStarts(recording: Recording): number[] {
  const starts = [0];
  for (const { rowCount } of recording.tables('schedule')) starts.push(starts[starts.length - 1] + rowCount);
  return starts;
}
