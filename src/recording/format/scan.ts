import type { Digest } from '../../base/digest.js';
import type { ByteSource } from './byte-source.js';
import { crc32c } from './crc32c.js';
import { Directory } from './directory.js';
import { KINDS, kindLabel, kindName } from './kinds.js';
import { type ChunkHead, decodeHead, digestOf, HEAD_BYTES, PRELUDE_BYTES } from './layout.js';
import { MAX_CHUNKS } from './limits.js';
import { RecordingError, type RecordingTrouble } from './recording-error.js';

export interface Scan {
  /** Every chunk before the first bad one. */
  readonly directory: Directory;
  readonly problem: RecordingError | null;
  /** Of the last of them that is no index. */
  readonly lastDigest: Digest;
}

/**
 * Reads a recording through from behind its prelude: checksums, the chain of digests, the order of chunks. Payloads
 * are neither inflated nor decoded. At most one chunk is in memory.
 */
export function scan(source: ByteSource): Scan {
  const directory = new Directory();
  let previous = digestOf(source.read(0, PRELUDE_BYTES), new Uint8Array());
  let lastDigest = previous;
  let offset = PRELUDE_BYTES;
  let ended = false;

  const stop = (trouble: RecordingTrouble, what: string): Scan => {
    const advice =
      directory.length === 0
        ? 'nothing can be read: record again'
        : `the ${directory.length} chunks before it can still be read`;
    return { directory, problem: new RecordingError(trouble, what, offset, advice), lastDigest };
  };
  const bad = (kind: number | null, what: string): Scan =>
    stop('damaged', `the recording is damaged in chunk ${directory.length}${label(kind)}: ${what}`);

  while (offset < source.sizeBytes) {
    const at = directory.length;
    if (at === MAX_CHUNKS) return stop('limit', `the recording has more than ${MAX_CHUNKS} chunks`);
    if (at > 0 && directory.kindAt(at - 1) === KINDS.index.number) {
      return stop('damaged', 'something follows the end of the recording');
    }
    const headBytes = source.read(offset, HEAD_BYTES);
    if (headBytes.length < HEAD_BYTES) return stop('cut', `the recording is cut in the head of chunk ${at}`);
    const head = decodeHead(headBytes);
    if (typeof head === 'string') return bad(null, head);
    const payload = source.read(offset + HEAD_BYTES, head.storedLength);
    if (payload.length < head.storedLength)
      return stop('cut', `the recording is cut in chunk ${at}${label(head.kind)}`);
    if (crc32c(payload) !== head.payloadCrc) return bad(head.kind, 'its bytes do not fit their checksum');
    if (head.previous !== previous) return bad(head.kind, 'it does not belong behind the chunk before it');
    const misplaced = whyMisplaced(head, at, ended);
    if (misplaced !== null) return bad(head.kind, misplaced);
    const { seq, storedLength, rawLength, kind } = head;
    directory.add({ offset, seq, storedLength, rawLength, kind });
    ended ||= kind === KINDS.end.number;
    previous = digestOf(headBytes, payload);
    if (kind !== KINDS.index.number) lastDigest = previous;
    offset += HEAD_BYTES + storedLength;
  }
  return ended
    ? { directory, problem: null, lastDigest }
    : stop('cut', 'the recording stops before its run ended');
}

/** The header comes first and only there; what is known of a run does not follow its end. */
function whyMisplaced(head: ChunkHead, at: number, ended: boolean): string | null {
  if ((at === 0) !== (head.kind === KINDS.header.number)) return 'a header comes first, and only once';
  const name = kindName(head.kind);
  return ended && name !== null && name !== 'index' ? 'it follows the end' : null;
}

function label(kind: number | null): string {
  return kind === null ? '' : ` (${kindLabel(kind)})`;
}
