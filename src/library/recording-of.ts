import { type ByteSource, bytesSource } from '../recording/format/byte-source.js';
import { Recording } from '../recording/format/reader.js';
import type { Program } from '../sdk/program.js';
import { programSet } from '../sdk/runtime/host.js';

/** What a recording cannot bring itself. */
export interface OpenOptions {
  /** The programs in TypeScript that were recorded, as they were then. */
  readonly programs?: readonly Program[];
}

/** @throws RecordingError; RangeError for two programs of one name */
export function recordingOf(recording: Uint8Array | ByteSource, { programs = [] }: OpenOptions): Recording {
  const source = recording instanceof Uint8Array ? bytesSource(recording) : recording;
  return Recording.open(source, programs.length === 0 ? null : programSet(programs));
}
