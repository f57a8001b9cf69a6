import { stateHash } from '../kernel/objects/state-hash.js';
import { formatPosition, type Position } from '../machine/position.js';
import type { Recording } from '../recording/format/reader.js';
import { Diverged } from '../recording/player.js';
import { Timeline } from './timeline.js';

/** What is known of a recording without looking into its run, and of a cut one how far it leads. */
export interface RecordingFacts {
  readonly guest: string;
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  readonly arch: string;
  readonly abi: string;
  /** The version that recorded. */
  readonly jacinth: string;
  readonly cores: number;
  /** Steps. */
  readonly quantum: number;
  readonly strategy: string;
  readonly seed: number;
  readonly entropySeed: number;
  readonly maxSteps: number | null;
  readonly detail: 'essential' | 'full';
  readonly steps: number;
  readonly events: number;
  /** Exit status and why the run ended; null when it was not recorded to its end. */
  readonly exit: number | null;
  readonly cause: string | null;
  /** Virtual time at the end, ns; null when the recording does not say. */
  readonly timeNs: string | null;
  readonly end: string;
  readonly stateHash: string;
  readonly eventHash: string;
  /** Size of the recording. */
  readonly bytes: number;
  readonly chunks: number;
  readonly complete: boolean;
  /** What is wrong with it; null when nothing is. */
  readonly problem: string | null;
}

type End = Pick<
  RecordingFacts,
  'steps' | 'events' | 'timeNs' | 'end' | 'stateHash' | 'eventHash' | 'problem'
>;

/**
 * A recording that is not complete is run to find out how far it leads.
 * @throws RecordingError, ElfError when that cannot be done
 */
export function recordingFacts(recording: Recording): RecordingFacts {
  const { header, end, complete } = recording;
  const { machine } = header;
  return {
    guest: header.images[0]?.name ?? '',
    arguments: header.arguments,
    environment: header.environment,
    arch: header.arch,
    abi: header.abi,
    jacinth: header.jacinth,
    cores: machine.cores,
    quantum: machine.quantum,
    strategy: machine.strategy,
    seed: machine.seed,
    entropySeed: machine.entropySeed,
    maxSteps: machine.maxSteps,
    detail: machine.detail,
    exit: end?.exitCode ?? null,
    cause: end?.cause ?? null,
    ...(complete && end !== null ? recordedEnd(end) : reachedEnd(recording)),
    bytes: recording.sizeBytes,
    chunks: recording.chunkCount,
    complete,
  };
}

function recordedEnd(end: NonNullable<Recording['end']>): End {
  const { steps, events, stateHash, eventHash, timeNs = null } = end;
  return {
    steps,
    events,
    stateHash,
    eventHash,
    timeNs,
    end: formatPosition({ seq: events, step: 0 }),
    problem: null,
  };
}

function reachedEnd(recording: Recording): End {
  const timeline = new Timeline(recording);
  const problems = recording.problem === null ? [] : [recording.problem.message];
  let position: Position;
  try {
    position = timeline.end;
  } catch (reason) {
    if (!(reason instanceof Diverged)) throw reason;
    problems.push(reason.message);
    position = timeline.position;
  }
  const { k } = timeline.machine;
  return {
    steps: k.state.steps,
    events: k.state.seq,
    timeNs: k.nowNs.toString(),
    end: formatPosition(position),
    stateHash: stateHash(k.snapshot()),
    eventHash: timeline.machine.eventHash(),
    problem: problems.length === 0 ? 'the run was not recorded to its end' : problems.join('; '),
  };
}
