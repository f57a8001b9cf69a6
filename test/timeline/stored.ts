import type { Checkpoint } from '../../src/machine/machine.js';
import type { StoredRecord } from '../../src/recording/checkpoints/checkpoint-file.js';
import { CheckpointLog, type LogLimits } from '../../src/recording/checkpoints/checkpoint-log.js';
import { StoredCheckpoints } from '../../src/recording/checkpoints/stored-checkpoints.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { KINDS } from '../../src/recording/format/kinds.js';
import { Recording } from '../../src/recording/format/reader.js';
import type { RecordingError } from '../../src/recording/format/recording-error.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
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

/** The same file, its chunks whole, with other records. */
export function withRecords(file: Uint8Array, change: (record: StoredRecord) => StoredRecord): Uint8Array {
  const from = Recording.open(bytesSource(file));
  const parts: Uint8Array[] = [];
  const writer = new RecordingWriter({ write: (bytes) => parts.push(bytes.slice()) }, from.header);
  for (let i = 0; i < from.chunkCount; i++) {
    const { kind, seq } = from.chunk(i);
    if (kind === KINDS.memory.number) writer.bytes('memory', seq, from.bytesIn('memory', i));
    if (kind !== KINDS.checkpoints.number) continue;
    writer.append('checkpoints', seq, change(from.record('checkpoints', i) as StoredRecord));
    writer.flush();
  }
  writer.end(from.end!);
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
