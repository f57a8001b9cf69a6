/** Loaded into a `jacinth` under test before its own code: says at its exit what memory it had at most, bytes, on fd 3. */
import { existsSync, readFileSync, writeSync } from 'node:fs';

const STATUS = '/proc/self/status';

process.on('exit', () => {
  // Of this process alone, where the host tells: getrusage also counts what it was forked from.
  const peak = existsSync(STATUS) ? /VmHWM:\s*(\d+) kB/.exec(readFileSync(STATUS, 'utf8')) : null;
  try {
    writeSync(3, String(Number(peak?.[1] ?? process.resourceUsage().maxRSS) * 1024));
  } catch {
    // Nobody asked.
  }
});
