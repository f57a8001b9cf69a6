import type { Digest } from '../base/digest.js';
import type { Position } from '../machine/position.js';
import type { Recording } from './format/reader.js';
import { RecordingError } from './format/recording-error.js';

/** What was so at a position of the recorded run. */
export interface DigestRow {
  readonly position: Position;
  readonly state: Digest;
  readonly events: Digest;
}

/** More than a run of 10^12 steps has; they are held in memory. */
const MAX_DIGESTS = 1 << 17;

/**
 * All digests of a recording, in order.
 * @throws RecordingError
 */
export function digestRows(recording: Recording): DigestRow[] {
  const rows: DigestRow[] = [];
  for (const { seq, step, state, events } of recording.rows('digests')) {
    if (rows.length === MAX_DIGESTS) {
      const what = `the recording has more than ${MAX_DIGESTS} digests`;
      throw new RecordingError('limit', what, null, 'record a shorter run');
    }
    rows.push({ position: { seq, step }, state, events });
  }
  return rows;
}
