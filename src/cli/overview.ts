import { ExitStatus } from '../machine/exit-status.js';

/** The verbs of the command line, and what each does. */
export const SUMMARIES = {
  cc: 'build a guest program from C',
  run: 'run a program',
  record: 'run a program and record it',
  replay: 'run a recording again and check it',
  info: 'what a recording is',
  events: 'what happened in a recording',
  show: 'the state at a position',
  writes: 'who wrote to an address',
  diff: 'where and why two recordings part',
} as const;

export type VerbName = keyof typeof SUMMARIES;

/** The verb that a command line names; undefined when there is none, or it is none of them. */
export function verbOf(args: readonly string[]): VerbName | undefined {
  const name = args.find((arg) => !arg.startsWith('-'));
  return name !== undefined && Object.hasOwn(SUMMARIES, name) ? (name as VerbName) : undefined;
}

/** What a command line ends with when Jacinth itself fails: as `diff` has it, 2 is trouble. */
export function failedStatus(args: readonly string[]): number {
  return verbOf(args) === 'diff' ? 2 : ExitStatus.FAILED;
}

/** Options of the command itself: flags and what they do. */
export const VERSION_OPTION = ['-V, --version', 'print the version'] as const;
export const HELP_OPTION = ['-h, --help', 'print this help'] as const;

/** Whether a command line asks for the page of all verbs. */
export function asksForOverview(args: readonly string[]): boolean {
  return args.length === 0 || (args.length === 1 && HELP_OPTION[0].split(', ').includes(args[0]));
}

/** The page of all verbs, which must not wait for the parser of command lines. */
export function overview(): string {
  const row = ([name, text]: readonly [string, string]): string => `  ${name.padEnd(13)}  ${text}\n`;
  return `Usage: jacinth [options] [command]

A deterministic Zircon machine that records, replays and rewinds runs.

Options:
${row(VERSION_OPTION)}${row(HELP_OPTION)}
Commands:
${Object.entries(SUMMARIES).map(row).join('')}
Example:
  jacinth record bank.elf -o bank.jacinth --cores 2 --seed 7
  jacinth replay bank.jacinth
`;
}
