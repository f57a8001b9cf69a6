import { writeSync } from 'node:fs';

const WAIT = new Int32Array(new SharedArrayBuffer(4));

/** Why something could not be written, since it was asked for last. */
let trouble: string | null = null;

/**
 * Writes all of it to a descriptor of this process before it returns. The answer is false when nobody reads there any
 * more, which is no error (`… | head`), or when it cannot be written, which `saidAll` tells.
 */
export function writeAll(descriptor: 1 | 2, what: string | Uint8Array): boolean {
  const bytes = typeof what === 'string' ? Buffer.from(what) : what;
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') {
        trouble ??= `cannot write to std${descriptor === 1 ? 'out' : 'err'} (${code})`;
        return false;
      }
      Atomics.wait(WAIT, 0, 0, 1);
    }
  }
  return true;
}

/** Whether all that was said since the last time could be written; if not, that is said. */
export function saidAll(): boolean {
  const what = trouble;
  trouble = null;
  if (what === null) return true;
  writeAll(2, `jacinth: ${what}, check disk space\n`);
  trouble = null;
  return false;
}
