import { diffRecordings } from '../diff/diff.js';
import type { DiffReport } from '../diff/report.js';
import { type ByteSource, bytesSource } from '../recording/format/byte-source.js';
import { Recording } from '../recording/format/reader.js';

/**
 * Where and why two recordings of one program part.
 * @throws RecordingError, NotReplayable when one of them cannot be read or run again
 */
export function diff(a: Uint8Array | ByteSource, b: Uint8Array | ByteSource): DiffReport {
  const open = (recording: Uint8Array | ByteSource): Recording =>
    Recording.open(recording instanceof Uint8Array ? bytesSource(recording) : recording);
  return diffRecordings(open(a), open(b));
}
