import { ExitStatus } from '../machine/exit-status.js';

/** A mistake of the user's, said in one line: what, where, what to do. */
export class UserError extends Error {
  override name = 'UserError';
  constructor(
    message: string,
    readonly status: number = ExitStatus.FAILED,
  ) {
    super(message);
  }
}

/** Errors that are answers, by name: importing their classes would load the machine just to print a help text. */
const EXPECTED: Readonly<Record<string, number>> = {
  ElfError: ExitStatus.NOT_A_PROGRAM,
  ProcessArgsError: ExitStatus.NOT_A_PROGRAM,
  RecordingError: ExitStatus.FAILED,
  Diverged: ExitStatus.FAILED,
  NoSuchPosition: ExitStatus.FAILED,
};

/** The one line for an error, and the exit status; a defect of Jacinth's own is named as one. */
export function explain(reason: unknown): { line: string; status: number } {
  // Names of files and what files say may hold anything: one line stays one line, and no terminal is steered.
  const text = (reason instanceof Error ? reason.message : String(reason)).replace(/\p{Cc}+/gu, ' ');
  if (reason instanceof UserError) return { line: `jacinth: ${text}`, status: reason.status };
  const status = reason instanceof Error ? EXPECTED[reason.name] : undefined;
  if (status !== undefined) return { line: `jacinth: ${text}`, status };
  return { line: `jacinth: internal error: ${text}, please report it`, status: ExitStatus.FAILED };
}
