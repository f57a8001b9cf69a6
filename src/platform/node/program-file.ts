import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** What a recording can hold: a larger program could be run and never be looked at. */
const MAX_PROGRAM_BYTES = 32 << 20;

/** A program's bytes and name, or why there are none. */
export function readProgramFile(
  path: string,
): { name: string; bytes: Uint8Array } | 'missing' | 'unreadable' | 'too large' {
  try {
    const status = statSync(path);
    if (!status.isFile()) return 'unreadable';
    if (status.size > MAX_PROGRAM_BYTES) return 'too large';
    return { name: basename(path), bytes: new Uint8Array(readFileSync(path)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable';
  }
}
