import { bitCount } from '../../base/bits.js';
import { Hasher } from '../../base/digest.js';
import type { IntMapNode } from '../../base/int-map.js';
import type { Arch } from '../../cpu/arch.js';
import type { KernelState, MachineConfig } from '../../kernel/objects/kernel.js';
import type { KernelObject } from '../../kernel/objects/object.js';
import { stateHash } from '../../kernel/objects/state-hash.js';
import type { Checkpoint } from '../../machine/machine.js';
import { comparePositions, type Position } from '../../machine/position.js';
import { PAGE_SIZE, Page } from '../../memory/page.js';
import type { ByteSource } from '../format/byte-source.js';
import { ByteReader } from '../format/bytes.js';
import { Recording } from '../format/reader.js';
import { PayloadError, RecordingError } from '../format/recording-error.js';
import {
  CHECKPOINT_FORMAT,
  decodeAscending,
  decodePlaces,
  decodePositions,
  hashOfAll,
  MAX_PAGE_VERSIONS,
  MAX_STATES_BYTES,
  requireStorable,
  type StoredPosition,
  type StoredRecord,
} from './checkpoint-file.js';
import { stateIn } from './state-check.js';
import { decodeState } from './state-codec.js';
import { leafOf, StoredMemory, StoredPages, sortedPlaces } from './stored-memory.js';

/** What is held in memory of those that were asked for last. */
const CACHED = 4;

const ADVICE = 'the run is gone through from further back; replay with --keep-checkpoints to have them anew';

/**
 * The checkpoints beside a recording, as far as they are asked for: at first only where they are. They save time and
 * nothing depends on them: one that is damaged counts as not there, and is told of once.
 */
export class StoredCheckpoints {
  private readonly cached = new Map<number, Checkpoint>();
  private readonly pagesOf = new WeakMap<Checkpoint, StoredPages>();
  private readonly memory: StoredMemory;
  private told = false;
  /** How many are dropped with the next one that has a damaged page. */
  private dropped = 0;
  /** The record that was read last: who goes to a checkpoint asks before how many pages it has. */
  private last: { readonly position: StoredPosition; readonly record: StoredRecord } | null = null;

  private constructor(
    private readonly file: Recording,
    private positions: readonly StoredPosition[],
    /** As RecordedSchedule takes them. */
    readonly sliceStarts: readonly number[],
    private readonly onProblem: (problem: RecordingError) => void,
  ) {
    this.memory = new StoredMemory(file);
  }

  /**
   * @param onProblem told once of the first checkpoint that cannot be used
   * @throws RecordingError when the file cannot be used at all
   */
  static open(
    source: ByteSource,
    recording: Recording,
    onProblem: (problem: RecordingError) => void,
  ): StoredCheckpoints {
    requireStorable(recording.header);
    const file = Recording.openIndexed(source);
    const { header, end, complete } = file;
    if (header.checkpointsOf === undefined) throw unusable('foreign', 'the file holds no checkpoints');
    if (header.checkpointsOf !== recording.lastDigest)
      throw unusable('foreign', 'the checkpoints are of another recording');
    if (!complete || end === null) throw file.problem ?? unusable('cut', 'the file of checkpoints is cut');
    const { checkpointFormat, checkpoints, slices } = end;
    if (checkpointFormat !== CHECKPOINT_FORMAT)
      throw unusable('version', 'the checkpoints are of another version of Jacinth');
    if (!(checkpoints instanceof Uint8Array) || !(slices instanceof Uint8Array))
      throw unusable('damaged', 'the checkpoints have no index');
    return guarded('the index of the checkpoints', () => {
      const sliceStarts = decodeAscending(slices, recording.chunkCount + 1);
      if (sliceStarts[0] !== 0) throw new PayloadError('it says that no slice is the first');
      return new StoredCheckpoints(file, decodePositions(checkpoints), sliceStarts, onProblem);
    });
  }

  get count(): number {
    return this.positions.length;
  }

  get sizeBytes(): number {
    return this.file.sizeBytes;
  }

  /** Where the last one at or before a position is; null when there is none. */
  positionBefore(target: Position): Position | null {
    return this.positions[this.after(target) - 1] ?? null;
  }

