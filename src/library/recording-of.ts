import { StoredCheckpoints } from '../recording/checkpoints/stored-checkpoints.js';
import { type ByteSource, bytesSource } from '../recording/format/byte-source.js';
import { Recording } from '../recording/format/reader.js';
import type { RecordingError } from '../recording/format/recording-error.js';
import type { Program } from '../sdk/program.js';
import { programSet } from '../sdk/runtime/host.js';

/** What a recording cannot bring itself. */
export interface OpenOptions {
  /** The programs in TypeScript that were recorded, as they were then. */
  readonly programs?: readonly Program[];
}

/** As OpenOptions, for what looks into a recording. */
export interface LookOptions extends OpenOptions {
  /** What `replay` was asked to keep: looks are quick then. */
  readonly checkpoints?: Uint8Array | ByteSource;
  /** Told once of checkpoints that cannot be used: the run is gone through without. */
  readonly onProblem?: (problem: RecordingError) => void;
}

/** @throws RecordingError when they cannot be used at all */
export function checkpointsOf(
  recording: Recording,
  { checkpoints, onProblem = () => {} }: LookOptions,
): StoredCheckpoints | null {
  if (checkpoints === undefined) return null;
  return StoredCheckpoints.open(sourceOf(checkpoints), recording, onProblem);
}

function sourceOf(bytes: Uint8Array | ByteSource): ByteSource {
  return bytes instanceof Uint8Array ? bytesSource(bytes) : bytes;
}

/** @throws RecordingError; RangeError for two programs of one name */
export function recordingOf(recording: Uint8Array | ByteSource, { programs = [] }: OpenOptions): Recording {
  return Recording.open(sourceOf(recording), programs.length === 0 ? null : programSet(programs));
}
