import { Hasher } from '../../base/digest.js';
import type { KernelObject } from '../../kernel/objects/object.js';
import { stateHash } from '../../kernel/objects/state-hash.js';
import type { Checkpoint } from '../../machine/machine.js';
import type { Page } from '../../memory/page.js';
import { ByteReader, ByteWriter } from '../format/bytes.js';
import type { RecordingHeader } from '../format/header.js';
import type { Recording } from '../format/reader.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';
import { type RecordingSink, RecordingWriter } from '../format/writer.js';
import { encodeState } from './state-codec.js';

/**
 * A file of checkpoints: a recording of its own, beside the one that it belongs to, which is never written again. Its
 * header is that one's with `checkpointsOf`, the digest of that one's last chunk. Then, for each checkpoint in order,
 * chunks of `pages` with those that no chunk has yet, and one of `checkpoints`. A page's place is its chunk's number
 * times PAGES_A_CHUNK, and which it is of that chunk.
 * The end has their positions and chunks, and where slices are in the recording's schedule: with the index, all that
 * has to be read before one of them.
 */
export interface StoredPosition {
  readonly seq: number;
  readonly step: number;
  readonly steps: number;
  readonly chunk: number;
}

/** A record of `checkpoints`: Checkpoint, its state as state-codec.ts has it, and that state's hash. */
export interface StoredRecord {
  readonly seq: number;
  readonly step: number;
  readonly slices: number;
  readonly span: Checkpoint['span'];
  /** Hasher.save() */
  readonly events: readonly number[];
  readonly stateHash: string;
  readonly state: Uint8Array;
}

/** Few, because a chunk is read for each of its pages; not one, because the index grows with every chunk. */
export const PAGES_A_CHUNK = 8;
/** Checkpoints of one file, at most. */
const MAX_STORED_CHECKPOINTS = 4096;
/** What their states may have together, pages aside: inflated, bytes. */
export const MAX_STATES_BYTES = 16 << 20;
/** Versions of pages in all of them: 1 GiB, if all are stored. */
export const MAX_PAGE_VERSIONS = 1 << 18;

/**
 * Refuses runs whose checkpoints would be no use in another process.
 * @throws RecordingError
 */
export function requireStorable({ programs }: RecordingHeader): void {
  if (programs === undefined) return;
  throw new RecordingError(
    'limit',
    'runs of TypeScript programs have no checkpoints that can be kept',
    null,
    'look at it without: that runs it from its start',
  );
}

/**
 * Writes checkpoints of a recorded run.
 * @param checkpoints in order
 * @returns how many
 * @throws RecordingError
 */
export function writeCheckpoints(
  recording: Recording,
  checkpoints: readonly Checkpoint[],
  sink: RecordingSink,
): number {
  requireStorable(recording.header);
  const file = new CheckpointWriter(recording, sink);
  // Whoever reads them has the start.
  const chosen = affordable(checkpoints.filter(({ state }) => state.seq > 0));
  for (const checkpoint of chosen) file.add(checkpoint);
  file.end();
  return chosen.length;
}

/** As many of them, evenly, as may be stored if all are as large as the last one. */
function affordable(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  const last = checkpoints.at(-1);
  if (last === undefined) return [];
  const none = { page: () => ({ version: 0, place: 0 }), object: () => 0 };
  const sizeBytes = encodeState(last.state, none).length;
  const count = Math.min(MAX_STORED_CHECKPOINTS, Math.floor(MAX_STATES_BYTES / sizeBytes));
  const every = Math.ceil(checkpoints.length / Math.max(1, count));
  return checkpoints.filter((_, i) => (checkpoints.length - 1 - i) % every === 0);
}

class CheckpointWriter {
  private readonly writer: RecordingWriter;
  /** The header is the first. */
  private chunks = 1;
  /** Pages that will be in the next. */
  private pending = 0;
  private readonly places = new Map<string, number>();
  private readonly pageVersions = new Map<Page, number>();
  private readonly objectVersions = new Map<KernelObject, number>();
  private readonly positions: StoredPosition[] = [];
  private last: Checkpoint | null = null;

