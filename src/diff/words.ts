import { amountText } from '../timeline/text.js';
import type { ThreadName } from './report.js';

/** A value in memory, as a number. */
export function amount({ value, sizeBytes }: { readonly value: bigint; readonly sizeBytes: number }): string {
  return amountText(value, sizeBytes);
}

/** Whoever did something, for a sentence. */
export function nameOf(thread: ThreadName | null): string {
  if (thread === null) return 'the kernel';
  return thread.name === '' ? `thread ${thread.koid}` : thread.name;
}
