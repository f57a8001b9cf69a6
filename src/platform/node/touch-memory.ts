import { close, openSync, read } from 'node:fs';

/**
 * Has the host give memory that was never touched, which takes it 3 µs for each page of 4 KiB: another thread puts zeros
 * there, as there are already. Nobody may write there before that is done. Nothing is done where no zeros can be read.
 */
export function touch(memory: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    let zeros: number;
    try {
      zeros = openSync('/dev/zero', 'r');
    } catch {
      resolve();
      return;
    }
    read(zeros, memory, 0, memory.length, null, () => close(zeros, () => resolve()));
  });
}
