import { RecordingFile } from '../platform/node/recording-file.js';
import { StoredCheckpoints } from '../recording/checkpoints/stored-checkpoints.js';
import type { Recording } from '../recording/format/reader.js';
import { RecordingError } from '../recording/format/recording-error.js';
import { checkpointsOf } from './checkpoint-path.js';
import { writeAll } from './write-all.js';

/** The checkpoints beside a recording; null, and a line on stderr, when they cannot be used; null when there are none. */
export function openCheckpoints(recordingPath: string, recording: Recording): StoredCheckpoints | null {
  const path = checkpointsOf(recordingPath);
  const complain = (problem: RecordingError): void => {
    writeAll(2, `jacinth: ${path}: ${problem.message}\n`);
  };
  try {
    return StoredCheckpoints.open(RecordingFile.open(path), recording, complain);
  } catch (reason) {
    if (!(reason instanceof RecordingError)) throw reason;
    if (reason.trouble !== 'missing') complain(reason);
    return null;
  }
}