  constructor(
    private readonly recording: Recording,
    sink: RecordingSink,
  ) {
    // Not the sink itself: one with a clock would say when chunks end.
    const header = { ...recording.header, checkpointsOf: recording.lastDigest };
    this.writer = new RecordingWriter({ write: (bytes) => sink.write(bytes) }, header);
  }

  add(checkpoint: Checkpoint): void {
    const { state, slices, span, events } = checkpoint;
    const { seq, step, steps } = state;
    const bytes = encodeState(state, {
      page: (page) => ({ version: versionOf(this.pageVersions, page), place: this.place(page) }),
      object: (object) => versionOf(this.objectVersions, object),
    });
    const record: StoredRecord = {
      ...{ seq, step, slices, span, events: events.save() },
      ...{ stateHash: stateHash(state), state: bytes },
    };
    if (this.pageVersions.size > MAX_PAGE_VERSIONS) {
      const what = 'the run writes more memory than checkpoints are kept of';
      throw new RecordingError('limit', what, null, 'do without them');
    }
    if (this.pending > 0) this.flush();
    this.writer.append('checkpoints', seq, record);
    this.positions.push({ seq, step, steps, chunk: this.flush() });
    this.last = checkpoint;
  }

  end(): void {
    const { state, events } = this.last ?? { state: null, events: new Hasher() };
    this.writer.end({
      exitCode: 0,
      cause: 'checkpoints',
      steps: state?.steps ?? 0,
      events: state?.seq ?? 0,
      stateHash: state === null ? events.value() : stateHash(state),
      eventHash: events.value(),
      checkpoints: encodePositions(this.positions),
      slices: encodeAscending(sliceStarts(this.recording)),
    });
  }

  private place(page: Page): number {
    const digest = page.digest();
    let place = this.places.get(digest);
    if (place === undefined) {
      place = this.chunks * PAGES_A_CHUNK + this.pending++;
      this.places.set(digest, place);
      this.writer.blob('pages', page.bytes);
      if (this.pending === PAGES_A_CHUNK) this.flush();
    }
    return place;
  }

  /** Makes what was appended a chunk of its own; its number. */
  private flush(): number {
    this.writer.flush();
    this.pending = 0;
    return this.chunks++;
  }
}

function versionOf<T>(versions: Map<T, number>, part: T): number {
  const version = versions.get(part) ?? versions.size;
  versions.set(part, version);
  return version;
}

/** The number of the first slice in each chunk of a schedule. */
function sliceStarts(recording: Recording): number[] {
  const starts = [0];
  for (const { rowCount } of recording.tables('schedule')) starts.push(starts[starts.length - 1] + rowCount);
  return starts;
}

function encodeAscending(numbers: readonly number[]): Uint8Array {
  const out = new ByteWriter();
  let last = 0;
  for (const number of numbers) {
    out.varint(number - last);
    last = number;
  }
  return out.take();
}

export function decodeAscending(bytes: Uint8Array): number[] {
  const from = new ByteReader(bytes);
  const numbers: number[] = [];
  for (let last = 0; from.left > 0; numbers.push(last)) {
    const more = from.varint();
    last += more;
    const ascends = more > 0 || numbers.length === 0;
    if (!ascends || !Number.isSafeInteger(last)) throw new PayloadError('numbers do not go up');
  }
  return numbers;
}

function encodePositions(positions: readonly StoredPosition[]): Uint8Array {
  const out = new ByteWriter();
  for (const { seq, step, steps, chunk } of positions) {
    for (const number of [seq, step, steps, chunk]) out.varint(number);
  }
  return out.take();
}

export function decodePositions(bytes: Uint8Array): StoredPosition[] {
  const from = new ByteReader(bytes);
  const positions: StoredPosition[] = [];
  while (from.left > 0) {
    if (positions.length === MAX_STORED_CHECKPOINTS) throw new PayloadError('it names too many checkpoints');
    const [seq, step, steps, chunk] = [from.varint(), from.varint(), from.varint(), from.varint()];
    const last = positions.at(-1);
    if (last !== undefined && (seq - last.seq || step - last.step) <= 0)
      throw new PayloadError('its checkpoints are not in order');
    positions.push({ seq, step, steps, chunk });
  }
  return positions;
}