  /** How many steps the last one at or before a position is before it, about: as if events between two were evenly spaced. */
  stepsTo(target: Position): number {
    const i = this.after(target);
    const [last, next] = [this.positions[i - 1], this.positions[i]];
    if (last === undefined || next === undefined) return 0;
    if (target.seq === last.seq) return target.step - last.step;
    return ((next.steps - last.steps) * (target.seq - last.seq)) / (next.seq - last.seq);
  }

  /** Whether there is one behind a position. */
  reaches(position: Position): boolean {
    return this.after(position) < this.positions.length;
  }

  /** The last one at or before a position that can be used; null when there is none. */
  before(target: Position, config: MachineConfig, arch: Arch): Checkpoint | null {
    for (let i = this.after(target) - 1; i >= 0; i = this.after(target) - 1) {
      const position = this.positions[i];
      try {
        return this.load(position, config, arch);
      } catch (reason) {
        if (!(reason instanceof RecordingError)) throw reason;
        this.drop(position, reason);
      }
    }
    return null;
  }

  /**
   * The states up to a position in order, to look for what changed between them: each page and object of a version is
   * the same object in all of them, and pages are empty.
   */
  *outlines(target: Position, config: MachineConfig, arch: Arch): IterableIterator<KernelState> {
    const pages = new Map<number, Page>();
    const tables = new Map<number, IntMapNode>();
    const objects = new Map<number, KernelObject>();
    const page = (place: number) => shared(pages, place, MAX_PAGE_VERSIONS, () => new Page(NOTHING, null));
    const table = (place: number) =>
      shared(tables, place, MAX_PAGE_VERSIONS, () => {
        const [words] = this.memory.tablesAt([place], config.physicalPages);
        return leafOf(words, (entry) => page(words[entry] >>> 0));
      });
    const object = (version: number, object: KernelObject) =>
      shared(objects, version, MAX_STATES_BYTES, () => object);
    let sizeBytes = 0;
    for (const position of this.positions.slice(0, this.after(target))) {
      try {
        const record = this.recordAt(position);
        sizeBytes += record.state.length;
        // Only somebody else's are so many; that some are left out is no fault.
        if (sizeBytes > MAX_STATES_BYTES) return;
        yield this.stateOf(record, config, arch, { table, object });
      } catch (reason) {
        if (!(reason instanceof RecordingError)) throw reason;
        this.drop(position, reason);
      }
    }
  }

  private load(position: StoredPosition, config: MachineConfig, arch: Arch): Checkpoint {
    const known = this.cached.get(position.chunk);
    if (known !== undefined) return known;
    const record = this.recordAt(position);
    const { physicalPages } = config;
    const pages = guarded('a checkpoint', () => {
      const tables = this.memory.tablesAt(decodePlaces(record.tables), physicalPages);
      const most = Math.min(physicalPages, MAX_PAGE_VERSIONS);
      const unusable = (why: string) => new PageUnusable(position, why);
      return new StoredPages(this.memory, tables, most, unusable, () =>
        this.placesAfter(position, physicalPages),
      );
    });
    const state = this.stateOf(record, config, arch, {
      table: (_, number) => pages.leaf(number),
      object: (_, object) => object,
    });
    if (guarded('a checkpoint', () => hashOfAll(stateHash(state), record)) !== record.hash)
      throw unusable('damaged', 'a checkpoint does not have its hash');
    const { slices, span, events } = record;
    const checkpoint = { state, slices, span, events: Hasher.from(events), programs: 0 };
    if (this.cached.size === CACHED) this.cached.delete(this.cached.keys().next().value!);
    this.cached.set(position.chunk, checkpoint);
    this.pagesOf.set(checkpoint, pages);
    return checkpoint;
  }

  /**
   * Looks whether all pages of one have the bytes they should have.
   * @throws what `without` is to be told of
   */
  check(checkpoint: Checkpoint): void {
    this.pagesOf.get(checkpoint)!.check();
  }

  /** Where the pages of the next state are; null when there is none, or it cannot be used. */
  private placesAfter(position: StoredPosition, most: number): Int32Array | null {
    const next = this.positions[this.after(position)];
    if (next === undefined) return null;
    try {
      const places = guarded('a checkpoint', () => decodePlaces(this.recordAt(next).tables));
      return guarded('a table', () => sortedPlaces(this.memory.tablesAt(places, most)));
    } catch (reason) {
      // Whoever goes there will be told.
      if (!(reason instanceof RecordingError)) throw reason;
      return null;
    }
  }

