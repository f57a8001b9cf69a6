import type { EngineKind } from '../cpu/arch.js';
import { exitStatus } from '../machine/exit-status.js';
import type { Position } from '../machine/position.js';
import { requireStorable } from '../recording/checkpoints/checkpoint-file.js';
import type { ByteSource } from '../recording/format/byte-source.js';
import type { RecordingSink } from '../recording/format/writer.js';
import { Diverged, type Divergence, Player } from '../recording/player.js';
import { CheckpointKeeper } from '../timeline/keeper.js';
import { type OpenOptions, recordingOf } from './recording-of.js';

export interface ReplayOptions extends OpenOptions {
  /** How instructions are run, whatever it was when they were recorded; the quickest when absent. */
  readonly engine?: EngineKind;
  /** Where checkpoints of the run go once it is over, for `open`; nothing is written when it diverges. */
  readonly checkpoints?: RecordingSink;
}

export interface ReplayResult {
  /** Null: everything was as recorded. */
  readonly divergence: Divergence | null;
  readonly position: Position;
  /** Exit status of the run; null when it was cut or diverged before its end. */
  readonly exitCode: number | null;
  /** Instructions. */
  readonly steps: number;
}

/**
 * Runs a recording again and compares it with what was recorded, up to the first difference.
 * @throws RecordingError, ElfError when there is nothing to run
 */
export function replay(recording: Uint8Array | ByteSource, options: ReplayOptions = {}): ReplayResult {
  const { checkpoints, engine } = options;
  const opened = recordingOf(recording, options);
  if (checkpoints !== undefined) requireStorable(opened.header);
  const player = new Player(opened, engine);
  const keeper = checkpoints === undefined ? null : new CheckpointKeeper(player.machine);
  let divergence: Divergence | null = null;
  try {
    do keeper?.look();
    while (!player.atEnd && player.command());
    if (checkpoints !== undefined) keeper?.store(opened, checkpoints);
  } catch (reason) {
    if (!(reason instanceof Diverged)) throw reason;
    divergence = reason.divergence;
  }
  const { machine } = player;
  const { halt, steps } = machine.k.state;
  const exitCode = halt === null || divergence !== null ? null : exitStatus(halt);
  return { divergence, position: divergence?.position ?? machine.position, exitCode, steps };
}
