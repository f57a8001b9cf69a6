import { Command, CommanderError } from 'commander';
import { ExitStatus } from '../machine/exit-status.js';
import { VERSION } from '../version.js';
import { explain } from './errors.js';
import {
  failedStatus,
  HELP_OPTION,
  overview,
  SUMMARIES,
  VERSION_OPTION,
  type VerbName,
  verbOf,
} from './overview.js';
import { saidAll, writeAll } from './write-all.js';

export { prepare, preparedSoFar } from '../base/prepared.js';

/** Each verb's modules are evaluated only when it is called; in a bundle there are only one verb's. */
const VERBS: Readonly<Record<VerbName, () => Promise<Command>>> = {
  cc: async () => (await import('./cc.js')).ccCommand(),
  run: async () => (await import('./run.js')).runCommand(),
  record: async () => (await import('./record.js')).recordCommand(),
  replay: async () => (await import('./replay.js')).replayCommand(),
  info: async () => (await import('./info.js')).infoCommand(),
  events: async () => (await import('./events.js')).eventsCommand(),
  show: async () => (await import('./show.js')).showCommand(),
  writes: async () => (await import('./writes.js')).writesCommand(),
  diff: async () => (await import('./diff.js')).diffCommand(),
};

/** What commander gives for a mistake on the command line, where the verb has no status of its own for that. */
const MISTAKE = 1;

/** Mistakes on the command line in the form of all others: one line, with what to do. */
const ONE_LINE = {
  writeOut: (text: string): void => void writeAll(1, text),
  writeErr: (text: string): void => void writeAll(2, text),
  outputError: (text: string, write: (text: string) => void): void => {
    const what = text
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      .trim()
      .replace(/\.$/, '');
    write(`jacinth: ${what}, see jacinth --help or jacinth VERB --help\n`);
  },
};

async function execute(args: readonly string[]): Promise<void> {
  const program = new Command('jacinth')
    .version(VERSION, ...VERSION_OPTION)
    .helpOption(...HELP_OPTION)
    .helpCommand(false)
    .configureHelp({ formatHelp: overview })
    .exitOverride()
    .configureOutput(ONE_LINE);
  const chosen = verbOf(args);
  for (const name of Object.keys(SUMMARIES) as VerbName[]) {
    if (name === chosen) program.addCommand((await VERBS[name]()).exitOverride().configureOutput(ONE_LINE));
    else program.command(name).exitOverride();
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (reason) {
    if (!(reason instanceof CommanderError)) throw reason;
    process.exitCode = reason.exitCode === MISTAKE ? ExitStatus.FAILED : reason.exitCode;
  }
}

/** Does what a command line asks for; what goes wrong is one line on stderr and the exit status of the process. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await execute(args);
  } catch (reason) {
    const { line, status } = explain(reason);
    writeAll(2, `${line}\n`);
    process.exitCode = status;
  }
  if (!saidAll()) process.exitCode = failedStatus(args);
}
