import type { Checkpoint } from '../../src/machine/machine.js';
import { CheckpointLog, type LogLimits } from '../../src/recording/checkpoints/checkpoint-log.js';
import { StoredCheckpoints } from '../../src/recording/checkpoints/stored-checkpoints.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import type { Recording } from '../../src/recording/format/reader.js';
import type { RecordingError } from '../../src/recording/format/recording-error.js';
import { Player } from '../../src/recording/player.js';
import { CheckpointKeeper } from '../../src/timeline/keeper.js';

/** The file of checkpoints that a replay leaves, one every so many steps or events. */
export function checkpointFile(
  recording: Recording,
  every: { steps: number; events: number },
  limits: LogLimits = { count: 200, memoryBytes: 1 << 28 },
): Uint8Array {
  const player = new Player(recording);
  const keeper = new CheckpointKeeper(player.machine, every, limits);
  do keeper.look();
  while (!player.atEnd && player.command());
  const parts: Uint8Array[] = [];
  keeper.store(recording, { write: (bytes) => parts.push(bytes.slice()) });
  return new Uint8Array(Buffer.concat(parts));
}

/** A file of these checkpoints. */
export function fileOf(recording: Recording, checkpoints: readonly Checkpoint[]): Uint8Array {
  const log = new CheckpointLog();
  for (const checkpoint of checkpoints) log.add(checkpoint);
  const parts: Uint8Array[] = [];
  log.write(recording, { write: (bytes) => parts.push(bytes.slice()) });
  return new Uint8Array(Buffer.concat(parts));
}

/** @param onProblem none is expected without */
export function openStored(
  file: Uint8Array,
  recording: Recording,
  onProblem: (problem: RecordingError) => void = (problem) => {
    throw problem;
  },
): StoredCheckpoints {
  return StoredCheckpoints.open(bytesSource(file), recording, onProblem);
}
