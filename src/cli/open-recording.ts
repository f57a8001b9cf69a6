import { RecordingFile } from '../platform/node/recording-file.js';
import { Recording } from '../recording/format/reader.js';

/**
 * Opens a recording file; what is wrong with a damaged one is said on stderr, and what stands before it can be read.
 * @throws RecordingError
 */
export function openRecording(path: string): Recording {
  const recording = Recording.open(RecordingFile.open(path));
  if (recording.problem !== null) process.stderr.write(`jacinth: ${path}: ${recording.problem.message}\n`);
  return recording;
}
