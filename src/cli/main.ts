#!/usr/bin/env node
import type { Command } from 'commander';
import { ExitStatus } from '../machine/exit-status.js';
import '../platform/node/wasm-features.js';
import { VERSION } from '../version.js';
import { explain } from './errors.js';

type Verb = readonly [summary: string, load: () => Promise<Command>];

/** Each verb's module is loaded only when it is called: `--help` must not wait for the machine. */
const VERBS: Readonly<Record<string, Verb>> = {
  cc: ['build a guest program from C', async () => (await import('./cc.js')).ccCommand()],
  run: ['run a program', async () => (await import('./run.js')).runCommand()],
  record: ['run a program and record it', async () => (await import('./record.js')).recordCommand()],
  replay: ['run a recording again and check it', async () => (await import('./replay.js')).replayCommand()],
  info: ['what a recording is', async () => (await import('./info.js')).infoCommand()],
  events: ['what happened in a recording', async () => (await import('./events.js')).eventsCommand()],
  show: ['the state at a position', async () => (await import('./show.js')).showCommand()],
  writes: ['who wrote to an address', async () => (await import('./writes.js')).writesCommand()],
  diff: ['where and why two recordings part', async () => (await import('./diff.js')).diffCommand()],
};

/** What commander gives for a mistake on the command line, where the verb has no status of its own for that. */
const MISTAKE = 1;

/** Mistakes on the command line in the form of all others: one line, with what to do. */
const ONE_LINE = {
  outputError: (text: string, write: (text: string) => void): void => {
    const what = text
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      .trim()
      .replace(/\.$/, '');
    write(`jacinth: ${what}, see jacinth --help or jacinth VERB --help\n`);
  },
};

/** Options of the command itself: flags and what they do. */
const VERSION_OPTION = ['-V, --version', 'print the version'] as const;
const HELP_OPTION = ['-h, --help', 'print this help'] as const;

/** The page of all verbs, which must not wait for the parser of command lines either. */
function overview(): string {
  const row = ([name, text]: readonly [string, string]): string => `  ${name.padEnd(13)}  ${text}\n`;
  const verbs = Object.entries(VERBS).map(([name, [summary]]) => row([name, summary]));
  return `Usage: jacinth [options] [command]

A deterministic Zircon machine that records, replays and rewinds runs.

Options:
${row(VERSION_OPTION)}${row(HELP_OPTION)}
Commands:
${verbs.join('')}
Example:
  jacinth record bank.elf -o bank.jacinth --cores 2 --seed 7
  jacinth replay bank.jacinth
`;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 0 || (args.length === 1 && HELP_OPTION[0].split(', ').includes(args[0]))) {
    process.stdout.write(overview());
    return;
  }
  const { Command, CommanderError } = await import('commander');
  const program = new Command('jacinth')
    .version(VERSION, ...VERSION_OPTION)
    .helpOption(...HELP_OPTION)
    .helpCommand(false)
    .configureHelp({ formatHelp: overview })
    .exitOverride()
    .configureOutput(ONE_LINE);
  const chosen = args.find((arg) => !arg.startsWith('-'));
  for (const [name, [, load]] of Object.entries(VERBS)) {
    if (name === chosen) program.addCommand((await load()).exitOverride().configureOutput(ONE_LINE));
    else program.command(name).exitOverride();
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (reason) {
    if (!(reason instanceof CommanderError)) throw reason;
    process.exitCode = reason.exitCode === MISTAKE ? ExitStatus.FAILED : reason.exitCode;
  }
}

try {
  await main(process.argv.slice(2));
} catch (reason) {
  const { line, status } = explain(reason);
  process.stderr.write(`${line}\n`);
  process.exitCode = status;
}
