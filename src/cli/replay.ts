import { Command, Option } from 'commander';
import type { EngineKind } from '../cpu/arch.js';
import { ExitStatus, exitStatus } from '../machine/exit-status.js';
import { comparePositions, formatPosition, type Position } from '../machine/position.js';
import { Fold } from '../recording/fold.js';
import { Diverged, Player } from '../recording/player.js';
import { Timeline } from '../timeline/timeline.js';
import '../platform/node/huge-pages.js';
import { KEEP_CHECKPOINTS } from './checkpoint-path.js';
import { UserError } from './errors.js';
import { showGuest } from './guest-output.js';
import { CheckpointKeeper, keepCheckpoints } from './keep-checkpoints.js';
import { ofRecording, openRecording } from './open-recording.js';
import { positionArgument } from './position-argument.js';
import { engineOption } from './run-options.js';
import { writeAll } from './write-all.js';

interface ReplayOptions {
  readonly to?: string;
  readonly fold?: true;
  readonly engine: EngineKind;
  readonly keepCheckpoints?: true;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('Run a recording again and check it against what was recorded.')
    .argument('<recording>', 'a .jacinth file')
    .option('--to <position>', 'stop there: seq:step, seq, start, end or NN%')
    .addOption(
      new Option(
        '--fold',
        'apply the stored events by reducers alone (recordings of --detail full)',
      ).conflicts('keepCheckpoints'),
    )
    .option(...KEEP_CHECKPOINTS)
    .addOption(engineOption())
    .addHelpText('after', '\nExample:\n  jacinth replay bank.jacinth && echo the same run')
    .action((path: string, options: ReplayOptions) => {
      process.exitCode = ofRecording(path, () =>
        options.fold ? fold(path, options.to) : replay(path, options),
      );
    });
}

function replay(path: string, { to, engine, keepCheckpoints: keep }: ReplayOptions): number {
  const recording = openRecording(path);
  const player = new Player(recording, engine);
  showGuest(player.machine, player.spec);
  const target = to === undefined ? null : targetOf(to, new Timeline(recording).end);
  const keeper = keep ? new CheckpointKeeper(player.machine) : null;
  try {
    while (!player.atEnd) {
      if (target !== null && comparePositions(player.machine.position, target) >= 0) break;
      keeper?.look();
      // Checkpoints are taken between commands: then the last one is done to its end.
      if (!(target === null || keep ? player.command() : player.commandTo(target))) break;
    }
  } catch (reason) {
    if (!(reason instanceof Diverged)) throw reason;
    return reportDivergence(path, reason);
  }
  const { halt, seq, steps } = player.machine.k.state;
  const { position } = player.machine;
  if (target !== null && !keep && comparePositions(position, target) !== 0)
    throw new UserError(`no position ${to}, the next one is ${formatPosition(position)}, go there`);
  if (keeper !== null) keepCheckpoints(keeper, path, recording);
  writeAll(2, `jacinth: replayed ${steps} steps and ${seq} events, the same run as recorded\n`);
  if (halt !== null) return exitStatus(halt);
  return to === undefined ? ExitStatus.FAILED : 0;
}

/** The position to stop at; null for the end, where all is compared once more. */
function targetOf(to: string, end: Position): Position | null {
  const target = positionArgument(to, () => end);
  const order = comparePositions(target, end);
  if (order > 0) throw new UserError(`no position ${to}, the run ends at ${formatPosition(end)}, go there`);
  return order === 0 ? null : target;
}

function fold(path: string, to: string | undefined): number {
  const recording = openRecording(path);
  const folded = new Fold(recording);
  try {
    if (to === undefined) folded.run();
    else {
      const target = positionArgument(to, () => ({ seq: recording.end?.events ?? 0, step: 0 }));
      if (!folded.foldTo(target))
        throw new UserError(`no position ${to}, the recording ends at ${formatPosition(folded.position)}`);
    }
  } catch (reason) {
    if (!(reason instanceof Diverged)) throw reason;
    return reportDivergence(path, reason);
  }
  const { halt, seq, steps } = folded.k.state;
  writeAll(2, `jacinth: folded ${steps} steps and ${seq} events, the same states as recorded\n`);
  return halt === null ? 0 : exitStatus(halt);
}

function reportDivergence(path: string, { divergence }: Diverged): number {
  const { position, what, recorded, replayed } = divergence;
  writeAll(
    2,
    `jacinth: ${path} diverges at ${formatPosition(position)} in its ${what}\n` +
      `  recorded: ${recorded}\n  replayed: ${replayed}\n`,
  );
  return ExitStatus.FAILED;
}
