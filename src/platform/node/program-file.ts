import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** Larger files are no guest program: the ELF reader's own limit. */
const MAX_PROGRAM_BYTES = 256 << 20;

/** A program's bytes and name, or why there are none. */
export function readProgramFile(path: string): { name: string; bytes: Uint8Array } | 'missing' | 'unreadable' {
  try {
    const status = statSync(path);
    if (!status.isFile() || status.size > MAX_PROGRAM_BYTES) return 'unreadable';
    return { name: basename(path), bytes: new Uint8Array(readFileSync(path)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable';
  }
}
