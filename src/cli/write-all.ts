import { writeSync } from 'node:fs';

const WAIT = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of it to a descriptor of this process before it returns. The answer is false when nobody reads there any
 * more, which is no error (`… | head`).
 */
export function writeAll(descriptor: 1 | 2, what: string | Uint8Array): boolean {
  const bytes = typeof what === 'string' ? Buffer.from(what) : what;
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(WAIT, 0, 0, 1);
    }
  }
  return true;
}
