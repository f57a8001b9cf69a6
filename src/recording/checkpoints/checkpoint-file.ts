import { type Digest, Hasher } from '../../base/digest.js';
import type { Checkpoint } from '../../machine/machine.js';
import { ByteReader, ByteWriter } from '../format/bytes.js';
import type { RecordingHeader } from '../format/header.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';

/**
 * A file of checkpoints: a recording of its own, beside the one that it belongs to, which is never written again. Its
 * header is that one's with `checkpointsOf`, the digest of that one's last chunk. Then, for each checkpoint in order,
 * chunks of `memory` with the pages and tables that are new in it (see stored-memory.ts), and one of `checkpoints`.
 * The end has the format's number, their positions and chunks, and where slices are in the recording's schedule: with
 * the index, all that has to be read before one of them.
 */
export const CHECKPOINT_FORMAT = 5;

export interface StoredPosition {
  readonly seq: number;
  readonly step: number;
  readonly steps: number;
  readonly chunk: number;
}

/** A record of `checkpoints`: Checkpoint, its state as state-codec.ts has it, and `hashOfAll`. */
export interface StoredRecord {
  readonly seq: number;
  readonly step: number;
  readonly slices: number;
  readonly span: Checkpoint['span'];
  /** Hasher.save() */
  readonly events: readonly number[];
  readonly hash: Digest;
  readonly state: Uint8Array;
  /** Places of the state's tables, in the order in which it names them. */
  readonly tables: Uint8Array;
}

/** Digest of all that a machine goes on by: its state, and what of a checkpoint no state has. */
export function hashOfAll(
  stateHash: Digest,
  { slices, span, events }: Pick<StoredRecord, 'slices' | 'span' | 'events'>,
): Digest {
  const hasher = new Hasher().string(stateHash).number(slices).number(events.length);
  for (const word of events) hasher.number(word);
  if (span !== null) hasher.number(span.core).number(span.thread).number(span.steps);
  return hasher.value();
}

/** Checkpoints of one file, at most. */
export const MAX_STORED_CHECKPOINTS = 4096;
/** What their states may have together, pages and tables aside: inflated, bytes. */
export const MAX_STATES_BYTES = 16 << 20;
/** Versions of pages in all of them: 2 GiB, if all are stored and nothing is left out. */
export const MAX_PAGE_VERSIONS = 1 << 19;

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

export function encodeAscending(numbers: readonly number[]): Uint8Array {
  const out = new ByteWriter();
  let last = 0;
  for (const number of numbers) {
    out.varint(number - last);
    last = number;
  }
  return out.take();
}

/** @throws PayloadError where they are more than that, or do not go up */
export function decodeAscending(bytes: Uint8Array, most: number): number[] {
  const from = new ByteReader(bytes);
  const numbers: number[] = [];
  for (let last = 0; from.left > 0; numbers.push(last)) {
    if (numbers.length === most) throw new PayloadError('there are more numbers than can be');
    const more = from.varint();
    last += more;
    const ascends = more > 0 || numbers.length === 0;
    if (!ascends || !Number.isSafeInteger(last)) throw new PayloadError('numbers do not go up');
  }
  return numbers;
}

export function encodePositions(positions: readonly StoredPosition[]): Uint8Array {
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

/** Places, each as what it is more or less than the one before. */
export function encodePlaces(places: readonly number[]): Uint8Array {
  const out = new ByteWriter();
  let last = 0;
  for (const place of places) {
    out.varint(zigzag(place - last));
    last = place;
  }
  return out.take();
}

/** @throws PayloadError unless all are safe natural numbers */
export function decodePlaces(bytes: Uint8Array): number[] {
  const from = new ByteReader(bytes);
  const places: number[] = [];
  for (let place = 0; from.left > 0; places.push(place)) {
    place += unzigzag(from.varint());
    if (!Number.isSafeInteger(place) || place < 0) throw new PayloadError('a table has no place');
  }
  return places;
}

/** A signed number as a natural one: small ones stay small. */
function zigzag(n: number): number {
  return n < 0 ? -2 * n - 1 : 2 * n;
}

function unzigzag(n: number): number {
  return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
}