  private stateOf(record: StoredRecord, config: MachineConfig, arch: Arch, parts: PlacedParts): KernelState {
    return guarded('a checkpoint', () => {
      const places = decodePlaces(record.tables);
      let next = 0;
      let pagesLeft = config.physicalPages;
      const table = (): IntMapNode => {
        if (next === places.length) throw new PayloadError('a state has more tables than there are');
        const leaf = parts.table(places[next], next++);
        pagesLeft -= bitCount(leaf.bitmap);
        if (pagesLeft < 0) throw new PayloadError('a state has more pages than its machine');
        return leaf;
      };
      const value = decodeState(new ByteReader(record.state), arch, { table, object: parts.object });
      const state = stateIn(value, config);
      if (comparePositions(state, record) !== 0) throw new PayloadError('its state is of elsewhere');
      return state;
    });
  }

  private recordAt(position: StoredPosition): StoredRecord {
    if (this.last?.position === position) return this.last.record;
    const record = this.file.record('checkpoints', position.chunk);
    if (!isStoredRecord(record) || comparePositions(record, position) !== 0)
      throw unusable('damaged', 'a checkpoint is not what the index says');
    this.last = { position, record };
    return record;
  }

  /**
   * To be told of whatever was thrown by who ran on from a checkpoint. Those before it go with it, twice as many each
   * time: most have the same page, and who ran on from each would run through all that is behind it again.
   * @returns whether the reason was a page of one that is not used any more
   */
  without(reason: unknown): boolean {
    const at = reason instanceof PageUnusable ? this.positions.indexOf(reason.of) : -1;
    if (at < 0) return false;
    const gone = this.positions.slice(Math.max(0, at - this.dropped), at + 1);
    this.dropped = 2 * this.dropped + 1;
    for (const position of gone) {
      this.cached.delete(position.chunk);
      this.drop(position, reason as PageUnusable);
    }
    return true;
  }

  private drop(position: StoredPosition, problem: RecordingError): void {
    this.positions = this.positions.filter((other) => other !== position);
    if (this.told) return;
    this.told = true;
    this.onProblem(problem);
  }

  /** How many are at or before a position. */
  private after(target: Position): number {
    let low = 0;
    let high = this.positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePositions(this.positions[middle], target) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Thrown to whoever asks for a page that has not the bytes that it is said to have. */
class PageUnusable extends RecordingError {
  constructor(
    readonly of: StoredPosition,
    why: string,
  ) {
    super('damaged', `a page of a checkpoint cannot be used: ${why}`, null, ADVICE);
  }
}

/** StateParts, tables by their places and numbers in the state. */
interface PlacedParts {
  table(place: number, number: number): IntMapNode;
  object(version: number, object: KernelObject): KernelObject;
}

/** What pages of outlines show: nobody reads them. */
const NOTHING = new Uint8Array(PAGE_SIZE);

function shared<T>(known: Map<number, T>, version: number, most: number, make: () => T): T {
  const found = known.get(version);
  if (found !== undefined) return found;
  if (known.size === most) throw new PayloadError('there are more pages or objects than can be');
  const made = make();
  known.set(version, made);
  return made;
}

function unusable(trouble: 'foreign' | 'version' | 'cut' | 'damaged', what: string): RecordingError {
  return new RecordingError(trouble, what, null, ADVICE);
}

/** Turns whatever it throws, for what a stranger may have made up, into an error that says what cannot be used. */
function guarded<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (reason) {
    if (reason instanceof RecordingError || !(reason instanceof Error)) throw reason;
    throw unusable('damaged', `${what} cannot be read: ${reason.message}`);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isStoredRecord(value: unknown): value is StoredRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { seq, step, slices, span, events, hash, state, tables } = value as Partial<StoredRecord>;
  const places = [seq, step, slices].every(isCount);
  const hasher =
    Array.isArray(events) &&
    events.length >= 5 &&
    events.length <= 8 &&
    events.every((word) => Number.isSafeInteger(word));
  const open = span === null || (span !== undefined && [span.core, span.thread, span.steps].every(isCount));
  const bytes = state instanceof Uint8Array && tables instanceof Uint8Array;
  return places && hasher && open && typeof hash === 'string' && bytes;
}
