import { removeRecording } from '../platform/node/recording-file.js';

export const KEEP_CHECKPOINTS = [
  '--keep-checkpoints',
  'keep checkpoints beside the recording, in RECORDING.checkpoints: looking into it is quick then',
] as const;

/** The file of the checkpoints beside a recording. */
export const checkpointsOf = (recordingPath: string): string => `${recordingPath}.checkpoints`;

/** To be called for a recording that is made anew: those of an older one of the same name are of no use. */
export function forgetCheckpoints(recordingPath: string): void {
  removeRecording(checkpointsOf(recordingPath));
}
