import { RecordingFile, RecordingFileSink, removeRecording } from '../platform/node/recording-file.js';
import { StoredCheckpoints } from '../recording/checkpoints/stored-checkpoints.js';
import type { Recording } from '../recording/format/reader.js';
import { RecordingError } from '../recording/format/recording-error.js';
import type { CheckpointKeeper } from '../timeline/keeper.js';
import { writeAll } from './write-all.js';

export const KEEP_CHECKPOINTS = [
  '--keep-checkpoints',
  'keep checkpoints beside the recording, in RECORDING.checkpoints: looking into it is quick then',
] as const;

const fileOf = (recordingPath: string): string => `${recordingPath}.checkpoints`;

/** Writes the checkpoints of a run beside its recording and says so. */
export function keepCheckpoints(keeper: CheckpointKeeper, recordingPath: string, recording: Recording): void {
  const path = fileOf(recordingPath);
  let count = 0;
  RecordingFileSink.whole(path, (sink) => {
    count = keeper.store(recording, sink);
  });
  const file = RecordingFile.open(path);
  writeAll(2, `jacinth: kept ${count} checkpoints, ${file.sizeBytes} bytes, in ${path}\n`);
  file.close();
}

/** To be called for a recording that is made anew: those of an older one of the same name are of no use. */
export function forgetCheckpoints(recordingPath: string): void {
  removeRecording(fileOf(recordingPath));
}

/** The checkpoints beside a recording; null, and a line on stderr, when they cannot be used; null when there are none. */
export function openCheckpoints(recordingPath: string, recording: Recording): StoredCheckpoints | null {
  const path = fileOf(recordingPath);
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
