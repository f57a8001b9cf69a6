import { Command, Option } from 'commander';
import '../platform/node/huge-pages.js';
import { RecordingFileSink } from '../platform/node/recording-file.js';
import { Recorder } from '../recording/recorder.js';
import type { Detail } from '../recording/run-header.js';
import { forgetCheckpoints, KEEP_CHECKPOINTS } from './checkpoint-path.js';
import { showGuest } from './guest-output.js';
import { addRunOptions, ofProgram, type RunOptions, runSpec } from './run-options.js';
import { writeAll } from './write-all.js';

interface RecordOptions extends RunOptions {
  readonly output: string;
  readonly detail: Detail;
  readonly keepCheckpoints?: true;
  readonly json?: true;
}

export function recordCommand(): Command {
  return addRunOptions(new Command('record'))
    .description('Run a program and record it. Console and exit status are those of `run`.')
    .requiredOption('-o, --output <file>', 'the recording to write')
    .addOption(
      new Option('--detail <how>', 'what is kept: schedule and digests, or every event')
        .choices(['essential', 'full'])
        .default('essential'),
    )
    .option(...KEEP_CHECKPOINTS)
    .option('--json', 'print what was recorded as JSON on stdout; the console goes to stderr')
    .addHelpText('after', '\nExample:\n  jacinth record bank.elf -o bank.jacinth --cores 2 --seed 7')
    .action(async (path: string, args: string[], options: RecordOptions) => {
      // Few need it: the others would load it for nothing.
      const keeping = options.keepCheckpoints ? await import('./keep-checkpoints.js') : null;
      const spec = runSpec(path, args, options);
      let sink: RecordingFileSink | null = null;
      const openSink = (): RecordingFileSink => {
        sink = RecordingFileSink.create(options.output);
        forgetCheckpoints(options.output);
        return sink;
      };
      const recorder = ofProgram(path, () => new Recorder(spec, options.detail, openSink));
      showGuest(recorder.machine, spec, options.json ? 2 : 1);
      const keeper = keeping === null ? null : new keeping.CheckpointKeeper(recorder.machine);
      const end = recorder.run(() => keeper?.look());
      (sink as RecordingFileSink | null)?.close();
      if (keeper !== null) keeping?.keepCheckpoints(keeper, options.output);
      if (options.json) writeAll(1, `${JSON.stringify({ recording: options.output, ...end })}\n`);
      process.exitCode = end.exitCode;
    });
}
