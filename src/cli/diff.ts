import { Command, type ErrorOptions } from 'commander';
import { diffRecordings, NotReplayable } from '../diff/diff.js';
import type { Both, DiffReport } from '../diff/report.js';
import { reportText } from '../diff/text.js';
import { formatPosition } from '../machine/position.js';
import '../platform/node/huge-pages.js';
import { RecordingFile } from '../platform/node/recording-file.js';
import { Recording } from '../recording/format/reader.js';
import { explain, UserError } from './errors.js';
import { printing } from './inspect.js';
import { ofRecording } from './open-recording.js';
import { writeAll } from './write-all.js';

/** As `diff` has it. */
const DIFFERENT = 1;
const TROUBLE = 2;

const DETAILS = `
Exit status: 0 the same run, 1 they differ, 2 trouble: a recording cannot be
read or run again. A recording that was cut is compared as far as it goes.

Example:
  jacinth diff failing.jacinth passing.jacinth`;

/** A mistake on the command line is trouble too: 1 would say that the recordings differ. */
class DiffCommand extends Command {
  override error(message: string, options?: ErrorOptions): never {
    return super.error(message, { ...options, exitCode: TROUBLE });
  }
}

export function diffCommand(): Command {
  return new DiffCommand('diff')
    .description('Where and why two recordings of one program part.')
    .argument('<a>', 'a .jacinth file')
    .argument('<b>', 'another')
    .option('--json', 'print one JSON document')
    .addHelpText('after', DETAILS)
    .action((a: string, b: string, options: { readonly json?: true }) => {
      const files = { a, b };
      const report = compare(files);
      printing((out) => out.text(options.json ? `${json(report, files)}\n` : reportText(report, files)));
      process.exitCode = report.same ? 0 : DIFFERENT;
    });
}

/** @throws UserError with the status for trouble */
function compare(files: Both<string>): DiffReport {
  try {
    return diffRecordings(open(files.a), open(files.b));
  } catch (reason) {
    if (reason instanceof NotReplayable)
      throw new UserError(`${files[reason.side]}: ${reason.message}`, TROUBLE);
    const { line } = explain(reason);
    throw new UserError(line.replace(/^jacinth: /, ''), TROUBLE);
  }
}

/** A recording that was cut is as good as it is long; one that is damaged is not to be believed. */
function open(path: string): Recording {
  const recording = ofRecording(path, () => Recording.open(RecordingFile.open(path)));
  const { problem } = recording;
  if (problem === null) return recording;
  const line = `${path}: ${problem.message}`;
  if (problem.trouble !== 'cut') throw new UserError(line, TROUBLE);
  writeAll(2, `jacinth: ${line}\n`);
  return recording;
}

function json(report: DiffReport, files: Both<string>): string {
  return JSON.stringify({ files, ...report }, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null || !('seq' in value && 'step' in value)) return value;
    return formatPosition(value as { seq: number; step: number });
  });
}
