import { diffRecordings } from '../diff/diff.js';
import type { DiffReport } from '../diff/report.js';
import type { ByteSource } from '../recording/format/byte-source.js';
import { type OpenOptions, recordingOf } from './recording-of.js';

/**
 * Where and why two recordings of one program part.
 * @throws RecordingError, NotReplayable when one of them cannot be read or run again
 */
export function diff(
  a: Uint8Array | ByteSource,
  b: Uint8Array | ByteSource,
  options: OpenOptions = {},
): DiffReport {
  return diffRecordings(recordingOf(a, options), recordingOf(b, options));
}
