import { Command } from 'commander';
import { type RecordingFacts, recordingFacts } from '../timeline/recording-facts.js';
import { printable, timeText } from '../timeline/text.js';
import { openCheckpoints } from './checkpoint-file.js';
import { printing } from './inspect.js';
import { openRecording } from './open-recording.js';

export function infoCommand(): Command {
  return new Command('info')
    .description('What a recording is of, how its run went and whether the file is whole.')
    .argument('<recording>', 'a .jacinth file')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  jacinth info bank.jacinth --json')
    .action((path: string, options: { json?: true }) => {
      const recording = openRecording(path);
      const facts = recordingFacts(recording);
      const stored = openCheckpoints(path, recording);
      const checkpoints = stored === null ? null : { count: stored.count, bytes: stored.sizeBytes };
      printing((out) => {
        if (options.json) out.json({ recording: path, ...facts, checkpoints });
        else
          for (const [name, value] of rows(facts, checkpoints))
            out.line(`${name.padEnd(12)} ${printable(value)}`);
      });
    });
}

/** Those beside the recording. */
interface CheckpointFacts {
  readonly count: number;
  readonly bytes: number;
}

function rows(facts: RecordingFacts, checkpoints: CheckpointFacts | null): [name: string, value: string][] {
  const limit = facts.maxSteps === null ? '' : `, at most ${facts.maxSteps} steps`;
  const ending = facts.cause === null ? 'not recorded' : `${facts.exit} (${facts.cause})`;
  return [
    ['guest', facts.guest],
    ['arguments', facts.arguments.map((text) => JSON.stringify(text)).join(' ')],
    ...facts.environment.map((text): [string, string] => ['environment', text]),
    [
      'machine',
      `${facts.arch}, ABI ${facts.abi}, ${facts.cores} cores, quantum ${facts.quantum} steps${limit}`,
    ],
    ['schedule', `${facts.strategy}, seed ${facts.seed}; entropy seed ${facts.entropySeed}`],
    ['exit', ending],
    ['steps', String(facts.steps)],
    ['events', String(facts.events)],
    ['time', facts.timeNs === null ? 'not recorded' : timeText(BigInt(facts.timeNs))],
    ['state hash', facts.stateHash],
    ['event hash', facts.eventHash],
    [
      'recording',
      `${facts.bytes} bytes, ${facts.chunks} chunks, detail ${facts.detail}, Jacinth ${facts.jacinth}`,
    ],
    ['checkpoints', checkpoints === null ? 'none' : `${checkpoints.count}, ${checkpoints.bytes} bytes`],
    ['complete', facts.complete ? 'yes' : `no: ${facts.problem}; it leads to ${facts.end}`],
  ];
}
