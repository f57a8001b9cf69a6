import { readFileSync } from 'node:fs';

/**
 * How long this thread has had a core, ms; where the host does not tell, its clock. What a busy host makes wait is not
 * slow.
 */
export function threadMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Calls something; how long the thread was at it, ms. */
export function timed(what: () => void): number {
  const started = threadMs();
  what();
  return threadMs() - started;
}
