/**
 * Why a recording cannot be read or written: `missing` no such file; `foreign` something else than a recording;
 * `version` a format this Jacinth does not read; `cut` it stops early; `damaged` its bytes are not what was written;
 * `limit` larger than the format allows; `io` the host refused.
 */
export type RecordingTrouble = 'missing' | 'foreign' | 'version' | 'cut' | 'damaged' | 'limit' | 'io';

/** The one exception of reading and writing recordings. Its message is one line: what, where, what to do. */
export class RecordingError extends Error {
  override name = 'RecordingError';

  constructor(
    readonly trouble: RecordingTrouble,
    what: string,
    /** Offset in the file, where one is to blame. */
    readonly atByte: number | null,
    advice: string,
  ) {
    const line = [what, ...(atByte === null ? [] : [`at byte ${atByte}`]), advice].join(', ');
    // Paths and decoders' words may hold anything: one line stays one line, and no terminal is steered.
    super(line.replace(/\p{Cc}+/gu, ' '));
  }
}

/**
 * Thrown by decoders of payloads, which do not know where in the file they are: the reader catches it and throws
 * a RecordingError that does.
 */
export class PayloadError extends Error {
  override name = 'PayloadError';
}
