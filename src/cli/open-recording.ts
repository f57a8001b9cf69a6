import { RecordingFile } from '../platform/node/recording-file.js';
import { Recording } from '../recording/format/reader.js';
import { RecordingError } from '../recording/format/recording-error.js';
import { UserError } from './errors.js';
import { writeAll } from './write-all.js';

/** From here on a look reads what it needs, and checks that: reading all would take longer than the look. */
const LARGE_BYTES = 8 << 20;

/**
 * Opens a recording to look into it, a large one by its index.
 * @throws RecordingError
 */
export function openToLook(path: string): Recording {
  const file = RecordingFile.open(path);
  if (file.sizeBytes > LARGE_BYTES) {
    const recording = Recording.openIndexed(file);
    if (recording.complete) return recording;
  }
  return openRecording(path);
}

/**
 * Opens a recording file; what is wrong with a damaged one is said on stderr, and what stands before it can be read.
 * @throws UserError
 */
export function openRecording(path: string): Recording {
  const recording = ofRecording(path, () => Recording.open(RecordingFile.open(path)));
  if (recording.problem !== null) writeAll(2, `jacinth: ${path}: ${recording.problem.message}\n`);
  return recording;
}

/**
 * Does something with a recording; what is wrong with it is told with its name.
 * @throws UserError for a RecordingError
 */
export function ofRecording<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (reason) {
    if (!(reason instanceof RecordingError) || reason.message.includes(path)) throw reason;
    throw new UserError(`${path}: ${reason.message}`);
  }
}
