/** What is done in Node and in a browser alike, for what comes of it to be compared. */
import { Hasher } from '../../src/base/digest.js';
import {
  type DiffReport,
  diff,
  type EngineKind,
  open,
  type RecordOptions,
  record,
  replay,
  stateHash,
} from '../../src/index.js';

interface ReplayWork {
  readonly kind: 'replay';
  /** The recording. */
  readonly file: string;
}

/** Records, and replays that. */
interface RecordWork {
  readonly kind: 'record';
  /** The program. */
  readonly file: string;
  readonly options: RecordOptions;
}

/** Records under two seeds, and compares. */
interface DiffWork {
  readonly kind: 'diff';
  /** The program. */
  readonly file: string;
  readonly options: RecordOptions;
  readonly seeds: readonly [number, number];
}

export type Work = ReplayWork | RecordWork | DiffWork;

/** What a recording is, and what its replay comes to: plain data. */
interface Replayed {
  readonly recordingHash: string;
  readonly exitCode: number | null;
  readonly diverged: boolean;
  readonly steps: number;
  readonly events: number;
  readonly stateHash: string;
  readonly eventHash: string;
  /** At three quarters, a half and a quarter of the events, in this order. */
  readonly stateHashes: readonly string[];
}

export type Outcome<W extends Work = Work> = W extends DiffWork ? DiffReport : Replayed;

/** @param bytes what is in the file */
export function perform<W extends Work>(work: W, engine: EngineKind, bytes: Uint8Array): Outcome<W>;
export function perform(work: Work, engine: EngineKind, bytes: Uint8Array): Outcome {
  if (work.kind === 'replay') return replayed(bytes, engine);
  const recorded = (options: RecordOptions) => record(bytes, { ...options, engine }).finish().bytes;
  if (work.kind === 'record') return replayed(recorded(work.options), engine);
  const [a, b] = work.seeds.map((seed) => recorded({ ...work.options, seed }));
  return diff(a, b);
}

function replayed(recording: Uint8Array, engine: EngineKind): Replayed {
  const { divergence, exitCode, steps } = replay(recording, { engine });
  const session = open(recording);
  const { end, timeline } = session;
  const last = stateHash(session.stateAt(end));
  const eventHash = timeline.machine.eventHash();
  const quarters = [3, 2, 1].map((n) => ({ seq: Math.floor((end.seq * n) / 4), step: 0 }));
  return {
    recordingHash: new Hasher().bytes(recording).value(),
    exitCode,
    diverged: divergence !== null,
    steps,
    events: end.seq,
    stateHash: last,
    eventHash,
    stateHashes: quarters.map((position) => stateHash(session.stateAt(position))),
  };
}
