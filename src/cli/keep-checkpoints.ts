import { RecordingFile, RecordingFileSink } from '../platform/node/recording-file.js';
import type { Recording } from '../recording/format/reader.js';
import { CheckpointKeeper } from '../timeline/keeper.js';
import { checkpointsOf } from './checkpoint-path.js';
import { openRecording } from './open-recording.js';
import { writeAll } from './write-all.js';

export { CheckpointKeeper };

/** Writes the checkpoints of a run beside its recording and says so. */
export function keepCheckpoints(
  keeper: CheckpointKeeper,
  recordingPath: string,
  recording: Recording = openRecording(recordingPath),
): void {
  const path = checkpointsOf(recordingPath);
  let count = 0;
  RecordingFileSink.whole(path, (sink) => {
    count = keeper.store(recording, sink);
  });
  const file = RecordingFile.open(path);
  writeAll(2, `jacinth: kept ${count} checkpoints, ${file.sizeBytes} bytes, in ${path}\n`);
  file.close();
}
